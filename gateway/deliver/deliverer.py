"""The way out. Read this second: claim → connector → outcome → finish; one loop per destination.

The claim commits the lease and the open attempt before any byte is sent. When a call fails as a
whole, its items are deferred if nothing was handed over, and unknown otherwise. If the destination
refuses the whole call, they are deferred and the breaker opens. Where a person carries files, none
is claimed here: `hand_upload` has the way out. `calls` makes the calls of a claim,
`outcome` decides the new state of an item and `writer` writes it.
"""

import asyncio
import time
import uuid
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta

from connectors.protocol import Connector, OnUnknown
from gateway.config.clock import Clock
from gateway.config.keys import Keys
from gateway.deliver.breaker import BreakerState
from gateway.deliver.caller import GRACE, Caller
from gateway.deliver.calls import Calls
from gateway.deliver.connect import is_by_person
from gateway.deliver.outcome import lease_for
from gateway.deliver.pace import AHEAD_SECONDS
from gateway.deliver.seldom import Seldom
from gateway.deliver.writer import FINISH_PATIENCE, Round, Writer
from gateway.store.base.engine import Database, DatabaseAway
from gateway.store.base.installation import know
from gateway.store.deliver import claims, ends
from gateway.store.deliver import destinations as destination_store
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.delivery import Claimed
from schemas.destination import Destination

