"""When what is open will be sent 报送计划 (pure): by due time, at the allowed rates."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from gateway.deliver.budget import CallBudget, Kept
from schemas.base import SHANGHAI
from schemas.delivery import OpenDelivery
from schemas.destination import Destination

#: What cannot be sent within this time is not planned further.
HORIZON = timedelta(days=366)
#: Steps over quiet hours and used-up windows before a call is given up as never.
_STEPS = 1_000
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Planned:
    """An open delivery, and when its call would begin; None: not within the horizon."""

    id: int
    due_at: datetime
    sent_at: datetime | None

    @property
    def is_late(self) -> bool:
        """Whether it would be sent after its due time."""
        return self.sent_at is None or self.sent_at >= self.due_at


@dataclass(frozen=True, slots=True)
class Calling:
    """How calls of a destination go: items in one, calls at a time, seconds that one takes."""

    batch_size: int
    concurrency: int
    seconds: float


def plan(
    destination: Destination,
    calling: Calling,
    waiting: Sequence[OpenDelivery],
    kept: Kept,
    now: datetime,
) -> list[Planned]:
    """Return when each would be sent, if every call succeeds and nothing else comes.

    `kept` are the calls made so far. The earliest due of what may be called goes first, a whole
    batch at a time, not in quiet hours, within the rates; what is overdue has its share while
    others wait. What stands behind another one of its chain goes once that call is over.
    """
    budget = CallBudget(destination.rates)
    budget.restore(kept)
    followers = {one.behind: one for one in waiting if one.behind is not None}
    later = [(one.not_before, one.id, one) for one in waiting if one.behind is None]
    heapq.heapify(later)
    ready = _Ready(destination.backfill_share)
    workers, clock = [now] * calling.concurrency, now
    planned: list[Planned] = []
    while later or ready:
        # Who is free earlier has had nothing to do until then.
        at = max(heapq.heappop(workers), clock)
        if not ready and later[0][0] > at:
            at = later[0][0]
        begins = _turn(destination, budget, at)
        if begins is None or begins > now + HORIZON:
            break
        clock = begins
        while later and later[0][0] <= begins:
            ready.add(heapq.heappop(later)[2])
        budget.take(begins.timestamp())
        ends = begins + timedelta(seconds=calling.seconds)
        for due, id_ in ready.batch(calling, begins):
            planned.append(Planned(id_, due, begins))
            if (next_one := followers.pop(id_, None)) is not None:
                heapq.heappush(later, (max(ends, next_one.not_before), next_one.id, next_one))
        heapq.heappush(workers, ends)
    rest = [*ready.rest(), *((one.due_at, one.id) for _, _, one in later)]
    rest += [(one.due_at, one.id) for one in followers.values()]
    return planned + [Planned(id_, due, None) for due, id_ in sorted(rest)]


class _Ready:
    """What may be called: those that can be in time, and those that are overdue."""

    def __init__(self, share: float) -> None:
        self._share = share
        self._places = 0.0  #: of overdue ones, as claims count them
        self._timely: list[tuple[datetime, int]] = []
        self._overdue: list[tuple[datetime, int]] = []

    def __len__(self) -> int:
        return len(self._timely) + len(self._overdue)

    def add(self, one: OpenDelivery) -> None:
        heapq.heappush(self._timely, (one.due_at, one.id))

    def rest(self) -> list[tuple[datetime, int]]:
        return self._timely + self._overdue

    def batch(self, calling: Calling, now: datetime) -> list[tuple[datetime, int]]:
        """Take the items of one call."""
        while self._timely and self._timely[0][0] <= now:
            heapq.heappush(self._overdue, heapq.heappop(self._timely))
        self._places += calling.batch_size * self._share
        late = min(int(self._places), len(self._overdue))
        self._places -= int(self._places)
        timely = min(calling.batch_size - late, len(self._timely))
        late = min(calling.batch_size - timely, len(self._overdue))
        return [heapq.heappop(self._overdue) for _ in range(late)] + [
            heapq.heappop(self._timely) for _ in range(timely)
        ]


def _turn(destination: Destination, budget: CallBudget, at: datetime) -> datetime | None:
    """Return when the next call may begin; None if that is not found."""
    for _ in range(_STEPS):
        if destination.is_quiet(at):
            at = at.replace(second=0, microsecond=0) + _MINUTE
            while destination.is_quiet(at):
                at += _MINUTE
        wait = budget.wait(at.timestamp())
        if wait <= 0:
            return at
        at += timedelta(seconds=wait)
    return None


class PlannedHour(NamedTuple):
    """What is sent in an hour of China, and how much of it is late."""

    begins: datetime
    sent: int
    late: int


def by_hour(planned: Sequence[Planned]) -> list[PlannedHour]:
    """Return what is sent, by the hour; what is never sent is not in it."""
    counts: dict[datetime, list[int]] = {}
    for one in planned:
        if one.sent_at is None:
            continue
        local = one.sent_at.astimezone(SHANGHAI)
        hour = local.replace(minute=0, second=0, microsecond=0)
        count = counts.setdefault(hour, [0, 0])
        count[0] += 1
        count[1] += one.is_late
    return [PlannedHour(hour.astimezone(UTC), *counts[hour]) for hour in sorted(counts)]
