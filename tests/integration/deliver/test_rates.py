"""The rates of a destination hold over claims, look-ups, receipts and changes of the owner."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.deliver import pace
from gateway.deliver.receipts import receive
from gateway.service.roles import build_deliverers
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

ONE_BY_ONE = {"settings": {"batch_size": 1, "concurrency": 1}}


@pytest.fixture(autouse=True)
def pauses_move_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pause takes no time; the test moves its own clock."""

    async def pause(_: float) -> None:
        return None

    monkeypatch.setattr(pace, "asyncio", SimpleNamespace(sleep=pause, Lock=asyncio.Lock))


async def limited(make_world: MakeWorld, *rates: dict[str, Any]) -> World:
    destination = PLATFORM | ONE_BY_ONE | {"rates": list(rates)}
    world = await make_world(destinations=[destination, BANK])
    await world.take(*(penalty(n, n) for n in range(1, 31)))
    return world


async def test_a_used_up_window_leaves_the_rest_for_later(make_world: MakeWorld) -> None:
    world = await limited(make_world, {"calls": 5, "within": "PT1H"})

    await world.deliverer().drain()
    first = world.connector().calls
    world.clock.step(timedelta(minutes=59))
    await world.deliverer().drain()
    still = world.connector().calls
    world.clock.step(timedelta(minutes=2))
    await world.deliverer().drain()

    assert (first, still, world.connector().calls) == (5, 5, 10)


async def test_another_process_goes_on_with_the_same_budget(make_world: MakeWorld) -> None:
    world = await limited(make_world, {"calls": 5, "within": "PT1H"})
    await world.deliverer().drain()
    await world.deliverer().close()
    [other, _] = build_deliverers(world.gateway)

    await other.drain()

    assert other.is_owner
    assert other.connector.calls == 0  # type: ignore[attr-defined]  # the twin of tests


async def test_a_process_that_dies_in_its_calls_has_spent_them(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await limited(make_world, {"calls": 5, "within": "PT1H"})

    async def killed(*_: object) -> None:
        raise SystemExit

    monkeypatch.setattr(world.deliverer()._calls, "make", killed)
    with pytest.raises(SystemExit):
        await world.deliverer().round()
    await world.run("update destination set owner = null")
    [other, _] = build_deliverers(world.gateway)

    await other.drain()

    assert other.connector.calls == 0  # type: ignore[attr-defined]  # the twin of tests


async def test_receipts_count_too(make_world: MakeWorld) -> None:
    world = await limited(make_world, {"calls": 3, "within": "PT1H"})

    await receive(world.deliverer())
    await world.deliverer().drain()

    assert world.connector().calls == 2


async def test_the_rate_of_the_night_holds_at_night(make_world: MakeWorld) -> None:
    day = {"calls": 1, "within": "PT1H", "during": {"starts": "07:00", "ends": "21:00"}}
    night = {"calls": 10, "within": "PT1H", "during": {"starts": "21:00", "ends": "07:00"}}
    world = await limited(make_world, day, night)

    await world.deliverer().drain()
    by_day = world.connector().calls
    world.clock.step(timedelta(hours=14))
    await world.deliverer().drain()

    assert (by_day, world.connector().calls) == (1, 11)
