"""Odd answers and feeds of a platform that speaks JSON, its wrapper and its login."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest

from connectors import build
from connectors.errors import CallRejected, OutcomeUnknown
from connectors.platform_api import PlatformJson
from connectors.platform_api.feeds import Feeds
from connectors.platform_api.json_api import row_outcomes
from connectors.shared.http_read import Answer
from connectors.shared.lenient import MOST_ROWS
from connectors.shared.wrapper import JsonWrapper
from schemas.delivery import MOST_REASONS, Listed, ListingMark, OutcomeKind
from tests.connectors.raw_server import answer, raw_server, request_of
from tests.connectors.test_platform_json import ItemFactory


@pytest.mark.parametrize("body", [b"[]", b"{}", b'{"results": {}}', b"", b"\xff"])
def test_an_answer_without_results_is_an_unknown_outcome(body: bytes, item: ItemFactory) -> None:
    with pytest.raises(OutcomeUnknown):
        row_outcomes([item(1)], Answer(200, {}, body).json(), absent=False)


class Told:
    """Stands for a platform that gives the same answer to everything."""

    def __init__(self, body: Any) -> None:
        self.body = orjson.dumps(body)

    async def ask(self, _method: str, _url: str) -> Answer:
        return Answer(200, {}, self.body)


def feeds(told: Any, *, zoned: bool = False) -> Feeds:
    return Feeds(told, JsonWrapper(), zoned=zoned)


async def test_a_listing_whose_cursor_repeats_is_an_error_and_not_an_endless_loop(
    clock: Any,
) -> None:
    told: Any = Told({"rows": [], "cursor": "again"})

    with pytest.raises(OutcomeUnknown, match="翻不完"):
        _ = [row async for row in feeds(told).listing("http://x", clock())]


async def test_a_listed_row_with_characters_that_cannot_be_stored_is_cleaned(clock: Any) -> None:
    row = {
        "record_kind": "penalty",
        "document_number": "a\x00b",
        "subject_code": "c\x00",
        "columns": {"CF_\x00": "\x00"},
        "shown_at": clock().isoformat(),
    }
    told: Any = Told({"rows": [row]})

    [found] = [one async for one in feeds(told).listing("http://x", clock())]
    assert isinstance(found, Listed)

    assert found.document_number == "a\ufffdb"
    assert "\x00" not in repr((found.subject_code, found.columns))


async def test_a_page_of_more_rows_than_can_be_read_is_refused_with_what_to_do() -> None:
    told: Any = Told({"receipts": [{}] * (MOST_ROWS + 1), "cursor": ""})

    with pytest.raises(OutcomeUnknown, match="分页"):
        await feeds(told).receipts("http://x", "")


async def test_only_the_first_reasons_of_a_receipt_are_read() -> None:
    row = {"key": "k", "accepted": False, "reasons": [*range(99)]}
    told: Any = Told({"receipts": [row], "cursor": ""})

    [receipt], _ = await feeds(told).receipts("http://x", "")

    assert receipt.reasons == tuple(map(str, range(MOST_REASONS)))


FAULTY: list[Any] = [
    {"key": "k-1", "accepted": True, "platform_at": "2026-10-12 09:00:00"},
    {"key": None, "accepted": True, "platform_at": "2026-10-12T09:00:00+08:00"},
    {"key": "k-3", "accepted": True, "platform_at": None},
    7,
    {"key": "k-5", "accepted": False, "platform_at": "2026-10-12T09:00:00+08:00"},
]


async def test_receipts_that_cannot_be_read_are_left_out_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: Any = Told({"receipts": FAULTY, "cursor": "1"})

    found, cursor = await feeds(told).receipts("http://x", "")

    assert ([one.key for one in found], cursor) == (["k-1", "k-3", "k-5"], "1")
    assert [one.platform_at for one in found[:2]] == [None, None]
    assert [one.getMessage() for one in caplog.records] == ["feed_row_unreadable"] * 2


async def test_times_without_a_zone_are_of_china_where_that_is_configured() -> None:
    told: Any = Told({"receipts": FAULTY, "cursor": "1"})

    found, _ = await feeds(told, zoned=True).receipts("http://x", "")

    assert [one.key for one in found] == ["k-1", "k-3", "k-5"]
    assert found[0].platform_at == found[2].platform_at


@pytest.mark.parametrize("cursor", ["a\ud800", "x" * 5000, "a\x00b"])
async def test_a_cursor_that_cannot_go_into_a_url_is_never_kept(cursor: str) -> None:
    # orjson writes no half of a surrogate pair.
    told: Any = Told({"receipts": [], "cursor": ""})
    told.body = json.dumps({"receipts": [], "cursor": cursor}).encode()

    with pytest.raises(OutcomeUnknown, match="cursor"):
        await feeds(told).receipts("http://x", "")
    told.body = b'{"receipts": [], "cursor": "1"}'
    assert await feeds(told).receipts("http://x", cursor) == ([], "1")


async def test_the_last_page_may_have_no_next_cursor() -> None:
    told: Any = Told({"receipts": FAULTY, "cursor": None})

    found, cursor = await feeds(told).receipts("http://x", "7")

    assert ([one.key for one in found], cursor) == (["k-1", "k-3", "k-5"], "7")


@pytest.mark.parametrize("body", [{"receipts": []}, {"cursor": "1"}, [], {"receipts": 7}])
async def test_a_page_without_its_list_or_cursor_is_an_error(body: Any) -> None:
    with pytest.raises(OutcomeUnknown, match="应答不是约定的格式"):
        await feeds(Told(body)).receipts("http://x", "")


# ---------------------------------------------------------------- wrappers and logins


@pytest.mark.parametrize(
    ("wrapper", "body"),
    [
        ({"path": "data"}, {"data": {"results": []}}),
        ({"path": "data.result"}, {"data": {"result": {"results": []}}}),
        ({"path": "data", "code_field": "code"}, {"code": 0, "data": {"results": []}}),
        ({"code_field": "code"}, {"code": "0000", "results": []}),
        ({"code_field": "code", "done": ["ok"]}, {"code": "ok", "results": []}),
    ],
)
def test_a_wrapper_is_opened_as_configured(wrapper: dict[str, Any], body: Any) -> None:
    assert JsonWrapper.model_validate(wrapper).opened(body)["results"] == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"code": 500, "message": "系统繁忙"}, "对方返回代码 500：系统繁忙"),
        ({"message": "x"}, "对方返回代码 None"),
        ([], "对方返回代码"),
        ({"code": 0}, "应答里没有 data"),
    ],
)
def test_a_wrapper_with_another_code_or_without_content_is_unknown(body: Any, words: str) -> None:
    with pytest.raises(OutcomeUnknown, match=words):
        JsonWrapper(path="data", code_field="code").opened(body)


@asynccontextmanager
async def guarded(*, cookies: bool) -> AsyncIterator[tuple[str, list[str]]]:
    """A platform whose logins end after two calls; yields the URL and the paths of the calls."""
    calls: list[str] = []
    issued, left = 0, 0

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal issued, left
        while True:
            request = (await request_of(reader)).decode()
            path = request.split()[1]
            calls.append(path)
            if path == "/login":
                issued, left = issued + 1, 2
                mark = f"Set-Cookie: sid=s{issued}\r\n".encode() if cookies else b""
                body = b"{}" if cookies else b'{"data":{"token":"s%d"}}' % issued
                writer.write(answer(body, extra=mark))
            elif left and f"s{issued}" in request:
                left -= 1
                keys = re.findall(r'"key":"([^"]*)"', request)
                rows = [{"key": key, "status": "accepted"} for key in keys]
                writer.write(answer(orjson.dumps({"results": rows})))
            else:
                writer.write(answer(b"", b"401 Unauthorized"))
            await writer.drain()

    async with raw_server(handler) as url:
        yield url, calls


@pytest.mark.parametrize("cookies", [True, False])
async def test_a_login_that_expires_is_made_again_once_for_all_calls(
    cookies: bool, clock: Any, item: ItemFactory
) -> None:
    async with guarded(cookies=cookies) as (url, calls):
        login: dict[str, Any] = {"url": f"{url}/login", "body": {"user": "u", "password": "p"}}
        login["token_path"] = None if cookies else "data.token"
        settings = {"url": url, "allow_private": True, "login": login}
        connector = build("platform-json", settings, clock)
        outcomes = [await connector.send([item(n)]) for n in range(1, 4)]
        await connector.close()

    assert [one.kind for [one] in outcomes] == [OutcomeKind.ACCEPTED] * 3
    assert calls == ["/login", "/records", "/records", "/records", "/login", "/records"]


async def test_a_login_that_is_refused_is_told(clock: Any, item: ItemFactory) -> None:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(answer(b"", b"403 Forbidden"))
        await writer.drain()

    async with raw_server(handler) as url:
        login = {"url": f"{url}/login", "body": {"user": "u"}}
        settings = {"url": url, "allow_private": True, "login": login}
        connector = build("platform-json", settings, clock)
        with pytest.raises(CallRejected, match="登录被拒绝：对方返回 HTTP 403"):
            await connector.send([item(1)])
        await connector.close()


async def test_a_look_up_of_no_items_makes_no_call(platform: PlatformJson, sandbox: Any) -> None:
    assert await platform.look_up([]) == []
    assert not sandbox.books["credit"].calls


async def test_the_earliest_mark_of_all_pages_says_up_to_when_a_listing_is_complete(
    clock: Any,
) -> None:
    pages = [
        {"rows": [], "cursor": "2", "complete_until": "2026-10-12T08:00:00+08:00"},
        {"rows": [], "cursor": "3", "complete_until": "2026-10-12T06:00:00+08:00"},
        {"rows": [], "complete_until": "no time"},
    ]

    class Paged(Told):
        async def ask(self, _method: str, _url: str) -> Answer:
            return Answer(200, {}, orjson.dumps(pages.pop(0)))

    [mark] = [one async for one in feeds(Paged({})).listing("http://x", clock())]

    assert mark == ListingMark.model_validate({"complete_until": "2026-10-11T22:00:00Z"})
