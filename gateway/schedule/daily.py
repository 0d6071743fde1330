"""Work done at the start and once a day: due times, publications, partitions, retention, …."""

from datetime import date, datetime, timedelta
from functools import partial

from gateway.config.keys import Keys
from gateway.config.settings import RetentionSettings
from gateway.decide.decider import Decider
from gateway.record.encryption import slices
from gateway.schedule.due_times import renew_due_times
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
        self._held_of: date | None = None
        self._due_times_of: date | None = None
        self._partitions_of: date | None = None
        self._forgotten_of: date | None = None
        self._encrypted_of: date | None = None
        self._published_of: date | None = None

    async def run(self, now: datetime) -> None:
        """Do the work that this day still needs."""
        day = today(now)
        if self._due_times_of != day and await self._renew_due_times(now):
            self._due_times_of = day
        if self._held_of != day:
            await release_held(self.database, self.decider, now)
            self._held_of = day
        if self._published_of != day and await self.publishing.run(now, SLICES):
            self._published_of = day
        if self._partitions_of != day:
            if not await self.database.run(partial(make_partitions, first=day)):
                logger.warning(LogEvent.PARTITIONS_WAIT)
            self._partitions_of = day
            self._warn(day)
        if self._forgotten_of != day and await self.retention.run(day, now):
            self._forgotten_of = day
        if self._encrypted_of != day and await self._encrypt_again():
            self._encrypted_of = day

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
