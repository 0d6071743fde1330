"""时限: a clock and a decision date → due time, with the calendar that it rests on (pure).

Due times are stored as the exclusive next midnight in Asia/Shanghai and printed as 23:59:59.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from gateway.workdays import CalendarMissing, Workdays
from schemas.base import SHANGHAI
from schemas.destination import Clock, CountedDays


@dataclass(frozen=True, slots=True)
class Due:
    """When a clock runs out: `at` is exclusive; `provisional` is a bound beyond the calendar."""

    clock: str
    at: datetime
    calendar: str | None
    provisional: bool = False

    @property
    def printed(self) -> str:
        """The last second that is still in time, as people read it."""
        return (self.at - timedelta(seconds=1)).isoformat()


def due(clock: Clock, day: date, workdays: Workdays) -> Due:
    """When `clock` runs out for a decision of `day`; never guessed, never an error."""
    if clock.counts is CountedDays.CALENDAR:
        return Due(clock.name, end_of(day + timedelta(days=clock.days)), None)
    try:
        last = workdays.nth_after(day, clock.days)
    except CalendarMissing:
        bound = workdays.lower_bound(day, clock.days)
        return Due(clock.name, end_of(bound), workdays.name, provisional=True)
    return Due(clock.name, end_of(last), workdays.name)


def dues(
    names: tuple[str, ...], clocks: Mapping[str, Clock], day: date, workdays: Workdays
) -> list[Due]:
    """Every clock of a destination, the strictest first."""
    found = [due(clocks[name], day, workdays) for name in names]
    return sorted(found, key=lambda item: item.at)


def end_of(day: date) -> datetime:
    """The exclusive end of a day in China."""
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)


def today(now: datetime) -> date:
    """The day that it is in China."""
    return now.astimezone(SHANGHAI).date()
