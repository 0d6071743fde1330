"""Due times 时限: the table of "Two clocks", an oracle for ten years, and days beyond them."""

from datetime import date, datetime, timedelta

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.due.calendars import load_workdays
from gateway.due.deadline import due, dues
from gateway.due.workdays import MAY_BE_MOVED, CalendarMissing, Workdays
from schemas.base import SHANGHAI, end_of, today
from schemas.destination import BUILT_IN_TIME_LIMITS, CountedDays, TimeLimit
from schemas.obligation import DueTime

CALENDAR_7, WORKING_7 = BUILT_IN_TIME_LIMITS
WORKDAYS = load_workdays()
LAST_YEAR = 2026
DAYS = st.dates(date(2017, 1, 1), date(2026, 12, 31))
CLOCKS = st.builds(
    TimeLimit,
    name=st.just("any"),
    days=st.integers(1, 30),
    counts=st.sampled_from(list(CountedDays)),
)


@pytest.mark.parametrize(
    ("decided", "calendar", "working"),
    [
        (date(2026, 2, 12), date(2026, 2, 19), date(2026, 2, 28)),
        (date(2026, 2, 13), date(2026, 2, 20), date(2026, 3, 2)),
        (date(2026, 9, 18), date(2026, 9, 25), date(2026, 9, 29)),
        (date(2026, 9, 28), date(2026, 10, 5), date(2026, 10, 13)),
        (date(2026, 9, 30), date(2026, 10, 7), date(2026, 10, 15)),
        (date(2026, 11, 20), date(2026, 11, 27), date(2026, 12, 1)),
        (date(2026, 12, 14), date(2026, 12, 21), date(2026, 12, 23)),
    ],
)
def test_both_clocks_end_as_in_the_table(decided: date, calendar: date, working: date) -> None:
    assert due(CALENDAR_7, decided, WORKDAYS).at == end_of(calendar)
    assert due(WORKING_7, decided, WORKDAYS).at == end_of(working)


def test_a_due_time_is_printed_as_the_last_second_in_china() -> None:
    found = due(CALENDAR_7, date(2026, 2, 12), WORKDAYS)

    assert found.printed == "2026-02-19T23:59:59+08:00"
    assert found.at == datetime(2026, 2, 20, tzinfo=SHANGHAI)


def test_a_working_day_clock_names_its_calendar() -> None:
    found = due(WORKING_7, date(2026, 2, 12), WORKDAYS)

    assert (found.clock, found.calendar, found.provisional) == ("working-7", WORKDAYS.name, False)
    assert WORKDAYS.name.startswith("cn-2017-2026-")


def test_beyond_the_calendar_a_due_time_is_a_provisional_lower_bound() -> None:
    found = due(WORKING_7, date(2026, 12, 23), WORKDAYS)

    assert found.provisional
    assert found.at == end_of(date(2026, 12, 30))


def test_the_last_days_of_december_wait_for_the_notice_of_the_next_year() -> None:
    found = due(WORKING_7, date(2026, 12, 15), WORKDAYS)

    assert (found.provisional, found.at) == (True, end_of(date(2026, 12, 24)))


def as_of_the_year_before(year: int) -> Workdays:
    """Return the calendar before the notice of the year was out, without what it moved before."""
    years = [known for known in WORKDAYS.years.values() if known.year < year]
    last, first_moved = years[-1], date(year - 1, 12, MAY_BE_MOVED)
    moved = {day for day in last.holidays | last.workdays if day >= first_moved}
    years[-1] = last.model_copy(
        update={"holidays": last.holidays - moved, "workdays": last.workdays - moved}
    )
    return Workdays(years)


def _may_be(found: DueTime, true: datetime) -> bool:
    return found.at <= true if found.provisional else found.at == true


