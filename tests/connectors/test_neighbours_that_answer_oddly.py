"""Answers that are odd beside what they say: look-ups, faults, feeds and refused rows."""

import asyncio
import json
import re

import pytest

from connectors.errors import ConnectorError, OutcomeUnknown
from connectors.platform_api.soap_answer import parse
from connectors.shared import Clock
from schemas.delivery import OutcomeKind
from tests.connectors.conftest import ItemFactory
from tests.connectors.listed import listed
from tests.connectors.odd_neighbours import connector, keys_of, results, serving
from tests.connectors.raw_server import answer


async def test_a_look_up_keeps_what_was_answered_around_a_key_that_is_refused(
    clock: Clock, item: ItemFactory
) -> None:
    def respond(_: str, request: str) -> bytes:
        keys = keys_of(request)
        return answer(b"{}", b"400 Bad") if "key-3" in keys else results(keys)

    async with serving(respond) as url:
        platform = connector("platform-json", url, clock)
        found = [one.kind for one in await platform.look_up([item(n) for n in range(1, 9)])]
        await platform.close()

    assert found[2] is OutcomeKind.UNKNOWN
    assert found.count(OutcomeKind.ACCEPTED) == 7


async def test_a_look_up_that_runs_out_of_time_keeps_what_was_answered(
    clock: Clock, item: ItemFactory
) -> None:
    async def respond(request: str) -> bytes:
        keys = keys_of(request)
        if len(keys) > 1:
            return answer(b"{}", b"413 Large")
        await asyncio.sleep(0.3)
        return results(keys)

    async with serving(lambda _, request: respond(request)) as url:
        platform = connector("platform-json", url, clock)
        found = [one.kind for one in await platform.look_up([item(n) for n in range(1, 33)])]
        await platform.close()

    assert OutcomeKind.ACCEPTED in found
    assert OutcomeKind.UNKNOWN in found


async def test_a_row_that_is_refused_makes_the_calls_of_the_destination_no_smaller(
    clock: Clock, item: ItemFactory
) -> None:
    sizes: list[int] = []

    def respond(_: str, request: str) -> bytes:
        keys = keys_of(request)
        sizes.append(len(keys))
        return answer(b"{}", b"400 Bad") if "key-1" in keys else results(keys)

    async with serving(respond) as url:
        platform = connector("platform-json", url, clock)
        first = await platform.send([item(1), item(2)])
        await platform.send([item(n) for n in range(3, 13)])
        await platform.close()

    assert [one.kind for one in first] == [OutcomeKind.REJECTED, OutcomeKind.ACCEPTED]
    assert sizes[-1] == 10


FAULT_1_2 = (
    "<e:Envelope xmlns:e='http://www.w3.org/2003/05/soap-envelope'><e:Body><e:Fault>"
    "<e:Code><e:Value>e:Sender</e:Value><e:Subcode><e:Value>m:BadRow</e:Value></e:Subcode></e:Code>"
    "<e:Reason><e:Text>第3行格式错误</e:Text></e:Reason></e:Fault></e:Body></e:Envelope>"
)
FAULT_1_1 = (
    "<e:Envelope xmlns:e='http://schemas.xmlsoap.org/soap/envelope/'><e:Body><e:Fault>"
    "<faultcode>e:Client</faultcode><faultstring>第3行格式错误</faultstring>"
    "<detail><x:err xmlns:x='u'><x:faultcode>e:Server</x:faultcode></x:err></detail>"
    "</e:Fault></e:Body></e:Envelope>"
)


@pytest.mark.parametrize("fault", [FAULT_1_2, FAULT_1_1], ids=["1.2", "1.1"])
async def test_a_fault_is_judged_by_its_code_and_not_by_its_detail(
    clock: Clock, item: ItemFactory, fault: str
) -> None:
    def respond(_: str, request: str) -> bytes:
        numbers = set(re.findall(r"2026〕(\d+)号", request))
        if "3" in numbers:
            return answer(fault.encode(), b"500 Fault")
        count = len(numbers)
        told = {"errorCode": "200", "totalSize": count, "successSize": count, "errorSize": 0}
        return answer(json.dumps(told).encode())

    async with serving(respond) as url:
        platform = connector("platform-soap", url, clock)
        found = [one.kind for one in await platform.send([item(n) for n in range(1, 9)])]
        await platform.close()

    assert found[2] is OutcomeKind.REJECTED
    assert OutcomeKind.UNKNOWN not in found


def test_a_fault_of_the_other_side_with_a_sub_code_refuses_no_row() -> None:
    fault = FAULT_1_2.replace("e:Sender", "e:Receiver").replace("m:BadRow", "m:Client.NotFound")

    with pytest.raises(OutcomeUnknown):
        parse(fault.encode())


