"""A gateway in its own process that runs until it is stopped, or kills itself at a named point.

The process is forked from a server with everything imported, so that many can be started. It kills
itself with SIGKILL: our code does not flush, close, give up or roll back anything.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import Any

from connectors.bank_webhook import BankWebhook
from connectors.platform_api import PlatformJson, PlatformSoap
from gateway.batch import Batch
from gateway.config.clock import Clock, system_clock
from gateway.config.errors import Away
from gateway.config.settings import make_settings
from gateway.deliver import breaker, deliverer
from gateway.deliver.caller import GRACE
from gateway.deliver.calls import Calls
from gateway.deliver.receipts import Feed
from gateway.deliver.writer import Writer
from gateway.intake.kafka import KafkaIntake
from gateway.record.recorder import Recording
from gateway.schedule import tick
from gateway.service import roles, tasks
from gateway.service.app import gateway
from gateway.service.roles import Role
from gateway.store.deliver import chains, claims, deliveries, ends, receipts
from gateway.store.record import inbox
from gateway.store.score import grade_changes
from gateway.telemetry import log
from tests.acceptance.chaos import names

#: How a process ends that finds what it needs away when it starts.
AWAY = 3
#: A successor can only continue after the lease and ownership of a killed process have expired. No
#: call starts later than one call timeout and one second before the end of the lease.
TIME_TO_BEGIN, OWNERSHIP = timedelta(seconds=1), timedelta(seconds=1)
BREAKER_PAUSE = timedelta(milliseconds=500)


class When(Enum):
    """On which side of a function the process dies."""

    BEFORE = "before"
    AFTER = "after"
    #: After it returned something: rows, answers, a count.
    AFTER_SOME = "after some"


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the code: the function of a module or class, and the side of it."""

    owner: Any
    function: str
    when: When


POINTS = {
    # intake
    "the inbox was read": Point(inbox, "seen", When.AFTER),
    "versions were written": Point(Recording, "record", When.AFTER),
    "deliveries were written": Point(deliveries, "add", When.AFTER),
    "everything was written, nothing committed": Point(Batch, "run", When.AFTER),
    "the batch was committed, its offsets not": Point(
        KafkaIntake, "_commit_offsets", When.BEFORE
    ),
    "the offsets were committed": Point(KafkaIntake, "_commit_offsets", When.AFTER),
    # deliver
    "a claim was written, not committed": Point(claims, "claim", When.AFTER_SOME),
    "a claim was committed, nothing sent": Point(Calls, "make", When.BEFORE),
    "the platform stored, its answer was lost": Point(PlatformJson, "send", When.AFTER),
    "the SOAP platform stored, its answer was lost": Point(PlatformSoap, "send", When.AFTER),
    "the bank stored, its answer was lost": Point(BankWebhook, "send", When.AFTER),
    "outcomes were known, not written": Point(ends, "finish", When.BEFORE),
    "outcomes were written, not committed": Point(ends, "finish", When.AFTER),
    "outcomes were committed": Point(Writer, "_finish", When.AFTER),
    "lost leases were found": Point(ends, "expire_leases", When.AFTER_SOME),
    "the platform was asked about an unknown outcome": Point(
        PlatformJson, "look_up", When.AFTER
    ),
    # receipts
    "receipts were read, not applied": Point(Feed, "_apply", When.BEFORE),
    "receipts were applied, not committed": Point(receipts, "apply_receipts", When.AFTER),
    "receipts were committed": Point(Feed, "_apply", When.AFTER),
    # schedule
    "grade changes were numbered, not committed": Point(
        grade_changes, "number_grade_changes", When.AFTER_SOME
    ),
    "grade changes were released, not committed": Point(
        chains, "release_grade_changes", When.AFTER
    ),
    "grade changes were numbered and committed": Point(tick, "publish", When.AFTER_SOME),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """How to run: settings, the start of the clock, and at which pass of which point to die."""

    settings: dict[str, Any]
    start: datetime
    begun: datetime
    roles: frozenset[Role]
    dies: str | None = None
    at_pass: int = 1
    log: str = ""
    #: A file with the names that do not resolve; without it names are asked for as ever.
    unknown_names: str = ""

    @property
    def clock(self) -> Clock:
        """A clock that began at `start` and continues from process to process."""
        return lambda: self.start + (system_clock() - self.begun)


def live(order: Order) -> None:
    """Run the gateway; the main function of the process."""
    _send_output_to(order.log)
    log.set_up()
    _replace(breaker, FIRST_PAUSE=BREAKER_PAUSE, LONGEST_PAUSE=BREAKER_PAUSE)
    _replace(deliverer, OWNERSHIP=OWNERSHIP, lease_for=_short_lease)
    pauses = ("IDLE_PAUSE", "RECEIPTS_PAUSE", "SCHEDULE_PAUSE", "SURVEY_PAUSE", "NOTE_PAUSE")
    _replace(roles, **dict.fromkeys(pauses, 0.05))
    _replace(tasks, FAILURE_PAUSE=0.05)
    if order.dies is not None:
        _arm(POINTS[order.dies], order.at_pass)
    if order.unknown_names:
        names.use(Path(order.unknown_names))
    try:
        asyncio.run(_live(order))
    except Away as error:
        sys.stderr.write(f"{error.told()}\n")
        sys.exit(AWAY)


async def _live(order: Order) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stopped.set)
    settings = make_settings(order.settings, "acceptance")
    async with gateway(settings, order.clock) as built, roles.run(built, order.roles):
        await stopped.wait()


def _replace(module: ModuleType, **values: Any) -> None:
    """Replace constants of a module in this process; they must exist."""
    if missing := values.keys() - vars(module).keys():
        raise AttributeError(f"{module.__name__}: {missing}")
    vars(module).update(values)


def _short_lease(call_timeout: timedelta, _waiting: int, _concurrency: int) -> timedelta:
    return call_timeout + GRACE + timedelta(seconds=1) + TIME_TO_BEGIN


def _send_output_to(path: str) -> None:
    output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _arm(point: Point, at_pass: int) -> None:
    """Kill the process at the nth pass of a function."""
    function: Callable[..., Awaitable[Any]] = getattr(point.owner, point.function)
    passes = count(1)

    async def deadly(*values: Any, **named: Any) -> Any:
        if point.when is When.BEFORE and next(passes) == at_pass:
            _die()
        result = await function(*values, **named)
        counts = point.when is When.AFTER or (point.when is When.AFTER_SOME and result)
        if counts and next(passes) == at_pass:
            _die()
        return result

    setattr(point.owner, point.function, deadly)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
