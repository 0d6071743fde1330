"""Quiet hours, the share of new deliveries in a claim, and escalations."""

import uuid
from datetime import time, timedelta

import pytest

from gateway.store.deliver import claims
from gateway.store.deliver.overdue import escalate
from schemas.delivery import Claimed
from schemas.destination import DailyHours
from tests.conftest import PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def claim(world: World, fresh: int) -> list[Claimed]:
    async with world.database.transaction() as connection:
        return await claims.claim(
            connection,
            "platform",
            limit=4,
            fresh=fresh,
            token=str(uuid.uuid4()),
            lease=timedelta(minutes=1),
            now=world.clock(),
        )


async def test_a_destination_is_not_called_in_quiet_hours(
    make_world: MakeWorld,
) -> None:
    night = {"starts": "22:00", "ends": "06:30"}
    world = await make_world(destinations=[{**PLATFORM, "quiet_hours": [night]}])
    await world.take(penalty())
    world.clock.step(timedelta(hours=13))  # from nine in the morning to ten at night

    await world.turn()
    assert (world.connector().calls, await world.states()) == (0, ["ready"])
    await world.pass_time(8.5)

    assert await world.states() == ["accepted"]


@pytest.mark.parametrize(
    ("hours", "covered"),
    [
        (("22:00", "06:30"), {"22:00": True, "23:59": True, "06:29": True, "06:30": False}),
        (("12:00", "13:00"), {"11:59": False, "12:00": True, "12:59": True, "13:00": False}),
    ],
)
def test_quiet_hours_include_their_start_and_exclude_their_end(
    hours: tuple[str, str], covered: dict[str, bool]
) -> None:
    quiet = DailyHours.model_validate({"starts": hours[0], "ends": hours[1]})

    assert {at: quiet.covers(time.fromisoformat(at)) for at in covered} == covered


async def test_many_retries_leave_new_deliveries_their_share_of_a_claim(
    make_world: MakeWorld,
) -> None:
    world = await make_world()
    await world.take(*(penalty(n, n, CF_JDRQ="2026/10/05") for n in range(1, 9)))
    await world.run("update delivery set attempts = 1 where destination = 'platform'")
    await world.take(*(penalty(n, n) for n in range(9, 13)))

    claimed = await claim(world, fresh=1)

    assert sorted(one.attempts for one in claimed) == [1, 2, 2, 2]
    assert [one.due_at for one in claimed] == sorted(one.due_at for one in claimed)


@pytest.mark.parametrize(("fresh", "count"), [(3, 4), (0, 4), (9, 4)])
async def test_a_claim_is_full_whatever_the_share_of_new_deliveries(
    world: World, fresh: int, count: int
) -> None:
    await world.take(*(penalty(n, n) for n in range(1, 9)))
    await world.run("update delivery set attempts = 1 where id in "
                    "(select id from delivery order by id limit 10)")  # fmt: skip

    claimed = await claim(world, fresh=fresh)

    assert len({one.id for one in claimed}) == count


async def test_a_year_that_is_reported_afterwards_leaves_fresh_decisions_their_place(
    make_world: MakeWorld,
) -> None:
    settings = {"batch_size": 1, "concurrency": 1}
    world = await make_world(destinations=[PLATFORM | {"settings": settings}])
    await world.take(*(penalty(n, n, CF_JDRQ="2025/10/10") for n in range(1, 101)))
    await world.take(*(penalty(n, n, CF_JDRQ="2026/10/12") for n in range(101, 111)))

    done = await world.deliverer().round()

    days = [item.decision_date for item in world.connector().stored.values()]
    assert done.claimed == 25
    assert sum(day.year == 2026 for day in days if day) == 10
    assert sum(day.year == 2025 for day in days if day) == 15


async def test_overdue_deliveries_keep_their_share_however_much_is_fresh(
    make_world: MakeWorld,
) -> None:
    one_a_claim = {"rates": [{"calls": 1, "within": "PT10S"}], "settings": {"batch_size": 1}}
    world = await make_world(destinations=[PLATFORM | one_a_claim])
    await world.take(*(penalty(n, n, CF_JDRQ="2025/10/10") for n in range(1, 21)))
    await world.take(*(penalty(n, n, CF_JDRQ="2026/10/12") for n in range(21, 61)))

    for _ in range(20):
        await world.deliverer().round()
        world.clock.step(timedelta(seconds=13))  # one in five is for receipts

    days = [item.decision_date for item in world.connector().stored.values()]
    assert [day.year for day in days if day].count(2025) == 5
    assert len(days) == 20


async def test_where_one_goes_at_a_time_a_retry_has_its_turn(make_world: MakeWorld) -> None:
    one_a_claim = {"rates": [{"calls": 1, "within": "PT10S"}], "settings": {"batch_size": 1}}
    world = await make_world(destinations=[PLATFORM | one_a_claim])
    await world.take(penalty(1, 1, CF_JDRQ="2026/10/08"))  # due first of all
    await world.run("update delivery set attempts = 1 where destination = 'platform'")
    await world.take(*(penalty(n, n, CF_JDRQ="2026/10/12") for n in range(2, 32)))

    for _ in range(20):
        await world.deliverer().round()
        world.clock.step(timedelta(seconds=13))

    assert penalty(1)["CF_WSH"] in [number for _, number in world.sent()]


async def test_after_an_outage_what_can_be_in_time_goes_before_a_year_that_is_late(
    make_world: MakeWorld,
) -> None:
    settings = {"batch_size": 1, "concurrency": 1}
    world = await make_world(destinations=[PLATFORM | {"settings": settings}])
    await world.take(*(penalty(n, n, CF_JDRQ="2025/10/10") for n in range(1, 101)))
    await world.take(*(penalty(n, n, CF_JDRQ="2026/10/12") for n in range(101, 106)))
    await world.run("update delivery set attempts = 1 where destination = 'platform'")

    await world.deliverer().round()

    days = [item.decision_date for item in world.connector().stored.values()]
    assert [day.year for day in days if day].count(2026) == 5


async def test_shrinking_slack_is_escalated_once_at_each_step(world: World) -> None:
    await world.take(penalty(1, CF_CFJGDM=None))  # held, so that nothing sends it
    due = await world.value("select due_at from delivery where destination = 'platform'")
    slack = due - world.clock()
    told = []

    for left in (0.6, 0.5, 0.4, 0.25, 0.1, 0.05, -0.1):
        world.clock.set(due - slack * left)
        async with world.database.transaction() as connection:
            told.append(await escalate(connection, world.clock()))

    assert told == [
        [],
        [("platform", 50, 1)],
        [],
        [("platform", 25, 1)],
        [("platform", 10, 1)],
        [],
        [],
    ]


async def test_an_escalation_is_counted_in_a_metric(world: World) -> None:
    await world.take(penalty(1, CF_CFJGDM=None))

    await world.pass_time(24 * 3.7)

    counted = world.gateway.metrics.registry.get_sample_value(
        "credit_gateway_escalations_total", {"destination": "platform", "percent": "25"}
    )
    assert counted == 1
