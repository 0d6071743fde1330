"""Work done at the start and once a day: due times, publications, partitions, retention, …."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from functools import partial

from gateway.config.keys import Keys
from gateway.config.settings import RetentionSettings
from gateway.decide.decider import Decider
from gateway.record.encryption import slices
from gateway.schedule.due_times import renew_due_times
from gateway.schedule.each import each
from gateway.schedule.held import release_held
from gateway.schedule.publishing import Publishing
from gateway.schedule.retention import Retention
from gateway.store.base.engine import Database
from gateway.store.base.partitions import make_partitions
from gateway.telemetry.log import LogEvent, logger
from schemas.base import today

#: Slices done in one tick at most; the rest waits for the next tick, so that other work can run.
SLICES = 20
#: From this time before the end of the calendar on, a warning is logged.
CALENDAR_WARNING = timedelta(days=60)


class Daily:
    """The daily work, repeated until it is done for the day; doing it again does no harm."""

    def __init__(
        self,
        database: Database,
        decider: Decider,
        keys: Keys,
        retention: RetentionSettings,
        publishing: Publishing,
    ) -> None:
        self.database = database
        self.decider = decider
        self.publishing = publishing
        self.keys = keys
        self.retention = Retention(database, retention)
        self._done_of: dict[str, date] = {}

    async def run(self, now: datetime) -> None:
        """Do the work that this day still needs; a part that fails hinders no other."""
        day = today(now)
        parts: dict[str, Callable[[], Awaitable[bool]]] = {
            "due times": lambda: self._renew_due_times(now),
            "held": lambda: self._release_held(now),
            "partitions": lambda: self._make_partitions(day),
            "publications": lambda: self.publishing.run(now, SLICES),
            "retention": lambda: self.retention.run(day, now),
            "encryption": self._encrypt_again,
        }
        await each(*(partial(self._once, name, day, part) for name, part in parts.items()))

    async def _once(self, name: str, day: date, part: Callable[[], Awaitable[bool]]) -> None:
        """Do a part of the daily work, until it says that nothing is left for this day."""
        if self._done_of.get(name) != day and await part():
            self._done_of[name] = day

    async def _release_held(self, now: datetime) -> bool:
        await release_held(self.database, self.decider, now)
        return True

    async def _make_partitions(self, day: date) -> bool:
        if not await self.database.run(partial(make_partitions, first=day)):
            logger.warning(LogEvent.PARTITIONS_WAIT)
        self._warn(day)
        return True

    async def _renew_due_times(self, now: datetime) -> bool:
        """Renew due times if the release brought a new calendar; True when none is left."""
        for _ in range(SLICES):
            async with self.database.transaction() as connection:
                count = await renew_due_times(
                    connection, self.decider.clocks, self.decider.workdays, now
                )
            if not count:
                return True
            told = {"calendar": self.decider.workdays.name, "count": count}
            logger.info(LogEvent.DUES_RENEWED, extra=told)
        return False

    async def _encrypt_again(self) -> bool:
        """Encrypt what came with an older key while it was rotated; True when nothing is left."""
        done = 0
        async for _ in slices(self.database, self.keys):
            done += 1
            if done == SLICES:
                return False
        return True

    def _warn(self, day: date) -> None:
        last = date(max(self.decider.workdays.years), 12, 31)
        if last - day < CALENDAR_WARNING:
            logger.warning(LogEvent.CALENDAR_ENDS, extra={"last_day": last.isoformat()})
