"""An act by a filter changes what still fits it, also while others work on the deliveries."""

from datetime import timedelta

import pytest

from gateway.deliver.manual import change_all, retry_all
from gateway.schedule.held import release_held
from gateway.store.deliver.by_hand import Order
from schemas.delivery import DeliveryState
from tests.conftest import PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

S = DeliveryState


async def ids(world: World) -> list[int]:
    return list(await world.column("select id from delivery order by id"))


async def states(world: World) -> list[str]:
    return list(await world.column("select state from delivery order by id"))


async def test_what_was_freed_meanwhile_is_not_withdrawn(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM], scoring={})
    tomorrow = (world.clock() + timedelta(days=1)).date().isoformat()
    await world.take(penalty(1, CF_JDRQ=tomorrow), penalty(2, 2, CF_JDRQ=tomorrow))
    chosen = await ids(world)
    before = await states(world)
    world.clock.step(timedelta(days=1))
    await release_held(world.database, world.gateway.decider, world.clock())

    order = Order(S.WITHDRAWN, "待补正的不再报送")
    acted = await change_all(world.database, chosen, order, "我", world.clock(), S.HELD)

    assert before == ["held", "held"]
    assert acted.changed == set()
    assert await states(world) == ["ready", "ready"]


async def test_what_was_parked_meanwhile_is_not_sent_again(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM], scoring={})
    await world.take(penalty(1))
    chosen = await ids(world)
    parked = Order(S.PARKED, "等上级答复")
    await change_all(world.database, chosen, parked, "我", world.clock(), S.READY)

    acted = await retry_all(world.database, chosen, "我", world.clock(), S.REJECTED)

    assert acted.changed == set()
    assert await states(world) == ["parked"]
