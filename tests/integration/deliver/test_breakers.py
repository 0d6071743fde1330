"""What fails at a destination stops what fails, for as long as it fails, and nothing else."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest

from connectors.errors import CallRejected, NotSent, OutcomeUnknown
from connectors.memory import Step
from connectors.shared.parts import outcome_of
from gateway.deliver import deliverer as deliverer_step
from gateway.deliver.breaker import THRESHOLD, Act
from gateway.deliver.receipts import receive
from gateway.store.base.engine import Connection
from gateway.store.deliver import destinations
from schemas.delivery import Item, Outcome, Receipt
from tests.conftest import BANK, PLATFORM
from tests.connectors.conftest import make_item
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def hours(world: World, count: int) -> None:
    for _ in range(count * 4):
        world.clock.step(timedelta(minutes=15))
        await world.deliverer().drain()


async def test_look_ups_that_always_fail_do_not_stop_sends(make_world: MakeWorld) -> None:
    world = await make_world(
        destinations=[{**PLATFORM, "settings": {"batch_size": 1, "on_unknown": "look_up"}}, BANK]
    )
    world.connector().play(*[Step.LOSE_ANSWER] * 4)

    async def look_up(items: Sequence[Item]) -> list[Outcome]:
        raise CallRejected("HTTP 404")

    world.connector().look_up = look_up  # type: ignore[method-assign]
    await world.take(*(penalty(n, n) for n in range(1, 5)))
    await world.deliverer().drain()
    await world.take(*(penalty(n, n) for n in range(11, 15)))

    await hours(world, 1)

    assert await world.states() == ["unknown"] * 4 + ["accepted"] * 4


async def test_a_resend_that_always_fails_does_not_stop_the_others(make_world: MakeWorld) -> None:
    world = await make_world(
        destinations=[{**PLATFORM, "settings": {"batch_size": 1, "on_unknown": "resend"}}, BANK]
    )
    send = world.connector().send

    async def choosy(items: Sequence[Item]) -> list[Outcome]:
        if items[0].document_number == penalty(1)["CF_WSH"]:
            raise OutcomeUnknown("HTTP 500")
        return await send(items)

    world.connector().send = choosy  # type: ignore[method-assign]
    await world.take(penalty(1, 1))
    await hours(world, 12)
    await world.take(penalty(2, 2))

    await hours(world, 2)

    assert await world.states() == ["unknown", "accepted"]


async def test_receipts_that_fail_do_not_stop_sends_and_stop_by_themselves(world: World) -> None:
    asked = 0

    async def receipts(cursor: str) -> tuple[list[Receipt], str]:
        nonlocal asked
        asked += 1
        raise OutcomeUnknown("feed is away")

    world.connector().receipts = receipts  # type: ignore[method-assign]
    for _ in range(20):
        await receive(world.deliverer())
    await world.take(penalty())

    await world.deliverer().drain()

    assert await world.states() == ["accepted"]
    assert asked == 5


async def test_an_open_breaker_is_kept_over_a_restart_also_if_receipts_fail_first(
    make_world: MakeWorld,
) -> None:
    before = await make_world()
    before.connector().play(Step.CALL_REJECTED)
    await before.take(penalty(1))
    await before.deliverer().round()
    await before.deliverer().close()
    after = await make_world()

    async def receipts(cursor: str) -> tuple[list[Receipt], str]:
        raise OutcomeUnknown("feed is away")

    after.connector().receipts = receipts  # type: ignore[method-assign]
    await receive(after.deliverer())
    await after.deliverer().round()

    assert after.connector().calls == 0


async def test_retry_after_is_for_the_destination_not_for_one_item(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[{**PLATFORM, "settings": {"batch_size": 1}}, BANK])
    calls = 0

    async def send(items: Sequence[Item]) -> list[Outcome]:
        nonlocal calls
        calls += 1
        throttled = outcome_of(NotSent("HTTP 429", retry_after=timedelta(hours=1)))
        return [throttled] * len(items)

    world.connector().send = send  # type: ignore[method-assign]
    await world.take(*(penalty(n, n) for n in range(1, 51)))

    await world.deliverer().drain()

    assert calls <= world.connector().limits.concurrency
    assert await world.value("select breaker from destination where name = 'platform'") == "open"


async def test_a_rate_that_is_slower_than_a_lease_sends_all_the_same(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that comes after the time of the claim is left to the next claim."""
    monkeypatch.setattr(deliverer_step, "AHEAD_SECONDS", 0.05)
    monkeypatch.setattr(deliverer_step, "lease_for", lambda *_: timedelta(seconds=2.2))
    settings = {"batch_size": 1, "call_timeout": 0.1}
    world = await make_world(
        destinations=[
            {**PLATFORM, "rates": [{"calls": 1, "within": "PT1S"}], "settings": settings},
            BANK,
        ]
    )
    await world.take(*(penalty(n, n) for n in range(1, 4)))

    async with asyncio.timeout(20):
        while await world.states() != ["accepted"] * 3:
            await world.deliverer().drain()
            world.clock.step(timedelta(seconds=0.25))
            await asyncio.sleep(0.02)

    assert world.connector().calls == 3


