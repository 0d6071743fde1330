"""What a destination says tells none of our secrets, and spoils no other row."""

import json
import re
from typing import Any

import pytest

from connectors import BadSettings
from connectors.errors import ConnectorError
from connectors.shared import Clock
from schemas.delivery import OutcomeKind
from tests.connectors.conftest import ItemFactory
from tests.connectors.odd_neighbours import connector, login_at, serving
from tests.connectors.raw_server import answer

KEY, TOKEN = "k3y/of+the==platform", "t0ken-of-the-login"
#: What the platform writes into each place of its answers that people read.
QUOTING = f"凭证 {KEY} 与 {TOKEN} 无效"
ROW = {"key": "key-1", "status": "rejected", "reasons": [QUOTING]}
TAKEN = {"key": "key-1", "status": "accepted", "reference": QUOTING}
#: The result of a SOAP call that is refused as a whole.
WRONG_TABLE = {"errorCode": "3001", "errorMsg": QUOTING}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("platform-json", {"code": 0, "results": [ROW]}),
        ("platform-json", {"code": 0, "results": [TAKEN]}),
        ("platform-json", {"code": 9, "message": QUOTING}),
        ("platform-soap", WRONG_TABLE),
    ],
    ids=["reason of a row", "reference of a row", "message of a wrapper", "errorMsg"],
)
async def test_no_place_of_an_answer_tells_our_secrets(
    clock: Clock, item: ItemFactory, kind: str, told: dict[str, Any]
) -> None:
    def respond(path: str, _: str) -> bytes:
        if path == "/login":
            return answer(json.dumps({"token": TOKEN}).encode())
        text = json.dumps(told, ensure_ascii=False)
        soap = f"<e><Body><return>{text}</return></Body></e>"
        return answer((text if kind == "platform-json" else soap).encode())

    async with serving(respond) as url:
        wrapper = {"wrapper": {"code_field": "code"}} if kind == "platform-json" else {}
        settings = {"api_key": KEY, "login": login_at(url), **wrapper}
        platform = connector(kind, url, clock, **settings)
        try:
            words = str((await platform.send([item(1)]))[0])
        except ConnectorError as error:
            words = str(error)
        await platform.close()

    assert "凭证 … 与 … 无效" in words


SECRET_URL = "/services/T00000000001?sign=abcd+efgh/ijkl=="


@pytest.mark.parametrize(
    ("told", "hidden"),
    [
        ("Cannot POST {path}", "T00000000001"),
        ("Cannot POST {path}", "abcd+efgh"),
        ("Cookie: {cookie}", "session-one"),
        ("your secret is whsec_QUJDREVGR0hJSktM", "QUJDREVGR0hJSktM"),
        ("expected key QUJDREVGR0hJSktM", "QUJDREVGR0hJSktM"),
    ],
)
async def test_no_secret_of_a_bank_is_told(
    clock: Clock, item: ItemFactory, told: str, hidden: str
) -> None:
    def respond(path: str, request: str) -> bytes:
        if path.startswith("/login"):
            return answer(b"{}", extra=b"Set-Cookie: sid=session-one; Path=/\r\n")
        cookie = "".join(re.findall(r"(?i)cookie: (.*)\r", request))
        return answer(told.format(path=path, cookie=cookie).encode(), b"404 No")

    async with serving(respond) as url:
        bank = connector(
            "bank-webhook",
            f"{url}{SECRET_URL}",
            clock,
            secrets=["whsec_QUJDREVGR0hJSktM"],
            login={**login_at(url), "token_path": None},
        )
        with pytest.raises(ConnectorError) as caught:
            await bank.send([item(1)])
        await bank.close()

    assert hidden not in str(caught.value)
    assert "…" in str(caught.value)


@pytest.mark.parametrize(
    ("key", "told", "hidden"),
    [
        ("Bearer k3y-of-the-platform", "token k3y-of-the-platform expired", "k3y-of-the-platform"),
        ("Basic Z2F0ZXdheTpodW50ZXIyMg==", "wrong password hunter22", "hunter22"),
        ("Basic no-base64", "of no-base64", "no-base64"),
        ("abc123", "key abc123 is unknown", "abc123"),
    ],
)
async def test_a_key_is_not_told_without_its_scheme(
    clock: Clock, item: ItemFactory, key: str, told: str, hidden: str
) -> None:
    async with serving(lambda *_: answer(told.encode(), b"403 No")) as url:
        platform = connector("platform-json", url, clock, api_key=key)
        with pytest.raises(ConnectorError) as caught:
            await platform.send([item(1)])
        await platform.close()

    assert "HTTP 403" in str(caught.value)
    assert hidden not in str(caught.value)


@pytest.mark.parametrize("depth", [960, 1010])
async def test_a_value_too_deep_to_be_a_text_spoils_no_other_row(
    clock: Clock, item: ItemFactory, depth: int
) -> None:
    deep = "[" * depth + "]" * depth
    rows = f'{{"key":"key-1","status":"accepted","reasons":{deep}}},' + (
        '{"key":"key-2","status":"accepted"}'
    )

    async with serving(lambda *_: answer(f'{{"results":[{rows}]}}'.encode())) as url:
        platform = connector("platform-json", url, clock)
        found = [one.kind for one in await platform.send([item(1), item(2)])]
        await platform.close()

    assert found == [OutcomeKind.ACCEPTED] * 2


@pytest.mark.parametrize("key", ["key\n", " key", "钥匙一二三四五六"])
def test_a_key_that_fits_no_header_is_refused_at_the_start(clock: Clock, key: str) -> None:
    with pytest.raises(BadSettings, match="api_key"):
        connector("platform-json", "http://x.cn", clock, api_key=key)
