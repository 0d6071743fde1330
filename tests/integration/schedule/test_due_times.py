"""A due time beyond the calendar is provisional until the calendar of the next year is there."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from connectors.memory import Step
from gateway.config.clock import SteppedClock
from gateway.decide.decider import Decider
from gateway.due.workdays import Notice, Workdays, Year
from gateway.service.roles import build_schedule
from schemas.base import SHANGHAI, end_of
from tests.conftest import PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

ROWS = "select due_at, clock, calendar, provisional, dues from delivery where destination = 'platform' order by id"  # noqa: E501
#: An invented notice: the first eight days of 2027 are holidays.
WEEK_OFF = Year(
    year=2027,
    notices=(Notice(number="样例"),),
    holidays=frozenset(date(2027, 1, n) for n in range(1, 9)),
    workdays=frozenset(),
)
DECIDED = {"CF_JDRQ": "2026-12-24", "CF_YXQ": "2027-12-24"}
#: Before the notice any of the days up to the 31st may become a working day.
BOUND, REAL = end_of(date(2026, 12, 31)), end_of(date(2027, 1, 12))
CALENDAR_DAYS = end_of(date(2026, 12, 31))


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 12, 25, 9, tzinfo=SHANGHAI))


@pytest.fixture(params=[["working-7"], ["calendar-7", "working-7"]], ids=["one", "two"])
def clocks(request: pytest.FixtureRequest) -> list[str]:
    chosen: list[str] = request.param
    return chosen


async def world_with(make_world: MakeWorld, clocks: list[str]) -> World:
    return await make_world(destinations=[{**PLATFORM, "clocks": clocks}], scoring={})


async def new_year(world: World) -> None:
    """Run one tick of the next release, whose calendar includes 2027."""
    gateway = world.gateway
    workdays = Workdays([*gateway.workdays.years.values(), WEEK_OFF])
    decider = Decider(gateway.settings.destinations, gateway.settings.all_clocks, workdays)
    await build_schedule(replace(gateway, workdays=workdays, decider=decider)).tick()


def working(row: tuple[Any, ...]) -> datetime:
    return datetime.fromisoformat(row[4]["working-7"])


async def test_a_provisional_due_time_is_renewed_when_the_calendar_has_the_year(
    make_world: MakeWorld, clocks: list[str]
) -> None:
    world = await world_with(make_world, clocks)
    await world.take(penalty(**DECIDED))
    [before] = await world.rows(ROWS)

    await world.schedule.tick()
    [unchanged] = await world.rows(ROWS)
    await new_year(world)
    [after] = await world.rows(ROWS)

    firm = "calendar-7" in clocks
    assert before == unchanged
    assert (working(before), before[2:4]) == (BOUND, (world.gateway.workdays.name, True))
    assert (working(after), after[3]) == (REAL, False)
    assert after[2].startswith("cn-2017-2027-")
    assert before[0] == (CALENDAR_DAYS if firm else BOUND)
    assert after[0] == (CALENDAR_DAYS if firm else REAL)
    assert after[1] == clocks[0]


async def test_a_breach_against_a_provisional_due_time_is_cleared(make_world: MakeWorld) -> None:
    world = await world_with(make_world, ["working-7"])
    world.connector().play(*[Step.DEFER] * 50)
    await world.take(penalty(**DECIDED))
    await world.pass_time(24 * 12)
    breached = "select breached_at is not null from delivery"
    assert await world.value(breached)

    await new_year(world)
    assert not await world.value(breached)
    world.clock.step(timedelta(days=10))
    await new_year(world)

    assert await world.value(breached)


async def test_a_correction_after_acceptance_is_due_from_its_own_day(
    make_world: MakeWorld,
) -> None:
    world = await world_with(make_world, ["working-7"])
    await world.take(penalty(**DECIDED))
    await world.turn()
    world.clock.step(timedelta(days=4))
    await world.take(penalty(**DECIDED, CF_NR="更正"))

    await new_year(world)

    first, second = await world.rows(ROWS)
    assert (first[0], second[0]) == (REAL, end_of(date(2027, 1, 15)))
