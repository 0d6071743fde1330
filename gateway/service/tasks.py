"""Tasks that repeat for ever, and their liveness and readiness."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence

from gateway.deliver.deliverer import Deliverer
from gateway.embedded.server import STOP_PATIENCE
from gateway.intake.kafka import KafkaIntake
from gateway.service.app import Gateway
from gateway.service.clock_check import ClockCheck
from gateway.store.base.engine import ALIVE, DatabaseAway
from gateway.telemetry.log import LogEvent, logger
from gateway.web.health import Probes

#: Seconds of a stop beyond the longest call: requests end, outcomes are written, parts close.
CLOSE_SECONDS = 20
#: How the names of the tasks of a destination begin.
DELIVERY_TASKS = ("deliver ", "receipts ", "silence ", "predict ", "reconcile ")
#: Seconds between a failure and the next try.
FAILURE_PAUSE = 2.0
#: Seconds that a task may fail in a row before liveness fails, and that the database may be away
#: for it before readiness does.
FAILING, AWAY = 45.0, 10.0


class Loop:
    """Work that is repeated for ever; `bound` is how many seconds one pass may take."""

    def __init__(
        self, name: str, work: Callable[[], Awaitable[object]], pause: float, bound: float
    ) -> None:
        self.name = name
        self._work = work
        self._pause = pause
        self._bound = bound
        self._begun = time.monotonic()  #: of the present pass, or of the pause after the last
        self._failing: float | None = None  #: since when every pass fails
        self._away: tuple[float, str] | None = None  #: since when the database is away, and why

    async def run(self) -> None:
        """Repeat the work; a failure is logged with its name, and the work is tried again."""
        while True:
            self._begun = time.monotonic()
            try:
                await self._work()
            except DatabaseAway as error:
                words = str(error)[:200]
                self._away = (self._away or (self._begun, ""))[0], words
                self._failing = None
                logger.warning(LogEvent.DATABASE_AWAY, extra={"work": self.name, "error": words})
                await asyncio.sleep(FAILURE_PAUSE)
            except Exception:  # noqa: BLE001  the loop must never end silently
                self._failing = self._failing or self._begun
                logger.exception(LogEvent.WORK_FAILED, extra={"work": self.name})
                await asyncio.sleep(FAILURE_PAUSE)
            else:
                self._failing = self._away = None
                await asyncio.sleep(self._pause)

    def stuck(self) -> str | None:
        """Return in Chinese why it does not go on (liveness); None if it does."""
        now = time.monotonic()
        if self._failing is not None and now - self._failing > FAILING:
            return f"{self.name} 一直出错，详见日志 work_failed"
        if now - self._begun > self._bound + self._pause + FAILURE_PAUSE:
            return f"{self.name} 已 {int(now - self._begun)} 秒没有进展"
        return None

    def waits(self) -> str | None:
        """Return in Chinese what it waits for (readiness); None if it works."""
        if self._away is not None and time.monotonic() - self._away[0] > AWAY:
            return f"{self.name}：数据库不能用：{self._away[1]}"
        return None


class Running:
    """The tasks of the roles, with the probes of liveness and readiness."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.loops: list[Loop] = []
        self.deliverers: Sequence[Deliverer] = ()
        self.intake: KafkaIntake | None = None
        self.clock_check: ClockCheck | None = None
        self.web_port: int | None = None

    def add(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        pause: float,
        bound: float = math.inf,
    ) -> None:
        """Repeat a piece of work for ever, with a pause after each time; see `Loop`."""
        loop = Loop(name, work, pause, bound)
        self.loops.append(loop)
        self.tasks[name] = asyncio.create_task(loop.run(), name=name)

    async def stop(self) -> None:
        """End the tasks: calls under way are given their time, everything else is cancelled."""
        await asyncio.gather(*(deliverer.stop() for deliverer in self.deliverers))
        tasks = [task for name, task in self.tasks.items() if name != "web"]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def leave_deliveries(self) -> None:
        """Deliver no more and let other processes take the destinations; liveness then fails."""
        await asyncio.gather(*(deliverer.stop() for deliverer in self.deliverers))
        for name, task in self.tasks.items():
            if name.startswith(DELIVERY_TASKS):
                task.cancel()
        await asyncio.gather(*(deliverer.close() for deliverer in self.deliverers))

    @property
    def stop_seconds(self) -> int:
        """How long a stop may take: the longest call, the time to close, and embedded servers."""
        calls = [one.connector.limits.call_timeout.total_seconds() for one in self.deliverers]
        settings = self.gateway.settings
        embedded = (settings.database_url, settings.kafka_bootstrap).count(None)
        return int(max(calls, default=0) + CLOSE_SECONDS + embedded * STOP_PATIENCE)

    @property
    def probes(self) -> Probes:
        """Liveness: every task goes on. Readiness: what the tasks need is there."""
        return Probes({"tasks": self._stuck}, {"database": self._database, "tasks": self._waits})

    async def _stuck(self) -> str | None:
        found = [f"{name} 已停止" for name, task in self.tasks.items() if task.done()]
        found += [f"deliver {one.name} 没有进展" for one in self.deliverers if one.stuck]
        found += [words for loop in self.loops if (words := loop.stuck())]
        if self.intake is not None and (words := self.intake.stuck()):
            found.append(f"intake：{words}")
        return "；".join(found) or None

    async def _waits(self) -> str | None:
        found = [words for loop in self.loops if (words := loop.waits())]
        if self.intake is not None and (words := self.intake.waits()):
            found.append(f"intake：{words}")
        if self.clock_check is not None and (words := self.clock_check.wrong()):
            found.append(words)
        return "；".join(found) or None

    async def _database(self) -> str | None:
        try:
            async with asyncio.timeout(2), self.gateway.database.transaction() as connection:
                await connection.execute(ALIVE)
        except (DatabaseAway, TimeoutError):
            return "数据库不可用"
        return None
