"""Breaches 超期, escalations, and the gauges of open deliveries."""

from collections.abc import Sequence
from datetime import datetime

from gateway.deliver.connect import is_by_person
from gateway.store.base.engine import Database
from gateway.store.deliver import hand_uploads, overdue
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.destination import Destination


async def mark_breaches(database: Database, now: datetime, metrics: Metrics) -> None:
    """Mark deliveries past their due time, and report those with 50, 25 or 10 % of slack left."""
    async with database.transaction() as connection:
        await overdue.mark_breached(connection, now)
        escalated = await overdue.escalate(connection, now)
    for destination, percent, count in escalated:
        metrics.escalations.labels(destination, str(percent)).inc(count)
        extra = {"destination": destination, "slack_left_percent": percent, "count": count}
        logger.warning(LogEvent.ESCALATED, extra=extra)


async def observe(
    database: Database, destinations: Sequence[Destination], now: datetime, metrics: Metrics
) -> None:
    """Set the gauges of open deliveries, and of what people carry to destinations."""
    by_person = [one.name for one in destinations if is_by_person(one)]
    async with database.transaction() as connection:
        counts = await overdue.open_by_hours(connection, now, by_person)
        oldest = await hand_uploads.oldest_open(connection)
    for name in {*by_person, *oldest}:
        at = oldest.get(name)
        metrics.upload_open_since.labels(name).set(0 if at is None else at.timestamp())
    for one in counts:
        if one.destination in by_person:
            metrics.upload_ready.labels(one.destination).set(one.for_a_person)
        metrics.oldest_due.labels(one.destination).set(one.oldest_due.timestamp())
        metrics.due_unclaimed.labels(one.destination).set(one.due_unclaimed)
        for bucket, count in one.buckets.items():
            metrics.open_deliveries.labels(one.destination, bucket).set(count)
