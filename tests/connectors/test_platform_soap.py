"""The connector `platform-soap` against the sandbox: codes, counts, rows found again."""

import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import escape

import pytest

from connectors import build
from connectors.errors import CallRejected, OutcomeUnknown
from connectors.platform_api import PlatformSoap, PlatformSoapSettings
from connectors.platform_api.soap_answer import SoapAnswer, parse
from connectors.platform_api.soap_envelope import envelope
from connectors.platform_api.soap_rows import outcomes
from schemas.codes import Verb
from schemas.delivery import Item, OutcomeKind

ItemFactory = Callable[..., Item]


@pytest.fixture
def settings(url: str) -> dict[str, Any]:
    return {
        "url": f"{url}/credit",
        "allow_private": True,
        "department_code": "410100",
        "key_column": "CG_KEY",
        "receipts_url": f"{url}/credit/receipts",
    }


@pytest.fixture
async def platform(settings: dict[str, Any], clock: Any) -> AsyncIterator[PlatformSoap]:
    made = build("platform-soap", settings, clock)
    assert isinstance(made, PlatformSoap)
    yield made
    await made.close()


async def test_rows_are_submitted_and_accepted_by_receipt(
    platform: PlatformSoap, item: ItemFactory
) -> None:
    given = await platform.send([item(1), item(2)])

    receipts, _ = await platform.receipts("")

    assert [outcome.kind for outcome in given] == [OutcomeKind.SUBMITTED] * 2
    [reference] = {outcome.reference for outcome in given}
    assert reference is not None
    assert reference.startswith("20261121")
    assert {(receipt.key, receipt.accepted) for receipt in receipts} == {
        ("key-1", True),
        ("key-2", True),
    }


async def test_without_receipts_rows_are_accepted_blind(
    settings: dict[str, Any], clock: Any, item: ItemFactory
) -> None:
    connector = build("platform-soap", {**settings, "receipts_url": None}, clock)

    [outcome] = await connector.send([item(1)])

    assert outcome.kind is OutcomeKind.ACCEPTED_BLIND
    assert await connector.receipts("c") == ([], "c")
    await connector.close()


async def test_characters_reserved_in_xml_arrive_unchanged(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory
) -> None:
    await platform.send([item(1)])

    [stored] = sandbox.books["credit"].state()["entries"]
    assert stored["columns"]["CF_NR"] == '罚款 <3> & "万元"'


