"""The way out. Read this second: claim → connector → outcome → finish; one loop per destination.

The claim commits the lease and the open attempt before any byte is sent. When a call fails as a
whole, its items are deferred if nothing was handed over, and unknown otherwise. If the destination
refuses the whole call, they are deferred and the breaker opens. `outcome` decides the new state of
an item and `writer` writes it.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from math import ceil

from connectors.protocol import Connector, OnUnknown
from gateway.config.clock import Clock
from gateway.config.keys import Keys
from gateway.deliver.breaker import BreakerState
from gateway.deliver.caller import Caller
from gateway.deliver.item import is_moot, item
from gateway.deliver.outcome import finish, lease_for, moot, not_called
from gateway.deliver.writer import Round, Writer
from gateway.store.base.engine import Database, DatabaseAway
from gateway.store.deliver import claims
from gateway.store.deliver import destinations as destination_store
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.delivery import Claimed, Finish
from schemas.destination import Destination

#: One claim fills this many calls per concurrent call: claims stay rare and leases short.
CALLS_AHEAD = 25
#: With a rate limit, one claim takes at most the calls of this many seconds.
AHEAD_SECONDS = 10
#: Ownership of a destination ends this long after its owner last renewed it.
OWNERSHIP = timedelta(seconds=30)


class Deliverer:
    """Deliver to one destination, with its own limits and breaker."""

    def __init__(  # noqa: PLR0913, PLR0917  what every round needs
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
        """The name of the destination."""
        return self.destination.name

    @property
    def is_quiet(self) -> bool:
        """Whether the destination must not be called now 免打扰时段."""
        return self.destination.is_quiet(self.clock())

    async def drain(self) -> Round:
        """Run rounds until nothing can be claimed; return their sum."""
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
        """Run one round: own, expire leases, look up unknown outcomes, send ready deliveries."""
        if not await self.owns():
            return Round(owned=False)
        await self._tidy()
        done = Round()
        if self.is_quiet:
            return done
        probe = await self.caller.state() is BreakerState.HALF_OPEN
        for look in (True, False):
            if not self.caller.is_open:
                await self._claim_and_call(done, look=look, probe=probe)
        return done

    async def close(self) -> None:
        """Give up the ownership; if the database is away, the ownership expires."""
        with suppress(DatabaseAway):
            async with self.database.transaction() as connection:
                await destination_store.disown(connection, self.name, self.owner)
        await self.connector.close()

    # ------------------------------------------------------------ before a call

    async def owns(self) -> bool:
        """Take or renew the ownership; return whether this process has it."""
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
        """Make the calls of a claim within the concurrency limit; write outcomes as they come."""
        size = self.connector.limits.batch_size
        live = [one for one in claimed if not is_moot(one)]
        groups = [live[start : start + size] for start in range(0, len(live), size)]
        queue: asyncio.Queue[list[Finish] | None] = asyncio.Queue()
        writer = asyncio.create_task(
            Writer(self.name, self.database, self.clock, self.metrics).write(queue, done)
        )
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
                items = [item(one, self.installation, self.keys.decrypt) for one in group]
                outcomes = await self.caller.outcomes(items, look=group[0].look)
            now = self.clock()
            await queue.put(
                [finish(c, o, self.destination, now) for c, o in zip(group, outcomes, strict=True)]
            )
        finally:
            self._limit.release()
