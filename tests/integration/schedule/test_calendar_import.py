"""The calendar of a year is imported while gateways run: each learns of it, due times move."""

from datetime import date, datetime, timedelta

import pytest

from gateway.config.clock import SteppedClock
from gateway.due.calendars import load_workdays
from gateway.due.workdays import Notice, Workdays, Year
from gateway.schedule.due_times import Moves, foreseen, renew_all, renew_due_times
from gateway.service import calendar
from schemas.base import SHANGHAI, end_of
from tests.conftest import PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

#: Invented: the first week of 2027 is off, and a Saturday before it a working day.
YEAR = Year(
    year=2027,
    notices=(Notice(number="样例发〔2026〕1号"),),
    holidays=frozenset(date(2027, 1, n) for n in range(1, 9)),
    workdays=frozenset({date(2026, 12, 26)}),
)
DUE = "select due_at, provisional, calendar from delivery order by id"


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(datetime(2026, 12, 25, 9, tzinfo=SHANGHAI))


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    world = await make_world(destinations=[{**PLATFORM, "clocks": ["working-7"]}], scoring={})
    for number, day in ((1, "2026-12-24"), (2, "2026-12-14"), (3, "2026-12-17")):
        await world.take(penalty(number, CF_JDRQ=day, CF_YXQ="2027-12-24"))
    return world


async def imported(world: World, workdays: Workdays, year: Year = YEAR) -> Moves:
    gateway, now = world.gateway, world.clock()
    await calendar.import_year(gateway.database, workdays, year, "样例经办人", now)
    clocks = gateway.settings.all_clocks
    moves, _ = await renew_all(gateway.database, clocks, workdays, now)
    return moves


async def test_an_import_moves_provisional_due_times_and_says_how(world: World) -> None:
    workdays = load_workdays()

    moves = await imported(world, workdays)

    first, second, third = await world.rows(DUE)
    assert (moves.later, moves.earlier, moves.same, moves.most_later) == (1, 0, 2, 11)
    assert (first[0], first[1], first[2]) == (end_of(date(2027, 1, 11)), False, workdays.name)
    assert (second[0], second[1]) == (end_of(date(2026, 12, 23)), False)
    assert third[0] == end_of(date(2026, 12, 26))


async def test_what_is_foreseen_is_what_then_happens(world: World) -> None:
    workdays = load_workdays()
    workdays.take([YEAR])
    before = await world.rows(DUE)
    async with world.gateway.database.transaction() as connection:
        told = await foreseen(
            connection, world.gateway.settings.all_clocks, workdays, world.clock()
        )

    assert await world.rows(DUE) == before
    assert told == await imported(world, load_workdays())


async def test_a_corrected_calendar_corrects_due_times_that_the_wrong_one_settled(
    world: World,
) -> None:
    await imported(world, load_workdays())
    await calendar.renew(world.gateway.database, world.gateway.workdays)
    right = Year(
        year=2027,
        notices=(Notice(number="样例发〔2026〕2号"),),
        holidays=frozenset({date(2027, 1, 1)}),
        workdays=frozenset(),
    )
    world.clock.step(timedelta(minutes=5))

    moves = await imported(world, load_workdays(), right)
    # A process that has not learnt of it decides by the wrong calendar.
    await world.take(penalty(4, CF_JDRQ="2026-12-24", CF_YXQ="2027-12-24"))
    await calendar.renew(world.gateway.database, world.gateway.workdays)
    await world.schedule.tick()

    dues = await world.rows(DUE)
    assert (moves.later, moves.earlier) == (1, 1)  # 26 December is no working day either
    assert [dues[0][0], dues[3][0]] == [end_of(date(2027, 1, 5))] * 2
    assert not any(provisional for _, provisional, _ in dues)


async def test_another_process_learns_of_an_import_and_does_not_set_it_back(world: World) -> None:
    await imported(world, load_workdays())
    old, gateway = load_workdays(), world.gateway
    after = await world.rows(DUE)

    async with gateway.database.transaction() as connection:
        clocks = gateway.settings.all_clocks
        await renew_due_times(connection, clocks, old, world.clock(), Moves())
    await calendar.renew(gateway.database, gateway.workdays)

    assert await world.rows(DUE) == after
    assert old.name == gateway.workdays.name
    assert 2027 in gateway.workdays.years


async def test_what_was_decided_by_the_calendar_before_is_computed_again_by_the_schedule(
    world: World,
) -> None:
    await world.schedule.tick()  # the work of the day is done
    await calendar.import_year(
        world.gateway.database, load_workdays(), YEAR, "样例经办人", world.clock()
    )
    await calendar.renew(world.gateway.database, world.gateway.workdays)

    await world.schedule.tick()

    assert [row[1] for row in await world.rows(DUE)] == [False] * 3


async def test_a_corrected_calendar_takes_the_place_of_the_first(world: World) -> None:
    await imported(world, load_workdays())
    corrected = YEAR.model_copy(update={"workdays": frozenset({date(2026, 12, 27)})})
    world.clock.step(timedelta(minutes=1))
    await imported(world, load_workdays(), corrected)

    fresh = load_workdays()
    await calendar.renew(world.gateway.database, fresh)

    assert fresh.years[2027] == corrected
    assert await world.value("select count(*) from calendar_year") == 2
    assert (await world.events()).count("calendar_imported") == 2


async def test_the_last_import_counts_whatever_the_clock_said_at_the_first(world: World) -> None:
    await imported(world, load_workdays())
    corrected = YEAR.model_copy(update={"workdays": frozenset({date(2026, 12, 27)})})
    for step in (timedelta(0), timedelta(days=-1)):  # the same moment, and an earlier one
        world.clock.step(step)
        await imported(world, load_workdays(), corrected)
        corrected = corrected.model_copy(update={"workdays": frozenset()})

    fresh = load_workdays()
    await calendar.renew(world.gateway.database, fresh)

    assert fresh.years[2027].workdays == frozenset()