async def test_a_refused_row_is_matched_by_document_number_and_subject(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", reject_now={item(2).document_number: ["决定日期大于当前日期"]})

    given = await platform.send([item(1), item(2), item(3)])

    assert [o.kind.value for o in given] == ["submitted", "rejected", "submitted"]
    assert "决定日期大于当前日期" in given[1].reasons[0]


async def test_counts_that_do_not_add_up_are_an_unknown_outcome(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", wrong_counts=1)

    with pytest.raises(OutcomeUnknown):
        await platform.send([item(1)])
    [again] = await platform.send([item(1)])

    assert again.kind is OutcomeKind.SUBMITTED
    assert sandbox.books["credit"].state()["doubled"] == []


@pytest.mark.parametrize("code", ["3001", "3002", "4001", "4002"])
async def test_a_wrong_table_or_department_refuses_the_call(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory, code: str
) -> None:
    sandbox.order("credit", error_code=code)

    with pytest.raises(CallRejected, match=code):
        await platform.send([item(1), item(2)])


@pytest.mark.parametrize("code", ["500", "9999"])
async def test_an_internal_error_or_an_unknown_code_is_an_unknown_outcome(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory, code: str
) -> None:
    sandbox.order("credit", error_code=code)

    with pytest.raises(OutcomeUnknown):
        await platform.send([item(1)])


async def test_a_row_that_makes_the_call_fail_is_found_by_halving(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", spoils=[item(5).document_number])
    items = [item(n) for n in range(1, 8)]

    given = await platform.send(items)

    kinds = [outcome.kind.value for outcome in given]
    assert kinds == ["submitted"] * 4 + ["rejected"] + ["submitted"] * 2
    assert sandbox.books["credit"].state()["doubled"] == []


@pytest.mark.parametrize(
    ("verb", "expected"), [(Verb.NEW, "submitted"), (Verb.CORRECT, "rejected")]
)
async def test_a_repeat_is_a_success_for_a_new_row_and_a_rejection_for_a_correction(
    platform: PlatformSoap, item: ItemFactory, verb: Verb, expected: str
) -> None:
    await platform.send([item(1)])

    [outcome] = await platform.send([item(1, key="key-1b", verb=verb)])

    assert outcome.kind.value == expected


async def test_a_repeat_is_a_success_for_a_correction_that_may_have_arrived_before(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory
) -> None:
    await platform.send([item(1, verb=Verb.CORRECT)])

    [outcome] = await platform.send([item(1, verb=Verb.CORRECT, resend=True)])

    assert outcome.kind.value == "submitted"


async def test_without_receipts_a_repeat_does_not_prove_that_a_correction_arrived(
    settings: dict[str, Any], clock: Any, item: ItemFactory
) -> None:
    connector = build("platform-soap", {**settings, "receipts_url": None}, clock)
    await connector.send([item(1)])

    [outcome] = await connector.send([item(1, verb=Verb.CORRECT, resend=True)])

    assert outcome.kind is OutcomeKind.REJECTED
    assert "请到平台核对" in outcome.reasons[0]
    await connector.close()


async def test_each_verb_is_sent_with_its_method_and_status_in_its_own_call(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory
) -> None:
    await platform.send([item(1)])

    given = await platform.send(
        [
            item(1, key="w", verb=Verb.WITHDRAW, version=2),
            item(2),
            item(3, record_kind="grade_change"),
        ]
    )

    last = sandbox.books["credit"].state()["entries"]
    assert [o.kind.value for o in given] == ["submitted", "submitted", "rejected"]
    assert [(e["verb"], e["columns"]["CF_ZT"]) for e in last[1:]] == [
        ("withdraw", "1"),
        ("execute", "0"),
    ]
    shown, _ = sandbox.books["credit"].page(None, 0)
    assert [entry.document for entry in shown] == [item(2).document_number]


async def test_two_rows_of_the_same_document_and_subject_are_never_in_one_call(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", reject_now={item(1).document_number: ["错"]})

    given = await platform.send([item(1), item(1, key="other")])

    assert [outcome.kind.value for outcome in given] == ["rejected", "rejected"]


async def test_batch_numbers_rise_with_each_call_each_day_and_each_process(
    platform: PlatformSoap, clock: Any, item: ItemFactory
) -> None:
    first = await platform.send([item(1)])
    second = await platform.send([item(2)])
    clock.move(timedelta(seconds=1))
    platform._last_number = 0  # another process
    third = await platform.send([item(3)])
    clock.move(timedelta(days=1))
    fourth = await platform.send([item(4)])

    numbers = [outcome.reference or "" for [outcome] in (first, second, third, fourth)]
    assert numbers == sorted(set(numbers))
    assert [number[:8] for number in numbers] == ["20261121"] * 3 + ["20261122"]


@pytest.mark.parametrize(
    "body",
    [
        b"", b"<a", b"<a/>", b"<a><return>[]</return></a>", b"<a><return>{}</return></a>",
        b'<!DOCTYPE a [<!ENTITY x "y">]><a><return>&x;</return></a>',
    ],
)  # fmt: skip
def test_an_answer_with_an_unexpected_structure_is_an_unknown_outcome(body: bytes) -> None:
    with pytest.raises(OutcomeUnknown):
        parse(body)


def test_characters_that_xml_cannot_hold_are_written_as_json_escapes() -> None:
    written = envelope("execute", {"a": "\x00\ud800\uffff<"}, "urn:x", "arg0")

    assert b"\\u0000\\ud800\\uffff&lt;" in written


def test_receipts_without_a_key_column_are_refused_at_build(clock: Any) -> None:
    settings = {"url": "http://x.cn", "department_code": "1", "receipts_url": "http://x.cn/r"}

    with pytest.raises(ValueError, match="key_column"):
        build("platform-soap", settings, clock)


async def test_a_repeat_code_for_the_whole_call_is_resolved_row_by_row(
    platform: PlatformSoap, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", error_code="20001")

    given = await platform.send([item(1), item(2, verb=Verb.CORRECT)])

    assert [outcome.kind.value for outcome in given] == ["submitted", "rejected"]


def _answer(**fields: Any) -> SoapAnswer:
    counts = {"errorCode": 200, "totalSize": 1, "successSize": 0, "failSize": None, "errorSize": 1}
    text = json.dumps({**counts, "errorMsg": None, **fields}, ensure_ascii=False)
    return parse(f"<e><return>{escape(text)}</return></e>".encode())


@pytest.mark.parametrize("as_text", [True, False])
def test_a_refused_row_is_matched_despite_other_brackets_widths_and_escapes(
    settings: dict[str, Any], item: ItemFactory, as_text: bool
) -> None:
    row = {"CF_WSH": " 豫环罚决字［２０２６］1号", "CF_XDR_SHXYM": "91410100ma44teat5f"}
    answer = _answer(errorBody=json.dumps([row]) if as_text else [row])

    [outcome] = outcomes([item(1)], answer, PlatformSoapSettings(**settings), "1")

    assert outcome.reasons == ("被退回，平台未说明原因",)


@pytest.mark.parametrize("rows", [[{"CF_WSH": "别人的"}], "not json", [], [1]])
def test_a_refused_row_that_is_not_ours_is_an_unknown_outcome(
    settings: dict[str, Any], item: ItemFactory, rows: Any
) -> None:
    with pytest.raises(OutcomeUnknown):
        outcomes([item(1)], _answer(errorBody=rows), PlatformSoapSettings(**settings), "1")


def test_a_doubtful_row_counts_as_accepted(settings: dict[str, Any], item: ItemFactory) -> None:
    answer = _answer(failSize=1, errorSize=0, errorBody=None)

    [outcome] = outcomes([item(1)], answer, PlatformSoapSettings(**settings), "1")

    assert outcome.kind is OutcomeKind.SUBMITTED
