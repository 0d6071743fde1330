"""Which attempt a receipt is about, and feeds that do not end."""

from datetime import datetime, timedelta, timezone

import pytest

from connectors.memory import Step
from gateway.deliver.manual import retry_all
from gateway.deliver.receipts import receive
from schemas.delivery import Receipt
from tests.factories import penalty
from tests.integration.deliver.late import days, ids, with_receipt
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("step", [Step.SUBMIT, Step.ACCEPT])
@pytest.mark.parametrize("behind", [timedelta(seconds=2), timedelta(hours=8)])
async def test_a_receipt_of_the_only_attempt_counts_whatever_its_date(
    world: World, step: Step, behind: timedelta
) -> None:
    """The servers of a platform have clocks of their own."""
    world.connector().play(step)
    await world.take(penalty(1))
    await world.turn()
    [key] = world.connector().stored
    answered = world.clock()
    world.clock.step(timedelta(minutes=5))

    for at in (answered - behind, answered - behind - timedelta(hours=1)):
        receipt = Receipt(key=key, accepted=at < answered - behind, platform_at=at)
        world.connector()._receipts.append(receipt)
        await receive(world.deliverer())

    assert (await world.states())[0] == "rejected"


async def test_a_receipt_that_is_read_again_does_not_reject_the_retry(world: World) -> None:
    world.connector().play(Step.SUBMIT, Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    await with_receipt(world, 1, accepted=False)
    await receive(world.deliverer())
    assert await world.states() == ["rejected"]
    await retry_all(world.database, await ids(world), "me", world.clock())
    await world.deliverer().drain()

    world.connector()._receipts.append(world.connector()._receipts[0])
    await receive(world.deliverer())

    assert await world.states() == ["submitted"]


async def test_a_receipt_of_an_earlier_attempt_does_not_reject_the_later_one(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    await with_receipt(world, 1, accepted=False)
    await receive(world.deliverer())
    await retry_all(world.database, await ids(world), "me", world.clock())
    world.connector()._outcomes.clear()
    world.connector().stored.clear()
    world.clock.step(timedelta(hours=5))
    world.connector().play(Step.SUBMIT)
    await world.deliverer().drain()

    await with_receipt(world, -3, accepted=False)
    await receive(world.deliverer())

    assert await world.states() == ["submitted"]


async def test_a_late_receipt_of_a_superseded_delivery_tells_who_has_it(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    await with_receipt(world, 1, accepted=False)
    await receive(world.deliverer())
    await world.take(penalty(verb="withdraw"))
    assert await world.states() == ["superseded"]

    await with_receipt(world, 2, accepted=True)
    await receive(world.deliverer())
    await world.take(penalty(CF_NR="更正"))
    await days(world, 1)

    assert [verb for verb, _ in world.sent()] == ["new", "correct"]


async def test_empty_pages_with_ever_new_cursors_end_the_turn(world: World) -> None:
    asked = []

    async def receipts(cursor: str) -> tuple[list[Receipt], str]:
        asked.append(cursor)
        return [], f"{len(asked)}"

    world.connector().receipts = receipts  # type: ignore[method-assign]

    await receive(world.deliverer())
    await receive(world.deliverer())

    assert asked == ["", "1"]


@pytest.mark.parametrize(
    "far",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8))),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=timezone(timedelta(hours=-12))),
    ],
)
async def test_an_impossible_time_of_a_platform_stops_nothing(world: World, far: datetime) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty(1), penalty(2))
    key = f"{world.deliverer().installation}-{(await ids(world))[0]}"
    receipt = Receipt(key=key, accepted=True, platform_at=far)
    world.connector()._receipts.append(receipt)

    await receive(world.deliverer())
    await world.deliverer().drain()

    assert set(await world.states()) <= {"accepted", "submitted"}
    assert receipt.platform_at is not None
    assert receipt.platform_at.year in {2000, 2100}
