"""Whether the clock of this host agrees with that of the database.

Hosts that share a database must agree on the time: by a clock that is wrong by years, the schedule
would score by a far future and delete what is to be kept.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

from gateway.config.clock import Clock
from gateway.store.base.engine import Database
from gateway.store.base.installation import database_time
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics

#: How far the clock may be from that of the database.
LARGEST = timedelta(minutes=5)


class ClockCheck:
    """The difference as it was last measured; unknown at first."""

    def __init__(self, database: Database, clock: Clock, metrics: Metrics) -> None:
        self.database = database
        self.clock = clock
        self.metrics = metrics
        self._ahead: timedelta | None = None

    async def look(self) -> None:
        """Measure the difference; log it once when it becomes too large."""
        before = self.clock()
        async with self.database.transaction() as connection:
            theirs = await database_time(connection)
        after = self.clock()
        was_wrong = self.wrong() is not None
        self._ahead = before + (after - before) / 2 - theirs
        self.metrics.clock_ahead.set(self._ahead.total_seconds())
        if self.wrong() is not None and not was_wrong:
            extra = {"seconds_ahead": round(self._ahead.total_seconds())}
            logger.error(LogEvent.CLOCK_DIFFERS, extra=extra)

    def wrong(self) -> str | None:
        """Return in Chinese that the clock is wrong; None if it agrees."""
        if self._ahead is None or abs(self._ahead) <= LARGEST:
            return None
        seconds = round(self._ahead.total_seconds())
        return f"本机时钟与数据库相差 {seconds} 秒，定时工作已停；校正本机时钟"

    def guarded(self, work: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[None]]:
        """Return the work, which is left undone while the clock is wrong."""

        async def done() -> None:
            if self._ahead is None or self.wrong() is not None:
                await self.look()
            if self.wrong() is None:
                await work()

        return done
