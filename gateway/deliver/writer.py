"""Write outcomes in batches while calls end."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, retry_if_exception, stop_after_delay, wait_exponential

from gateway.config.clock import Clock
from gateway.deliver.outcome import without_words
from gateway.store.base.engine import Connection, Database, DatabaseAway
from gateway.store.base.steadiness import UNBEARABLE, TooMuchAtOnce, run_steadily
from gateway.store.deliver import ends
from gateway.telemetry.metrics import Metrics
from schemas.delivery import Finish

#: Outcomes written in one transaction, and the seconds that the first waits for more.
FINISH_BATCH = 256
FINISH_LINGER = 0.005
#: Seconds that outcomes wait while the database is away.
FINISH_PATIENCE = 60


#: Outcomes of calls as they come, then None.
Queue = asyncio.Queue[list[Finish] | None]


@dataclass(slots=True)
class Round:
    """What one round did: deliveries claimed, and the count of each outcome."""

    owned: bool = True
    claimed: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)


class Writer:
    """Write the outcomes of one destination, each batch in one transaction."""

    def __init__(self, name: str, database: Database, clock: Clock, metrics: Metrics) -> None:
        self.name = name
        self.database = database
        self.clock = clock
        self.metrics = metrics

    async def write(self, queue: Queue, done: Round) -> None:
        """Write outcomes in batches until None comes; add their counts to `done`."""
        ended = False
        while not ended:
            pending, ended = await _gather(queue)
            if pending:
                await self._finish(pending, done)

    async def _finish(self, pending: Sequence[Finish], done: Round) -> None:
        now = self.clock()
        try:
            ours = await self._patiently(lambda c: ends.finish(c, pending, now))
        except UNBEARABLE as error:
            if len(pending) > 1:
                middle = len(pending) // 2
                await self._finish(pending[:middle], done)
                await self._finish(pending[middle:], done)
            elif pending[0] != (plain := without_words(pending[0])):
                await self._finish([plain], done)
            else:
                raise DatabaseAway(str(error)) from error
            return
        for one in pending:
            if one.id in ours:
                done.outcomes[one.outcome] = done.outcomes.get(one.outcome, 0) + 1
                self.metrics.outcomes.labels(self.name, one.outcome).inc()
            else:
                self.metrics.lost_leases.labels(self.name).inc()

    async def _patiently(self, work: Callable[[Connection], Awaitable[set[int]]]) -> set[int]:
        """Repeat while the database is away: losing an outcome means looking the item up later."""
        patient = AsyncRetrying(
            stop=stop_after_delay(FINISH_PATIENCE),
            wait=wait_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception(_is_outage),
            reraise=True,
        )
        return await patient(run_steadily, self.database, work)


def _is_outage(error: BaseException) -> bool:
    return isinstance(error, DatabaseAway) and not isinstance(error, TooMuchAtOnce)


async def _gather(queue: Queue) -> tuple[list[Finish], bool]:
    """Collect outcomes until the batch is full, the linger time has passed, or None comes."""
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
