"""The twin: what the script says happens, and later verdicts come as receipts."""

from collections.abc import Callable
from typing import Any

import pytest

from connectors import build
from connectors.errors import CallRejected, NotSent
from connectors.memory import MemoryConnector, Step
from schemas.delivery import Item
from tests.connectors.listed import listed

ItemFactory = Callable[..., Item]


@pytest.fixture
def twin(clock: Any) -> MemoryConnector:
    made = build("memory", {}, clock)
    assert isinstance(made, MemoryConnector)
    return made


@pytest.mark.parametrize(
    ("step", "expected"),
    [(Step.ACCEPT, "accepted"), (Step.SUBMIT, "submitted"), (Step.REJECT, "rejected"),
     (Step.DEFER, "deferred")],
)  # fmt: skip
async def test_each_step_of_the_script_gives_its_outcome(
    twin: MemoryConnector, item: ItemFactory, step: Step, expected: str
) -> None:
    twin.play(step)

    [outcome] = await twin.send([item(1)])

    assert outcome.kind.value == expected


@pytest.mark.parametrize(
    ("step", "error"), [(Step.NOT_SENT, NotSent), (Step.CALL_REJECTED, CallRejected)]
)
async def test_a_failed_step_stores_nothing(
    twin: MemoryConnector, item: ItemFactory, step: Step, error: type[Exception]
) -> None:
    twin.play(step)

    with pytest.raises(error):
        await twin.send([item(1)])

    assert not twin.stored


async def test_a_receipt_is_returned_once_per_cursor(
    twin: MemoryConnector, item: ItemFactory
) -> None:
    await twin.send([item(1)])
    twin.issue_receipt("key-1", accepted=False, reasons=("错",))

    receipts, cursor = await twin.receipts("")

    assert [(receipt.key, receipt.accepted) for receipt in receipts] == [("key-1", False)]
    assert await twin.receipts(cursor) == ([], cursor)


async def test_stored_items_are_listed(
    twin: MemoryConnector, clock: Any, item: ItemFactory
) -> None:
    await twin.send([item(1)])

    shown = await listed(twin, clock())

    assert [row.document_number for row in shown] == [item(1).document_number]
