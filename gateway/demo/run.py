"""Run the demo to its end: publish, consume, score, deliver, reconcile, ledger."""

import asyncio
import shutil
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from connectors.sandbox import Sandbox, create_sandbox, serve_files, serve_sandbox
from gateway.config.clock import SteppedClock
from gateway.config.settings import Settings
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.forecast import predict
from gateway.deliver.receipts import receive
from gateway.demo import coercions, story, world
from gateway.demo.prometheus import Prometheus
from gateway.due.calendars import load_workdays
from gateway.embedded.kafka import EmbeddedKafka
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.server import FileLock
from gateway.intake.kafka import KafkaIntake
from gateway.schedule.tick import Schedule
from gateway.service.app import Gateway, gateway
from gateway.service.reconciling import daily_of
from gateway.service.roles import build_deliverers, build_schedule
from gateway.service.servers import kafka_bootstrap
from gateway.service.watching import Watching
from schemas.base import SHANGHAI
from schemas.codes import RecordKind
from schemas.faults import of_system

#: The times of each day, in Shanghai, at which deliveries and receipts run.
HOURS = (time(8, 30), time(15), time(21))
#: On the day on which a platform goes down its decisions come one after the other, so that it is
#: tried often enough for its breaker to open.
HOURS_OF_OUTAGE = tuple(time(hour, 30) for hour in range(8, 15))
#: Seconds that intake may take for the messages of a day.
PATIENCE = 60


#: The demo's own folder, and the file that shows a folder to be a demo's, and that it locks.
FOLDER, MARKER = Path("var/demo"), ".demo"


class FolderInUse(RuntimeError):
    """A folder that the demo would empty holds files of somebody else, or cannot be written."""


class DemoRunning(RuntimeError):
    """另一个演示正在运行（make demo KEEP=1）；请先停止它。"""


@dataclass(slots=True)
class Diary:
    """What happened, for the report."""

    published: int = 0
    mishaps: list[str] = field(default_factory=list)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Stage:
    """All parts of the running demo."""

    gateway: Gateway
    sandbox: Sandbox
    intake: KafkaIntake
    producer: AIOKafkaProducer
    deliverers: list[Deliverer]
    schedule: Schedule
    clock: SteppedClock
    diary: Diary
    url: str
    bootstrap: str


async def set_stage(state: Path, stack: AsyncExitStack) -> Stage:
    """Start the servers, the sandbox and the roles, on an empty state folder.

    Raises:
        DemoRunning: another demo uses the folder.
        FolderInUse: the folder cannot be written, or holds other files.
    """
    _own(state, stack)
    clock = SteppedClock(datetime.combine(story.FIRST_DAY, time(8), SHANGHAI))
    keys = world.Secrets()
    sandbox = create_sandbox(clock, world.places(state, keys))
    world.begin(sandbox)
    url = await stack.enter_async_context(serve_sandbox(sandbox))
    files = await stack.enter_async_context(serve_files(sandbox, state / "host_key"))
    settings = world.settings(state, url, files, keys)
    bootstrap = await stack.enter_async_context(kafka_bootstrap(settings))
    built = await stack.enter_async_context(gateway(settings, clock))
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    await producer.start()
    stack.push_async_callback(producer.stop)
    await _make_topics(bootstrap, settings)
    intake = KafkaIntake(settings.kafka, bootstrap, built.pipeline, clock, built.metrics)
    await intake.start()
    stack.push_async_callback(intake.stop)
    deliverers = build_deliverers(built)
    for deliverer in deliverers:
        stack.push_async_callback(deliverer.close)
    return Stage(
        gateway=built,
        sandbox=sandbox,
        intake=intake,
        producer=producer,
        deliverers=deliverers,
        schedule=build_schedule(built),
        clock=clock,
        diary=Diary(),
        url=url,
        bootstrap=bootstrap,
    )


def _own(state: Path, stack: AsyncExitStack) -> None:
    """Take the folder for this demo, end what a killed one left running in it, and empty it."""
    try:
        foreign = state.exists() and any(state.iterdir()) and not (state / MARKER).exists()
        if foreign and state != FOLDER:
            raise FolderInUse(f"{state} 里有别的文件，演示会清空它；换一个空目录或新目录")
        owner = FileLock(state / MARKER)
        if not owner.acquire():
            raise DemoRunning(DemoRunning.__doc__)
        stack.callback(owner.release)
        for server in (EmbeddedPostgres(state), EmbeddedKafka(state), Prometheus(state)):
            if not server.stop():
                raise DemoRunning(DemoRunning.__doc__)
        for entry in state.iterdir():
            if entry.name != MARKER:
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    except OSError as error:
        raise FolderInUse(
            f"{error.filename or state} 不能写（{of_system(error)}）；用 --state 指定一个自己的目录"
        ) from None