async def test_a_breaker_and_a_delivery_of_a_wrong_clock_wait_no_longer_than_any(
    world: World,
) -> None:
    world.connector().play(Step.NOT_SENT)
    await world.take(penalty(1))
    await world.deliverer().round()
    await world.run(
        "update destination set breaker = 'open', breaker_until = :far",
        far=world.clock() + timedelta(days=300),
    )
    await world.run("update delivery set next_at = :far", far=world.clock() + timedelta(days=300))
    await world.deliverer().close()
    world.deliverer().caller.own(None)

    await hours(world, 1)

    assert await world.states() == ["accepted"]


async def test_the_ownership_is_kept_after_an_error_of_the_heartbeat(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliverer_step, "OWNERSHIP", timedelta(seconds=0.9))
    world = await make_world(
        destinations=[{**PLATFORM, "settings": {"batch_size": 1, "concurrency": 1}}, BANK]
    )
    owned = destinations.own
    asked = 0

    async def own(connection: Connection, *arguments: object) -> int | None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise RuntimeError("what the driver never said before")
        return await owned(connection, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(destinations, "own", own)
    send = world.connector().send

    async def slow(items: Sequence[Item]) -> list[Outcome]:
        await asyncio.sleep(0.2)
        return await send(items)

    world.connector().send = slow  # type: ignore[method-assign]
    await world.take(*(penalty(n, n) for n in range(1, 11)))

    await world.deliverer().round()

    assert await world.states() == ["accepted"] * 10


async def test_refused_items_that_are_due_first_do_not_keep_the_others_from_being_sent(
    make_world: MakeWorld,
) -> None:
    """A filter before the platform refuses some for ever; all were tried in an outage before."""
    world = await make_world(destinations=[{**PLATFORM, "settings": {"batch_size": 1}}, BANK])
    connector, send, up = world.connector(), world.connector().send, False

    async def filtered(items: Sequence[Item]) -> list[Outcome]:
        if not up:
            return [outcome_of(NotSent("busy", timedelta(seconds=1)))] * len(items)
        if "坏词" in items[0].columns["CF_SY"]:
            raise CallRejected("HTTP 403")
        return await send(items)

    connector.send = filtered  # type: ignore[method-assign]
    await world.take(*(penalty(n, n, CF_SY="坏词", CF_JDRQ="2026/10/08") for n in range(1, 13)))
    await world.take(*(penalty(n, n) for n in range(21, 33)))
    await hours(world, 14)
    assert await world.value("select min(attempts) from delivery where state = 'deferred'") > 0
    up = True

    await hours(world, 24)

    assert (await world.states()).count("accepted") == 12


@pytest.mark.parametrize("pause", [timedelta(0), None])
async def test_a_send_of_which_nothing_was_answered_is_a_failed_one(
    world: World, pause: timedelta | None
) -> None:
    caller = world.deliverer().caller
    await caller.state(Act.SEND)
    connector = world.connector()

    async def unanswered(items: Sequence[Item]) -> list[Outcome]:
        return [outcome_of(OutcomeUnknown("对方返回 HTTP 503", pause))] * len(items)

    connector.send = unanswered  # type: ignore[method-assign]
    for _ in range(THRESHOLD):
        await caller.outcomes([make_item(1)], look=False)

    assert caller.is_open(Act.SEND)
