"""Receipts that are read while a worker has the delivery, or after a follow-up was needless."""

from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.deliver.manual import retry_all
from gateway.deliver.outcome import finish, needless, not_called
from gateway.deliver.receipts import receive
from gateway.store.deliver import claims, ends
from schemas.delivery import Claimed, DeliveryState, Finish, Outcome, OutcomeKind
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.late import (
    busy_after_storing,
    days,
    ids,
    lost_on_the_way,
    say,
    with_receipt,
)
from tests.integration.deliver.test_deliveries import _claim, _finish
from tests.integration.world import World

pytestmark = pytest.mark.integration

S = DeliveryState
WITHDRAWAL = penalty(verb="withdraw")
SECRET = penalty(state_secret="是")


async def end(world: World, finish: Finish) -> None:
    async with world.database.transaction() as connection:
        await ends.finish(connection, [finish], world.clock())


async def told(world: World, *, accepted: bool, key: str | None = None) -> None:
    """Let a receipt come, and read it."""
    world.clock.step(timedelta(minutes=1))
    await with_receipt(world, 0, accepted=accepted, key=key)
    await receive(world.deliverer())


def verbs(world: World) -> list[str]:
    return [verb for verb, _ in world.sent()]


def key(world: World, claimed: Claimed) -> str:
    return f"{world.deliverer().installation}-{claimed.id}"


async def claimed_again(world: World) -> Claimed:
    """Claim a delivery that was deferred although the platform has stored it."""
    busy_after_storing(world)
    await world.take(penalty())
    await world.turn()
    world.clock.step(timedelta(hours=1))
    async with world.database.transaction() as connection:
        await claims.promote_deferred(connection, "platform", world.clock())
    [one] = await _claim(world)
    return one


async def test_a_receipt_within_a_lease_counts_though_no_call_follows(world: World) -> None:
    one = await claimed_again(world)
    await told(world, accepted=True)

    await end(world, not_called(one, world.clock()))
    await days(world, 1)

    assert await world.states() == ["accepted"]
    assert world.connector().calls == 1


@pytest.mark.parametrize("withdrawn_first", [True, False])
async def test_a_withdrawal_is_told_after_a_receipt_within_a_lease_without_a_call(
    world: World, *, withdrawn_first: bool
) -> None:
    one = await claimed_again(world)
    if withdrawn_first:
        await world.take(WITHDRAWAL)
    await told(world, accepted=True)

    await end(world, not_called(one, world.clock()))
    if not withdrawn_first:
        await world.take(WITHDRAWAL)
    await days(world)

    assert verbs(world) == ["new", "withdraw"]


@pytest.mark.parametrize("on_unknown", ["person", "resend", "look_up"])
async def test_a_receipt_within_a_lease_that_is_lost_settles_the_outcome(
    make_world: MakeWorld, on_unknown: str
) -> None:
    world = await make_world(
        destinations=[{**PLATFORM, "settings": {"on_unknown": on_unknown}}, BANK]
    )
    await world.take(penalty())
    [one] = await _claim(world)
    await told(world, accepted=True, key=key(world, one))

    await world.run("update delivery set lease_until = clock_timestamp() - interval '1 hour'")
    await days(world, 2)

    assert await world.states() == ["accepted"]
    assert world.connector().calls == 0


async def test_a_receipt_of_an_earlier_attempt_does_not_undo_what_the_later_one_was_answered(
    world: World,
) -> None:
    connector = busy_after_storing(world)
    await world.take(penalty())
    await world.turn()
    await told(world, accepted=False)
    [stored] = connector.stored
    connector._outcomes[stored] = Outcome(kind=OutcomeKind.ACCEPTED)

    await days(world, 1)

    assert await world.states() == ["accepted"]


async def test_a_receipt_for_what_was_never_sent_proves_nothing(world: World) -> None:
    lost_on_the_way(world)
    await world.take(penalty())
    [id_] = await ids(world)
    await told(world, accepted=True, key=f"{world.deliverer().installation}-{id_}")

    await world.deliverer().round()

    assert await world.states() == ["unknown"]


async def test_what_is_parked_after_an_attempt_is_known_by_its_receipt(world: World) -> None:
    busy_after_storing(world)
    await world.take(penalty())
    await world.turn()
    [id_] = await ids(world)
    assert await say(world, id_, S.PARKED)

    await told(world, accepted=True)
    await world.take(WITHDRAWAL)
    await days(world)

    assert verbs(world) == ["new", "withdraw"]


