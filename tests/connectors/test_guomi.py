"""National cryptography 国密: the vectors of the standards, and a platform that asks for it."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import gmssl_pyx
import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.padding import PKCS7

from connectors import BadSettings, build
from connectors.errors import OutcomeUnknown
from connectors.protocol import Connector
from connectors.shared.guomi import Guomi, sm3
from connectors.shared.guomi_settings import GuomiSettings
from connectors.shared.http_read import Answer
from schemas.delivery import Item, OutcomeKind

ItemFactory = Callable[..., Item]
#: The example of GM/T 0003.5-2012: key, message and signature.
PRIVATE = "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"
PUBLIC = (
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
SIGNED = (
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
#: The example of GB/T 32907-2016, and of GB/T 32905-2016.
SM4_KEY = "0123456789abcdeffedcba9876543210"
SM4_BLOCK = "681edf34d206965e86b3e94f536e4246"
SM3_ABC = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
NOW = datetime(2026, 10, 12, 1, tzinfo=UTC)
EVERYTHING: dict[str, Any] = {
    "digest_header": "X-SM3",
    "signature_header": "X-Signature",
    "timestamp_header": "X-Timestamp",
    "private_key": PRIVATE,
    "public_key": PUBLIC,
    "body_key": SM4_KEY,
    "answers_encrypted": True,
    "answer_signature_header": "X-Answer-Signature",
    "their_public_key": PUBLIC,
}


def made(**settings: Any) -> Guomi:
    return Guomi(GuomiSettings.model_validate(settings), lambda: NOW)


def test_the_digest_is_that_of_the_standard() -> None:
    assert sm3(b"abc").hex() == SM3_ABC


def test_the_signature_of_the_standard_is_valid() -> None:
    how = {"answer_signature_header": "S", "their_public_key": f"04{PUBLIC}"}
    answer = Answer(200, {"s": SIGNED.upper()}, b"message digest")

    opened = made(**how, signature_form="raw", encoding="hex").opened(answer)

    assert opened.body == b"message digest"


def test_another_body_under_the_same_signature_is_not_believed() -> None:
    how = {"answer_signature_header": "S", "their_public_key": PUBLIC}
    answer = Answer(200, {"s": SIGNED}, b"message digesT")

    with pytest.raises(OutcomeUnknown, match="签名"):
        made(**how, signature_form="raw", encoding="hex").opened(answer)


def test_a_body_is_encrypted_as_in_the_standard() -> None:
    sealed, _ = made(body_key=SM4_KEY, encoding="hex").seal("POST", "http://p/x", b"\x00" * 16)

    assert sealed is not None
    iv, first = bytes.fromhex(sealed.decode())[:16], bytes.fromhex(sealed.decode())[16:32]
    one = Cipher(SM4(bytes.fromhex(SM4_KEY)), modes.ECB()).encryptor()  # noqa: S305  the vector
    assert one.update(bytes.fromhex(SM4_KEY)).hex() == SM4_BLOCK
    again = Cipher(SM4(bytes.fromhex(SM4_KEY)), modes.ECB()).encryptor()  # noqa: S305  one block
    assert again.update(iv) == first


@pytest.mark.parametrize("mode", ["cbc", "gcm"])
@pytest.mark.parametrize("encoding", ["base64", "hex"])
def test_what_is_encrypted_can_be_opened(mode: str, encoding: str) -> None:
    how = made(body_key=SM4_KEY, body_mode=mode, encoding=encoding, answers_encrypted=True)
    sealed, _ = how.seal("POST", "http://p/x", "样例".encode())

    assert how.opened(Answer(200, {}, sealed or b"")).body.decode() == "样例"


@pytest.mark.parametrize("mode", ["cbc", "gcm"])
@pytest.mark.parametrize("body", [b"", b"x", b"AAAA", b"\xff\xfe", b64encode(b"0" * 47)])
def test_an_answer_that_cannot_be_opened_is_no_verdict(mode: str, body: bytes) -> None:
    how = made(body_key=SM4_KEY, body_mode=mode, answers_encrypted=True)

    if not body:
        assert how.opened(Answer(200, {}, body)).body == b""
        return
    with pytest.raises(OutcomeUnknown):
        how.opened(Answer(200, {}, body))


def test_a_refusal_needs_no_signature() -> None:
    how = made(**EVERYTHING)

    assert how.opened(Answer(403, {}, b"Forbidden")).status == 403


WRONG = {
    "a short key": ({"private_key": "00ff"}, "应为 64 位十六进制"),
    "a public key that is none": ({"public_key": "zz"}, "应为未压缩的公钥"),
    "a signature without a key": ({"signature_header": "S"}, "就要写 private_key"),
    "encrypted answers without a key": ({"answers_encrypted": True}, "就要写 body_key"),
    "a key without the header": ({"their_public_key": PUBLIC}, "要一起写"),
}


@pytest.mark.parametrize(("settings", "words"), WRONG.values(), ids=WRONG)
def test_a_fault_of_the_settings_names_what_is_wrong(settings: dict[str, Any], words: str) -> None:
    given = {"url": "https://p.example", "guomi": settings}

    with pytest.raises(BadSettings) as error:
        build("platform-json", given, lambda: NOW)

    assert words in str(error.value)
    assert "00ff" not in str(error.value)


class Platform:
    """A platform that takes only what is signed and encrypted, and answers in the same way."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.forged = False

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        digest = b64encode(hashlib.new("sm3", body).digest()).decode()
        parts = (request.method, request.path_qs, request.headers["X-Timestamp"], digest)
        signature = b64decode(request.headers["X-Signature"])
        message = "\n".join(parts).encode()
        assert request.headers["X-SM3"] == digest
        assert gmssl_pyx.sm2_verify(bytes.fromhex(PUBLIC), message, signature)
        sealed = b64decode(body)
        opening = Cipher(SM4(bytes.fromhex(SM4_KEY)), modes.CBC(sealed[:16])).decryptor()
        padding = PKCS7(128).unpadder()
        plain = padding.update(opening.update(sealed[16:])) + padding.finalize()
        items = orjson.loads(plain)["items"]
        self.rows += items
        told = {"results": [{"key": one["key"], "status": "accepted"} for one in items]}
        return self._answer(orjson.dumps(told))

    def _answer(self, plain: bytes) -> web.Response:
        answer, _ = made(body_key=SM4_KEY).seal("", "", plain)
        keys = bytes.fromhex(PRIVATE), bytes.fromhex(PUBLIC)
        signature = gmssl_pyx.sm2_sign(*keys, b"other" if self.forged else answer)
        headers = {"X-Answer-Signature": b64encode(signature).decode()}
        return web.Response(body=answer, headers=headers)


@pytest.fixture
async def platform() -> AsyncIterator[tuple[Platform, str]]:
    place, app = Platform(), web.Application()
    app.router.add_route("*", "/{path:.*}", place.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    [address] = runner.addresses
    yield place, f"http://127.0.0.1:{address[1]}/p"
    await runner.cleanup()


def connector(url: str) -> Connector:
    settings = {"url": url, "allow_private": True, "guomi": EVERYTHING}
    return build("platform-json", settings, lambda: NOW)


async def test_a_platform_that_asks_for_all_of_it_takes_a_record(
    platform: tuple[Platform, str], item: ItemFactory
) -> None:
    place, url = platform
    sender = connector(url)

    outcomes = await sender.send([item(1), item(2)])
    await sender.close()

    assert [one.kind for one in outcomes] == [OutcomeKind.ACCEPTED] * 2
    assert [row["key"] for row in place.rows] == [item(1).key, item(2).key]


async def test_a_forged_answer_is_an_unknown_outcome(
    platform: tuple[Platform, str], item: ItemFactory
) -> None:
    place, url = platform
    place.forged = True
    sender = connector(url)

    with pytest.raises(OutcomeUnknown, match="签名"):
        await sender.send([item(1)])
    await sender.close()
