"""The connector `platform-json` against the sandbox, row by row."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from connectors import build
from connectors.errors import OutcomeUnknown
from connectors.platform_api import PlatformJson
from connectors.platform_api.json_api import row_outcomes
from schemas.codes import Verb
from schemas.delivery import Item, OutcomeKind
from tests.connectors.listed import listed

ItemFactory = Callable[..., Item]


async def test_an_answer_in_another_order_still_reaches_the_right_rows(
    platform: PlatformJson, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", answer="reversed", reject_now={item(1).document_number: ["错"]})

    outcomes = await platform.send([item(1), item(2)])

    assert [outcome.kind.value for outcome in outcomes] == ["rejected", "accepted"]
    assert outcomes[0].reasons == ("错",)


@pytest.mark.parametrize("answer", ["short", "long"])
async def test_only_a_row_missing_in_the_answer_is_unknown(
    platform: PlatformJson, sandbox: Any, item: ItemFactory, answer: str
) -> None:
    sandbox.order("credit", answer=answer)

    outcomes = await platform.send([item(1), item(2)])

    assert [outcome.kind.value for outcome in outcomes] == ["accepted", "unknown"]


async def test_an_answer_that_cannot_be_read_is_an_unknown_outcome(
    platform: PlatformJson, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", answer="garbled")

    with pytest.raises(OutcomeUnknown):
        await platform.send([item(1)])


async def test_a_missing_column_rejects_its_row_only(
    platform: PlatformJson, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", required_columns={"penalty": ["CF_NR"]})
    bad = item(2, columns={"CF_WSH": "二号"})

    outcomes = await platform.send([item(1), bad])

    assert [outcome.kind.value for outcome in outcomes] == ["accepted", "rejected"]
    assert "CF_NR" in outcomes[1].reasons[0]


async def test_a_refused_look_up_is_unknown_and_never_means_not_sent(
    platform: PlatformJson, sandbox: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", refuse_calls=1, retry_after=5)

    with pytest.raises(OutcomeUnknown):
        await platform.look_up([item(1)])


async def test_each_receipt_comes_when_due_and_only_once(
    platform: PlatformJson, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    reject = {item(2).document_number: ["相对人未关联"]}
    sandbox.order(
        "credit", mode="submit", receipt_after=60, reject_later=reject, reject_after=86400
    )
    await platform.send([item(1), item(2)])

    none, start = await platform.receipts("")
    clock.move(timedelta(seconds=60))
    first, cursor = await platform.receipts(start)
    clock.move(timedelta(days=1))
    second, end = await platform.receipts(cursor)

    assert none == []
    assert [(receipt.key, receipt.accepted) for receipt in first] == [("key-1", True)]
    assert [(receipt.key, receipt.reasons) for receipt in second] == [("key-2", ("相对人未关联",))]
    assert (await platform.receipts(end))[0] == []


async def test_the_listing_is_read_to_its_last_page_without_hidden_and_withdrawn_rows(
    platform: PlatformJson, sandbox: Any, clock: Any, item: ItemFactory
) -> None:
    sandbox.order("credit", page_size=2, hidden=[item(4).document_number])
    await platform.send([item(n) for n in range(1, 8)])
    await platform.send([item(5, key="key-5b", verb=Verb.WITHDRAW, version=2)])

    shown = await listed(platform, clock())

    numbers = {row.document_number for row in shown}
    assert numbers == {item(n).document_number for n in (1, 2, 3, 6, 7)}


async def test_the_api_key_is_sent_and_never_shown(
    url: str, clock: Any, item: ItemFactory, sandbox: Any
) -> None:
    settings = {"url": f"{url}/credit", "allow_private": True, "api_key": "open-sesame"}
    connector = build("platform-json", settings, clock)

    [outcome] = await connector.send([item(1)])

    assert outcome.kind is OutcomeKind.ACCEPTED
    assert "open-sesame" not in repr(vars(connector))
    assert sandbox.books["credit"].calls["records"] == 1
    await connector.close()


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [7],
        [{"key": 1, "status": "accepted"}],
        [{"key": "key-1", "status": "lost"}],
        [{"key": "key-1", "status": "absent"}],
        [{"key": "key-1", "status": "accepted"}, {"key": "key-1", "status": "rejected"}],
    ],
)
def test_a_row_with_an_invalid_or_two_different_answers_is_unknown(
    rows: list[Any], item: ItemFactory
) -> None:
    [outcome] = row_outcomes([item(1)], {"results": rows}, absent=False)

    assert outcome.kind is OutcomeKind.UNKNOWN


@pytest.mark.parametrize(
    "odd",
    [
        {"reasons": None},
        {"reasons": "文书号重复"},
        {"reasons": [None, 7]},
        {"reference": 12345},
        {"platform_at": ""},
        {"platform_at": "2026-10-12 10:00:00"},
        {"platform_at": 7},
        {"retry_after": -1},
        {"retry_after": "soon"},
    ],
    ids=repr,
)
def test_an_odd_field_beside_the_status_does_not_make_the_answer_worthless(
    odd: dict[str, Any], item: ItemFactory
) -> None:
    row = {"key": "key-1", "status": "accepted", **odd}

    [outcome] = row_outcomes([item(1)], {"results": [row]}, absent=False, zoned=True)

    assert outcome.kind is OutcomeKind.ACCEPTED
