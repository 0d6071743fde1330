"""Make the calls of one claim, several at a time, and write their outcomes as they come."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from gateway.config.clock import Clock
from gateway.config.keys import Keys
from gateway.deliver.breaker import Act
from gateway.deliver.caller import Caller
from gateway.deliver.item import item
from gateway.deliver.outcome import finish, not_called, unusable, without_a_call
from gateway.deliver.writer import Queue, Round, Writer
from gateway.telemetry.log import item_failed
from gateway.telemetry.tracing import TracedDelivery, tracing
from schemas.delivery import HANDED_OVER, Claimed, Finish, Item, ItemKind
from schemas.destination import Destination


class Calls:
    """The calls of the claims of one destination.

    Whatever happens to one item or call is the outcome of that item or call: the others go on.
    """

    def __init__(  # noqa: PLR0913, PLR0917  what a call and its outcome need
        self,
        destination: Destination,
        caller: Caller,
        keys: Keys,
        installation: str,
        clock: Clock,
        writer: Writer,
        may_call: Callable[[], bool],
    ) -> None:
        self.destination = destination
        self.caller = caller
        self.keys = keys
        self.installation = installation
        self.clock = clock
        self.writer = writer
        self.may_call = may_call

    async def make(self, claimed: Sequence[Claimed], until: float, done: Round) -> None:
        """Call with every claimed delivery and write all outcomes; add their counts to `done`.

        No call begins after `until` (of the monotonic clock), or once `may_call` says no: the
        deliveries without a call go back as they were claimed.

        Raises:
            DatabaseAway: outcomes could not be written; no further call was begun.
        """
        limits = self.caller.connector.limits
        act = self.caller.act(look=claimed[0].look)
        over = [end for one in claimed if (end := without_a_call(one, sends=act is Act.SEND))]
        ended = {one.id for one in over}
        live = [one for one in claimed if one.id not in ended]
        starts = range(0, len(live), limits.batch_size)
        groups = iter([live[start : start + limits.batch_size] for start in starts])
        queue: Queue = asyncio.Queue()
        writing = asyncio.create_task(self.writer.write(queue, done))

        def ends() -> bool:
            over = time.monotonic() > until or writing.done()
            return over or self.caller.is_open(act) or not self.may_call()

        if over:
            queue.put_nowait(over)
        try:
            async with asyncio.TaskGroup() as tasks:
                for _ in range(min(limits.concurrency, len(starts))):
                    tasks.create_task(self._work(groups, ends, until, queue))
        finally:
            queue.put_nowait(None)
            await writing
        done.claimed += len(claimed)

    async def _work(
        self,
        groups: Iterator[Sequence[Claimed]],
        ends: Callable[[], bool],
        until: float,
        queue: Queue,
    ) -> None:
        """Take one group after the other; the workers share the groups."""

        for group in groups:
            uncalled = group
            if await self.caller.pace.turn(ends):
                uncalled, items = self._made(group, queue)
                # Asked again: making items takes time, and the process may have stood still.
                if not ends():
                    await self._call(uncalled, items, until, queue)
                    continue
            queue.put_nowait([not_called(one, self.clock()) for one in uncalled])

    def _made(
        self, group: Sequence[Claimed], queue: Queue
    ) -> tuple[Sequence[Claimed], Sequence[Item]]:
        """Make the items of a group; return what they were made of too. The rest has ended."""
        usable: list[Claimed] = []
        items: list[Item] = []
        for one in group:
            try:
                items.append(item(one, self.destination, self.installation, self.keys))
            except Exception as error:  # noqa: BLE001  it is that item's outcome
                reference = item_failed(error, destination=one.destination, delivery=one.id)
                queue.put_nowait([unusable(one, reference)])
            else:
                usable.append(one)
        return usable, items

    async def _call(
        self, group: Sequence[Claimed], items: Sequence[Item], until: float, queue: Queue
    ) -> None:
        if not items:
            return
        begun, look = tracing.now(), group[0].look
        outcomes = await self.caller.outcomes(items, look=look, until=until)
        now = self.clock()
        pairs = zip(group, outcomes, strict=True)
        ends = [finish(one, what, self.destination, now) for one, what in pairs]
        queue.put_nowait(ends)
        act = self.caller.act(look=look).value
        tracing.call(begun, self.destination.name, act, map(_traced, group, ends))
        for claimed, end in zip(group, ends, strict=True):
            if end.state in HANDED_OVER:
                self.caller.metrics.handed_over(claimed, now)


def _traced(claimed: Claimed, end: Finish) -> TracedDelivery:
    is_record = claimed.item_kind == ItemKind.RECORD_VERSION
    return TracedDelivery(claimed.id, claimed.item_id if is_record else None, end.state.value)
