"""The turns of those that send and of those that ask, over an hour of which nobody waits."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from gateway.deliver import pace
from gateway.deliver.pace import Pace
from schemas.destination import Destination


class VirtualTime:
    """A clock that goes on when everybody sleeps."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 2, 1, tzinfo=UTC)
        self._sleeping: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._count = 0

    def __call__(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self._count += 1
        until = self.now + timedelta(seconds=seconds)
        awake = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleeping, (until, self._count, awake))
        await awake

    async def pass_until(self, end: datetime) -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        while self._sleeping and self._sleeping[0][0] <= end:
            self.now, _, awake = heapq.heappop(self._sleeping)
            if not awake.done():
                awake.set_result(None)
            for _ in range(20):
                await asyncio.sleep(0)


@pytest.mark.parametrize(("calls", "seconds"), [(60, 60), (10, 60), (1, 10), (5000, 86400)])
async def test_who_asks_keeps_nobody_from_sending(
    monkeypatch: pytest.MonkeyPatch, calls: int, seconds: int
) -> None:
    time = VirtualTime()
    monkeypatch.setattr(pace, "asyncio", SimpleNamespace(sleep=time.sleep, Lock=asyncio.Lock))
    rates = [{"calls": calls, "within": seconds}]
    given = {"name": "p", "title": "", "connector": "memory", "takes": ["penalty"], "rates": rates}
    turns = Pace(Destination.model_validate(given), time, asks=True)
    made = {False: 0, True: 0}

    async def go_on(*, asking: bool) -> None:
        while True:
            made[asking] += await turns.turn(lambda: False, asking=asking)
            await time.sleep(seconds / calls / 3)

    both = [asyncio.create_task(go_on(asking=asking)) for asking in (False, True)]
    await time.pass_until(time.now + timedelta(hours=6))
    for task in both:
        task.cancel()

    permitted = min(6 * 3600, max(calls, 6 * 3600 * calls // seconds))
    assert made[False] >= 0.7 * permitted
    assert made[True] >= 0.15 * 6 * 3600 * calls / seconds
    assert sum(made.values()) <= permitted + calls
