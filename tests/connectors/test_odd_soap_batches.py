"""Batches of the SOAP interface: halved, remembered, and told apart; and what is no answer."""

import html
import json
from typing import Any

import pytest

from connectors.errors import CallRejected, OutcomeUnknown
from connectors.platform_api.soap_answer import parse
from schemas.delivery import OutcomeKind
from tests.connectors.conftest import ItemFactory
from tests.connectors.raw_server import answer
from tests.connectors.test_odd_soap import (
    BODY,
    DONE,
    ESCAPED,
    SPACE,
    counted,
    judging,
    number,
    soap,
)


@pytest.mark.parametrize(
    "refusal",
    [
        answer("含有非法字符".encode(), b"400 Bad Request"),
        answer("校验失败".encode("gbk"), b"422 Unprocessable"),
        answer(f"<return>{html.escape(json.dumps({'errorCode': '6002'}))}</return>".encode()),
    ],
)
async def test_one_bad_row_is_found_by_halving_and_all_others_are_taken(
    refusal: bytes, clock: Any, item: ItemFactory
) -> None:
    def judge(rows: list[dict[str, Any]]) -> bytes:
        return refusal if any(number(row) == 37 for row in rows) else counted(len(rows))

    async with judging(judge) as (url, sizes):
        connector = soap(url, clock)
        outcomes = await connector.send([item(n) for n in range(1, 51)])
        await connector.close()

    kinds = [outcome.kind for outcome in outcomes]
    assert kinds[36] is OutcomeKind.REJECTED
    assert kinds[:36] + kinds[37:] == [OutcomeKind.ACCEPTED_BLIND] * 49
    assert len(sizes) < 15


async def test_the_size_that_a_platform_takes_is_remembered_and_grows_slowly(
    clock: Any, item: ItemFactory
) -> None:
    def judge(rows: list[dict[str, Any]]) -> bytes:
        too_large = answer(b"", b"413 Content Too Large")
        return too_large if len(rows) > 30 else counted(len(rows))

    async with judging(judge) as (url, sizes):
        connector = soap(url, clock, batch_size=400)
        items = [item(n) for n in range(1, 401)]
        first = await connector.send(items)
        calls = len(sizes)
        second = await connector.send(items)
        await connector.close()

    assert {one.kind for one in first + second} == {OutcomeKind.ACCEPTED_BLIND}
    assert max(sizes[calls:]) <= 60
    assert sum(1 for size in sizes[calls:] if size > 30) <= 2


async def test_a_platform_that_refuses_everything_rejects_no_row(
    clock: Any, item: ItemFactory
) -> None:
    def judge(_: list[dict[str, Any]]) -> bytes:
        return answer(b"", b"400 Bad Request")

    async with judging(judge) as (url, _):
        connector = soap(url, clock)
        with pytest.raises(CallRejected, match="HTTP 400"):
            await connector.send([item(n) for n in range(1, 5)])
        await connector.close()


async def test_refused_rows_that_are_named_by_their_number_only_are_told_apart(
    clock: Any, item: ItemFactory
) -> None:
    refused = {3, 7}
    stored: set[int] = set()

    def judge(rows: list[dict[str, Any]]) -> bytes:
        bad = []
        for row in rows:
            if number(row) in refused:
                bad.append({"CF_WSH": row["CF_WSH"], "errorCode": "1", "errorMsg": "缺印章"})
            stored.add(number(row))
        return counted(len(rows), *bad)

    async with judging(judge) as (url, sizes):
        connector = soap(url, clock)
        outcomes = await connector.send([item(n) for n in range(1, 11)])
        await connector.close()

    assert [n for n, one in enumerate(outcomes, 1) if one.kind is OutcomeKind.REJECTED] == [3, 7]
    assert outcomes[2].reasons == ("1 缺印章",)
    assert sizes == [10]


async def test_refused_rows_that_cannot_be_told_apart_are_found_by_smaller_calls(
    clock: Any, item: ItemFactory
) -> None:
    stored: set[int] = set()

    def judge(rows: list[dict[str, Any]]) -> bytes:
        bad = []
        for row in rows:
            if number(row) == 5:
                bad.append({"errorCode": "1", "errorMsg": "名称不符"})
            elif number(row) in stored:
                bad.append({"errorCode": "20001", "errorMsg": "重复数据"})
            stored.add(number(row))
        return counted(len(rows), *bad)

    async with judging(judge) as (url, _):
        connector = soap(url, clock)
        outcomes = await connector.send([item(n) for n in range(1, 9)])
        await connector.close()

    assert [n for n, one in enumerate(outcomes, 1) if one.kind is OutcomeKind.REJECTED] == [5]
    assert {one.kind for one in outcomes} == {OutcomeKind.REJECTED, OutcomeKind.ACCEPTED_BLIND}


@pytest.mark.parametrize("fill", [b" ", b"\n"])
def test_a_long_run_of_blanks_is_read_at_once(fill: bytes) -> None:
    """A pattern that begins with blanks would look at each of them again from each of them."""
    with pytest.raises(OutcomeUnknown):
        parse(b"<e>" + fill * 1_000_000 + b"</e>")


def test_only_the_body_has_results() -> None:
    noise = html.escape(json.dumps({"errorCode": "500", "errorMsg": "trace"}))
    header = f"<soap:Header><trace>{noise}</trace></soap:Header>"
    envelope = f"<soap:Envelope {SPACE}>{header}{BODY}</soap:Envelope>"

    assert parse(envelope.encode()).code == "200"


def test_results_that_differ_are_no_answer() -> None:
    other = html.escape(json.dumps({**DONE, "errorCode": "500"}))
    body = f"<soap:Body><a>{ESCAPED}</a><b>{other}</b></soap:Body>"

    with pytest.raises(OutcomeUnknown, match="几个不同的结果"):
        parse(f"<soap:Envelope {SPACE}>{body}</soap:Envelope>".encode())
