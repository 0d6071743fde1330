"""What a person does to deliveries by hand 人工处理."""

from collections.abc import Sequence
from datetime import datetime

from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.store.deliver import deliveries
from gateway.telemetry.audit_events import AuditEvent


async def retry_all(database: Database, ids: Sequence[int], actor: str, now: datetime) -> set[int]:
    """Make deliveries ready by a person's word, on the record; gives those whose state allows."""
    async with database.transaction() as connection:
        retried = await deliveries.retry(connection, ids)
        entries = [
            events.AuditEntry(AuditEvent.DELIVERY_RETRIED, {"delivery": id_}, actor)
            for id_ in sorted(retried)
        ]
        await events.add(connection, entries, now)
    return retried
