"""Manual actions on deliveries 人工处理."""

from collections.abc import Sequence
from datetime import datetime

from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.store.deliver import deliveries
from gateway.telemetry.audit_events import AuditEvent


async def retry_all(database: Database, ids: Sequence[int], actor: str, now: datetime) -> set[int]:
    """Make deliveries ready at a person's request, with an audit event each.

    It opens its own transaction and returns the ids that are ready now. The others are not
    `RETRYABLE`, or have a later delivery in their chain; they stay as they are.
    """
    async with database.transaction() as connection:
        retried = await deliveries.retry(connection, ids)
        entries = [
            events.AuditEntry(AuditEvent.DELIVERY_RETRIED, {"delivery": id_}, actor)
            for id_ in sorted(retried)
        ]
        await events.add(connection, entries, now)
    return retried
