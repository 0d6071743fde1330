"""One connector on trial: calls to it that hold it to its word, and the items that it gets."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Protocol, TypeVar

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.protocol import Connector
from connectors.shared import Clock
from schemas.delivery import HANDED_OVER, Item, Listed, ListingMark, Outcome, OutcomeKind

T = TypeVar("T")

#: The destination has it, or says that it will look at it.
TAKEN = frozenset(OutcomeKind(state.value) for state in HANDED_OVER)
#: What a call may take beyond its own limit before it counts as hanging.
PATIENCE = timedelta(seconds=15)
#: Between two looks for what a destination shows late.
_PAUSE = 1.0
#: Rows of a listing that are read.
_MOST_LISTED = 1000


class ItemMaker(Protocol):
    """Makes item `number`; `changes` replace its fields. The same number has the same key."""

    def __call__(self, number: int, /, **changes: Any) -> Item: ...  # noqa: D102  as the class


class Broken(Exception):
    """The connector broke a promise; the message says how."""


class Untried(Exception):
    """The promise could not be tried at this destination, now; the message says why."""


class DoesNotApply(Exception):
    """The connector does not promise this; the message says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A connector, the makers of what it is sent, one for each kind, and its clock.

    `settle` is how long a destination may take until it shows what it has taken.
    """

    connector: Connector
    makers: Sequence[ItemMaker]
    now: Clock
    settle: timedelta = timedelta(0)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def item(self, **changes: Any) -> Item:
        """Make an item of the first kind that was not used before."""
        return self.makers[0](next(self._numbers), **changes)

    def items_of_each_kind(self, number: int) -> list[Item]:
        """Make so many new items of every kind."""
        return [maker(next(self._numbers)) for maker in self.makers for _ in range(number)]

    async def send(self, *items: Item) -> list[Outcome]:
        """Send items as the gateway does, in calls of at most a batch."""
        size = self.connector.limits.batch_size
        outcomes: list[Outcome] = []
        for start in range(0, len(items), size):
            part = items[start : start + size]
            outcomes += _one_each(part, await self._within(self.connector.send(part)), "send")
        return outcomes

    async def look_up(self, *items: Item) -> list[Outcome]:
        """Ask for items, in calls of at most a batch."""
        size = self.connector.limits.batch_size
        outcomes: list[Outcome] = []
        for start in range(0, len(items), size):
            part = items[start : start + size]
            found = await self._within(self.connector.look_up(part))
            outcomes += _one_each(part, found, "look_up")
        return outcomes

    async def taken(self) -> Item:
        """Send a new item, which the destination takes; raises Untried if it does not."""
        item = self.item()
        [outcome] = await self.send(item)
        if outcome.kind not in TAKEN:
            said = "；".join(outcome.reasons) or "没有说明"
            raise Untried(f"对方没有收下测试条目（{outcome.kind.value}）：{said}")
        return item

    async def settled(self, looked: Callable[[], Awaitable[bool]]) -> bool:
        """Whether the look succeeds, at the latest when the destination has settled."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settle.total_seconds() or None):
                while not await looked():
                    if not self.settle:
                        return False
                    await asyncio.sleep(_PAUSE)
                return True
        return False

    async def listed(self, since: datetime) -> list[Listed | ListingMark]:
        """Return what the destination shows since a time, at most a page or two of it."""
        return await self._within(self._listing(since))

    async def _listing(self, since: datetime) -> list[Listed | ListingMark]:
        rows: list[Listed | ListingMark] = []
        async with aclosing(self.connector.listing(since)) as listing:  # type: ignore[type-var]
            async for row in listing:
                rows.append(row)
                if len(rows) >= _MOST_LISTED:
                    break
        return rows

    async def _within(self, call: Awaitable[T]) -> T:
        """Wait for a call for as long as it may take; raises Broken if it takes longer."""
        limit = self.connector.limits.call_timeout
        try:
            async with asyncio.timeout((limit + PATIENCE).total_seconds()):
                return await call
        except TimeoutError:
            raise Broken(
                f"一次调用超过自己声明的时限 {limit.total_seconds():g} 秒还没有结束"
            ) from None


def _one_each(items: Sequence[Item], outcomes: Any, method: str) -> list[Outcome]:
    if not isinstance(outcomes, list) or not all(isinstance(one, Outcome) for one in outcomes):
        raise Broken(f"{method} 应返回 Outcome 的列表，返回的是 {type(outcomes).__name__}")
    if len(outcomes) != len(items):
        raise Broken(f"{method} 给了 {len(items)} 条，返回 {len(outcomes)} 个结果；应一条一个")
    return outcomes


def told(error: ConnectorError) -> str:
    """Return an error of a whole call for people."""
    match error:
        case NotSent():
            return f"没有发出：{error}"
        case OutcomeUnknown():
            return f"结果不明：{error}"
        case CallRejected():
            return f"整次调用被拒：{error}"
        case _:
            return str(error)
