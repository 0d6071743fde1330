"""Tasks that repeat for ever, and their liveness and readiness."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway.deliver.deliverer import Deliverer
from gateway.embedded.server import STOP_PATIENCE
from gateway.intake.kafka import KafkaIntake
from gateway.service.app import Gateway
from gateway.store.base.engine import ALIVE, DatabaseAway
from gateway.telemetry.log import LogEvent, logger
from gateway.web.health import Probe, Probes

#: Seconds of a stop beyond the longest call: requests end, outcomes are written, parts close.
CLOSE_SECONDS = 20
#: How the names of the tasks of a destination begin.
DELIVERY_TASKS = ("deliver ", "receipts ", "predict ")
#: Seconds between a failure and the next try.
FAILURE_PAUSE = 2.0


class Running:
    """The tasks of the roles, with the probes of liveness and readiness."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.deliverers: Sequence[Deliverer] = ()
        self.intake: KafkaIntake | None = None
        self.web_port: int | None = None

    def add(self, name: str, work: Callable[[], Awaitable[object]], pause: float) -> None:
        """Repeat a piece of work for ever, with a pause after each time."""
        self.tasks[name] = asyncio.create_task(_forever(name, work, pause), name=name)

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
        """Liveness: every task goes on. Readiness: the database answers, partitions are ours."""
        ready: dict[str, Probe] = {"database": self._database}
        if self.intake is not None:
            ready["intake"] = self._partitions
        return Probes({"tasks": self._dead}, ready)

    async def _dead(self) -> str | None:
        dead = [name for name, task in self.tasks.items() if task.done()]
        if self.intake is not None and self.intake.failed:
            dead.append("intake")
        dead += [f"deliver {one.name}" for one in self.deliverers if one.stuck]
        return f"已停止：{'、'.join(dead)}" if dead else None

    async def _database(self) -> str | None:
        try:
            async with asyncio.timeout(2), self.gateway.database.transaction() as connection:
                await connection.execute(ALIVE)
        except (DatabaseAway, TimeoutError):
            return "数据库不可用"
        return None

    async def _partitions(self) -> str | None:
        assigned = self.intake.assigned() if self.intake else set()
        return None if assigned else "没有分配到 Kafka 分区"


async def _forever(name: str, work: Callable[[], Awaitable[object]], pause: float) -> None:
    """Repeat the work; a failure is logged with its name, and the work is tried again."""
    while True:
        try:
            await work()
        except DatabaseAway as error:
            told = {"work": name, "error": str(error)[:200]}
            logger.warning(LogEvent.DATABASE_AWAY, extra=told)
            await asyncio.sleep(FAILURE_PAUSE)
        except Exception:  # noqa: BLE001  the loop must never end silently
            logger.exception(LogEvent.WORK_FAILED, extra={"work": name})
            await asyncio.sleep(FAILURE_PAUSE)
        else:
            await asyncio.sleep(pause)
