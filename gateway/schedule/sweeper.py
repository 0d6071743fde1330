"""Mend chains that are stuck; each one is a bug and raises an alert."""

from datetime import datetime

from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.store.deliver import chains
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics


async def sweep(database: Database, now: datetime, metrics: Metrics) -> int:
    """Mend the stuck chains; return how many there were."""
    async with database.transaction() as connection:
        stuck = await chains.stuck_chains(connection)
        if stuck:
            await chains.mend(connection, stuck)
            entry = events.AuditEntry(AuditEvent.CHAIN_MENDED, {"count": len(stuck)})
            await events.add(connection, [entry], now)
            logger.error(LogEvent.CHAIN_MENDED, extra={"count": len(stuck)})
    metrics.stuck_chains.set(len(stuck))
    return len(stuck)
