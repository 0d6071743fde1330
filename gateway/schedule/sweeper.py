"""Chains that wait for nothing are mended; there should be none, so that one is an alert."""

from datetime import datetime

from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.store.deliver import chains
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics


async def sweep(database: Database, now: datetime, metrics: Metrics) -> int:
    """Mend the chains that are stuck; gives how many there were."""
    async with database.transaction() as connection:
        stuck = await chains.stuck_chains(connection)
        if stuck:
            await chains.mend(connection, stuck)
            entry = events.AuditEntry(AuditEvent.CHAIN_MENDED, {"count": len(stuck)})
            await events.add(connection, [entry], now)
            logger.error(LogEvent.CHAIN_MENDED, extra={"count": len(stuck)})
    metrics.stuck_chains.set(len(stuck))
    return len(stuck)