# ---------------------------------------------------------------- after a follow-up was needless


@pytest.mark.parametrize("later", [WITHDRAWAL, SECRET], ids=["withdrawn", "secret"])
async def test_a_withdrawal_that_was_needless_is_told_once_the_platform_takes_the_record(
    world: World, later: dict[str, object]
) -> None:
    await world.take(penalty())
    [one] = await _claim(world)
    await world.take(later)
    await _finish(world, one, S.REJECTED)
    await world.turn()

    await told(world, accepted=True, key=key(world, one))
    await days(world)

    assert verbs(world) == ["withdraw"]


async def test_a_receipt_between_the_claim_of_a_withdrawal_and_its_end_is_seen(
    world: World,
) -> None:
    await world.take(penalty())
    [one] = await _claim(world)
    await world.take(WITHDRAWAL)
    await _finish(world, one, S.REJECTED)
    [withdrawal] = await _claim(world)
    await told(world, accepted=True, key=key(world, one))

    await end(world, needless(withdrawal))
    await days(world)

    assert verbs(world) == ["withdraw"]


async def test_a_withdrawal_that_a_person_stopped_is_not_made_again_by_its_receipt(
    world: World,
) -> None:
    await world.take(penalty())
    await world.turn()
    await world.take(WITHDRAWAL)
    busy_after_storing(world)
    await world.deliverer().drain()
    *_, id_ = await ids(world)
    assert await say(world, id_, S.WITHDRAWN)

    await told(world, accepted=True, key=list(world.connector().stored)[-1])
    await days(world)

    assert verbs(world) == ["new", "withdraw"]


async def test_the_reason_of_a_person_stays_beside_a_late_receipt(world: World) -> None:
    busy_after_storing(world)
    await world.take(penalty())
    await world.turn()
    [id_] = await ids(world)
    assert await say(world, id_, S.WITHDRAWN)

    await told(world, accepted=True)

    assert await world.value("select reasons from delivery where id = :id", id=id_) == ["原因"]


async def test_a_correction_that_a_filter_leaves_out_is_told_to_who_turns_out_to_have_the_record(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[{**PLATFORM, "since": "2026-10-05"}, BANK])
    busy_after_storing(world)
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(CF_JDRQ="2026/10/01", CF_NR="更正"))

    await told(world, accepted=True)
    await days(world)

    assert verbs(world) == ["new", "correct"]


async def test_what_is_withdrawn_already_is_not_withdrawn_again(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    for words in ("甲", "乙"):
        await world.take(penalty(verb="withdraw", CF_NR=words))
        await world.turn()

    assert verbs(world) == ["new", "withdraw"]


async def test_receipts_that_have_the_day_only_count_in_the_order_of_reading(world: World) -> None:
    world.connector().play(Step.SUBMIT, Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    for accepted in (False, True):
        world.clock.step(timedelta(hours=1))
        hours_of_day = -(world.clock().hour)
        await with_receipt(world, hours_of_day, accepted=accepted)
        await receive(world.deliverer())
        if not accepted:
            await retry_all(world.database, await ids(world), "me", world.clock())
            await world.deliverer().drain()

    assert await world.states() == ["accepted"]


async def test_a_time_before_the_first_attempt_makes_nothing_timely(world: World) -> None:
    """A platform writes UTC as if it were the time of Shanghai."""
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    world.clock.step(timedelta(days=10))
    await world.deliverer().drain()
    sent = world.clock()

    await with_receipt(world, -8, accepted=True)
    await receive(world.deliverer())

    [times] = await world.rows(
        "select submitted_at, coalesce(platform_at, accepted_at) from delivery "
        "where destination = 'platform'"
    )
    assert min(times) >= sent


async def test_an_earlier_rejection_read_in_the_lease_of_a_resend_does_not_undo_its_acceptance(
    make_world: MakeWorld,
) -> None:
    again = {**PLATFORM, "settings": {"on_unknown": "resend"}}
    world = await make_world(destinations=[again, BANK])
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.deliverer().drain()
    stored = next(iter(world.connector().stored))
    world.clock.step(timedelta(hours=2))
    await world.run("update delivery set look_after = null, next_at = :n", n=world.clock())
    [one] = await _claim(world, look=True)
    await with_receipt(world, -1, accepted=False, key=stored)
    await receive(world.deliverer())
    accepted = Outcome(kind=OutcomeKind.ACCEPTED)
    await end(world, finish(one, accepted, world.deliverer().destination, world.clock()))

    assert await world.states() == ["accepted"]
