"""Platforms that tell the same again and again: it takes no room and holds no locks for long."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.deliver.manual import retry_all
from gateway.deliver.receipts import receive
from schemas.delivery import Receipt
from tests.factories import penalty
from tests.integration.deliver.late import ids
from tests.integration.world import World

pytestmark = pytest.mark.integration

SECOND = timedelta(seconds=1)
COUNT = "select count(*) from receipt"


async def submitted(world: World, count: int = 1) -> list[str]:
    """Deliver so many records, which wait for their receipts; return their keys."""
    world.connector().play(*[Step.SUBMIT] * count)
    await world.take(*(penalty(n, n) for n in range(1, count + 1)))
    while set(await world.states()) != {"submitted"}:
        await world.turn()
    return list(world.connector().stored)


async def read(world: World, page: Callable[[], list[Receipt]]) -> None:
    """Let some time pass, and read the one page that the platform always gives."""

    async def receipts(cursor: str) -> tuple[list[Receipt], str]:
        return page(), ""

    world.clock.step(SECOND)
    world.connector().receipts = receipts  # type: ignore[method-assign]
    await receive(world.deliverer())


async def retried(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    world.clock.step(SECOND)
    await retry_all(world.database, await ids(world), "me", world.clock())
    await world.deliverer().drain()


async def test_rows_that_are_stamped_whenever_they_are_asked_for_are_stored_once(
    world: World,
) -> None:
    keys = await submitted(world, 3)

    for _ in range(5):
        await read(
            world,
            lambda: [
                Receipt(key=key, accepted=accepted, platform_at=world.clock())
                for key in keys
                for accepted in (False, True)
            ],
        )

    assert await world.states() == ["accepted"] * 3
    assert await world.value(COUNT) == 2 * len(keys)


@pytest.mark.parametrize("reasons", [1, 500], ids=["one reason", "ever other reasons"])
async def test_a_page_with_very_many_receipts_of_one_delivery_tells_the_latest_ones(
    world: World, reasons: int
) -> None:
    [key] = await submitted(world)
    sent = world.clock()

    for poll in range(2):
        page = [
            Receipt(
                key=key,
                accepted=n == 999,
                reasons=(f"原因 {n % reasons}",),
                platform_at=sent + timedelta(microseconds=1000 * poll + n),
            )
            for n in range(1000)
        ]
        await read(world, lambda page=page: page)  # type: ignore[misc]

    assert await world.states() == ["accepted"]
    assert await world.value(COUNT) <= 2 * 20


async def test_the_same_rejection_counts_again_after_a_retry(world: World) -> None:
    [key] = await submitted(world)

    for _ in range(3):
        await read(world, lambda: [Receipt(key=key, accepted=False, platform_at=world.clock())])
        assert await world.states() == ["rejected"]
        await retried(world)

    assert await world.value(COUNT) == 3


async def test_a_rejection_whose_place_a_later_one_took_is_no_news(world: World) -> None:
    [key] = await submitted(world)
    both = []
    for _ in range(2):
        both.append(Receipt(key=key, accepted=False, platform_at=world.clock() + SECOND))
        await read(world, lambda: both[-1:])
    assert await world.value(COUNT) == 1
    await retried(world)

    await read(world, lambda: both[:1])

    assert await world.states() == ["submitted"]


async def test_a_page_is_written_in_slices(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.deliver.receipts.SLICE", 2)
    keys = await submitted(world, 5)

    await read(
        world, lambda: [Receipt(key=k, accepted=True, platform_at=world.clock()) for k in keys]
    )

    assert await world.states() == ["accepted"] * 5
