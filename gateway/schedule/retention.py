"""Retention 保存期限: delete what is older than the configuration keeps it, class by class."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date, datetime, timedelta
from functools import partial

from gateway.config.account_settings import RetentionSettings
from gateway.store.audit import events, retention
from gateway.store.base.engine import Connection, Database
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger

#: Rows deleted in one transaction at most, and transactions of one class in one call.
SLICE, SLICES = 10_000, 20
#: How far the day as of which rows are deleted goes on in one call: a clock that is wrong by years
#: must not delete years at once. By one that the database contradicts the schedule does not run.
STEP = timedelta(days=7)


class Retention:
    """The retention of one day, repeated until nothing is left of it."""

    def __init__(self, database: Database, settings: RetentionSettings) -> None:
        self.database = database
        self.settings = settings

    async def run(self, day: date, now: datetime) -> bool:
        """Delete what is too old, up to so many slices of each class.

        Returns whether nothing is left for this day. It opens a transaction for each slice; what
        was deleted is in the audit. A month that a long reader holds is for another day.
        """
        classes = self.settings.classes()
        if not classes:
            return True
        until = await self._horizon(day, now)
        done = True
        for name in classes:
            done &= await self._forget(name, self.settings.end(name, until), now)
        return done

    async def _horizon(self, day: date, now: datetime) -> date:
        """Return the day as of which rows are deleted: today, if the clock can be believed."""
        async with self.database.transaction() as connection:
            last = await retention.horizon(connection)
            known = await retention.database_day(connection) if last is None else last + STEP
            until = min(day, known)
            await retention.set_horizon(connection, until, now)
        if until < day:
            extra = {"day": day.isoformat(), "until": until.isoformat()}
            logger.warning(LogEvent.RETENTION_BEHIND, extra=extra)
        return until

    async def _forget(self, name: str, before: datetime, now: datetime) -> bool:
        if name not in retention.MONTHLY:
            return await self._slices(partial(_rows, name, before, now))
        async with self.database.transaction() as connection:
            partitions = await retention.partitions(connection, name, before)
        for one in partitions:
            if not await self._slices(partial(_part, name, one, before, now)):
                return False
            await self.database.run(partial(_drop, name, one, now))
        return True

    async def _slices(self, work: Callable[[Connection], Awaitable[int]]) -> bool:
        """Delete slices; return whether nothing is left."""
        for _ in range(SLICES):
            if await self.database.run(work) < SLICE:
                return True
        return False


async def _rows(name: str, before: datetime, now: datetime, connection: Connection) -> int:
    count = await retention.delete_rows(connection, name, before, SLICE)
    if count:
        told = {"class": name, "before": before.isoformat(), "rows": count}
        await _note(connection, told, now)
    return count


async def _part(
    name: str, partition: str, before: datetime, now: datetime, connection: Connection
) -> int:
    count = await retention.delete_of_partition(connection, name, partition, before, SLICE)
    if count:
        await _note(connection, {"class": name, "partition": partition, "rows": count}, now)
    return count


async def _drop(name: str, partition: str, now: datetime, connection: Connection) -> None:
    if await retention.drop_if_empty(connection, name, partition):
        await _note(connection, {"class": name, "dropped": partition}, now)


async def _note(connection: Connection, detail: Mapping[str, object], now: datetime) -> None:
    await events.add(connection, [events.AuditEntry(AuditEvent.RETENTION_APPLIED, detail)], now)
