"""Calls to one destination 报送调用 behind its circuit breaker; each call ends in outcomes."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta

from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from connectors.errors import CallRejected, ConnectorError, NotSent
from connectors.protocol import Connector, OnUnknown
from gateway.config.clock import Clock
from gateway.deliver.breaker import Breaker, BreakerState
from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.store.deliver import destinations as destination_store
from gateway.store.deliver.destinations import KeptBreaker
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.delivery import Item, Outcome, OutcomeKind
from schemas.destination import Destination

#: The number of recent calls that the p95 call time is computed from.
RECENT_CALLS = 200
#: The connector ends a call at its time limit by itself, and then says which parts were answered;
#: only one that does not is ended from outside, a little later.
GRACE = timedelta(seconds=1)
#: Tries within one attempt, at most one second apart, only while nothing has been handed over.
QUICK_TRIES = 3


class Caller:
    """Call the connector of one destination; `save` stores the breaker for the next owner."""

    def __init__(
        self,
        destination: Destination,
        connector: Connector,
        database: Database,
        clock: Clock,
        metrics: Metrics,
        owner: str,
    ) -> None:
        self.name = destination.name
        self.calls_per_second = destination.calls_per_second
        self.connector = connector
        self.database = database
        self.clock = clock
        self.metrics = metrics
        self.owner = owner
        self.breaker: Breaker | None = None
        self._kept: KeptBreaker | None = None  #: the breaker as it is stored
        self._fencing: int | None = None
        self._events: list[AuditEvent] = []  #: not stored yet
        self._durations: deque[float] = deque(maxlen=RECENT_CALLS)
        self._next_call = 0.0

    def own(self, fencing: int | None) -> None:
        """Note the fencing number of the ownership; with a new one the breaker is read anew."""
        if fencing != self._fencing:
            self._fencing, self.breaker, self._events = fencing, None, []

    async def state(self) -> BreakerState:
        """Return the present state of the breaker; the first call reads it from the store."""
        if self.breaker is None:
            async with self.database.transaction() as connection:
                kept = self._kept = await destination_store.breaker(connection, self.name)
            self.breaker = Breaker(BreakerState(kept.state), kept.until, kept.failures)
        self.breaker = self.breaker.at(self.clock())
        return self.breaker.state

    @property
    def is_open(self) -> bool:
        """Whether the breaker stops calls."""
        return self.breaker is not None and self.breaker.state is BreakerState.OPEN

    def seconds_an_item(self) -> float:
        """Return p95 of recent call times ÷ (batch size × concurrency); 0 before any call."""
        if not self._durations:
            return 0.0
        slow = sorted(self._durations)[int(len(self._durations) * 0.95)]
        limits = self.connector.limits
        return slow / (limits.batch_size * limits.concurrency)

    async def outcomes(self, items: Sequence[Item], *, look: bool) -> list[Outcome]:
        """Send the items, or with `look` look them up; return one outcome for each, in order.

        Failures of the call are outcomes, not raised: `DEFERRED` where nothing was handed over,
        else `UNKNOWN`; a failed look-up leaves `UNKNOWN`. The database is not needed: `save` stores
        the breaker between calls.
        """
        start = time.monotonic()
        try:
            async with asyncio.timeout(
                (self.connector.limits.call_timeout + GRACE).total_seconds()
            ):
                outcomes = await self._send_or_look(items, look=look)
        except (CallRejected, NotSent) as error:
            self.failed(error, at_once=isinstance(error, CallRejected))
            again = _unknown(error) if look else _deferred(error)
            return [again] * len(items)
        except Exception as error:  # noqa: BLE001  an item may have been handed over
            self.failed(error)
            return [_unknown(error)] * len(items)
        if len(outcomes) != len(items):
            return [_unknown(ValueError("对方返回条数不符"))] * len(items)
        self._durations.append(time.monotonic() - start)
        if self.breaker is not None and self.breaker != Breaker():
            self._set_breaker(self.breaker.succeeded())
        return outcomes

    def calls_within(self, most: int, seconds: int) -> int:
        """Return how many of `most` calls fit into `seconds` at the permitted rate; at least 1."""
        if self.calls_per_second is None:
            return most
        return min(most, max(1, int(self.calls_per_second * seconds)))

    async def pace(self) -> None:
        """Wait until the permitted rate allows the next call."""
        if self.calls_per_second is None:
            return
        now = time.monotonic()
        turn = max(now, self._next_call)
        self._next_call = turn + 1 / self.calls_per_second
        await asyncio.sleep(turn - now)

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

    def failed(self, error: Exception, *, at_once: bool = False) -> None:
        """Count a failed call; `at_once`: the destination refused the call, so open the breaker."""
        extra = {"destination": self.name, "error": type(error).__name__}
        logger.warning(LogEvent.CALL_FAILED, extra=extra)
        if not self.is_open:
            before = self.breaker or Breaker()
            self._set_breaker(before.failed(self.clock(), at_once=at_once))

    def _set_breaker(self, breaker: Breaker) -> None:
        """Change the breaker; note one audit event when it opens and one when it closes."""
        before, self.breaker = self.breaker or Breaker(), breaker
        self.metrics.breaker_open.labels(self.name).set(breaker.state is BreakerState.OPEN)
        if before.state is breaker.state or breaker.state is BreakerState.HALF_OPEN:
            return
        opened = breaker.state is BreakerState.OPEN
        if opened and before.state is BreakerState.HALF_OPEN:
            return
        event = AuditEvent.BREAKER_OPENED if opened else AuditEvent.BREAKER_CLOSED
        extra = {"destination": self.name, "state": breaker.state.value}
        logger.warning(LogEvent.BREAKER_CHANGED, extra=extra)
        self._events.append(event)

    async def save(self) -> None:
        """Store the breaker and its audit events, if they changed and we are still the owner.

        Raises:
            DatabaseAway: nothing was stored; the next call stores it.
        """
        now = self.breaker
        if now is None or self._fencing is None or now.state is BreakerState.HALF_OPEN:
            return
        kept = KeptBreaker(now.state.value, now.until, now.failures)
        before = self._kept
        same = before and (before.state, before.until) == (kept.state, kept.until)
        if same and not self._events:
            return
        told = list(self._events)
        entries = [events.AuditEntry(event, {"destination": self.name}) for event in told]
        async with self.database.transaction() as connection:
            ours = destination_store.Ownership(self.name, self.owner, self._fencing)
            if await destination_store.set_breaker(connection, ours, kept):
                await events.add(connection, entries, self.clock())
        self._kept = kept
        del self._events[: len(told)]


def _deferred(error: ConnectorError) -> Outcome:
    return Outcome(
        kind=OutcomeKind.DEFERRED, reasons=(str(error)[:500],), retry_after=error.retry_after
    )


def _unknown(error: Exception) -> Outcome:
    return Outcome(kind=OutcomeKind.UNKNOWN, reasons=(str(error)[:500] or type(error).__name__,))
