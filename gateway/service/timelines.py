"""Notice by its timeline that the database failed over 主备切换, or was restored to a time.

A standby that was promoted may lack what was committed last. What had been sent of it stands at the
destinations under ids that would be given again.
"""

from gateway.config.clock import Clock
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import epoch
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger


def watch_timelines(database: Database, clock: Clock) -> None:
    """Begin a new epoch before anything else is done on a timeline that is new to the database.

    Behind a pooler such as PgBouncer a connection of ours outlives its server: there the notes of
    ids show it, some seconds later.
    """

    async def begin(connection: Connection, timeline: int) -> None:
        now = clock()
        found = await epoch.on_timeline(connection, timeline, now)
        if found is not None:
            detail = {"deliveries": found, "timeline": timeline}
            entry = AuditEntry(AuditEvent.DATABASE_FAILED_OVER, detail, "credit-gateway")
            await events.add(connection, [entry], now)
            logger.error(LogEvent.DATABASE_FAILED_OVER, extra=detail)

    database.guard(begin)
