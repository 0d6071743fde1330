"""The way out. Read this second: claim → connector → outcome → finish; one loop per destination.

The claim commits lease and open attempt before any byte is sent. A call that fails as a whole
leaves its items deferred (nothing left us), unknown (something did) or, refused as a whole,
deferred behind an open breaker. What becomes of an item is decided in `outgoing` and applied by
`store.deliveries.finish`.
"""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil

from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential,
)

from connectors.errors import ConnectorError
from connectors.protocol import Connector, OnUnknown
from gateway.breaker import BreakerState
from gateway.call import Caller
from gateway.clock import Clock
from gateway.log import LogEvent, logger
from gateway.metrics import Metrics
from gateway.outgoing import delivery_of, finish, is_moot, item, lease_for, moot, not_called
from gateway.secrets import Keys
from gateway.store.base.engine import Connection, Database, DatabaseAway
from gateway.store.deliver import claims, overdue, receipts
from gateway.store.deliver import destinations as destination_store
from gateway.store.deliver.receipts import Answer
from schemas.delivery import Claimed, Finish
from schemas.destination import Destination

#: Calls kept busy by one claim: enough that claiming is rare, few enough for a short lease.
CALLS_AHEAD = 25
#: At most so many seconds of calls, where the destination bears only so many a second.
AHEAD_SECONDS = 10
#: Outcomes written in one transaction, and how long the first of them waits for company.
FINISH_BATCH = 256
FINISH_LINGER = 0.005
#: Seconds for which the outcomes of calls wait for a database that is away.
FINISH_PATIENCE = 60
#: How long ownership of a destination outlives the last sign of life of its owner.
OWNERSHIP = timedelta(seconds=30)


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
        self.caller = Caller(destination, connector, database, clock, metrics)
        self._limit = asyncio.Semaphore(connector.limits.concurrency)

    @property
    def name(self) -> str:
        """The destination's name."""
        return self.destination.name

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
        if self.destination.is_quiet(self.clock()):
            return done
        probe = await self.caller.state() is BreakerState.HALF_OPEN
        for look in (True, False):
            if not self.caller.is_open:
                await self._claim_and_call(done, look=look, probe=probe)
        return done

    async def close(self) -> None:
        """Give the destination up; with the database away, what we own runs out by itself."""
        with suppress(DatabaseAway):
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
            lost = await claims.expire_leases(connection, self.name, self.destination.settle, now)
            await claims.promote_deferred(connection, self.name, now)
        if lost:
            self.metrics.lost_leases.labels(self.name).inc(lost)
            logger.warning(LogEvent.LEASE_LOST, extra={"destination": self.name, "count": lost})

    async def _claim_and_call(self, done: Round, *, look: bool, probe: bool) -> None:
        limits = self.connector.limits
        if look and limits.on_unknown is OnUnknown.PERSON:
            return
        ahead = self.caller.calls_within(CALLS_AHEAD * limits.concurrency, AHEAD_SECONDS)
        wanted = 1 if probe else limits.batch_size * ahead
        calls = -(-wanted // limits.batch_size)
        lease = lease_for(limits.call_timeout, calls, limits.concurrency)
        limit = min(wanted, 2000)
        start = time.monotonic()
        async with self.database.transaction() as connection:
            claimed = await claims.claim(
                connection,
                self.name,
                limit=limit,
                fresh=ceil(limit * self.destination.fresh_share),
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
            await self.caller.pace()
            if time.monotonic() > until or self.caller.is_open:
                outcomes = [not_called(look=group[0].look)] * len(group)
            else:
                items = [item(one, self.installation, self.keys) for one in group]
                outcomes = await self.caller.outcomes(items, look=group[0].look)
            now = self.clock()
            await queue.put(
                [finish(c, o, self.destination, now) for c, o in zip(group, outcomes, strict=True)]
            )
        finally:
            self._limit.release()

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
        ours = await self._patiently(lambda c: claims.finish(c, pending, now))
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
        seconds, now = self.caller.seconds_an_item(), self.clock()
        async with self.database.transaction() as connection:
            late = await overdue.predicted_breaches(connection, self.name, now, seconds)
            before = now - self.destination.receipt_within
            silent = await overdue.silent_receipts(connection, self.name, before)
        self.metrics.predicted_breaches.labels(self.name).set(late)
        self.metrics.silent_receipts.labels(self.name).set(silent)
        return late

    # ------------------------------------------------------------ receipts

    async def receive(self) -> int:
        """Read the receipts 回执 come since last time; gives how many moved a delivery."""
        if not self.connector.limits.has_receipts or self.destination.is_quiet(self.clock()):
            return 0
        if not await self._own():
            return 0
        moved = 0
        while True:
            async with self.database.transaction() as connection:
                cursor = await destination_store.receipts_cursor(connection, self.name)
            try:
                found, following = await self.connector.receipts(cursor)
            except ConnectorError as error:
                await self.caller.failed(error)
                return moved
            if not found:
                return moved
            answers = [
                Answer(id_, r.accepted, r.reasons, r.platform_at, r.reference)
                for r in found
                if (id_ := delivery_of(self.installation, r.key)) is not None
            ]
            moved += await self._apply(answers, following, self.clock())

    async def _apply(self, answers: Sequence[Answer], cursor: str, now: datetime) -> int:
        async with self.database.transaction() as connection:
            moved = await receipts.apply_receipts(connection, self.name, answers, now)
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
