"""Breaches 超期, escalations, and the gauges of open deliveries."""

from datetime import datetime

from gateway.store.base.engine import Database
from gateway.store.deliver import overdue
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics


async def mark_breaches(database: Database, now: datetime, metrics: Metrics) -> None:
    """Mark deliveries past their due time, and report those with 50, 25 or 10 % of slack left."""
    async with database.transaction() as connection:
        await overdue.mark_breached(connection, now)
        escalated = await overdue.escalate(connection, now)
    for destination, percent, count in escalated:
        metrics.escalations.labels(destination, str(percent)).inc(count)
        extra = {"destination": destination, "slack_left_percent": percent, "count": count}
        logger.warning(LogEvent.ESCALATED, extra=extra)


async def observe(database: Database, now: datetime, metrics: Metrics) -> None:
    """Set the gauges of open deliveries."""
    async with database.transaction() as connection:
        counts = await overdue.open_by_hours(connection, now)
    for one in counts:
        metrics.oldest_due.labels(one.destination).set(one.oldest_due.timestamp())
        metrics.due_unclaimed.labels(one.destination).set(one.due_unclaimed)
        for bucket, count in one.buckets.items():
            metrics.open_deliveries.labels(one.destination, bucket).set(count)
