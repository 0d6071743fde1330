"""Import the working-day calendar 工作日历 of a year while the gateway runs.

Each running process learns of it within `key_ring.RENEWAL` seconds; deliveries that it decides
until then are computed again by the schedule.
"""

from datetime import datetime

from gateway.due.workdays import Workdays, Year
from gateway.schedule.due_times import refresh
from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import STRUCTURE_LOCK
from gateway.store.deliver import calendar_years
from gateway.telemetry.audit_events import AuditEvent


async def renew(database: Database, workdays: Workdays) -> None:
    """Learn the calendars as they are stored now."""
    async with database.transaction() as connection:
        await refresh(connection, workdays)


async def import_year(
    database: Database, workdays: Workdays, year: Year, actor: str, now: datetime
) -> None:
    """Store the calendar of a year, which counts from now on.

    Raises:
        BadCalendar: a year before it is missing.
    """
    async with database.transaction() as connection:
        await connection.execute(STRUCTURE_LOCK)
        await refresh(connection, workdays)
        workdays.take([year])
        content = year.model_dump_json().encode()
        await calendar_years.add(connection, year.year, year.hash, content, actor, now)
        detail = {
            "year": year.year,
            "notices": [notice.number for notice in year.notices],
            "hash": year.hash,
        }
        entry = events.AuditEntry(AuditEvent.CALENDAR_IMPORTED, detail, actor)
        await events.add(connection, [entry], now)
