"""The work list of a running installation."""

from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.store.deliver import worklist
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.look import WorkList, look
from gateway.worklist.rows import Actor, Grouping, Late
from schemas.delivery import DeliveryState
from tests.factories import AUTHORITY, penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def looked(
    world: World, by: Grouping = Grouping.DESTINATION, limit: int = 50, **wanted: object
) -> WorkList:
    async with world.database.transaction() as connection:
        choice = Wanted(**wanted)  # type: ignore[arg-type]
        settings = world.gateway.settings
        known = settings.destinations, settings.all_clocks
        return await look(connection, *known, choice, world.clock(), by, limit)


async def test_what_is_open_is_listed_by_due_time_with_its_place_in_the_queue(
    world: World,
) -> None:
    await world.take(penalty(1, CF_JDRQ="2026-10-09"), penalty(2, 2, CF_JDRQ="2026-10-08"))
    await world.take(penalty(3, 3, CF_CFJGDM=""))

    found = await looked(world)

    platform = [row for row in found.rows if row.destination == "platform"]
    assert [row.what[-2:] for row in platform] == ["2号", "1号", "3号"]
    assert platform[1].why == "前面还有 1 件"
    assert (platform[2].state, platform[2].actor) == (DeliveryState.HELD, Actor.CLERK)
    assert platform[2].late is Late.STANDS


async def test_a_filter_chooses_and_groups_count_all_of_it(world: World) -> None:
    await world.take(*(penalty(n, n) for n in range(1, 6)), penalty(9, 9, CF_CFJG="样例县分局"))

    found = await looked(world, Grouping.AUTHORITY, 2, destination="platform")
    held = await looked(world, state=DeliveryState.HELD)
    county = await looked(world, authority="样例县分局", destination="platform")
    soon = await looked(world, before=world.clock() + timedelta(minutes=1))

    assert len(found.rows) == 2
    assert {group.name: group.open for group in found.groups} == {AUTHORITY: 5, "样例县分局": 1}
    assert [held.rows, soon.rows] == [(), ()]
    assert [row.authority for row in county.rows] == ["样例县分局"]


async def test_what_was_rejected_waits_for_a_clerk_and_what_is_done_is_not_listed(
    world: World,
) -> None:
    world.connector().play(Step.REJECT, Step.ACCEPT)
    await world.take(penalty(1))
    await world.turn()
    await world.take(penalty(2, 2))
    await world.turn()

    found = await looked(world, Grouping.ACTOR, destination="platform")

    assert [(row.state, row.actor) for row in found.rows] == [(DeliveryState.REJECTED, Actor.CLERK)]
    assert [group.name for group in found.groups] == ["经办人员"]


async def test_the_pace_of_a_destination_comes_from_its_latest_calls(world: World) -> None:
    await world.take(penalty(1))
    await world.turn()
    await world.run(
        "update attempt set finished_at = started_at + interval '30 seconds' "
        "where delivery_id in (select id from delivery where destination = 'platform')"
    )

    async with world.database.transaction() as connection:
        found = await worklist.call_seconds(connection, world.clock() - timedelta(hours=1))

    assert found["platform"] == 30.0
