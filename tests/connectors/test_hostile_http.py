"""Answers that no platform should give: none is believed, none leaks, none takes the memory."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from connectors import build
from connectors.errors import ConnectorError, OutcomeUnknown
from connectors.protocol import Connector
from connectors.shared.http_client import ANSWER_BASE, ANSWER_OF_ROW, HttpClient
from connectors.shared.http_read import Answer, AnswerReading
from connectors.shared.http_settings import HttpClientSettings
from schemas.delivery import Outcome, OutcomeKind
from tests.connectors.conftest import SECRET, ItemFactory
from tests.connectors.raw_server import answer, raw_server, request_of

IDENTITY = "110101199003074477"


#: Of a bank that writes in the body whether it took the event.
WRAPPER = {"code_field": "code"}
TAKEN = b'{"code":0}'


def bank(url: str, clock: Any, **more: Any) -> Connector:
    settings = {"url": url, "allow_private": True, "call_timeout": 5, "secrets": [SECRET], **more}
    return build("bank-webhook", settings, clock)


async def answered(
    given: bytes,
    clock: Any,
    item: ItemFactory,
    wrapper: Any = None,
    *,
    only_status: bool = False,
    **changes: Any,
) -> Outcome:
    """Return the outcome at a bank that answers so, once its request has been read."""

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request_of(reader)
        writer.write(given)
        await writer.drain()

    async with raw_server(handler) as url:
        connector = bank(url, clock, wrapper=wrapper, only_status=only_status)
        try:
            [outcome] = await connector.send([item(1, **changes)])
        finally:
            await connector.close()
    return outcome


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b"<!DOCTYPE html><form action=/login>login</form>", b"text/html", "unknown"),
        (b'{"success":false,"code":500,"message":"busy"}', b"application/json", "unknown"),
        (b'{"ok": false}', b"text/plain", "unknown"),
        (b'{"success":true}', b"application/json", "accepted"),
        (b'{"code":500}', b"application/json", "accepted"),
        (b"OK", b"text/plain", "accepted"),
        (b"", b"text/html", "accepted"),
        (b"ok", b"text/html", "accepted"),
        (b'{"received":true}', b"text/html", "accepted"),
        (b"\xff\xfe", b"application/json", "accepted"),
    ],
)
async def test_a_good_status_with_a_page_or_a_refusal_in_it_is_not_believed(
    body: bytes, kind: bytes, expected: str, clock: Any, item: ItemFactory
) -> None:
    whole = answer(body, extra=b"Content-Type: " + kind + b"\r\n")

    assert (await answered(whole, clock, item)).kind.value == expected
    assert (await answered(whole, clock, item, only_status=True)).kind.value == "accepted"


@pytest.mark.parametrize(("resend", "expected"), [(True, "accepted"), (False, "unknown")])
async def test_a_resend_that_the_receiver_has_already_is_accepted(
    resend: bool, expected: str, clock: Any, item: ItemFactory
) -> None:
    whole = answer(b'{"success": false, "code": "DUPLICATE"}')

    assert (await answered(whole, clock, item, resend=resend)).kind.value == expected


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"message": "event already received"}, "accepted"),
        ({"code": "ALREADY_EXISTS"}, "accepted"),
        ({"error": {"message": "has already been processed"}}, "accepted"),
        ({"duplicate": True}, "accepted"),
        ({"message": "不接受：重复报送"}, "accepted"),
        ({"message": "该事件已存在"}, "accepted"),
        ({"message": "enterprise does not exist"}, "unknown"),
        ({"message": "customer account already closed, event dropped"}, "unknown"),
        ({"message": "the event was not already received"}, "unknown"),
        ({"message": "this isn't a duplicate, but it is invalid"}, "unknown"),
        ({"duplicate": False, "message": "invalid"}, "unknown"),
        ({"message": "企业不存在"}, "unknown"),
        ({"message": "事件未重复，但主体不符"}, "unknown"),
        ({"message": "Event evt_12 has already been received."}, "accepted"),
        ({"already_received": True}, "accepted"),
        ({"message": "客户已存在未结清异议，本次不予入账"}, "unknown"),
        ({"message": "证件号码重复，请更正后再报"}, "unknown"),
        ({"message": "duplicate field 'amount' in body"}, "unknown"),
        ({"message": "account is already processed for closure"}, "unknown"),
        ({"message": "No such event was already received"}, "unknown"),
        ({"message": "event not already received"}, "unknown"),
        ({"message": "未查到重复记录，校验失败"}, "unknown"),
        ({"message": "尚未发现已存在的客户"}, "unknown"),
        ({"message": "无法确认是否重复"}, "unknown"),
        ({"duplicate_check_failed": True}, "unknown"),
        ({"allow_duplicate": True}, "unknown"),
        ({"echo": {"data": {"columns": {"remark": "已收到"}}}}, "unknown"),
    ],
)
async def test_a_refusal_of_a_resend_is_no_acceptance_unless_it_says_that_the_event_is_there(
    said: dict[str, Any], expected: str, clock: Any, item: ItemFactory
) -> None:
    whole = answer(json.dumps({"success": False, **said}, ensure_ascii=False).encode())

    assert (await answered(whole, clock, item, resend=True)).kind.value == expected


async def test_an_answer_that_nobody_asked_for_is_not_that_of_the_next_call(
    clock: Any, item: ItemFactory
) -> None:
    requests = []

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            requests.append(await request_of(reader))
            first = len(requests) == 1
            writer.write(answer() * 2 if first else answer(status=b"422 Unprocessable"))
            await writer.drain()

    async with raw_server(handler) as url:
        connector = bank(url, clock)
        first = await connector.send([item(1)])
        await asyncio.sleep(0.2)
        second = await connector.send([item(2)])
        await connector.close()

    kinds = [outcome.kind for outcome in (*first, *second)]
    assert kinds == [OutcomeKind.ACCEPTED, OutcomeKind.REJECTED]
    assert len(requests) == 2


async def test_words_beside_the_status_may_be_in_any_encoding(
    clock: Any, item: ItemFactory
) -> None:
    outcome = await answered(answer(status="200 成功".encode("gbk")), clock, item)

    assert outcome.kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    "given",
    [
        IDENTITY.encode() + b" KEY\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX Bad " + IDENTITY.encode() + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + IDENTITY.encode() + b"x\r\n\r\n",
    ],
)
async def test_a_malformed_answer_is_not_quoted(
    given: bytes, clock: Any, item: ItemFactory
) -> None:
    with pytest.raises(ConnectorError) as caught:
        await answered(given, clock, item, WRAPPER)

    assert IDENTITY not in str(caught.value)


@pytest.mark.parametrize("status", [b"0200 OK", b"2000 OK", b"20 OK", b"999 OK"])
async def test_a_status_without_three_digits_is_unknown(
    status: bytes, clock: Any, item: ItemFactory
) -> None:
    try:
        outcome = await answered(answer(b"zz", status, b": x\r\n"), clock, item)
    except OutcomeUnknown:
        return

    assert outcome.kind is OutcomeKind.UNKNOWN


@pytest.mark.parametrize("place", [0, 180, 283])
async def test_an_identity_number_in_the_words_of_a_bank_is_masked(
    place: int, clock: Any, item: ItemFactory
) -> None:
    body = b" " * place + f"身份证 {IDENTITY} 不符".encode()

    outcome = await answered(answer(body, b"422 Unprocessable"), clock, item)

    assert outcome.kind is OutcomeKind.REJECTED
    assert IDENTITY[:17] not in outcome.reasons[0]


async def test_an_event_that_the_bank_has_already_is_accepted(
    clock: Any, item: ItemFactory
) -> None:
    conflict = answer(status=b"409 Conflict")

    assert (await answered(conflict, clock, item)).kind is OutcomeKind.UNKNOWN
    assert (await answered(conflict, clock, item, resend=True)).kind is OutcomeKind.ACCEPTED


@pytest.mark.parametrize(
    "place",
    ["/login", "sso.example:8443/login", "about:blank", "http:x", "urn:a", "//", "http://[::1"],
)
async def test_a_redirect_after_the_event_was_read_is_unknown_wherever_it_leads(
    place: str, clock: Any, item: ItemFactory
) -> None:
    given = answer(status=b"302 Found", extra=f"Location: {place}\r\n".encode())

    with pytest.raises(OutcomeUnknown, match="HTTP 302"):
        await answered(given, clock, item)


async def test_one_layer_of_gzip_is_read_and_more_are_refused(
    clock: Any, item: ItemFactory
) -> None:
    packed = gzip.compress(TAKEN)
    once = answer(packed, extra=b"Content-Encoding: gzip\r\n")
    twice = answer(gzip.compress(packed), extra=b"Content-Encoding: gzip, gzip\r\n")
    bomb = answer(gzip.compress(b"\0" * 2**26), extra=b"Content-Encoding: gzip\r\n")

    assert (await answered(once, clock, item, WRAPPER)).kind is OutcomeKind.ACCEPTED
    for given, words in ((twice, "压缩"), (bomb, "应答超过")):
        with pytest.raises(OutcomeUnknown, match=words):
            await answered(given, clock, item, WRAPPER)


@pytest.mark.parametrize(
    "given",
    [
        answer(b"\x0b\x02\x80ok\x03", extra=b"Content-Encoding: br\r\n"),
        answer(b"{}", extra=b"Content-Encoding: gzip\r\n"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
        answer(b" " * (2 * ANSWER_BASE)),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xe6\x88\x90\xe5\x8a\x9f",
        b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: abc\r\n\r\nok",
    ],
    ids=[
        "unknown packing",
        "packing that is none",
        "half",
        "too long",
        "length in characters",
        "no content with content",
        "broken chunk",
        "no length",
    ],
)
async def test_the_status_of_a_bank_counts_although_its_body_cannot_be_read(
    given: bytes, clock: Any, item: ItemFactory
) -> None:
    assert (await answered(given, clock, item)).kind is OutcomeKind.ACCEPTED


async def test_an_answer_is_bounded_by_the_rows_that_it_is_about(
    clock: Any, item: ItemFactory
) -> None:
    limit = ANSWER_BASE + ANSWER_OF_ROW
    long = answer(TAKEN + b" " * (limit - len(TAKEN)))

    assert (await answered(long, clock, item, WRAPPER)).kind is OutcomeKind.ACCEPTED
    with pytest.raises(OutcomeUnknown, match=f"应答超过 {limit} 字节"):
        await answered(answer(TAKEN + b" " * limit), clock, item, WRAPPER)


class Packed(httpx.AsyncByteStream):
    """Stands for a whole packed answer and so many blocks behind it."""

    def __init__(self, block: bytes, count: int) -> None:
        self.block, self.count = block, count
        self.given = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield gzip.compress(TAKEN)
        for _ in range(self.count):
            self.given += 1
            yield self.block


async def test_what_comes_behind_a_packed_answer_is_counted_and_not_kept() -> None:
    headers = {"Content-Encoding": "gzip"}
    little, endless = Packed(b"\0" * 100, 3), Packed(b"\0" * 4096, 1000)

    read = AnswerReading(ANSWER_BASE)
    await read.body_of(httpx.Response(200, headers=headers, stream=little))
    assert read.answer().body == TAKEN

    with pytest.raises(OutcomeUnknown, match="应答超过"):
        await AnswerReading(ANSWER_BASE).body_of(
            httpx.Response(200, headers=headers, stream=endless)
        )
    assert endless.given < 2 * ANSWER_BASE // 4096


@pytest.mark.parametrize(
    "text", ["9" * 5000, "Sat, 21 Nov 99999999 02:01:30 GMT", "Sat, 21 Nov 2026 02:01:30 +99999999"]
)
def test_an_absurd_retry_after_raises_nothing(text: str, clock: Any) -> None:
    client = HttpClient(HttpClientSettings(url="http://x.cn"), clock)

    pause = client.retry_after(Answer(429, {"retry-after": text}, b""))

    assert pause is None or pause <= timedelta(days=366)


async def test_an_interim_answer_hides_nothing_of_the_one_that_counts(
    clock: Any, item: ItemFactory
) -> None:
    """Also where that one names too short a length."""
    short = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n" + TAKEN
    outcome = await answered(b"HTTP/1.1 100 Continue\r\n\r\n" + short, clock, item, WRAPPER)

    assert outcome.kind is OutcomeKind.ACCEPTED
