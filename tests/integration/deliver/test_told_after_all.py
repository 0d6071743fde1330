"""A version that one destination is told after all is told to no other one again."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.memory import Step
from gateway.deliver import receipts as reading
from gateway.deliver.manual import retry_all
from gateway.deliver.receipts import receive
from gateway.service.roles import mirror
from schemas.delivery import DeliveryState, Receipt
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.late import busy_after_storing, ids, say, with_receipt
from tests.integration.world import World

pytestmark = pytest.mark.integration

OTHER = {**PLATFORM, "name": "other", "title": "另一平台", "headline": False}


async def late_holder(make_world: MakeWorld, **correction: str) -> World:
    """Let the platform have v1, of which it said nothing, and v2 come before the filter's day."""
    platform = {**PLATFORM, "since": "2026-10-05"}
    world = await make_world(destinations=[platform, OTHER, BANK])
    busy_after_storing(world)
    await world.take(penalty(CF_JDRQ="2026/10/08"))
    await world.turn()
    await world.take(penalty(CF_JDRQ="2026/10/02", **correction))
    await world.turn()
    world.clock.step(timedelta(minutes=1))
    await with_receipt(world, 0, accepted=True)
    await receive(world.deliverer())
    for _ in range(3):
        await world.pass_time(1)
    return world


async def test_the_others_are_not_told_again(make_world: MakeWorld) -> None:
    world = await late_holder(make_world)

    assert [verb for verb, _ in world.sent("other")] == ["new", "correct"]
    assert [verb for verb, _ in world.sent()] == ["new", "correct"]


async def test_what_lacks_a_column_is_held_there_too(make_world: MakeWorld) -> None:
    world = await late_holder(make_world, CF_NR="")

    assert (await world.states())[-1] == "held"
    assert [verb for verb, _ in world.sent("other")] == ["new"]


async def test_a_destination_that_is_gone_makes_nothing_owed(make_world: MakeWorld) -> None:
    settings = {"on_unknown": "person"}
    platform = {**PLATFORM, "headline": False, "settings": settings}
    first = await make_world(destinations=[platform, OTHER, BANK])
    await mirror(first.gateway)
    first.connector().play(Step.LOSE_ANSWER)
    await first.take(penalty())
    await first.turn()
    [id_] = await ids(first)
    assert await say(first, id_, DeliveryState.PARKED)
    assert await say(first, id_, DeliveryState.WITHDRAWN)
    for deliverer in first.deliverers.values():
        await deliverer.close()
    second = await make_world(destinations=[OTHER, BANK])
    await mirror(second.gateway)

    await second.take(penalty(CF_NR="更正后的内容"))
    for _ in range(4):
        second.clock.step(timedelta(seconds=15))
        await second.turn()

    assert len(second.sent("other")) == 1


async def test_a_second_rejection_of_the_same_day_counts(world: World) -> None:
    connector = world.connector()
    connector.play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    [key] = connector.stored
    midnight = world.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    row = Receipt(key=key, accepted=False, reasons=("缺印章",), platform_at=midnight)
    connector._receipts.append(row)
    await receive(world.deliverer())
    connector.play(Step.SUBMIT)
    world.clock.step(timedelta(minutes=10))
    await retry_all(world.database, await ids(world), "me", world.clock())
    await world.deliverer().drain()
    before = await world.states()
    world.clock.step(timedelta(minutes=10))

    connector._receipts.append(row)
    await receive(world.deliverer())

    assert (before[0], (await world.states())[0]) == ("submitted", "rejected")


async def test_the_receipts_of_one_delivery_are_never_cut(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SLICE", 1)
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    [key] = world.connector().stored
    at = world.clock() + timedelta(seconds=1)
    world.connector()._receipts += [
        Receipt(key=key, accepted=True, platform_at=at),
        Receipt(
            key=key, accepted=False, reasons=("缺印章",), platform_at=at + timedelta(seconds=1)
        ),
    ]
    states = []
    applied = reading.Feed._applied

    async def watched(self: reading.Feed, *given: Any, **more: Any) -> int | None:
        moved = await applied(self, *given, **more)
        states.append((await world.states())[0])
        return moved

    monkeypatch.setattr(reading.Feed, "_applied", watched)
    world.clock.step(timedelta(minutes=1))

    await receive(world.deliverer())

    assert set(states) == {"rejected"}
