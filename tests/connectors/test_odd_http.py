"""Servers as they are: odd addresses, odd answers, certificates of their own, words in Chinese."""

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from connectors import BadSettings, build
from connectors.errors import ConnectorError, NotSent, OutcomeUnknown
from connectors.protocol import Connector
from connectors.shared.http_client import HttpClient
from connectors.shared.http_errors import TRANSLATION, translated
from connectors.shared.http_read import Answer
from connectors.shared.http_settings import HttpClientSettings, under
from connectors.shared.words import SECRETS, status_words
from schemas.delivery import Outcome, OutcomeKind
from tests.certificates import Authority, server_context
from tests.connectors.conftest import SECRET, ItemFactory
from tests.connectors.raw_server import answer, raw_server, request_of

CHINESE = range(0x4E00, 0x9FFF)


def bank(url: str, clock: Any, **settings: Any) -> Connector:
    given = {"url": url, "allow_private": True, "call_timeout": 3, "secrets": [SECRET], **settings}
    return build("bank-webhook", given, clock)


def is_chinese(text: str) -> bool:
    return any(ord(letter) in CHINESE for letter in text)


@asynccontextmanager
async def answering(
    given: bytes, context: ssl.SSLContext | None = None, *, keep: bool = False
) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answer every request so; yields the URL and the requests."""
    requests: list[bytes] = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        requests.append(await request_of(reader))
        writer.write(given)
        await writer.drain()
        if keep:
            await reader.read()

    async with raw_server(handler, context) as url:
        yield url, requests


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize("path", ["/hook/", "/hook", "/hook?tenant=1", "/a//b/"])
async def test_the_address_of_a_bank_is_called_as_it_stands(
    path: str, clock: Any, item: ItemFactory
) -> None:
    async with answering(answer()) as (url, requests):
        connector = bank(f"{url}{path}", clock)
        await connector.send([item(1)])
        await connector.close()

    assert requests[0].startswith(f"POST {path} HTTP/1.1".encode())


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://p/api", "https://p/api/receipts?cursor=a%26b"),
        ("https://p/api/", "https://p/api/receipts?cursor=a%26b"),
        ("https://p/api?tenant=1", "https://p/api/receipts?tenant=1&cursor=a%26b"),
    ],
)
def test_a_path_goes_under_the_address_and_its_query_stays(url: str, wanted: str) -> None:
    assert under(url, "receipts", cursor="a&b") == wanted


@pytest.mark.parametrize("suffix", ["", "/", "/services/InterfaceUploadService"])
async def test_the_address_of_the_soap_service_may_be_written_whole(
    suffix: str, clock: Any, item: ItemFactory
) -> None:
    async with answering(answer(b"<x/>")) as (url, requests):
        settings = {"url": f"{url}{suffix}", "allow_private": True, "department_code": "1"}
        connector = build("platform-soap", settings, clock)
        with pytest.raises(ConnectorError):
            await connector.send([item(1)])
        await connector.close()

    assert requests[0].startswith(b"POST /services/InterfaceUploadService HTTP/1.1")


@pytest.mark.parametrize(
    "url",
    ["http://0177.0.0.1:1", "http://0x7f.1:1", "http://[::ffff:7f00:1]:1", "http://2130706433:1"],
)
async def test_an_odd_spelling_of_a_private_address_is_refused_in_chinese(
    url: str, clock: Any, item: ItemFactory
) -> None:
    connector = bank(url, clock, allow_private=False)
    with pytest.raises(NotSent) as caught:
        await connector.send([item(1)])
    await connector.close()

    assert is_chinese(str(caught.value))


@pytest.mark.parametrize(
    "text",
    [
        "Wed, 21 Oct 2015 07:28:00 +99999999999999999999",
        "9" * 40,
        "-5",
        "1e5",
        "Fri, 31 Dec 9999 23:59:59 -1200",
        "Mon, 00 Foo 0000",
        "１２０",
    ],
)
def test_an_odd_retry_after_raises_nothing(text: str, clock: Any) -> None:
    client = HttpClient(HttpClientSettings(url="http://x"), clock)

    found = client.retry_after(Answer(503, {"retry-after": text}, b""))

    assert found is None or found.total_seconds() >= 0


# ---------------------------------------------------------------- answers

RESULT = '{"code":0,"message":"接收成功"}'.encode()


def with_length(length: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % length + RESULT


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("length", [len(RESULT.decode()), len(RESULT) + 8])
async def test_a_whole_answer_counts_though_its_length_is_wrong(
    length: int, keep: bool, clock: Any, item: ItemFactory, caplog: pytest.LogCaptureFixture
) -> None:
    """The length counts characters, or more than there is."""
    async with answering(with_length(length), keep=keep) as (url, _):
        connector = bank(url, clock, call_timeout=1)
        outcomes = await connector.send([item(1)])
        outcomes += await connector.send([item(2)])
        await connector.close()

    assert [one.kind for one in outcomes] == [OutcomeKind.ACCEPTED] * 2
    assert [one.getMessage() for one in caplog.records] == ["answer_length_wrong"]


async def test_half_an_answer_is_none(clock: Any, item: ItemFactory) -> None:
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + RESULT[:-3]

    async with answering(cut) as (url, _):
        connector = bank(url, clock, wrapper={"code_field": "code"})
        with pytest.raises(OutcomeUnknown):
            await connector.send([item(1)])
        await connector.close()


@pytest.mark.parametrize("body", [b"\xef\xbb\xbf{}", b'{"score": NaN}', '{"a":"中"}'.encode("gbk")])
def test_json_with_a_mark_or_nan_or_in_gbk_is_read(body: bytes) -> None:
    assert isinstance(Answer(200, {"content-type": "application/json"}, body).json(), dict)


# ---------------------------------------------------------------- words

PAGE = (
    "<html><head><title>拦截</title><style>x{}</style></head><body>请求<b>被</b>拦截</body></html>"
)


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ("字段缺失".encode(), "text/plain", "字段缺失"),
        ("字段缺失".encode("gbk"), "text/plain; charset=GBK", "字段缺失"),
        ("字段缺失".encode("gbk"), "text/plain", "字段缺失"),
        ("字段缺失".encode(), "text/plain; charset=nonsense", "字段缺失"),
        (PAGE.encode("gb2312"), "text/html", "拦截 请求 被 拦截"),
        (b"key k-123456789 is wrong", "", "key … is wrong"),
        (b"\x00\x01\xff", "application/octet-stream", ""),
        (b"", "", ""),
    ],
)
def test_a_status_is_said_in_chinese_beside_the_words_of_the_other_side(
    body: bytes, kind: str, words: str
) -> None:
    token = SECRETS.set(("k-123456789",))
    said = status_words(400, body, kind)
    SECRETS.reset(token)

    assert said.startswith("对方返回 HTTP 400（请求有误）")
    assert words in said


@pytest.mark.parametrize("kind", TRANSLATION, ids=lambda kind: kind.__name__)
def test_every_error_of_the_network_is_said_in_chinese(kind: type[Exception]) -> None:
    error = kind.__new__(kind)

    said = str(translated(error))

    assert is_chinese(said)
    assert kind.__name__ not in said


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ConnectionRefusedError(111, "x"), "没有在该端口接受连接"),
        (ConnectionResetError(104, "x"), "重置"),
        (httpx.PoolTimeout("x"), "等不到空闲的连接"),
        (aiohttp.ServerDisconnectedError(), "断开"),
    ],
)
def test_the_cause_of_an_error_is_told(error: Exception, words: str) -> None:
    assert words in str(translated(error))


# ---------------------------------------------------------------- certificates

Trouble = Callable[[Authority], tuple[tuple[Path, Path], dict[str, Any]]]


def _expired(ca: Authority) -> tuple[tuple[Path, Path], dict[str, Any]]:
    return ca.issue("old", until=datetime(2025, 1, 1, tzinfo=UTC)), {"ca_file": str(ca.file)}


def _other_name(ca: Authority) -> tuple[tuple[Path, Path], dict[str, Any]]:
    return ca.issue("other", address="10.9.9.9"), {"ca_file": str(ca.file)}


def _unknown(ca: Authority) -> tuple[tuple[Path, Path], dict[str, Any]]:
    return ca.issue("platform"), {}


def _self_signed(ca: Authority) -> tuple[tuple[Path, Path], dict[str, Any]]:
    return ca.issue("alone", signed=False), {}


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (_expired, "已经过期"),
        (_other_name, "不是发给这个地址的"),
        (_unknown, "由本方不信任的 CA 签发"),
        (_self_signed, "是自签名的"),
    ],
)
async def test_why_a_certificate_is_not_trusted_is_told_with_whose_it_is(
    trouble: Trouble, why: str, tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    files, settings = trouble(Authority(tmp_path))
    async with answering(answer(), server_context(files)) as (url, requests):
        connector = bank(url, clock, **settings)
        with pytest.raises(NotSent) as caught:
            await connector.send([item(1)])
        await connector.close()

    said = str(caught.value)
    assert why in said
    assert f"签发给 CN={files[0].stem},O=样例数据局" in said
    assert requests == []


async def sent(url: str, clock: Any, item: ItemFactory, **settings: Any) -> Outcome:
    connector = bank(url, clock, **settings)
    try:
        [outcome] = await connector.send([item(1)])
    finally:
        await connector.close()
    return outcome


async def test_a_private_ca_is_trusted_where_it_is_named(
    tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    ca = Authority(tmp_path)
    async with answering(answer(), server_context(ca.issue("platform"))) as (url, _):
        outcome = await sent(url, clock, item, ca_file=str(ca.file))

    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_a_certificate_of_ours_is_shown_to_who_asks_for_one(
    tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    ca = Authority(tmp_path)
    mine, key = map(str, ca.issue("gateway"))
    context = server_context(ca.issue("platform"), clients=ca.file)
    async with answering(answer(), context) as (url, _):
        files = {"ca_file": str(ca.file), "certificate_file": mine, "private_key_file": key}
        outcome = await sent(url, clock, item, **files)
        with pytest.raises(ConnectorError):
            await sent(url, clock, item, ca_file=str(ca.file))

    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_one_certificate_can_be_trusted_by_its_fingerprint_alone(
    tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    files = Authority(tmp_path).issue("alone", address="10.9.9.9", signed=False)
    der = ssl.PEM_cert_to_DER_cert(files[0].read_text())
    pin = hashlib.sha256(der).hexdigest()
    async with answering(answer(), server_context(files)) as (url, _):
        outcome = await sent(url, clock, item, certificate_sha256=pin)
        with pytest.raises(NotSent, match="不是约定的那一张"):
            await sent(url, clock, item, certificate_sha256="00" * 32)

    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_a_server_of_an_old_intranet_is_reached_where_that_is_allowed(
    tmp_path: Path, clock: Any, item: ItemFactory
) -> None:
    """It knows TLS 1.1 only (python-zeep#1387 and many like it)."""
    ca = Authority(tmp_path)
    context = server_context(ca.issue("old"))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    async with answering(answer(), context) as (url, _):
        with pytest.raises(NotSent, match="旧版 TLS"):
            await sent(url, clock, item, ca_file=str(ca.file))
        outcome = await sent(url, clock, item, ca_file=str(ca.file), allow_old_tls=True)

    assert outcome.kind is OutcomeKind.ACCEPTED


async def test_a_port_that_is_not_of_https_is_told(clock: Any, item: ItemFactory) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(answer(b"", b"400 Bad Request"))
        await writer.drain()

    async with raw_server(handler) as url:
        with pytest.raises(NotSent, match="不是 HTTPS"):
            await sent(url.replace("http:", "https:"), clock, item)


@pytest.mark.parametrize(
    ("body", "taken"),
    [(b'{"code":"0"}', True), (b'{"code":500,"message":"busy"}', False), (b"ok", False)],
)
async def test_a_bank_that_answers_200_to_everything_says_in_the_body_whether_it_took_it(
    body: bytes, taken: bool, clock: Any, item: ItemFactory
) -> None:
    async with answering(answer(body)) as (url, _):
        if taken:
            outcome = await sent(url, clock, item, wrapper={"code_field": "code"})
            assert outcome.kind is OutcomeKind.ACCEPTED
        else:
            with pytest.raises(OutcomeUnknown):
                await sent(url, clock, item, wrapper={"code_field": "code"})


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file：/nowhere/ca.pem 不能用"),
        ({"certificate_file": "/nowhere/c.pem"}, "certificate_file：/nowhere/c.pem 不能用"),
        ({"private_key_file": "/k"}, "certificate_file"),
        ({"ca_file": "/c", "certificate_sha256": "00" * 32}, "certificate_sha256"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    settings: dict[str, str], named: str, clock: Any
) -> None:
    with pytest.raises(BadSettings) as caught:
        bank("https://bank.example", clock, **settings)

    assert named in str(caught.value)
