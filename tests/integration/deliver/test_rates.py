"""The rates of a destination hold over claims, look-ups, receipts and changes of the owner."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from connectors.errors import NotSent
from gateway.deliver import pace
from gateway.deliver.receipts import receive
from gateway.deliver.silence import ask
from gateway.service.roles import build_deliverers
from tests.conftest import BANK, PLATFORM
from tests.connectors.raw_server import answer, raw_server, request_of
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


async def limited(make_world: MakeWorld, *rates: dict[str, Any], **more: Any) -> World:
    destination = PLATFORM | ONE_BY_ONE | {"rates": list(rates)} | more
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

    assert (first, still, world.connector().calls) == (4, 4, 8)  # a fifth is for receipts


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

    assert (by_day, world.connector().calls) == (1, 9)


async def test_a_destination_goes_on_after_the_clock_of_its_owner_was_ahead(
    make_world: MakeWorld,
) -> None:
    world = await limited(make_world, {"calls": 5, "within": "PT1M"})
    world.clock.step(timedelta(days=400))
    await world.deliverer().drain()
    await world.deliverer().close()
    world.clock.step(timedelta(days=-400))
    [other, _] = build_deliverers(world.gateway)

    for _ in range(10):
        world.clock.step(timedelta(minutes=10))
        await other.drain()

    assert other.connector.calls > 0  # type: ignore[attr-defined]  # the twin of tests


async def test_a_call_is_not_tried_again_at_once_beyond_the_rate(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await limited(make_world, {"calls": 1, "within": "PT1H"})
    calls = 0

    async def busy(items: Any) -> Any:
        nonlocal calls
        del items
        calls += 1
        raise NotSent("503")

    monkeypatch.setattr(world.connector(), "send", busy)

    await world.deliverer().round()

    assert calls == 1


async def test_what_is_stored_within_a_claim_has_its_other_calls_too(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await limited(make_world, {"calls": 5, "within": "PT1H"})
    deliverer, send, kept = world.deliverer(), world.connector().send, []

    async def counted(items: Any) -> Any:
        await deliverer.caller.save()  # as the heartbeat does
        [calls] = await world.column("select calls from destination where name = 'platform'")
        kept.append(sum(times for _, times in calls))
        return await send(items)

    monkeypatch.setattr(world.connector(), "send", counted)

    await deliverer.round()

    assert kept == [4, 4, 4, 4]


async def test_receipts_are_read_while_a_long_queue_is_sent(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await limited(make_world, {"calls": 10, "within": "PT1H"})
    receipts, read = world.connector().receipts, 0

    async def counted(cursor: str) -> Any:
        nonlocal read
        read += 1
        return await receipts(cursor)

    monkeypatch.setattr(world.connector(), "receipts", counted)
    for _ in range(2 * 60):
        world.clock.step(timedelta(minutes=1))
        await world.deliverer().drain()
        await receive(world.deliverer())

    assert read >= 2
    assert world.connector().calls >= 16


async def test_looking_for_receipts_leaves_calls_for_what_is_to_be_sent(
    make_world: MakeWorld,
) -> None:
    world = await limited(make_world, {"calls": 500, "within": "P1D"})
    await world.deliverer().drain()
    for _ in range(12 * 60):
        world.clock.step(timedelta(minutes=1))
        await receive(world.deliverer())

    await world.take(penalty(1, 1, verb="withdraw"))
    await world.deliverer().drain()

    assert "withdraw" in [verb for verb, _ in world.sent()]


async def test_where_nothing_is_silent_nobody_is_asked_and_no_call_is_spent(
    make_world: MakeWorld,
) -> None:
    world = await limited(make_world, {"calls": 5, "within": "P1D"})
    await world.deliverer().owns()
    for _ in range(5):
        assert await ask(world.deliverer()) == 0

    await world.deliverer().drain()

    assert world.connector().calls == 4


async def test_each_part_of_a_batch_that_is_halved_is_a_call(make_world: MakeWorld) -> None:
    """The platform takes one row a call, and may be called once an hour."""
    calls = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal calls
        while True:
            request = await request_of(reader)
            calls += 1
            rows = orjson.loads(request.partition(b"\r\n\r\n")[2])["items"]
            results = [{"key": one["key"], "status": "accepted"} for one in rows]
            told = orjson.dumps({"results": results})
            writer.write(answer(told) if len(rows) == 1 else answer(b"{}", b"413 Too Large"))
            await writer.drain()

    async with raw_server(serve) as url:
        settings = {"url": url, "batch_size": 8, "allow_private": True}
        world = await limited(
            make_world,
            {"calls": 1, "within": "PT1H"},
            connector="platform-json",
            settings=settings,
        )
        for _ in range(8):
            before = calls
            await world.deliverer().round()
            assert calls - before <= 1
            world.clock.step(timedelta(hours=1, seconds=61))

    assert "accepted" in await world.states()
