"""Compute due times again: provisional ones once the calendar has the year, all if it changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from gateway.due.deadline import due
from gateway.due.workdays import Workdays, parse_year
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import calendar_years, provisional_due
from gateway.store.deliver.provisional_due import SLICE, Provisional
from schemas.destination import TimeLimit
from schemas.obligation import DueTime

_DAY = timedelta(days=1)


@dataclass(slots=True)
class Moves:
    """How due times move: how many, and the most days in either direction."""

    later: int = 0
    earlier: int = 0
    same: int = 0
    most_later: int = 0
    most_earlier: int = 0

    @property
    def count(self) -> int:
        """All due times that were computed again."""
        return self.later + self.earlier + self.same

    def add(self, before: datetime, after: datetime) -> None:
        """Count one due time."""
        days = (after - before) // _DAY
        self.later += after > before
        self.earlier += after < before
        self.same += after == before
        self.most_later = max(self.most_later, days)
        self.most_earlier = max(self.most_earlier, -days)


async def refresh(connection: Connection, workdays: Workdays) -> None:
    """Learn the calendars that were imported; raises BadCalendar if a year is missing."""
    imported = await calendar_years.latest(connection)
    workdays.take(parse_year(one.content) for one in imported)


async def unsettle(connection: Connection, workdays: Workdays, now: datetime) -> None:
    """Have due times computed again that a former calendar settled, in case it was corrected.

    A process that has not learnt of the correction yet settles by the former one for a while, so
    this is done each day.
    """
    await refresh(connection, workdays)
    await provisional_due.unsettle(connection, workdays.name, now)


async def renew_due_times(
    connection: Connection,
    clocks: Mapping[str, TimeLimit],
    workdays: Workdays,
    now: datetime,
    moves: Moves,
) -> int:
    """Renew one slice of the deliveries provisional by another calendar; return how many.

    It locks the deliveries; the caller owns the transaction. The calendar is that of the database:
    a process that has not learnt of an import yet would set them back.
    """
    await refresh(connection, workdays)
    found = await provisional_due.of_other_calendars(connection, workdays.name, SLICE)
    if found:
        renewed = [(one.id, *_renewed(one, clocks, workdays)) for one in found]
        await provisional_due.renew(connection, renewed, now)
        for one, (_, at, _) in zip(found, renewed, strict=True):
            moves.add(one.due_at, at)
    return len(found)


async def renew_all(
    database: Database,
    clocks: Mapping[str, TimeLimit],
    workdays: Workdays,
    now: datetime,
    slices: int | None = None,
) -> tuple[Moves, bool]:
    """Compute again the due times that a calendar may move; return how, and if none is left.

    With `slices` it stops after so many transactions.
    """
    moves = Moves()
    async with database.transaction() as connection:
        await unsettle(connection, workdays, now)
    for _ in count() if slices is None else range(slices):
        async with database.transaction() as connection:
            if not await renew_due_times(connection, clocks, workdays, now, moves):
                return moves, True
    return moves, False


async def foreseen(
    connection: Connection, clocks: Mapping[str, TimeLimit], workdays: Workdays, now: datetime
) -> Moves:
    """Return how due times will move by a calendar; nothing is written."""
    moves = Moves()
    async for one in provisional_due.movable(connection, workdays.name, now):
        at, _ = _renewed(one, clocks, workdays)
        moves.add(one.due_at, at)
    return moves


def _renewed(
    one: Provisional, clocks: Mapping[str, TimeLimit], workdays: Workdays
) -> tuple[datetime, list[DueTime]]:
    """Keep the stored time of clocks no longer configured, and an inherited due time."""
    dues = sorted(
        (
            due(clocks[name], one.day, workdays) if name in clocks else DueTime(name, at, None)
            for name, at in one.dues.items()
        ),
        key=lambda each: each.at,
    )
    inherited = one.due_at < min(one.dues.values())
    return one.due_at if inherited else dues[0].at, dues
