"""Time limits 时限 (pure): a clock and a decision date give a due time.

Due times are stored as the exclusive next midnight in Asia/Shanghai and printed as 23:59:59.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

import orjson

from gateway.due.workdays import CalendarMissing, Workdays
from schemas.base import end_of
from schemas.destination import CountedDays, TimeLimit
from schemas.obligation import DueTime


def due(clock: TimeLimit, day: date, workdays: Workdays) -> DueTime:
    """Return when `clock` ends for a decision of `day`; provisional beyond the calendar.

    It never raises: the provisional time is the earliest possible one.
    """
    if clock.counts is CountedDays.CALENDAR:
        return DueTime(clock.name, end_of(day + timedelta(days=clock.days)), None)
    try:
        last = workdays.nth_after(day, clock.days)
    except CalendarMissing:
        bound = workdays.lower_bound(day, clock.days)
        return DueTime(clock.name, end_of(bound), workdays.name, provisional=True)
    return DueTime(clock.name, end_of(last), workdays.name)


def dues(
    names: tuple[str, ...], clocks: Mapping[str, TimeLimit], day: date, workdays: Workdays
) -> list[DueTime]:
    """Return the due time of every clock of a destination, the earliest first."""
    found = [due(clocks[name], day, workdays) for name in names]
    return sorted(found, key=lambda item: item.at)


@lru_cache(maxsize=4096)
def parse_dues(text: str) -> Mapping[str, datetime]:
    """Return the stored due times of a delivery: clock → exclusive time in UTC."""
    dues = orjson.loads(text)
    return {name: utc(datetime.fromisoformat(at)) for name, at in dues.items()}


def utc(at: datetime) -> datetime:
    """Return the same time in UTC, so that equal content has an equal hash."""
    return at.astimezone(UTC)
