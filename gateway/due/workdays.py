"""The working-day calendar 工作日历 (pure), from one data file for each year.

The file of a year holds the days that the notice of the State Council moves: holidays on weekdays
and working days on weekends (调休). A year without a notice is refused, never assumed. The last
days of December are known once the notice of the next year is out, which may move them as well:
2018-12-29, a Saturday, became a working day by the notice for 2019.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Self

import orjson
from pydantic import Field, ValidationError, model_validator

from gateway.config.errors import BadConfiguration
from schemas.base import NonBlank, Schema
from schemas.faults import faults

SATURDAY = 5
#: The first day of December that the notice of the next year may move. It has moved none before the
#: 29th so far; New Year's Day is joined to the weekend beside it, and paid for within a week.
MAY_BE_MOVED = 24
#: The month in which the notice for the next year is published, most often.
NOTICE_MONTH = 11
#: Holidays on the same day of every year (全国年节及纪念日放假办法, art. 2): no notice makes them
#: working days.
FIXED_HOLIDAYS = frozenset({(1, 1), (5, 1), (10, 1), (10, 2), (10, 3)})


class CalendarMissing(Exception):
    """There is no working-day calendar for the year."""

    def __init__(self, year: int) -> None:
        super().__init__(
            f"没有{year}年的工作日历：国务院办公厅发布放假通知后，用 calendar import 导入"
        )
        self.year = year


class BadCalendar(BadConfiguration):
    """A calendar contradicts itself, names no notice, or leaves out a year."""

    @classmethod
    def of(cls, error: ValidationError) -> Self:
        """Return the faults of a calendar that was read."""
        return cls(f"工作日历：{'；'.join(faults(error))}")


class Notice(Schema):
    """A notice of the State Council 放假通知: its number 文号 and where it stands."""

    number: NonBlank
    url: NonBlank | None = None


class Year(Schema):
    """The days that the notices of a year move: holidays on weekdays, working days on weekends.

    They may move days from 24 December of the year before, too.
    """

    year: int = Field(ge=1950, le=2200)
    notices: tuple[Notice, ...]
    holidays: frozenset[date]
    workdays: frozenset[date]

    @model_validator(mode="after")
    def _is_a_year(self) -> Self:
        """Refuse an empty year, a day of another year, and one that is both; raises ValueError."""
        if not self.notices or not self.holidays:
            raise ValueError(f"{self.year}年的日历没有写通知文号或放假的日子；空的日历不能用")
        if both := self.holidays & self.workdays:
            raise ValueError(f"{min(both)} 又放假又上班；核对通知，只留一个")
        if wrong := [day for day in self.days if not self.may_move(day)]:
            raise ValueError(
                f"{min(wrong)} 不在 {self.year} 年（上一年只能有12月{MAY_BE_MOVED}日以后的日子）"
            )
        return self

    @property
    def days(self) -> frozenset[date]:
        """The days that it names."""
        return self.holidays | self.workdays

    @property
    def hash(self) -> str:
        """The SHA-256 of what it says, for whoever compares two installations."""
        holidays, workdays = (sorted(map(str, days)) for days in (self.holidays, self.workdays))
        numbers = [notice.number for notice in self.notices]
        said = orjson.dumps([self.year, numbers, holidays, workdays])
        return hashlib.sha256(said).hexdigest()

    def may_move(self, day: date) -> bool:
        """Whether the notices of this year may move the day."""
        return day.year == self.year or date(self.year - 1, 12, MAY_BE_MOVED) <= day < date(
            self.year, 1, 1
        )


def parse_year(data: bytes) -> Year:
    """Read one calendar in JSON; raises BadCalendar."""
    try:
        return Year.model_validate_json(data)
    except ValidationError as error:
        raise BadCalendar.of(error) from None


class Workdays:
    """The working days of the known years, which must follow each other without a gap."""

    def __init__(self, years: Iterable[Year]) -> None:
        self.years: dict[int, Year] = {}
        self.take(years)

    def take(self, years: Iterable[Year]) -> None:
        """Learn these years, in the place of what was known of them; raises BadCalendar."""
        known = self.years | {year.year: year for year in years}
        first, last = min(known), max(known)
        if missing := set(range(first, last + 1)) - set(known):
            raise BadCalendar(f"工作日历中间缺 {min(missing)} 年；先导入这一年")
        if known == self.years:
            return
        self.years, self._first, self._last = known, first, last
        #: The last day that no later notice moves.
        self.settled = date(last, 12, MAY_BE_MOVED - 1)
        hashes = "".join(known[year].hash for year in sorted(known))
        #: Which calendar it is: stored with each due time.
        self.name = f"cn-{first}-{last}-{hashlib.sha256(hashes.encode()).hexdigest()[:8]}"
        self._days = [d for d in _days(date(first, 1, 1), self.settled) if self.is_working(d)]

    def lacking(self, day: date) -> int | None:
        """Return the year whose notice should be known by now: the next one, from November on."""
        wanted = day.year + (day.month >= NOTICE_MONTH)
        return wanted if wanted not in self.years else None

    def is_working(self, day: date) -> bool:
        """Whether a day of the known years is a working day, as far as the notices say yet."""
        for year in (self.years.get(day.year + 1), self.years[day.year]):
            if year is not None and day in year.days:
                return day in year.workdays
        return day.weekday() < SATURDAY

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
            n -= (day.month, day.day) not in FIXED_HOLIDAYS
        return day


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