#: One claim fills this many calls per concurrent call: claims stay rare and leases short.
CALLS_AHEAD = 25
#: Seconds that a stop waits beyond the longest call, for the outcomes to be written.
STOP_MARGIN = 5
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
        self.caller = Caller(destination, connector, database, clock, metrics, self.owner)
        writer = Writer(destination.name, database, clock, metrics)
        self._calls = Calls(
            destination, self.caller, keys, installation, clock, writer, self._may_call
        )
        self.asked_last = 0  #: the silent delivery that was asked for last
        self.asked_together = connector.limits.batch_size  #: silent deliveries in one look-up
        self._by_person = is_by_person(destination)
        sends = () if destination.resends else (OnUnknown.RESEND,)
        self._left_to_a_person = {OnUnknown.PERSON, *sends}
        self._stopping = False
        self._looks_first = True
        self._at_work = asyncio.Lock()
        self._owned_until = 0.0  #: of the monotonic clock
        self._tidying, self._searching = Seldom(), Seldom()
        # Before the last delivery that was claimed for the first time are rows that are done with.
        # While somebody keeps an old transaction open, none of them can be removed, and a search
        # past all of them takes longer and longer: it is made seldom, and begins behind that one
        # meanwhile. What became ready before has its turn some seconds later.
        self._fronts = claims.FROM_THE_FIRST
        #: Places of claims that are still to be given to new and to overdue ones: of a claim of one
        #: their shares are parts.
        self._fresh = self._backfill = 0.0
        self._progress: float | None = None  #: of the monotonic clock; None between two rounds

    @property
    def name(self) -> str:
        """The name of the destination."""
        return self.destination.name

    @property
    def is_quiet(self) -> bool:
        """Whether the destination must not be called now 免打扰时段."""
        return self.destination.is_quiet(self.clock())

    @property
    def _longest_wait(self) -> timedelta:
        """The longest wait for a retry after the due time."""
        return max(self.destination.retry_floor, self.destination.retry_cap)

    @property
    def is_owner(self) -> bool:
        """Whether this process owns the destination now."""
        return time.monotonic() < self._owned_until

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
        """Run one round: own, expire leases, look up unknown outcomes, send ready deliveries.

        Beside it a heartbeat keeps the ownership; when that is lost, no further call begins.
        """
        async with self._at_work:
            if self._stopping or not await self.owns():
                return Round(owned=False)
            return await self._guarded_round()

    async def _guarded_round(self) -> Round:
        self._progress = time.monotonic()
        beat = asyncio.create_task(self._keep_owning())
        try:
            done = await self._round()
        finally:
            beat.cancel()
            self._progress = None
        await self.caller.save()
        return done

    async def _round(self) -> Round:
        await self._tidy()
        done = Round()
        if self.is_quiet or self._by_person:
            return done
        # Where a resend finds out, both are sends: a probe of each in turn, since one of them may
        # fail for ever by a single item.
        probed = False
        for look in (self._looks_first, not self._looks_first):
            state, before = await self.caller.state(self.caller.act(look=look)), done.claimed
            if state is not BreakerState.OPEN:
                await self._claim_and_call(done, look=look, probe=state is BreakerState.HALF_OPEN)
                probed |= state is BreakerState.HALF_OPEN and done.claimed > before
        self._looks_first ^= probed
        return done

    async def stop(self) -> None:
        """Begin no further call, and wait for those under way, but no longer than they may take.

        Deliveries that were claimed for a call go back as they were.
        """
        self._stopping = True
        longest = self.connector.limits.call_timeout.total_seconds() + STOP_MARGIN
        with suppress(TimeoutError):
            async with asyncio.timeout(longest), self._at_work:
                pass

    @property
    def stuck(self) -> bool:
        """Whether a round has done nothing for longer than its calls and writes may take."""
        if self._progress is None:
            return False
        call = self.connector.limits.call_timeout.total_seconds()
        return time.monotonic() - self._progress > 2 * (call + AHEAD_SECONDS + FINISH_PATIENCE)

    async def close(self) -> None:
        """Give up the ownership; if the database is away, the ownership expires."""
        with suppress(DatabaseAway):
            async with self.database.transaction() as connection:
                await destination_store.disown(connection, self.name, self.owner)
        await self.connector.close()

    # ------------------------------------------------------------ before a call

    async def owns(self) -> bool:
        """Take or renew the ownership; return whether this process has it."""
        start = time.monotonic()
        async with self.database.transaction() as connection:
            fencing = await destination_store.own(connection, self.name, self.owner, OWNERSHIP)
            if self.caller.pace.is_limited and self.caller.is_other(fencing):
                self.caller.pace.restore(await destination_store.calls(connection, self.name))
        self.caller.own(fencing)
        self._owned_until = start + OWNERSHIP.total_seconds() if fencing is not None else 0.0
        return fencing is not None

    async def _keep_owning(self) -> None:
        """Renew the ownership for as long as a round lasts, and store the breaker."""
        while True:
            await asyncio.sleep(OWNERSHIP.total_seconds() / 3)
            try:
                await self.owns()
                await self.caller.save()
            except DatabaseAway:
                continue  # the ownership then ends by itself
            except Exception as error:  # noqa: BLE001  the next beat may succeed
                extra = {"destination": self.name, "error": type(error).__name__}
                logger.exception(LogEvent.HEARTBEAT_FAILED, extra=extra)

    def _may_call(self) -> bool:
        self._progress = time.monotonic()
        return not (self._stopping or self.is_quiet) and self.is_owner

    async def _tidy(self) -> None:
        if not self._tidying.is_time:
            return
        now = self.clock()
        with self._tidying.measured():
            lost, promoted = await self._tidied(now)
        if promoted:  # perhaps not all whose time has come
            self._tidying.at_once()
        if lost:
            self.metrics.lost_leases.labels(self.name).inc(lost)
            logger.warning(LogEvent.LEASE_LOST, extra={"destination": self.name, "count": lost})

    async def _tidied(self, now: datetime) -> tuple[int, int]:
        """Return how many leases were lost, and how many deferred deliveries became ready."""
        async with self.database.transaction() as connection:
            if self._by_person:
                lost = await ends.release_leases(connection, self.name, now)
            else:
                lost = await ends.expire_leases(connection, self.name, self.destination.settle, now)
            wait = self._longest_wait
            return lost, await claims.promote_deferred(connection, self.name, now, wait)

    async def _call(self, claimed: Sequence[Claimed], until: float, done: Round) -> None:
        try:
            await self._calls.make(claimed, until, done)
        finally:
            self.caller.pace.reserve(0)

    def _shares(self, limit: int) -> tuple[int, int]:
        """Return how many places of a claim are for new deliveries, and for overdue ones."""
        self._fresh += limit * self.destination.fresh_share
        self._backfill += limit * self.destination.backfill_share
        fresh, backfill = int(self._fresh), int(self._backfill)
        self._fresh -= fresh
        self._backfill -= backfill
        return fresh, backfill

    async def _claim_and_call(self, done: Round, *, look: bool, probe: bool) -> None:
        limits = self.connector.limits
        if look and limits.on_unknown in self._left_to_a_person:
            return
        pace = self.caller.pace
        if pace.seconds_to_turn() > AHEAD_SECONDS:
            return
        ahead = pace.calls_within(CALLS_AHEAD * limits.concurrency, AHEAD_SECONDS)
        wanted = 1 if probe else limits.batch_size * ahead
        calls = -(-wanted // limits.batch_size)
        lease = lease_for(limits.call_timeout, calls, limits.concurrency)
        limit = min(wanted, 2000)
        is_ready = not (look or probe)
        is_search = is_ready and self._searching.is_time
        fronts = claims.FROM_THE_FIRST if is_search else self._fronts
        fresh, backfill = self._shares(limit) if is_ready else (0, 0)
        now, start = self.clock(), time.monotonic()
        async with self.database.transaction() as connection:
            with self._searching.measured() if is_search else nullcontext():
                claimed = await claims.claim(
                    connection,
                    self.name,
                    limit=limit,
                    fresh=fresh,
                    backfill=backfill,
                    fronts=fronts,
                    token=str(uuid.uuid4()),
                    lease=lease,
                    now=now,
                    look=look,
                    act=self.caller.act(look=look).value,
                    probe=probe,
                    longest=self._longest_wait,
                )
            if claimed and pace.is_limited:
                pace.reserve(-(-len(claimed) // limits.batch_size))
                await destination_store.keep_calls(connection, self.caller.ownership, pace.kept())
            sealed = (one.key_version for one in claimed if one.secret is not None)
            await know(connection, self.keys, filter(None, sealed))
        if is_ready:
            self._fronts = fronts.behind(claimed, now)
        if claimed:
            until = start + (lease - limits.call_timeout - GRACE).total_seconds() - 1
            await self._call(claimed, until, done)
