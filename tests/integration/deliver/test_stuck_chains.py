"""Chains that wait for nothing, and destinations that are dropped."""

import pytest

from connectors.memory import Step
from gateway.config.errors import BadConfiguration
from gateway.schedule.sweeper import sweep
from gateway.store.deliver import deliveries
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.test_deliveries import HEADS
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_stuck_chain_is_mended_and_audited(world: World) -> None:
    await world.take(penalty())
    await world.run("update delivery set state = 'waiting' where destination = 'platform'")

    mended = await sweep(world.database, world.clock(), world.gateway.metrics)

    assert mended == 1
    assert await world.states() == ["ready"]
    assert await world.events() == ["chain_mended"]


async def test_waiting_grade_changes_without_a_number_are_not_stuck(world: World) -> None:
    await world.take(penalty())

    assert await sweep(world.database, world.clock(), world.gateway.metrics) == 0
    assert await world.states("bank") == ["waiting"]


async def test_a_rejected_version_with_a_later_one_is_not_retried(world: World) -> None:
    world.connector().play(Step.REJECT)
    await world.take(penalty())
    await world.turn()
    [rejected] = await world.column("select id from delivery where destination = 'platform'")
    await world.run("update delivery set state = 'parked' where id = :id", id=rejected)
    await world.take(penalty(CF_NR="更正后的内容"))
    await world.run("update delivery set state = 'rejected' where id = :id", id=rejected)

    async with world.database.transaction() as connection:
        retried = await deliveries.retry(connection, [rejected], world.clock())

    assert retried == set()
    assert await world.rows(HEADS) == []


async def test_a_waiting_version_behind_an_unknown_outcome_is_not_stuck(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(CF_NR="更正"))

    assert await sweep(world.database, world.clock(), world.gateway.metrics) == 0


# ---------------------------------------------------------------- configuration


async def test_a_destination_with_open_deliveries_cannot_be_dropped(
    make_world: MakeWorld,
) -> None:
    world = await make_world()
    await world.take(penalty())

    with pytest.raises(BadConfiguration, match="platform 还有 1 条未了结的报送"):
        await make_world(destinations=[])


async def test_a_withdrawal_owed_to_a_dropped_destination_is_kept_and_told(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await make_world()
    await world.take(penalty())
    await world.turn()
    less = await make_world(destinations=[BANK])
    await less.take(penalty(verb="withdraw"))

    await make_world(destinations=[BANK])

    assert await world.states() == ["accepted", "ready"]
    assert [one.count for one in caplog.records if one.message == "owed_to_dropped"] == [1]  # type: ignore[attr-defined]
    await make_world()  # configured again
    await world.turn()
    assert await world.states() == ["accepted", "accepted"]


async def test_a_correction_is_told_to_whoever_has_the_record_whatever_the_filters_say(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[{**PLATFORM, "since": "2026-10-01"}])
    await world.take(penalty(1), penalty(2))
    await world.turn()
    await world.take(penalty(3))

    earlier = [penalty(n, CF_JDRQ="2026-09-30") for n in (1, 3)]
    await world.take(*earlier)
    await world.turn()

    assert await world.states() == ["accepted", "accepted", "superseded", "accepted"]
    assert [verb for verb, _ in world.sent()] == ["new", "new", "correct"]


async def test_a_destination_without_open_deliveries_can_be_dropped(make_world: MakeWorld) -> None:
    world = await make_world()
    await world.take(penalty())
    await world.turn()

    await make_world(destinations=[])
