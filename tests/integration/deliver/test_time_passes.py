"""What the passing of time does to deliveries, and the limits of a destination."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.deliver.forecast import predict
from schemas.delivery import Item, Outcome
from tests.conftest import BANK, PLATFORM
from tests.factories import event, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.test_deliverer import platform
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_subject_is_scored_again_on_the_day_its_result_changes(world: World) -> None:
    await world.take(event(1, type="commendation.honour"), penalty(1, CF_NR_FK="60"))
    changes_on = await world.value("select max(changes_on) from assessment")
    before = await world.value("select count(*) from assessment")

    world.clock.set(world.clock() + (changes_on - world.clock().date()) + timedelta(days=1))
    await world.schedule.tick()
    await world.schedule.tick()

    assert await world.value("select count(*) from assessment") == before + 1


async def test_breaches_are_marked_once(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    world.clock.step(timedelta(days=10))
    await world.schedule.tick()
    first = await world.value("select breached_at from delivery where destination = 'platform'")

    world.clock.step(timedelta(days=1))
    await world.schedule.tick()

    assert first is not None
    assert (
        await world.value("select breached_at from delivery where destination = 'platform'")
        == first
    )


async def test_an_unknown_outcome_stays_unknown_if_the_breaker_opens_first(
    make_world: MakeWorld,
) -> None:
    world = await make_world(**platform(batch_size=1, concurrency=1, on_unknown="resend"))
    world.connector().play(Step.LOSE_ANSWER, Step.LOSE_ANSWER, Step.CALL_REJECTED)
    await world.take(penalty(1), penalty(2))
    await world.turn()

    await world.pass_time(1)

    assert await world.states() == ["unknown", "unknown"]


# ---------------------------------------------------------------- limits and silence


async def test_a_claim_is_limited_by_the_permitted_call_rate(
    make_world: MakeWorld,
) -> None:
    slow = {**PLATFORM, "settings": {"batch_size": 1}, "rates": [{"calls": 1, "within": "PT10S"}]}
    world = await make_world(destinations=[slow, BANK])
    await world.take(penalty(1), penalty(2), penalty(3))

    done = await world.deliverer().round()

    assert done.claimed == 1


async def test_a_missing_receipt_is_counted(make_world: MakeWorld) -> None:
    world = await make_world(**platform(always="submit"))
    await world.take(penalty())
    await world.turn()
    gauge = world.gateway.metrics.silent_receipts.labels("platform")

    await predict(world.deliverer())
    before = gauge._value.get()
    world.clock.step(timedelta(days=3))
    await predict(world.deliverer())

    assert (before, gauge._value.get()) == (0, 1)


async def test_deliveries_that_will_be_late_are_predicted(world: World) -> None:
    await world.take(*(penalty(number) for number in range(1, 6)))
    deliverer = world.deliverer()
    limits = deliverer.connector.limits
    day = 24 * 60 * 60 * limits.batch_size * limits.concurrency
    deliverer.caller._durations.append(2 * day)

    beside = await predict(deliverer)
    await deliverer.owns()
    late = await predict(deliverer)

    assert (beside, late) == (0, 3)


async def test_a_rate_that_is_too_low_for_the_queue_is_predicted(make_world: MakeWorld) -> None:
    slow = {"settings": {"batch_size": 1}, "rates": [{"calls": 1, "within": "P1D"}]}
    world = await make_world(destinations=[PLATFORM | slow, BANK])
    await world.take(*(penalty(number) for number in range(1, 11)))
    await world.deliverer().owns()

    assert await predict(world.deliverer()) > 0


async def test_no_call_begins_in_quiet_hours_though_the_claim_came_before(
    make_world: MakeWorld,
) -> None:
    quiet = [{"starts": "09:05", "ends": "18:00"}]
    settings = {"batch_size": 1, "concurrency": 1}
    world = await make_world(
        destinations=[{**PLATFORM, "settings": settings, "quiet_hours": quiet}, BANK]
    )
    await world.take(*(penalty(n, n) for n in range(1, 9)))
    connector, send = world.connector(), world.connector().send

    async def slow(items: Sequence[Item]) -> list[Outcome]:
        world.clock.step(timedelta(minutes=1))
        return await send(items)

    connector.send = slow  # type: ignore[method-assign]
    await world.deliverer().drain()

    assert connector.calls == 5
    assert (await world.states()).count("ready") == 3
