"""The way out. Read this second: claim → connector → outcome → finish; one loop per destination.

The claim commits lease and open attempt before any byte is sent. A call that fails as a whole
leaves its items deferred (nothing left us), unknown (something did) or, refused as a whole,
deferred behind an open breaker. What becomes of an item is decided in `outgoing` and applied by
`store.deliveries.finish`.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
)

from connectors.errors import CallRejected, ConnectorError, NotSent
from connectors.protocol import Connector, OnUnknown
from gateway.audit import AuditEvent
from gateway.breaker import Breaker, BreakerState
from gateway.clock import Clock
from gateway.log import LogEvent, logger
from gateway.metrics import Metrics
from gateway.outgoing import delivery_of, finish, is_moot, item, lease_for, moot
from gateway.secrets import Keys
from gateway.store import audit, deliveries
from gateway.store import destinations as destination_store
from gateway.store.deliveries import Answer, Claimed, Finish
from gateway.store.engine import Connection, Database, DatabaseAway
from schemas.delivery import Item, Outcome, OutcomeKind
from schemas.destination import Destination

#: Calls kept busy by one claim: enough that claiming is rare, few enough for a short lease.
CALLS_AHEAD = 25
#: Outcomes written in one transaction, and how long the first of them waits for company.
FINISH_BATCH = 256
FINISH_LINGER = 0.005
#: Seconds for which the outcomes of calls wait for a database that is away.
FINISH_PATIENCE = 60
#: How long ownership of a destination outlives the last sign of life of its owner.
OWNERSHIP = timedelta(seconds=30)
#: Calls whose duration tells how fast a destination is.
RECENT_CALLS = 200
#: Tries within one attempt, seconds apart, only where nothing was handed over.
QUICK_TRIES = 3


@dataclass(slots=True)
class Round:
    """What one round did: sent or looked up, and how each came out."""

    owned: bool = True
    claimed: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)


class Deliverer:
    """Delivers to one destination; the limits and the breaker are its own."""

    def __init__(  # noqa: PLR0913, PLR0917  the collaborators of every round
        self,
        destination: Destination,
        connector: Connector,
        database: Database,
        keys: Keys,
        installation: str,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.destination = destination
        self.connector = connector
        self.database = database
        self.keys = keys
        self.installation = installation
        self.clock = clock
        self.metrics = metrics
        self.owner = uuid.uuid4().hex
        self.breaker = Breaker()
        self._limit = asyncio.Semaphore(connector.limits.concurrency)
        self._calls: deque[float] = deque(maxlen=RECENT_CALLS)

    @property
    def name(self) -> str:
        """The destination's name."""
        return self.destination.name

    @property
    def is_open(self) -> bool:
        """Whether the breaker keeps calls back."""
        return self.breaker.state is BreakerState.OPEN

    async def drain(self) -> Round:
        """Rounds until nothing is claimable at this moment."""
        total = Round()
        while True:
            done = await self.round()
            total.claimed += done.claimed
            total.owned = done.owned
            for outcome, count in done.outcomes.items():
                total.outcomes[outcome] = total.outcomes.get(outcome, 0) + count
            if not done.claimed:
                return total

    async def round(self) -> Round:
        """One round: own, tidy, look up what is unknown, send what is ready."""
        if not await self._own():
            return Round(owned=False)
        await self._tidy()
        done = Round()
        self.breaker = self.breaker.at(self.clock())
        if self.is_open:
            return done
        probe = self.breaker.state is BreakerState.HALF_OPEN
        for look in (True, False):
            if not self.is_open:
                await self._claim_and_call(done, look=look, probe=probe)
        return done

    async def close(self) -> None:
        """Give the destination up."""
        async with self.database.transaction() as connection:
            await destination_store.disown(connection, self.name, self.owner)
        await self.connector.close()

    # ------------------------------------------------------------ before a call

    async def _own(self) -> bool:
        async with self.database.transaction() as connection:
            fencing = await destination_store.own(connection, self.name, self.owner, OWNERSHIP)
        return fencing is not None

    async def _tidy(self) -> None:
        now = self.clock()
        async with self.database.transaction() as connection:
            lost = await deliveries.expire_leases(
                connection, self.name, self.destination.settle, now
            )
            await deliveries.promote_deferred(connection, self.name, now)
        if lost:
            self.metrics.lost_leases.labels(self.name).inc(lost)
            logger.warning(LogEvent.LEASE_LOST, extra={"destination": self.name, "count": lost})

    async def _claim_and_call(self, done: Round, *, look: bool, probe: bool) -> None:
        limits = self.connector.limits
        if look and limits.on_unknown is OnUnknown.PERSON:
            return
        wanted = 1 if probe else limits.batch_size * limits.concurrency * CALLS_AHEAD
        calls = -(-wanted // limits.batch_size)
        lease = lease_for(limits.call_timeout, calls, limits.concurrency)
        start = time.monotonic()
        async with self.database.transaction() as connection:
            claimed = await deliveries.claim(
                connection,
                self.name,
                limit=min(wanted, 2000),
                token=str(uuid.uuid4()),
                lease=lease,
                now=self.clock(),
                look=look,
            )
        if claimed:
            until = start + (lease - limits.call_timeout).total_seconds() - 1
            await self._call_all(claimed, until, done)

    async def _call_all(self, claimed: Sequence[Claimed], until: float, done: Round) -> None:
        """All calls of a claim at once within the limit, outcomes written as they come."""
        size = self.connector.limits.batch_size
        live = [one for one in claimed if not is_moot(one)]
        groups = [live[start : start + size] for start in range(0, len(live), size)]
        queue: asyncio.Queue[list[Finish] | None] = asyncio.Queue()
        writer = asyncio.create_task(self._write(queue, done))
        try:
            if len(live) < len(claimed):
                await queue.put([moot(one) for one in claimed if is_moot(one)])
            async with asyncio.TaskGroup() as tasks:
                for group in groups:
                    await self._limit.acquire()
                    tasks.create_task(self._call(group, until, queue))
        finally:
            await queue.put(None)
            await writer
        done.claimed += len(claimed)

    async def _call(
        self,
        group: Sequence[Claimed],
        until: float,
        queue: "asyncio.Queue[list[Finish] | None]",
    ) -> None:
        try:
            if time.monotonic() > until or self.is_open:
                outcomes = [Outcome(kind=OutcomeKind.DEFERRED, reasons=("本次未发送",))] * len(
                    group
                )
            else:
                start = time.monotonic()
                outcomes = await self._outcomes(group)
                self._calls.append(time.monotonic() - start)
            now = self.clock()
            await queue.put(
                [finish(c, o, self.destination, now) for c, o in zip(group, outcomes, strict=True)]
            )
        finally:
            self._limit.release()

    # ------------------------------------------------------------ the call

    async def _outcomes(self, group: Sequence[Claimed]) -> list[Outcome]:
        """One outcome per item, whatever happens to the call."""
        items = [item(one, self.installation, self.keys) for one in group]
        try:
            async with asyncio.timeout(self.connector.limits.call_timeout.total_seconds()):
                outcomes = await self._send_or_look(items, look=group[0].look)
        except (CallRejected, NotSent) as error:
            await self._failed(error, at_once=isinstance(error, CallRejected))
            again = _unknown(error) if group[0].look else _deferred(error)
            return [again] * len(group)
        except Exception as error:  # noqa: BLE001  whatever it was, something may have left us
            await self._failed(error)
            return [_unknown(error)] * len(group)
        if len(outcomes) != len(group):
            return [_unknown(ValueError("对方返回条数不符"))] * len(group)
        await self._answered()
        return outcomes

    async def _send_or_look(self, items: Sequence[Item], *, look: bool) -> list[Outcome]:
        on_unknown = self.connector.limits.on_unknown
        if look and on_unknown in {OnUnknown.LOOK_UP, OnUnknown.LISTING}:
            return await self.connector.look_up(items)
        quick = AsyncRetrying(
            stop=stop_after_attempt(QUICK_TRIES),
            wait=wait_exponential(multiplier=0.1, max=1),
            retry=retry_if_exception_type(NotSent),
            reraise=True,
        )
        async for attempt in quick:
            with attempt:
                return await self.connector.send(items)
        raise NotSent

    async def _answered(self) -> None:
        if self.breaker != Breaker():
            await self._set_breaker(self.breaker.succeeded())

    async def _failed(self, error: Exception, *, at_once: bool = False) -> None:
        extra = {"destination": self.name, "error": type(error).__name__}
        logger.warning(LogEvent.CALL_FAILED, extra=extra)
        if self.breaker.state is not BreakerState.OPEN:
            await self._set_breaker(self.breaker.failed(self.clock(), at_once=at_once))

    async def _set_breaker(self, breaker: Breaker) -> None:
        """Keep the breaker, and say so once when it opens and once when it closes."""
        before, self.breaker = self.breaker, breaker
        self.metrics.breaker_open.labels(self.name).set(breaker.state is BreakerState.OPEN)
        if before.state is breaker.state or breaker.state is BreakerState.HALF_OPEN:
            return
        opened = breaker.state is BreakerState.OPEN
        if opened and before.state is BreakerState.HALF_OPEN:
            return
        event = AuditEvent.BREAKER_OPENED if opened else AuditEvent.BREAKER_CLOSED
        extra = {"destination": self.name, "state": breaker.state.value}
        logger.warning(LogEvent.BREAKER_CHANGED, extra=extra)
        async with self.database.transaction() as connection:
            kept = destination_store.Breaker(breaker.state.value, breaker.until, breaker.failures)
            await destination_store.set_breaker(connection, self.name, kept)
            entry = audit.AuditEntry(event, {"destination": self.name})
            await audit.add(connection, [entry], self.clock())

    # ------------------------------------------------------------ after a call

    async def _write(self, queue: "asyncio.Queue[list[Finish] | None]", done: Round) -> None:
        """Write outcomes in batches until the end of the claim."""
        ended = False
        while not ended:
            pending, ended = await _gather(queue)
            if pending:
                await self._finish(pending, done)

    async def _finish(self, pending: Sequence[Finish], done: Round) -> None:
        now = self.clock()
        ours = await self._patiently(lambda c: deliveries.finish(c, pending, now))
        for one in pending:
            if one.id in ours:
                done.outcomes[one.outcome] = done.outcomes.get(one.outcome, 0) + 1
                self.metrics.outcomes.labels(self.name, one.outcome).inc()
            else:
                self.metrics.lost_leases.labels(self.name).inc()

    async def _patiently(self, work: Callable[[Connection], Awaitable[set[int]]]) -> set[int]:
        """Outcomes are worth waiting for the database; the lease bounds how long they hold."""
        patient = AsyncRetrying(
            stop=stop_after_delay(FINISH_PATIENCE),
            wait=wait_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception_type(DatabaseAway),
            reraise=True,
        )
        return await patient(self.database.run, work)

    # ------------------------------------------------------------ what will be late

    async def predict(self) -> int:
        """How many will miss their due time: the work ahead of each, by the slow calls of late."""
        seconds = self._seconds_an_item()
        async with self.database.transaction() as connection:
            late = await deliveries.predicted_breaches(connection, self.name, self.clock(), seconds)
        self.metrics.predicted_breaches.labels(self.name).set(late)
        return late

    def _seconds_an_item(self) -> float:
        """The 95th percentile of recent calls, shared over a batch and the calls at once."""
        if not self._calls:
            return 0.0
        slow = sorted(self._calls)[int(len(self._calls) * 0.95)]
        limits = self.connector.limits
        return slow / (limits.batch_size * limits.concurrency)

    # ------------------------------------------------------------ receipts

    async def receive(self) -> int:
        """Read the receipts 回执 come since last time; gives how many moved a delivery."""
        if not self.connector.limits.has_receipts or not await self._own():
            return 0
        moved = 0
        while True:
            async with self.database.transaction() as connection:
                cursor = await destination_store.receipts_cursor(connection, self.name)
            try:
                receipts, following = await self.connector.receipts(cursor)
            except ConnectorError as error:
                await self._failed(error)
                return moved
            if not receipts:
                return moved
            answers = [
                Answer(id_, r.accepted, r.reasons, r.platform_at, r.reference)
                for r in receipts
                if (id_ := delivery_of(self.installation, r.key)) is not None
            ]
            moved += await self._apply(answers, following, self.clock())

    async def _apply(self, answers: Sequence[Answer], cursor: str, now: datetime) -> int:
        async with self.database.transaction() as connection:
            moved = await deliveries.apply_receipts(connection, self.name, answers, now)
            await destination_store.set_receipts_cursor(connection, self.name, cursor)
        return moved


async def _gather(queue: "asyncio.Queue[list[Finish] | None]") -> tuple[list[Finish], bool]:
    """Outcomes until there are enough, a moment has passed, or the end came."""
    first = await queue.get()
    if first is None:
        return [], True
    pending = list(first)
    deadline = time.monotonic() + FINISH_LINGER
    while len(pending) < FINISH_BATCH:
        try:
            more = await asyncio.wait_for(queue.get(), max(0, deadline - time.monotonic()))
        except TimeoutError:
            return pending, False
        if more is None:
            return pending, True
        pending += more
    return pending, False


def _deferred(error: ConnectorError) -> Outcome:
    return Outcome(
        kind=OutcomeKind.DEFERRED, reasons=(str(error)[:500],), retry_after=error.retry_after
    )


def _unknown(error: Exception) -> Outcome:
    return Outcome(kind=OutcomeKind.UNKNOWN, reasons=(str(error)[:500] or type(error).__name__,))
