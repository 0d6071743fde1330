"""The roles intake, deliver, schedule and web as tasks of one process; processes share them."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from enum import StrEnum
from functools import partial

from gateway.config.clock import system_clock
from gateway.config.errors import BadConfiguration
from gateway.config.keys import OtherMaster
from gateway.deliver.connect import build_connectors
from gateway.deliver.deliverer import Deliverer
from gateway.deliver.forecast import predict
from gateway.deliver.receipts import receive
from gateway.deliver.silence import ask
from gateway.intake.access import options_of
from gateway.intake.kafka import KafkaIntake
from gateway.intake.returns import Returns
from gateway.ledger.monthly import freeze_months, review_months
from gateway.ledger.sending import LedgerSender
from gateway.schedule.daily import Daily, DailyGrades, MonthlyLedgers
from gateway.schedule.publishing import Publishing
from gateway.schedule.rescoring import Rescoring
from gateway.schedule.tick import Schedule
from gateway.service import calendar
from gateway.service.app import Gateway
from gateway.service.clock_check import ClockCheck
from gateway.service.key_ring import RENEWAL, renew
from gateway.service.locks import patiently, release_frozen
from gateway.service.noticing import build_notifier
from gateway.service.reconciling import daily_of, daily_of_register
from gateway.service.restored import NOTE_PAUSE, DatabaseReplaced, IdNotes, begin_epoch
from gateway.service.server import start_health, start_web
from gateway.service.servers import kafka_bootstrap
from gateway.service.tasks import Running
from gateway.service.watching import Watching
from gateway.store.deliver import destinations
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.tracing import tracing

#: Seconds between two rounds of an idle destination, of receipts, and of the schedule.
IDLE_PAUSE, RECEIPTS_PAUSE, SCHEDULE_PAUSE = 0.5, 5.0, 1.0
#: Seconds between two counts of the month.
MONTH_PAUSE = 600.0
#: Seconds between two passes of telling the sources.
RETURNS_PAUSE = 1.0
#: Seconds between two looks at all open deliveries, and between two predictions of late ones.
SURVEY_PAUSE, PREDICT_PAUSE = 15.0, 30.0
#: Seconds between two looks for transactions of others that stand still.
FROZEN_PAUSE = 15.0
#: Seconds between two looks at the clock of the database.
CLOCK_PAUSE = 60.0
#: Seconds that one pass may take before liveness fails: the schedule works in slices, the survey
#: also does the work of the day.
PROMPT_BOUND, SURVEY_BOUND = 60.0, 600.0
#: Seconds between two looks whether a side is to be compared, and for one comparison.
RECONCILE_PAUSE, RECONCILE_BOUND = 60.0, 3600.0


class Role(StrEnum):
    """What a process does."""

    INTAKE = "intake"
    DELIVER = "deliver"
    SCHEDULE = "schedule"
    WEB = "web"


ALL_ROLES = frozenset(Role)


def build_deliverers(gateway: Gateway) -> list[Deliverer]:
    """Build a deliverer for each configured destination."""
    connectors = build_connectors(gateway.settings, gateway.clock)
    return [
        Deliverer(
            destination,
            connector,
            gateway.database,
            gateway.keys,
            gateway.installation,
            gateway.clock,
            gateway.metrics,
        )
        for destination, connector in zip(gateway.settings.destinations, connectors, strict=True)
    ]


def build_schedule(gateway: Gateway) -> Schedule:
    """Build the schedule of this installation."""
    scoring = gateway.database, gateway.scorer, gateway.decider, gateway.metrics
    grades = DailyGrades(Rescoring(*scoring), Publishing(*scoring))
    freeze = partial(
        freeze_months,
        gateway.database,
        gateway.ledger_scope,
        gateway.keys,
        gateway.settings.ledger,
    )
    review = partial(review_months, gateway.database, gateway.ledger_scope)
    ledgers = MonthlyLedgers(freeze, review)
    daily = Daily(
        gateway.database,
        gateway.decider,
        gateway.keys,
        gateway.settings.retention,
        grades,
        ledgers,
    )
    return Schedule(gateway.database, grades.rescoring, daily, gateway.clock, gateway.metrics)


async def mirror(gateway: Gateway) -> None:
    """Note the configured destinations: they are what runs now, and others are dropped."""
    configured, now = gateway.settings.destinations, gateway.clock()
    await gateway.database.run(partial(destinations.mirror, destinations=configured, now=now))


async def _take_over(gateway: Gateway) -> None:
    """Do what comes before any work: the destinations as configured, and a restored database."""
    await mirror(gateway)
    await begin_epoch(gateway)


@asynccontextmanager
async def run(gateway: Gateway, roles: frozenset[Role]) -> AsyncIterator[Running]:
    """Run the roles for the block.

    Raises:
        BadConfiguration: a destination, the host or the port cannot be used.
        KafkaAway: intake runs here and no broker answers.
    """
    running = Running(gateway)
    _collect_seldom()
    # Built first, so that a wrong configuration is reported before anything starts.
    deliverers = build_deliverers(gateway) if Role.DELIVER in roles else []
    await patiently(gateway.database, partial(_take_over, gateway))
    async with AsyncExitStack() as stack:
        _start_tracing(gateway, stack)
        if Role.INTAKE in roles:
            bootstrap = await stack.enter_async_context(kafka_bootstrap(gateway.settings))
            running.intake = await _start_intake(gateway, bootstrap, stack)
            running.add("observe", running.intake.observe, SCHEDULE_PAUSE)
            _add_returns(gateway, bootstrap, running, stack)
        running.add("keys", _renewal(gateway, running), RENEWAL)
        running.add("ids", _noting(gateway, running), NOTE_PAUSE)
        running.add("frozen", partial(release_frozen, gateway.database), FROZEN_PAUSE)
        running.add(
            "calendar", partial(calendar.renew, gateway.database, gateway.workdays), RENEWAL
        )
        if Role.SCHEDULE in roles:
            _add_schedule(gateway, running)
            for register in gateway.settings.reconcile.registers:
                _add_reconciliation(register.name, daily_of_register(gateway, register), running)
        running.deliverers = deliverers
        for deliverer in deliverers:
            stack.push_async_callback(deliverer.close)
            _add_deliverer(deliverer, running)
            _add_reconciliation(deliverer.name, daily_of(gateway, deliverer), running)
        stack.push_async_callback(running.stop)
        start = start_web if Role.WEB in roles else start_health
        await start(gateway, running, stack)
        gateway.metrics.played(roles)
        logger.info(LogEvent.STARTED, extra={"roles": sorted(roles)})
        yield running
    logger.info(LogEvent.STOPPED)


def _collect_seldom() -> None:
    """Let the collector of cycles run seldom.

    A batch makes hundreds of thousands of short-lived tuples without cycles: collecting cycles at
    the default rate costs a fifth of the time. At a lower rate than this, FastStream's own cycles
    would keep the memory of several batches.
    """
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def _start_tracing(gateway: Gateway, stack: AsyncExitStack) -> None:
    """Send traces to the configured collector; raises BadConfiguration without the libraries."""
    settings = gateway.settings.tracing
    if settings.endpoint is None:
        return
    headers = {name: value.get_secret_value() for name, value in settings.headers.items()}
    try:
        tracing.start(settings.endpoint, headers, settings.share, gateway.installation)
    except ImportError as error:
        fix = "pip install credit-gateway[tracing]"
        raise BadConfiguration(f"tracing：缺 {error.name}；{fix}") from error
    stack.push_async_callback(asyncio.to_thread, tracing.stop)


def _add_returns(gateway: Gateway, bootstrap: str, running: Running, stack: AsyncExitStack) -> None:
    """Add the telling of what became of what the sources sent, if it is configured."""
    kafka = gateway.settings.kafka
    if kafka.returns is None:
        return
    returns = Returns(
        gateway.database,
        kafka.returns,
        bootstrap,
        options_of(kafka),
        gateway.installation,
        gateway.clock,
        gateway.keys,
    )
    stack.push_async_callback(returns.close)
    running.add("returns", returns.tell, RETURNS_PAUSE)


def _add_deliverer(deliverer: Deliverer, running: Running) -> None:
    name = deliverer.name
    running.add(f"deliver {name}", deliverer.drain, IDLE_PAUSE)
    running.add(f"receipts {name}", partial(receive, deliverer), RECEIPTS_PAUSE)
    running.add(f"silence {name}", partial(ask, deliverer), PREDICT_PAUSE)
    running.add(f"predict {name}", partial(predict, deliverer), PREDICT_PAUSE)


def _add_reconciliation(
    side: str, work: Callable[[], Awaitable[object]] | None, running: Running
) -> None:
    """Add the daily reconciliation of a side, if it is not left to a person."""
    if work is not None:
        running.add(f"reconcile {side}", work, RECONCILE_PAUSE, RECONCILE_BOUND)


def _add_schedule(gateway: Gateway, running: Running) -> None:
    """Add the schedule; by the clock of the machine it works only where that can be believed."""
    schedule = build_schedule(gateway)
    prompt: Callable[[], Awaitable[object]] = schedule.prompt
    survey: Callable[[], Awaitable[object]] = schedule.survey
    if gateway.clock is system_clock:
        check = running.clock_check = ClockCheck(gateway.database, gateway.clock, gateway.metrics)
        running.add("clock", check.look, CLOCK_PAUSE)
        prompt, survey = check.guarded(prompt), check.guarded(survey)
    running.add("schedule", prompt, SCHEDULE_PAUSE, PROMPT_BOUND)
    running.add("survey", survey, SURVEY_PAUSE, SURVEY_BOUND)
    watching = Watching(gateway)
    running.add("watch", watching.look, PREDICT_PAUSE)
    running.add("month", watching.count_month, MONTH_PAUSE)
    sender = LedgerSender(
        gateway.database,
        gateway.settings.ledger,
        gateway.keys,
        gateway.installation,
        gateway.clock,
    )
    running.add("ledgers", sender.send, PREDICT_PAUSE)
    running.add("notices", build_notifier(gateway).look, CLOCK_PAUSE)


async def _start_intake(gateway: Gateway, bootstrap: str, stack: AsyncExitStack) -> KafkaIntake:
    intake = KafkaIntake(
        gateway.settings.kafka, bootstrap, gateway.pipeline, gateway.clock, gateway.metrics
    )
    await intake.start()
    stack.push_async_callback(intake.stop)
    return intake


def _noting(gateway: Gateway, running: Running) -> Callable[[], Awaitable[None]]:
    notes = IdNotes(gateway)

    async def noted() -> None:
        try:
            await notes.note()
        except DatabaseReplaced:
            await running.leave_deliveries()  # their keys may have been given before
            raise

    return noted


def _renewal(gateway: Gateway, running: Running) -> Callable[[], Awaitable[None]]:
    async def renewed() -> None:
        try:
            await renew(gateway.database, gateway.keys)
        except OtherMaster:
            # What other hosts encrypt now, this process can read no more.
            await running.leave_deliveries()
            raise

    return renewed
