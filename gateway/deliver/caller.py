"""Calls to one destination 报送调用 behind its circuit breakers; each call ends in outcomes."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from math import inf

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    stop_after_delay,
    stop_any,
    wait_exponential,
)
from tenacity.stop import stop_base

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.protocol import FURTHER_CALL, Connector, OnUnknown
from gateway.config.clock import Clock
from gateway.deliver.breaker import ASKING, THRESHOLD, Act, Breaker, BreakerState
from gateway.deliver.failed_call import deferred, unknown
from gateway.deliver.outages import OutageWatch, enter
from gateway.deliver.outcome import as_agreed
from gateway.deliver.pace import Pace
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Database
from gateway.store.deliver import destinations as destination_store
from gateway.store.deliver.destinations import KeptBreaker, Ownership
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
#: Seconds for which an answered call shows that the destination does not refuse us altogether.
ANSWERED_SECONDS = 60.0
#: Outcomes after which a delivery is called again, so that a wait is meant.
_TO_COME = frozenset({OutcomeKind.DEFERRED, OutcomeKind.UNKNOWN})
#: Tries within one attempt, at most one second apart, only while nothing has been handed over.
QUICK_TRIES = 3


class Caller:
    """Call the connector of one destination; `save` stores its breaker for the next owner.

    Look-ups and receipts have breakers of their own, in memory: where only they fail, sending goes
    on, and the other way round.
    """

    def __init__(
        self,
        destination: Destination,
        connector: Connector,
        database: Database,
        clock: Clock,
        metrics: Metrics,
        owner: str,
    ) -> None:
        self.name, self._destination = destination.name, destination
        self.pace = Pace(destination, clock, asks=connector.limits.has_receipts)
        self.connector = connector
        self.database = database
        self.clock = clock
        self.metrics = metrics
        self.owner = owner
        self._breakers: dict[Act, Breaker] = {}
        self._kept: KeptBreaker | None = None  #: the breaker of sends as it is stored; None: unread
        self._fencing: int | None = None
        self._events: list[AuditEntry] = []  #: not stored yet
        self._outage = OutageWatch()
        self._durations: deque[float] = deque(maxlen=RECENT_CALLS)
        self._answered: dict[Act, float] = {}  #: when, by the monotonic clock

    def is_other(self, fencing: int | None) -> bool:
        """Whether an ownership begins with this fencing number."""
        return fencing is not None and fencing != self._fencing

    def own(self, fencing: int | None) -> None:
        """Note the fencing number of the ownership; with a new one the breaker is read anew."""
        if fencing != self._fencing:
            self._fencing, self._kept, self._breakers, self._events = fencing, None, {}, []
            self._outage = OutageWatch()

    @property
    def ownership(self) -> Ownership:
        """What proves to the store that this process owns the destination."""
        return Ownership(self.name, self.owner, self._fencing or 0)

    def act(self, *, look: bool) -> Act:
        """Return LOOK_UP if `look` is set and the connector can look up, otherwise SEND."""
        finds = self.connector.limits.on_unknown in {OnUnknown.LOOK_UP, OnUnknown.LISTING}
        return Act.LOOK_UP if look and finds else Act.SEND

    async def state(self, act: Act) -> BreakerState:
        """Return the present state of a breaker; that of sends is first read from the store."""
        if act is Act.SEND and self._kept is None:
            async with self.database.transaction() as connection:
                kept = self._kept = await destination_store.breaker(connection, self.name)
            self._breakers[act] = Breaker(BreakerState(kept.state), kept.until, kept.failures)
        present = self._breakers[act] = self._breaker(act).at(self.clock())
        return present.state

    def _breaker(self, act: Act) -> Breaker:
        return self._breakers.get(act, Breaker())

    def is_open(self, act: Act) -> bool:
        """Whether the breaker stops calls of this kind."""
        return self._breaker(act).state is BreakerState.OPEN

    def seconds_an_item(self) -> float:
        """Return p95 of recent call times ÷ (batch size × concurrency); 0 before any call.

        It is no less than the permitted rates make it.
        """
        limits, slow = self.connector.limits, 0.0
        if self._durations:
            slow = sorted(self._durations)[int(len(self._durations) * 0.95)] / limits.concurrency
        return max(slow, self.pace.seconds_a_call()) / limits.batch_size

    async def outcomes(
        self,
        items: Sequence[Item],
        *,
        look: bool,
        until: float = inf,
        act: Act | None = None,
    ) -> list[Outcome]:
        """Send the items, or with `look` look them up; return one outcome for each, in order.

        `act` is the kind of call where it is not the usual one for that.

        The call ends in its time as if it had begun by `until` (of the monotonic clock): a process
        that stands still on the way calls nobody once its lease is over.

        Failures of the call are outcomes, not raised: `DEFERRED` where nothing was handed over,
        else `UNKNOWN`; a failed look-up leaves `UNKNOWN`. The database is not needed: `save` stores
        the breaker between calls.
        """
        start, act = time.monotonic(), act or self.act(look=look)
        most = (self.connector.limits.call_timeout + GRACE).total_seconds()
        try:
            async with asyncio.timeout(min(start, until) + most - time.monotonic()):
                outcomes = await self._made(act, items)
        except (CallRejected, NotSent) as error:
            self.failed(error, act)
            again = unknown(error) if look else deferred(error)
            return [again] * len(items)
        except Exception as error:  # noqa: BLE001  an item may have been handed over
            self.failed(error, act)
            return [unknown(error)] * len(items)
        if len(outcomes) != len(items):
            return [unknown(OutcomeUnknown("对方返回条数不符"))] * len(items)
        self._durations.append(time.monotonic() - start)
        pairs = zip(items, outcomes, strict=True)
        outcomes = [as_agreed(*pair, act, self._destination) for pair in pairs]
        pauses = [o.retry_after for o in outcomes if o.kind in _TO_COME and o.retry_after]
        if len(pauses) == len(outcomes) or not any(o.answered for o in outcomes):
            said = next((word for one in outcomes for word in one.reasons), "")
            put_off = NotSent(said, max(pauses, default=None))
            put_off.theirs = not any(o.answered for o in outcomes) and any(
                o.theirs for o in outcomes
            )
            self.failed(put_off, act)
        else:
            self.succeeded(act)
        return outcomes

    async def _made(self, act: Act, items: Sequence[Item]) -> list[Outcome]:
        if self.pace.is_limited:
            FURTHER_CALL.set(lambda: self.pace.turn(lambda: False))
        if act in ASKING:
            return await self.connector.look_up(items)
        quick = AsyncRetrying(
            # After a long one, such as a connection that nobody answers, there is no time.
            stop=stop_any(
                stop_after_attempt(QUICK_TRIES),
                stop_after_delay(self.connector.limits.call_timeout / 8),
                _NoTurn(self.pace),
            ),
            wait=wait_exponential(multiplier=0.1, max=1),
            retry=retry_if_exception(_is_passing),
            reraise=True,
        )
        async for attempt in quick:
            with attempt:
                if attempt.retry_state.attempt_number > 1:
                    self.pace.take()
                return await self.connector.send(items)
        raise NotSent

    def failed(self, error: Exception, act: Act) -> None:
        """Count a failed call; a Retry-After opens the breaker at once.

        So does a refusal, unless other calls are being answered: then it is about its items.
        """
        words = str(error) or type(error).__name__
        extra = {"destination": self.name, "act": act.value, "error": words}
        logger.warning(LogEvent.CALL_FAILED, extra=extra)
        if act is Act.SEND:
            self._note(error, words)
        if not self.is_open(act):
            asked = error.retry_after if isinstance(error, ConnectorError) else None
            answered = time.monotonic() - self._answered.get(act, -inf) < ANSWERED_SECONDS
            at_once = asked is not None or (isinstance(error, CallRejected) and not answered)
            now = self.clock()
            opened = self._breaker(act).failed(now, at_once=at_once, asked=asked)
            self._set(act, opened, words)

    def _note(self, error: Exception, words: str) -> None:
        """Tell an outage of the destination from its refusal, and from a fault of ours.

        Who asks us to wait, and is not in trouble, answers.
        """
        theirs = getattr(error, "theirs", isinstance(error, TimeoutError))
        asked = isinstance(error, ConnectorError) and error.retry_after is not None
        if isinstance(error, CallRejected) or (asked and not theirs):
            self._outage.answered(self.clock())
        elif theirs:
            self._outage.failed(self.clock(), words)

    def succeeded(self, act: Act) -> None:
        """Note an answered call: it closes the breaker."""
        self._answered[act] = time.monotonic()
        before = self._breaker(act)
        if before != Breaker():
            self._set(act, before.succeeded())

    def _set(self, act: Act, breaker: Breaker, words: str = "") -> None:
        """Change a breaker; that of sends is audited once when it opens and once when it closes.

        `words` say why it opens.
        """
        before, self._breakers[act] = self._breaker(act), breaker
        if act is not Act.SEND:
            return
        if breaker.state is BreakerState.CLOSED and not breaker.failures:
            self._outage.answered(self.clock())
        elif breaker.failures >= THRESHOLD:
            self._outage.down(THRESHOLD)
        self.metrics.breaker_open.labels(self.name).set(breaker.state is BreakerState.OPEN)
        if before.state is breaker.state or breaker.state is BreakerState.HALF_OPEN:
            return
        opened = breaker.state is BreakerState.OPEN
        if opened and before.state is BreakerState.HALF_OPEN:
            return
        event = AuditEvent.BREAKER_OPENED if opened else AuditEvent.BREAKER_CLOSED
        detail = {"destination": self.name} | ({"reason": words} if words else {})
        extra = detail | {"state": breaker.state.value}
        logger.warning(LogEvent.BREAKER_CHANGED, extra=extra)
        self._events.append(AuditEntry(event, detail))

    async def save(self) -> None:
        """Store the calls made, the breaker of sends and its audit events.

        It is done if they changed, and we are still the owner.

        Raises:
            DatabaseAway: nothing was stored; the next call stores it.
        """
        if self.pace.is_new and self._fencing is not None:
            async with self.database.transaction() as connection:
                await destination_store.keep_calls(connection, self.ownership, self.pace.kept())
            self.pace.is_new = False
        now = self._breakers.get(Act.SEND)
        if now is None or self._fencing is None or now.state is BreakerState.HALF_OPEN:
            return
        kept = KeptBreaker(now.state.value, now.until, now.failures)
        before = self._kept
        same = before and (before.state, before.until) == (kept.state, kept.until)
        told, news = list(self._events), self._outage.news()
        if same and not told and news is None:
            return
        async with self.database.transaction() as connection:
            if await destination_store.set_breaker(connection, self.ownership, kept):
                await events.add(connection, told, self.clock())
                if news is not None:
                    await enter(connection, self.name, news)
        if news is not None:
            self._outage.stored(news)
        self._kept = kept
        del self._events[: len(told)]


class _NoTurn(stop_base):
    """Try no more where the permitted rates allow no call now."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def __call__(self, retry_state: RetryCallState) -> bool:
        """Whether a further try has to wait."""
        del retry_state
        return self._pace.seconds_to_turn() > 0


def _is_passing(error: BaseException) -> bool:
    """Whether a call may be made again at once: it was not sent, and nobody asked us to wait."""
    return isinstance(error, NotSent) and error.retry_after is None