async def _make_topics(bootstrap: str, settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(topic, 2, 1) for topic in settings.kafka.topics])
    await admin.close()


async def play(
    stage: Stage, progress: Callable[[date], None], look: Callable[[], Awaitable[None]] | None
) -> None:
    """Run the month, day by day; `look` is called once the metrics tell what a turn has left."""
    told = story.tell(load_workdays())
    told.messages += coercions.tell()
    days = (story.LAST_DAY - story.FIRST_DAY).days + 1
    for day in (story.FIRST_DAY + timedelta(days=n) for n in range(days)):
        stage.clock.set(datetime.combine(day, time(8), SHANGHAI))
        stage.diary.mishaps += world.misbehave(stage.sandbox, day)
        if day == story.FIRST_DAY:
            await publish(stage, published_decisions())
        hours = HOURS_OF_OUTAGE if day == world.DOWN_FROM else HOURS[:1]
        for hour, messages in zip(hours, _spread(told.on(day), len(hours)), strict=True):
            await publish(stage, messages)
            await settle_intake(stage)
            await _turn_at(stage, datetime.combine(day, hour, SHANGHAI), look)
        for hour in HOURS[1:]:
            await _turn_at(stage, datetime.combine(day, hour, SHANGHAI), look)
        progress(day)


def _spread(
    messages: Iterable[story.StoryMessage], parts: int
) -> Iterable[Sequence[story.StoryMessage]]:
    """Divide the messages of a day, in their order."""
    of_day = list(messages)
    edges = [len(of_day) * part // parts for part in range(parts + 1)]
    return [of_day[first:end] for first, end in pairwise(edges)]


async def _turn_at(
    stage: Stage, moment: datetime, look: Callable[[], Awaitable[None]] | None
) -> None:
    stage.clock.set(moment)
    await turn(stage)
    if look is not None:
        await observe(stage)
        await look()


def published_decisions() -> Iterable[story.StoryMessage]:
    """Yield the fifteen decisions that real authorities published, unchanged."""
    folder = files("gateway.demo") / "data"
    for name, kind in (
        ("public_penalties.ndjson", RecordKind.PENALTY),
        ("public_licences.ndjson", RecordKind.LICENCE),
    ):
        for line in (folder / name).read_bytes().splitlines():
            yield story.StoryMessage(story.FIRST_DAY, kind, line)


async def publish(stage: Stage, messages: Iterable[story.StoryMessage]) -> None:
    """Send messages to their topics, keyed by subject."""
    topics = {kind: topic for topic, kind in stage.gateway.settings.kafka.topics.items()}
    for message in messages:
        body = message.body if isinstance(message.body, bytes) else orjson.dumps(message.body)
        await stage.producer.send_and_wait(topics[message.kind], body, key=_key(message.body))
        stage.diary.published += 1


def _key(body: object) -> bytes | None:
    """Return the subject's code: one partition keeps the decisions of a subject in order."""
    if not isinstance(body, dict):
        return None
    names = ("CF_XDR_SHXYM", "XK_XDR_SHXYM", "QZ_XDR_SHXYM", "subject_code")
    code = next((body[name] for name in names if body.get(name)), None)
    return str(code).encode() if code else None


async def settle_intake(stage: Stage) -> None:
    """Wait until all published messages are committed."""
    async with asyncio.timeout(PATIENCE):
        while stage.intake.taken < stage.diary.published:  # noqa: ASYNC110  a count, not an event
            await asyncio.sleep(0.01)


async def turn(stage: Stage) -> None:
    """Run reconciliation, schedule, receipts and deliveries; these until none can be claimed."""
    for deliverer in stage.deliverers:
        if (reconcile := daily_of(stage.gateway, deliverer)) is not None:
            await reconcile()
    await stage.schedule.tick()
    for deliverer in stage.deliverers:
        await receive(deliverer)
        done = await deliverer.drain()
        for outcome, count in done.outcomes.items():
            stage.diary.outcomes[deliverer.name, outcome] += count


async def observe(stage: Stage) -> None:
    """Set the gauges of the metrics, as the roles do all the time."""
    await stage.schedule.survey()
    for deliverer in stage.deliverers:
        await predict(deliverer)
    await Watching(stage.gateway).look()
