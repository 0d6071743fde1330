"""A `send` that makes several calls, within one time limit and without losing answers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from contextvars import ContextVar
from datetime import timedelta
from math import inf

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.protocol import FURTHER_CALL
from connectors.shared.words import reason
from schemas.delivery import Item, Listed, Outcome, OutcomeKind

#: Rows that are remembered as refused alone.
MOST_REFUSED = 10_000

UNKNOWN = Outcome(kind=OutcomeKind.UNKNOWN)

#: When the present call ends, by the time of the loop: what must end before it looks here.
DEADLINE: ContextVar[float] = ContextVar("deadline", default=inf)

SendPart = Callable[[Sequence[Item]], Awaitable[list[Outcome]]]


class BatchRefused(CallRejected):
    """The destination refused a call for its size, or for something in it."""


class LoginRefused(CallRejected):
    """The destination does not let us in: no other call is made, which would be refused as well."""


@asynccontextmanager
async def within(limit: timedelta) -> AsyncIterator[None]:
    """Limit the time of a call; raises OutcomeUnknown after it, as something may have been sent."""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            yield
    except TimeoutError as exc:
        raise OutcomeUnknown(f"{limit.total_seconds():g} 秒内没有应答") from exc


def outcome_of(error: ConnectorError) -> Outcome:
    """Return the outcome that an error of a call means for each of its items."""
    unknown = isinstance(error, OutcomeUnknown)
    return Outcome(
        kind=OutcomeKind.UNKNOWN if unknown else OutcomeKind.DEFERRED,
        retry_after=error.retry_after,
        reasons=(reason(str(error)),),
        answered=False,
        theirs=error.theirs and not isinstance(error, CallRejected),
    )


def halves(items: Sequence[Item]) -> tuple[Sequence[Item], Sequence[Item]]:
    """Return two parts for a call that cannot be made, or told apart, as a whole."""
    middle = len(items) // 2
    return items[:middle], items[middle:]


class BatchSize:
    """How many rows go into one call of a destination: as many as it takes, up to its limit."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.now = most
        self._taken = 0  #: calls that it has taken
        self._refused: dict[str, int] = {}  #: how many of those before a row was refused alone

    def parts(self, items: Sequence[Item]) -> list[Sequence[Item]]:
        """Divide the items into calls."""
        return [items[start : start + self.now] for start in range(0, len(items), self.now)]

    def passed(self, count: int) -> None:
        """Note a call that was taken: a full one makes the next a bit larger."""
        self._taken += 1
        if count >= self.now:
            self.now = min(self.most, self.now + max(1, self.now // 10))

    def is_verdict(self, key: str) -> bool:
        """Whether it is this row that is refused: others were taken since it was refused first."""
        if len(self._refused) >= MOST_REFUSED:
            self._refused.clear()
        before = self._refused.setdefault(key, self._taken)
        return self._taken > before

    def settled(self, largest: int) -> None:
        """Note the largest call that was taken after larger ones were refused."""
        self.now = max(1, largest)


async def send_parts(
    parts: Sequence[Sequence[Item]],
    send: SendPart,
    limit: timedelta,
    size: BatchSize | None = None,
) -> list[Outcome]:
    """Send parts one after another within one time limit; stop at the first failure.

    A part that is refused for what it contains is halved, down to the row. A row is rejected if
    others are taken in the same run, or were since it was refused first; else the destination may
    be refusing everything. A part that is refused for another reason does not keep
    the others from being sent; if nothing is taken, the first refusal is raised. Of other failures,
    that of the first part is raised, unless it asks us to wait. Others become outcomes: unknown or
    deferred for their items, and deferred for the items that were not sent.
    """
    sending = _Sending(send, limit, size or BatchSize(1))
    return await sending.run(parts)


class _Sending:
    """The calls of one `send_parts`."""

    def __init__(self, send: SendPart, limit: timedelta, size: BatchSize) -> None:
        self._send = send
        self._deadline = asyncio.get_running_loop().time() + limit.total_seconds()
        self._size = size
        self._outcomes: list[Outcome] = []
        self._failed: ConnectorError | None = None
        self._refused: list[CallRejected] = []
        self._largest = 0  #: call that was taken
        self._halved = self._begun = False
        #: Rows that are refused alone: place, error and key.
        self._alone: list[tuple[int, BatchRefused, str]] = []
        self._rejected = False

    async def run(self, parts: Sequence[Sequence[Item]]) -> list[Outcome]:
        """Send every part, in order."""
        waiting = deque(parts)
        while waiting:
            part = waiting.popleft()
            if self._failed is not None:
                later = NotSent("前一次调用失败，本次没有发送", self._failed.retry_after)
                later.theirs = self._failed.theirs
                self._outcomes += [outcome_of(later)] * len(part)
                continue
            try:
                await self._one(part)
            except BatchRefused:
                self._halved = True
                waiting.extendleft(reversed(halves(part)))
        if self._halved and self._largest and not self._alone:  # else it was a row, not the size
            self._size.settled(self._largest)
        self._judge_alone()
        stopped = self._failed is not None and not isinstance(self._failed, LoginRefused)
        if self._refused and not self._largest and not stopped and not self._rejected:
            raise self._refused[0]
        return self._outcomes

    async def _one(self, part: Sequence[Item]) -> None:
        """Send one part; raises BatchRefused if it can be halved."""
        try:
            await self._turn()
            self._outcomes += await by(self._deadline, self._send, part)
            self._largest = max(self._largest, len(part))
            self._size.passed(len(part))
        except BatchRefused as exc:
            if len(part) > 1:
                raise
            self._alone.append((len(self._outcomes), exc, part[0].key))
            self._outcomes.append(outcome_of(exc))
        except CallRejected as exc:
            if isinstance(exc, LoginRefused):
                self._failed = exc
            self._refused.append(exc)
            self._outcomes += [outcome_of(exc)] * len(part)
        except ConnectorError as exc:
            if self._halved and not self._largest and not self._alone:
                self._size.settled(len(part))  # else the next send would begin as large again
            if not self._outcomes and exc.retry_after is None:
                raise
            self._failed = exc
            self._outcomes += [outcome_of(exc)] * len(part)

    async def _turn(self) -> None:
        """Wait until the permitted rates allow a call beyond the first."""
        further = FURTHER_CALL.get()
        if self._begun and further is not None and not await further():
            raise NotSent("到了限速，本次没有发送")
        self._begun = True

    def _judge_alone(self) -> None:
        """Reject the rows that were refused alone, where that is about them."""
        for place, error, key in self._alone:
            if self._largest or self._size.is_verdict(key):
                self._rejected = True
                rejected = Outcome(kind=OutcomeKind.REJECTED, reasons=(reason(str(error)),))
                self._outcomes[place] = rejected
            else:
                self._refused.append(error)


async def by(deadline: float, send: SendPart, part: Sequence[Item]) -> list[Outcome]:
    """Make a call that must end by a time of the loop; raises OutcomeUnknown after it."""
    token = DEADLINE.set(deadline)
    try:
        async with asyncio.timeout_at(deadline):
            return await send(part)
    except TimeoutError as exc:
        raise OutcomeUnknown("在调用时限内没有应答") from exc
    finally:
        DEADLINE.reset(token)


async def nothing_listed() -> AsyncIterator[Listed]:
    """Yield nothing; for destinations without a published list."""
    rows: tuple[Listed, ...] = ()
    for row in rows:
        yield row
