"""The working-day calendar 工作日历 (pure), from one data file for each year.

The file of a year holds the days that the notice of the State Council moves: holidays on weekdays
and working days on weekends (调休). A year without a notice is refused, never assumed. The last
days of December are known once the notice of the next year is out, which may move them as well:
2018-12-29, a Saturday, became a working day by the notice for 2019.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from gateway.config.errors import BadConfiguration

SATURDAY = 5
#: The first day of December that the notice of the next year may move. It has moved none before the
#: 29th so far; New Year's Day is joined to the weekend beside it, and paid for within a week.
MAY_BE_MOVED = 24
#: Holidays on the same day of every year (全国年节及纪念日放假办法, art. 2): no notice makes them
#: working days.
_FIXED = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})


class CalendarMissing(Exception):
    """There is no working-day calendar for the year."""

    def __init__(self, year: int) -> None:
        super().__init__(f"没有{year}年的工作日历：请在国务院办公厅发布放假通知后加入 {year}.json")
        self.year = year


class BadCalendar(BadConfiguration):
    """A calendar file contradicts itself or names no notice."""


@dataclass(frozen=True, slots=True)
class Year:
    """The moved days of one year, and the notices 放假通知 that move them."""

    year: int
    notices: tuple[str, ...]
    holidays: frozenset[date]
    workdays: frozenset[date]

    def is_working(self, day: date) -> bool:
        """Whether the day is a working day."""
        return day in self.workdays or (day.weekday() < SATURDAY and day not in self.holidays)


def parse_year(data: Mapping[str, Any]) -> Year:
    """Read one calendar file.

    Raises:
        BadCalendar: no notices, no days, a day of another year, or one that is holiday and workday.
    """
    year = Year(
        year=int(data["year"]),
        notices=tuple(data["notices"]),
        holidays=frozenset(date.fromisoformat(day) for day in data["holidays"]),
        workdays=frozenset(date.fromisoformat(day) for day in data["workdays"]),
    )
    if not year.notices or not year.holidays:
        raise BadCalendar(f"calendar {year.year}: no notice or no days; an empty year is no year")
    if year.holidays & year.workdays:
        raise BadCalendar(f"calendar {year.year}: a day is holiday and working day at once")
    wrong = [day for day in year.holidays | year.workdays if day.year != year.year]
    if wrong:
        raise BadCalendar(f"calendar {year.year}: {min(wrong)} belongs to another year")
    return year


class Workdays:
    """The working days of the loaded years, which must follow each other without a gap."""

    def __init__(self, years: Iterable[Year]) -> None:
        self.years = {year.year: year for year in years}
        self.name = f"cn-{min(self.years)}-{max(self.years)}"
        self._first, self._last = min(self.years), max(self.years)
        missing = set(range(self._first, self._last + 1)) - set(self.years)
        if missing:
            raise BadCalendar(f"calendar years missing in between: {sorted(missing)}")
        #: The last day that no later notice moves.
        self.settled = date(self._last, 12, MAY_BE_MOVED - 1)
        self._days = [
            day
            for day in _days(date(self._first, 1, 1), self.settled)
            if self.years[day.year].is_working(day)
        ]

    def nth_after(self, day: date, n: int) -> date:
        """Return the n-th working day after `day`; `day` itself does not count.

        Raises:
            CalendarMissing: `day` is outside the loaded years, or the answer behind `settled`.
        """
        if not self._first <= day.year <= self._last:
            raise CalendarMissing(day.year)
        index = bisect_right(self._days, day) + n - 1
        if index >= len(self._days):
            raise CalendarMissing(self._last + 1)
        return self._days[index]

    def lower_bound(self, day: date, n: int) -> date:
        """Return the earliest day that can be the n-th working day after `day`.

        What is not settled counts as a working day wherever a notice can make it one: a weekend too
        (调休), but no holiday that the law fixes.
        """
        if self._first <= day.year <= self._last:
            known = len(self._days) - bisect_right(self._days, day)
            day, n = max(day, self.settled), n - known
        while n > 0:
            day += timedelta(days=1)
            n -= (day.month, day.day) not in _FIXED
        return day


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
