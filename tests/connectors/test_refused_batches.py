"""Batches that are refused: what was taken before is never said to be unsent, nor refused."""

import html
import json
from asyncio import StreamReader, StreamWriter
from typing import Any

import pytest

from connectors import build
from connectors.errors import ConnectorError
from schemas.codes import Verb
from tests.connectors.conftest import ItemFactory
from tests.connectors.raw_server import answer, raw_server, request_of
from tests.connectors.test_odd_soap import counted, judging, number, soap

CLIENT = b"<e><Fault><faultcode>s:Client</faultcode><faultstring>x</faultstring></Fault></e>"
BUSY = html.escape(json.dumps({"errorCode": "3001"}))
THEN = {
    "429": answer(b"", b"429 Too Many"),
    "503 with Retry-After": answer(b"", b"503 Busy", b"Retry-After: 60\r\n"),
    "403": answer(b"", b"403 Forbidden"),
    "400": answer(b"", b"400 Bad Request"),
    "3001": answer(f"<return>{BUSY}</return>".encode()),
    "fault": answer(CLIENT, b"500 x"),
}


async def kinds(connector: Any, items: list[Any]) -> list[str]:
    """Send; return the outcomes, or the class of the error for each item."""
    try:
        return [one.kind.value for one in await connector.send(items)]
    except ConnectorError as error:
        return [type(error).__name__] * len(items)
    finally:
        await connector.close()


@pytest.mark.parametrize("then", THEN.values(), ids=THEN)
async def test_rows_of_a_call_that_was_taken_in_part_stay_unknown_whatever_comes_then(
    then: bytes, clock: Any, item: ItemFactory
) -> None:
    """The first call is taken but for one row, without a name; then the platform is busy."""
    calls: list[int] = []

    def judge(rows: list[Any]) -> bytes:
        calls.append(len(rows))
        first = counted(len(rows), {"errorCode": "1", "errorMsg": "名称不符"})
        return first if len(calls) == 1 else then

    async with judging(judge) as (url, _):
        found = await kinds(soap(url, clock), [item(n) for n in range(1, 9)])

    assert set(found) <= {"unknown", "OutcomeUnknown"}


async def test_corrections_that_were_taken_are_not_refused_as_repeats_later(
    clock: Any, item: ItemFactory
) -> None:
    """The first call is taken but for one row; a proxy refuses the next ones for a while."""
    stored: set[int] = set()
    calls: list[int] = []

    def judge(rows: list[Any]) -> bytes:
        calls.append(len(rows))
        if len(calls) == 1:
            stored.update(number(row) for row in rows if number(row) != 5)
            return counted(len(rows), {"errorCode": "1", "errorMsg": "名称不符"})
        if len(calls) <= 16:
            return THEN["400"]
        repeats = [
            {"CF_WSH": row["CF_WSH"], "errorCode": "20001", "errorMsg": "重复数据"}
            for row in rows
            if number(row) in stored
        ]
        return counted(len(rows), *repeats)

    async with judging(judge) as (url, _):
        connector = soap(url, clock, receipts_url=f"{url}/r", key_column="K")
        found = await kinds(connector, [item(n, verb=Verb.CORRECT) for n in range(1, 9)])

    assert "rejected" not in found[:4]


@pytest.mark.parametrize("kind", ["soap", "json"])
async def test_a_proxy_that_refuses_everything_for_a_while_rejects_no_row(
    kind: str, clock: Any, item: ItemFactory
) -> None:
    bad = False

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            request = (await request_of(reader)).partition(b"\r\n\r\n")[2]
            if bad:
                writer.write(answer("系统维护中".encode(), b"400 Bad Request"))
            elif kind == "soap":
                writer.write(counted(1))
            else:
                keys = [one["key"] for one in json.loads(request)["items"]]
                results = [{"key": key, "status": "accepted"} for key in keys]
                writer.write(answer(json.dumps({"results": results}).encode()))
            await writer.drain()

    async with raw_server(handler) as url:
        settings = {"url": url, "allow_private": True}
        connector = soap(url, clock) if kind == "soap" else build("platform-json", settings, clock)
        await connector.send([item(1)])
        bad = True
        found = await kinds(connector, [item(n) for n in range(2, 52)])

    assert "rejected" not in found


async def test_a_row_that_a_service_cannot_read_does_not_stop_the_others(
    clock: Any, item: ItemFactory
) -> None:
    def judge(rows: list[Any]) -> bytes:
        fault = any(number(row) == 3 for row in rows)
        return THEN["fault"] if fault else counted(len(rows))

    async with judging(judge) as (url, _):
        found = await kinds(soap(url, clock), [item(n) for n in range(1, 9)])

    assert found == ["accepted_blind"] * 2 + ["rejected"] + ["accepted_blind"] * 5


async def test_look_ups_are_made_in_calls_that_the_platform_takes(
    clock: Any, item: ItemFactory
) -> None:
    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        while True:
            keys = json.loads((await request_of(reader)).partition(b"\r\n\r\n")[2])["keys"]
            results = [{"key": key, "status": "accepted"} for key in keys]
            taken = answer(json.dumps({"results": results}).encode())
            writer.write(taken if len(keys) <= 30 else answer(b"", b"413 Too Large"))
            await writer.drain()

    async with raw_server(handler) as url:
        settings = {"url": url, "allow_private": True, "batch_size": 100}
        connector = build("platform-json", settings, clock)
        found = await connector.look_up([item(n) for n in range(1, 101)])
        await connector.close()

    assert [one.kind.value for one in found] == ["accepted"] * 100


@pytest.mark.parametrize("torn", [1, 60], ids=["almost whole", "the head alone"])
async def test_a_call_that_is_refused_for_its_size_is_halved_although_the_answer_is_torn(
    torn: int, clock: Any, item: ItemFactory
) -> None:
    """A server that does not read the rest of the request resets the connection."""
    refusal = answer(b"<html><center>413 Too Large<hr><center>nginx</center></html>", b"413 Large")

    async def handler(reader: StreamReader, writer: StreamWriter) -> None:
        rows = json.loads((await request_of(reader)).partition(b"\r\n\r\n")[2])["items"]
        results = [{"key": row["key"], "status": "accepted"} for row in rows]
        taken = answer(json.dumps({"results": results}).encode(), extra=b"Connection: close\r\n")
        writer.write(taken if len(rows) <= 2 else refusal[:-torn])
        await writer.drain()

    async with raw_server(handler) as url:
        connector = build(
            "platform-json", {"url": url, "allow_private": True, "batch_size": 100}, clock
        )
        found = await kinds(connector, [item(n) for n in range(1, 9)])

    assert found == ["accepted"] * 8
