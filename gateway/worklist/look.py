"""Look at the work list: a page of it, and how many are open in all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.deliver.connect import is_by_person
from gateway.store.base.engine import Connection
from gateway.store.deliver import worklist
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.rows import Grouping, OpenGroup, Receiver, WorkRow, grouped, work_row
from schemas.destination import CountedDays, Destination, TimeLimit

#: Calls of this time say how fast a destination is now.
_RECENT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class WorkList:
    """The first rows of what is wanted, and all of it by groups."""

    rows: tuple[WorkRow, ...]
    groups: tuple[OpenGroup, ...]


async def look(  # noqa: PLR0913, PLR0917  what a list is made of
    connection: Connection,
    destinations: Sequence[Destination],
    clocks: Mapping[str, TimeLimit],
    wanted: Wanted,
    now: datetime,
    by: Grouping,
    limit: int,
) -> WorkList:
    """Return the work list, the earliest due first, and all of it by groups."""
    seconds = await worklist.call_seconds(connection, now - _RECENT)
    down = await worklist.down(connection)
    by_person = {one.name for one in destinations if is_by_person(one)}
    resends = {one.name: one.resends for one in destinations}
    receivers = {
        name: Receiver(
            seconds.get(name, 0.0), name in down, name in by_person, resends.get(name, True)
        )
        for name in seconds.keys() | down | resends.keys()
    }
    silent = {one.name: now - one.silent_after for one in destinations}
    fixed = [name for name, clock in clocks.items() if clock.counts is CountedDays.CALENDAR]
    found = await worklist.page(connection, wanted, silent, fixed, limit)
    ahead = {}
    if found:
        ids = [row.id for row in found]
        ahead = await worklist.ahead(connection, ids, found[-1].due_at)
    rows = (
        work_row(row, receivers.get(row.destination, Receiver()), ahead.get(row.id), now)
        for row in found
    )
    counts = await worklist.groups(connection, wanted, silent, fixed, now)
    return WorkList(tuple(rows), tuple(grouped(counts, by, receivers)))
