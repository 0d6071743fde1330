"""What happens because time passes; the only scheduler. Every act may be done again."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import partial

from gateway.audit import AuditEvent
from gateway.clock import Clock
from gateway.decide import Decider
from gateway.log import LogEvent, logger
from gateway.metrics import Metrics
from gateway.reassess import Reassess
from gateway.redue import redue
from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.store.base.partitions import make_partitions
from gateway.store.deliver import chains, overdue
from gateway.store.score import grade_changes
from schemas.base import today

#: Slices scored again in one tick; the rest waits for the next, so that nothing else waits long.
SLICES = 20
#: From this many days before the end of the calendar on, operators are told.
CALENDAR_WARNING = timedelta(days=60)


class Schedule:
    """The acts of time: numbering, breaches, rescoring, sweeping, due times, partitions."""

    def __init__(
        self,
        database: Database,
        reassess: Reassess,
        decider: Decider,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.database = database
        self.reassess = reassess
        self.decider = decider
        self.clock = clock
        self.metrics = metrics
        self._partitioned: date | None = None
        self._redued: date | None = None

    async def tick(self) -> None:
        """Everything that is due at this moment."""
        now = self.clock()
        await self._breach(now)
        for _ in range(SLICES):
            if not (await self.reassess.due(now) or await self.reassess.activate(now)):
                break
        await self.publish()
        await self.sweep(now)
        await self._redue(now)
        await self._daily(today(now))
        await self.observe(now)

    async def publish(self) -> int:
        """Number the committed grade changes and let their deliveries go; gives how many."""
        async with self.database.transaction() as connection:
            numbered = await grade_changes.number_grade_changes(connection)
            if numbered:
                subjects = [subject for _, subject in numbered]
                await chains.release_grade_changes(connection, subjects)
        return len(numbered)

    async def sweep(self, now: datetime) -> int:
        """Mend chains that wait for nothing; there should be none, so one is an alert."""
        async with self.database.transaction() as connection:
            stuck = await chains.stuck_chains(connection)
            if stuck:
                await chains.mend(connection, stuck)
                entry = events.AuditEntry(AuditEvent.CHAIN_MENDED, {"count": len(stuck)})
                await events.add(connection, [entry], now)
                logger.error(LogEvent.CHAIN_MENDED, extra={"count": len(stuck)})
        self.metrics.stuck_chains.set(len(stuck))
        return len(stuck)

    async def _breach(self, now: datetime) -> None:
        async with self.database.transaction() as connection:
            await overdue.mark_breached(connection, now)
            escalated = await overdue.escalate(connection, now)
        for destination, percent, count in escalated:
            self.metrics.escalations.labels(destination, str(percent)).inc(count)
            extra = {"destination": destination, "slack_left_percent": percent, "count": count}
            logger.warning(LogEvent.ESCALATED, extra=extra)

    async def _redue(self, now: datetime) -> None:
        """At the start and once a day: a new year's calendar comes with a new release."""
        if self._redued == today(now):
            return
        clocks, workdays = self.decider.clocks, self.decider.workdays
        for _ in range(SLICES):
            async with self.database.transaction() as connection:
                count = await redue(connection, clocks, workdays, now)
            if not count:
                self._redued = today(now)
                return
            logger.info(LogEvent.DUES_RENEWED, extra={"calendar": workdays.name, "count": count})

    async def _daily(self, day: date) -> None:
        if self._partitioned == day:
            return
        await self.database.run(partial(make_partitions, first=day))
        self._partitioned = day
        last = date(max(self.decider.workdays.years), 12, 31)
        if last - day < CALENDAR_WARNING:
            logger.warning(LogEvent.CALENDAR_ENDS, extra={"last_day": last.isoformat()})

    async def observe(self, now: datetime) -> None:
        """Set the gauges of open deliveries."""
        async with self.database.transaction() as connection:
            counts = await overdue.open_by_hours(connection, now)
        self._set(counts)

    def _set(self, counts: Iterable[overdue.OpenCount]) -> None:
        metrics = self.metrics
        for one in counts:
            metrics.oldest_due.labels(one.destination).set(one.oldest_due.timestamp())
            metrics.due_unclaimed.labels(one.destination).set(one.due_unclaimed)
            for bucket, count in one.buckets.items():
                metrics.open_deliveries.labels(one.destination, bucket).set(count)
