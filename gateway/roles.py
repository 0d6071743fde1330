"""The roles intake, deliver, schedule and web as tasks of one process; processes share them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum

import uvicorn

from gateway.app import Gateway, kafka_bootstrap
from gateway.deliver import Deliverer
from gateway.destinations import build_connector
from gateway.errors import BadConfiguration
from gateway.intake.kafka import KafkaIntake
from gateway.log import LogEvent, logger
from gateway.reassess import Reassess
from gateway.schedule import Schedule
from gateway.store.base.engine import DatabaseAway
from gateway.web import Probe, Probes, create_web

#: Seconds between two rounds of a destination with nothing to do, of receipts, of the schedule.
IDLE_PAUSE, RECEIPTS_PAUSE, SCHEDULE_PAUSE = 0.5, 5.0, 1.0
#: Seconds between two predictions of what will be late.
PREDICT_PAUSE = 30.0
#: Seconds after a failure before the same work is tried again.
FAILURE_PAUSE = 2.0


class Role(StrEnum):
    """What a process does."""

    INTAKE = "intake"
    DELIVER = "deliver"
    SCHEDULE = "schedule"
    WEB = "web"


ALL_ROLES = frozenset(Role)


def build_deliverers(gateway: Gateway) -> list[Deliverer]:
    """One for each configured destination."""
    return [
        Deliverer(
            destination,
            build_connector(destination, gateway.clock),
            gateway.database,
            gateway.keys,
            gateway.installation,
            gateway.clock,
            gateway.metrics,
        )
        for destination in gateway.settings.destinations
    ]


def build_schedule(gateway: Gateway) -> Schedule:
    """The schedule of this installation."""
    return Schedule(
        gateway.database,
        Reassess(gateway.database, gateway.scorer, gateway.decider),
        gateway.decider,
        gateway.clock,
        gateway.metrics,
    )


class Running:
    """The tasks of the roles, and what liveness and readiness ask of them."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.tasks: dict[str, asyncio.Task[None]] = {}
        self.intake: KafkaIntake | None = None
        self.web_port: int | None = None

    def add(self, name: str, work: Callable[[], Awaitable[object]], pause: float) -> None:
        """Do a piece of work for ever, a pause after each time."""
        self.tasks[name] = asyncio.create_task(_forever(name, work, pause), name=name)

    @property
    def probes(self) -> Probes:
        """Liveness: no task has died. Readiness: the database answers, partitions are ours."""
        ready: dict[str, Probe] = {"database": self._database}
        if self.intake is not None:
            ready["intake"] = self._partitions
        return Probes({"tasks": self._dead}, ready)

    async def _dead(self) -> str | None:
        dead = [name for name, task in self.tasks.items() if task.done()]
        if self.intake is not None and self.intake.failed:
            dead.append("intake")
        return f"已停止：{'、'.join(dead)}" if dead else None

    async def _database(self) -> str | None:
        try:
            async with asyncio.timeout(2), self.gateway.database.transaction():
                return None
        except (DatabaseAway, TimeoutError):
            return "数据库不可用"

    async def _partitions(self) -> str | None:
        assigned = self.intake.assigned() if self.intake else set()
        return None if assigned else "没有分配到 Kafka 分区"


@asynccontextmanager
async def run(gateway: Gateway, roles: frozenset[Role]) -> AsyncIterator[Running]:
    """Run the roles for as long as the block does."""
    running = Running(gateway)
    # A batch makes hundreds of thousands of short-lived tuples and no cycles: looking for cycles
    # at the default rate costs a fifth of the work. Rarer still, and FastStream's own cycles keep
    # the memory of one batch after another.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    # Built first: what is configured wrongly is told before anything begins.
    deliverers = build_deliverers(gateway) if Role.DELIVER in roles else ()
    async with AsyncExitStack() as stack:
        if Role.INTAKE in roles:
            bootstrap = await stack.enter_async_context(kafka_bootstrap(gateway.settings))
            running.intake = await _start_intake(gateway, bootstrap, stack)
            running.add("lag", _lag(gateway, running.intake), SCHEDULE_PAUSE)
        if Role.SCHEDULE in roles:
            running.add("schedule", build_schedule(gateway).tick, SCHEDULE_PAUSE)
        for deliverer in deliverers:
            stack.push_async_callback(deliverer.close)
            running.add(f"deliver {deliverer.name}", deliverer.drain, IDLE_PAUSE)
            running.add(f"receipts {deliverer.name}", deliverer.receive, RECEIPTS_PAUSE)
            running.add(f"predict {deliverer.name}", deliverer.predict, PREDICT_PAUSE)
        stack.push_async_callback(_cancel, running)
        if Role.WEB in roles:
            await _start_web(gateway, running, stack)
        logger.info(LogEvent.STARTED, extra={"roles": sorted(roles)})
        yield running
    logger.info(LogEvent.STOPPED)


async def _start_intake(gateway: Gateway, bootstrap: str, stack: AsyncExitStack) -> KafkaIntake:
    intake = KafkaIntake(
        gateway.settings.kafka, bootstrap, gateway.pipeline, gateway.clock, gateway.metrics
    )
    await intake.start()
    stack.push_async_callback(intake.stop)
    return intake


def _lag(gateway: Gateway, intake: KafkaIntake) -> Callable[[], Awaitable[None]]:
    async def observe() -> None:
        gateway.metrics.assigned_partitions.set(len(intake.assigned()))
        gateway.metrics.intake_lag.set(intake.lag() or 0)

    return observe


async def _start_web(gateway: Gateway, running: Running, stack: AsyncExitStack) -> None:
    settings = gateway.settings.http
    app = create_web(settings, gateway.pipeline, gateway.metrics, running.probes)
    config = uvicorn.Config(
        app, host=settings.host, port=settings.port, log_config=None, access_log=False
    )
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]

    async def serve() -> None:
        try:
            await server._serve()  # noqa: SLF001  serve() would take the signals
        except SystemExit:  # uvicorn ends the process where it cannot listen
            place = f"{settings.host} 端口 {settings.port}"
            raise BadConfiguration(f"http：{place} 不能使用；换一个 host 或 port") from None

    task = asyncio.create_task(serve(), name="web")
    running.tasks["web"] = task

    async def stop() -> None:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)

    stack.push_async_callback(stop)
    while not server.started and not task.done():  # noqa: ASYNC110  uvicorn has no event for it
        await asyncio.sleep(0.01)
    if task.done():
        await task
    running.web_port = server.servers[0].sockets[0].getsockname()[1]


async def _cancel(running: Running) -> None:
    tasks = [task for name, task in running.tasks.items() if name != "web"]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _forever(name: str, work: Callable[[], Awaitable[object]], pause: float) -> None:
    """Nothing that fails is dropped: it is logged by name and done again."""
    while True:
        try:
            await work()
        except DatabaseAway as error:
            told = {"work": name, "error": str(error)[:200]}
            logger.warning(LogEvent.DATABASE_AWAY, extra=told)
            await asyncio.sleep(FAILURE_PAUSE)
        except Exception:  # noqa: BLE001  a loop that ends in silence is worse than any error
            logger.exception(LogEvent.WORK_FAILED, extra={"work": name})
            await asyncio.sleep(FAILURE_PAUSE)
        else:
            await asyncio.sleep(pause)