@pytest.mark.parametrize(
    ("named", "kind"),
    [("豫环罚决字〔20", OutcomeKind.REJECTED), ("别处〔2026〕9号", OutcomeKind.UNKNOWN)],
)
async def test_the_only_row_of_a_call_that_is_refused_is_told_with_its_words(
    clock: Clock, item: ItemFactory, named: str, kind: OutcomeKind
) -> None:
    row = {"CF_WSH": named, "errorCode": "1001", "errorMsg": "文书号过长"}
    told = {
        "errorCode": "200",
        "totalSize": 1,
        "successSize": 0,
        "errorSize": 1,
        "errorBody": [row],
    }

    async with serving(lambda *_: answer(json.dumps(told).encode())) as url:
        platform = connector("platform-soap", url, clock)
        [outcome] = await platform.send([item(1)])
        await platform.close()

    assert outcome.kind is kind
    assert "文书号过长" in outcome.reasons[0]


async def test_a_throttle_without_a_time_is_a_pause_of_its_own(
    clock: Clock, item: ItemFactory
) -> None:
    async with serving(lambda *_: answer(b"", b"429 Too Many")) as url:
        platform = connector("platform-json", url, clock)
        [outcome] = await platform.send([item(1)])
        await platform.close()

    assert outcome.kind is OutcomeKind.DEFERRED
    assert outcome.retry_after is not None


async def test_the_size_that_a_platform_takes_is_learnt_although_the_time_runs_out(
    clock: Clock, item: ItemFactory
) -> None:
    sizes: list[int] = []

    async def respond(request: str) -> bytes:
        keys = keys_of(request)
        sizes.append(len(keys))
        if len(keys) <= 2:
            return results(keys)
        await asyncio.sleep(0.5)
        return answer(b"", b"413 Large")

    async with serving(lambda _, request: respond(request)) as url:
        platform = connector("platform-json", url, clock)
        items = [item(n) for n in range(1, 101)]
        for act in (platform.send, platform.look_up):
            found: list[OutcomeKind] = []
            for _ in range(4):
                try:
                    found = [one.kind for one in await act(items)]
                except ConnectorError:
                    continue
            assert OutcomeKind.ACCEPTED in found
        await platform.close()


@pytest.mark.parametrize("call", ["send", "receipts"])
async def test_a_time_of_four_hundred_digits_is_left_out(
    clock: Clock, item: ItemFactory, call: str
) -> None:
    row = {"key": "key-1", "status": "accepted", "accepted": True, "platform_at": 10**400}
    body = json.dumps({"results": [row], "receipts": [row], "cursor": 2}).encode()

    async with serving(lambda _path, _request: answer(body)) as url:
        platform = connector("platform-json", url, clock)
        if call == "send":
            assert [one.kind for one in await platform.send([item(1)])] == [OutcomeKind.ACCEPTED]
        else:
            [receipt], cursor = await platform.receipts("")
            assert (receipt.platform_at, cursor) == (None, "2")
        await platform.close()


async def test_a_listing_with_numbers_as_cursors_is_read_to_its_end(clock: Clock) -> None:
    def respond(path: str, _: str) -> bytes:
        number = int(re.search(r"cursor=(\d*)", path)[1] or 0)  # type: ignore[index]
        row = {
            "document_number": f"{number}号",
            "subject_code": "1",
            "record_kind": "penalty",
            "columns": {},
            "shown_at": "2026-10-09T00:00:00Z",
        }
        page = {"rows": [row], "cursor": number + 1 if number < 2 else None}
        return answer(json.dumps(page).encode())

    async with serving(respond) as url:
        platform = connector("platform-json", url, clock)
        found = [row.document_number for row in await listed(platform, clock())]
        await platform.close()

    assert found == ["0号", "1号", "2号"]


@pytest.mark.parametrize("kind", ["platform-json", "platform-soap"])
async def test_a_content_type_that_contradicts_itself_names_no_charset(
    clock: Clock, item: ItemFactory, kind: str
) -> None:
    def respond(_path: str, _request: str) -> bytes:
        odd = b"Content-Type: text/plain; charset*=a; charset*0=b\r\n"
        return answer(b"no", b"400 Bad", odd)

    async with serving(respond) as url:
        neighbour = connector(kind, url, clock)
        try:
            told = str([one.kind for one in await neighbour.send([item(1)])])
        except ConnectorError as error:
            told = str(error)
        await neighbour.close()

    assert "rejected" in told or "400" in told
