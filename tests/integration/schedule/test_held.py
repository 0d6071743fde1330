"""A held delivery is looked at again when time, content or configuration has changed."""

from datetime import timedelta

import pytest

from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

TOMORROW = "2026-10-13"
ON_ITS_WAY = """
    update delivery set state = 'leased', lease_token = gen_random_uuid(),
        lease_until = now() + interval '1 day' where destination = 'platform'
"""


async def test_a_decision_of_tomorrow_is_sent_tomorrow(world: World) -> None:
    await world.take(penalty(CF_JDRQ=TOMORROW))
    await world.turn()
    assert await world.states() == ["held"]

    await world.pass_time(24)

    assert await world.states() == ["accepted"]


async def test_the_same_content_again_is_no_repeat_once_its_problem_is_gone(world: World) -> None:
    await world.take(penalty(CF_JDRQ=TOMORROW))
    world.clock.step(timedelta(days=3))

    await world.take(penalty(CF_JDRQ=TOMORROW))

    assert await world.states() == ["superseded", "ready"]


async def test_what_a_destination_no_longer_requires_holds_nothing(make_world: MakeWorld) -> None:
    world = await make_world()
    await world.take(penalty(1, CF_YXQ=None), penalty(2, CF_NR=None))
    assert await world.states() == ["held", "held"]

    relaxed = await make_world(destinations=[{**PLATFORM, "not_required": ["CF_YXQ"]}, BANK])
    await relaxed.turn()

    assert await world.states() == ["accepted", "held"]


async def test_a_released_delivery_waits_for_its_turn(world: World) -> None:
    """An earlier version is on its way: nothing overtakes it."""
    await world.take(penalty())
    await world.run(ON_ITS_WAY)
    await world.take(penalty(CF_JDRQ=TOMORROW))
    assert await world.states() == ["leased", "held"]

    world.clock.step(timedelta(days=2))
    await world.schedule.tick()

    assert await world.states() == ["leased", "waiting"]