@pytest.mark.parametrize("year", range(2018, LAST_YEAR + 1))
def test_before_its_notice_no_due_time_of_a_year_is_later_than_the_true_one(year: int) -> None:
    before, wrong = as_of_the_year_before(year), []

    for day in (date(year - 1, 11, 1) + timedelta(n) for n in range(365)):
        for n in (1, 3, 5, 7, 10, 20):
            clock = TimeLimit(name="any", days=n, counts=CountedDays.WORKING)
            true = _nth_by_oracle(day, n)
            found = due(clock, day, before)
            if true is not None and not _may_be(found, end_of(true)):
                wrong.append((day, n))

    assert wrong == []


def test_a_clock_of_calendar_days_needs_no_calendar() -> None:
    found = due(CALENDAR_7, date(2026, 12, 28), WORKDAYS)

    assert (found.at, found.calendar, found.provisional) == (end_of(date(2027, 1, 4)), None, False)


@pytest.mark.parametrize("day", [date(2016, 12, 31), date(2027, 1, 1), date(2050, 6, 1)])
def test_a_day_outside_the_calendar_gives_a_provisional_due_time(day: date) -> None:
    assert due(WORKING_7, day, WORKDAYS).provisional


def test_the_missing_year_is_named() -> None:
    with pytest.raises(CalendarMissing, match="2027"):
        WORKDAYS.nth_after(date(2026, 12, 31), 1)


def test_the_strictest_clock_comes_first() -> None:
    clocks = {clock.name: clock for clock in BUILT_IN_TIME_LIMITS}

    found = dues(("working-7", "calendar-7"), clocks, date(2026, 9, 28), WORKDAYS)

    assert [one.clock for one in found] == ["calendar-7", "working-7"]


def test_the_day_changes_at_midnight_in_china() -> None:
    before, after = datetime.fromisoformat("2026-10-11T15:59:59Z"), timedelta(seconds=1)

    assert (today(before), today(before + after)) == (date(2026, 10, 11), date(2026, 10, 12))


def test_every_day_of_ten_years_agrees_with_the_oracle() -> None:
    day, wrong = date(2017, 1, 1), []

    while day <= date(2026, 12, 31):
        if WORKDAYS.is_working(day) != chinese_calendar.is_workday(day):
            wrong.append(day)
        day += timedelta(days=1)

    assert wrong == []


@given(DAYS, st.integers(1, 20))
def test_the_nth_working_day_agrees_with_the_oracle(day: date, n: int) -> None:
    expected = _nth_by_oracle(day, n) if day < WORKDAYS.settled else None

    if expected is None or expected > WORKDAYS.settled:
        with pytest.raises(CalendarMissing):
            WORKDAYS.nth_after(day, n)
    else:
        assert WORKDAYS.nth_after(day, n) == expected


def _nth_by_oracle(day: date, n: int) -> date | None:
    """Return the n-th working day after a day; None behind the years of the oracle."""
    while n:
        day += timedelta(days=1)
        if day.year > LAST_YEAR:
            return None
        n -= chinese_calendar.is_workday(day)
    return day


@given(CLOCKS, st.dates(date(2015, 1, 1), date(2030, 12, 31)), st.integers(0, 40))
def test_a_later_decision_is_never_due_earlier(clock: TimeLimit, day: date, later: int) -> None:
    first = due(clock, day, WORKDAYS)
    second = due(clock, day + timedelta(days=later), WORKDAYS)

    assert first.provisional or second.provisional or first.at <= second.at


@given(CLOCKS, DAYS, st.integers(1, 10))
def test_a_longer_time_limit_is_never_due_earlier(clock: TimeLimit, day: date, more: int) -> None:
    longer = clock.model_copy(update={"days": clock.days + more})

    assert due(clock, day, WORKDAYS).at <= due(longer, day, WORKDAYS).at


@given(CLOCKS, DAYS)
def test_a_due_time_is_never_before_that_many_calendar_days(clock: TimeLimit, day: date) -> None:
    assert due(clock, day, WORKDAYS).at >= end_of(day + timedelta(days=clock.days))
