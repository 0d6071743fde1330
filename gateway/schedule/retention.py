"""Retention 保存期限: delete what is older than the configuration keeps it, class by class."""

from datetime import date, datetime
from functools import partial

from gateway.config.settings import RetentionSettings
from gateway.store.audit import events, retention
from gateway.store.base.engine import Connection, Database
from gateway.telemetry.audit_events import AuditEvent

#: Rows deleted in one transaction at most.
SLICE = 10_000


async def forget(database: Database, settings: RetentionSettings, day: date, now: datetime) -> bool:
    """Delete a slice of each class, or its oldest month; return whether nothing was left to do.

    It opens a transaction for each class; what was deleted is in the audit.
    """
    done = True
    for name, before in settings.ends(day).items():
        done &= not await database.run(partial(_forget, name, before, now))
    return done


async def _forget(name: str, before: datetime, now: datetime, connection: Connection) -> int:
    month = None
    if name in retention.MONTHLY:
        month, count = await retention.delete_month(connection, name, before, SLICE)
    else:
        count = await retention.delete_rows(connection, name, before, SLICE)
    if month or count:
        detail = {"class": name, "before": before.isoformat(), "month": month, "rows": count}
        entry = events.AuditEntry(AuditEvent.RETENTION_APPLIED, detail)
        await events.add(connection, [entry], now)
    return count + (month is not None)
