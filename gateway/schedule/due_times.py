"""Compute provisional due times again once the calendar has the year."""

from collections.abc import Mapping
from datetime import datetime

from gateway.due.deadline import due
from gateway.due.workdays import Workdays
from gateway.store.base.engine import Connection
from gateway.store.deliver import provisional_due
from gateway.store.deliver.provisional_due import Provisional
from schemas.destination import TimeLimit
from schemas.obligation import DueTime

#: Deliveries in one transaction.
SLICE = 1000


async def renew_due_times(
    connection: Connection, clocks: Mapping[str, TimeLimit], workdays: Workdays, now: datetime
) -> int:
    """Renew one slice of the deliveries provisional by another calendar; return how many.

    It locks the deliveries; the caller owns the transaction.
    """
    found = await provisional_due.of_other_calendars(connection, workdays.name, SLICE)
    if found:
        renewed = [(one.id, *_renewed(one, clocks, workdays)) for one in found]
        await provisional_due.renew(connection, renewed, now)
    return len(found)


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
