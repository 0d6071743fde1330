"""A stop, an owner that changes, and rounds that do nothing."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import pytest

from connectors.errors import CallRejected
from gateway.deliver import deliverer as deliverer_step
from gateway.deliver.breaker import Act
from gateway.deliver.caller import GRACE
from schemas.delivery import Item, Outcome, OutcomeKind
from tests.connectors.conftest import make_item
from tests.factories import penalty, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.test_hostile_answers import with_settings
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_stop_waits_for_calls_and_gives_the_rest_back(make_world: MakeWorld) -> None:
    world = await with_settings(make_world, batch_size=1, concurrency=2)
    await world.take(*(penalty(n) for n in range(1, 21)))
    begun, answer = asyncio.Semaphore(0), asyncio.Event()
    send = world.connector().send

    async def slow(items: Sequence[Item]) -> list[Outcome]:
        begun.release()
        await answer.wait()
        return await send(items)

    world.connector().send = slow  # type: ignore[method-assign]
    drain = asyncio.create_task(world.deliverer().drain())
    for _ in range(2):
        await begun.acquire()

    stop = asyncio.create_task(world.deliverer().stop())
    await asyncio.sleep(0.1)
    answer.set()
    await asyncio.gather(stop, drain)

    assert sorted(await world.states()) == ["accepted"] * 2 + ["ready"] * 18
    assert await world.value("select count(*) from delivery where maybe_arrived") == 0
    assert await world.column("select distinct attempts from delivery where state = 'ready'") == [0]


async def test_the_ownership_is_kept_as_long_as_a_call_lasts(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer_step, "OWNERSHIP", timedelta(seconds=0.6))
    world, other = await make_world(), await make_world()
    await world.take(penalty())
    send = world.connector().send

    async def slow(items: Sequence[Item]) -> list[Outcome]:
        await asyncio.sleep(2)
        return await send(items)

    world.connector().send = slow  # type: ignore[method-assign]
    drain = asyncio.create_task(world.deliverer().drain())
    await asyncio.sleep(1.5)

    assert not await other.deliverer().owns()
    await drain


TAKEN_OVER = """
    update destination set owner = 'another', fencing = fencing + 1,
        owned_until = now() + interval '1 hour' where name = 'platform'
"""


async def test_no_call_begins_once_another_process_owns_the_destination(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer_step, "OWNERSHIP", timedelta(seconds=0.6))
    world = await with_settings(make_world, batch_size=1, concurrency=1)
    await world.take(penalty(1), penalty(2))
    send = world.connector().send

    async def slow(items: Sequence[Item]) -> list[Outcome]:
        await world.run(TAKEN_OVER)
        await asyncio.sleep(1)
        return await send(items)

    world.connector().send = slow  # type: ignore[method-assign]
    await world.deliverer().round()

    assert sorted(await world.states()) == ["accepted", "ready"]
    assert world.connector().calls == 1


async def test_no_call_begins_if_the_ownership_ended_while_the_items_were_made(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process stands still there, as after SIGSTOP; another one has looked them up since."""
    monkeypatch.setattr(deliverer_step, "OWNERSHIP", timedelta(seconds=0.6))
    world = await make_world()
    keys = world.gateway.keys
    published = keys.published

    def stopped(subject_code: str) -> str:
        time.sleep(1)
        return published(subject_code)

    await world.take(person_penalty(1))
    keys.published = stopped  # type: ignore[method-assign]
    await world.deliverer().round()

    assert await world.states() == ["ready"]
    assert world.connector().calls == 0


async def test_a_call_that_stands_still_ends_with_its_lease(world: World) -> None:
    caller, connector = world.deliverer().caller, world.connector()
    send = connector.send

    async def connected(items: Sequence[Item]) -> list[Outcome]:
        await asyncio.sleep(0.05)
        return await send(items)

    connector.send = connected  # type: ignore[method-assign]
    over = time.monotonic() - (connector.limits.call_timeout + GRACE).total_seconds()
    [outcome] = await caller.outcomes([make_item(1)], look=False, until=over)

    assert outcome.kind is OutcomeKind.UNKNOWN
    assert connector.calls == 0


async def test_a_former_owner_does_not_overwrite_the_breaker(make_world: MakeWorld) -> None:
    world = await make_world()
    await world.deliverer().round()
    await world.run("update destination set fencing = fencing + 1, owner = 'another'")
    world.deliverer().caller.failed(CallRejected(), Act.SEND)

    await world.deliverer().caller.save()

    assert await world.value("select breaker from destination where name = 'platform'") == "closed"


async def test_a_round_that_does_nothing_for_long_is_stuck(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliverer = world.deliverer()
    assert not deliverer.stuck

    deliverer._progress = -1e9

    assert deliverer.stuck
