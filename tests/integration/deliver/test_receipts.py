"""What a receipt 回执 says counts, whenever it comes and whatever its date."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.deliver.manual import change_all, retry_all
from gateway.deliver.receipts import receive
from gateway.store.deliver.by_hand import Order
from schemas.delivery import DeliveryState, Item, Outcome, OutcomeKind, Receipt
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.late import busy_after_storing, days, ids, say, with_receipt
from tests.integration.world import World

pytestmark = pytest.mark.integration

S = DeliveryState


async def test_what_a_receipt_says_is_there_is_not_sent_again(world: World) -> None:
    connector = busy_after_storing(world)
    await world.take(penalty())
    await world.turn()
    assert await world.states() == ["deferred"]
    world.clock.step(timedelta(minutes=1))
    await with_receipt(world, 0, accepted=True)

    await receive(world.deliverer())
    await world.pass_time(1)

    assert await world.states() == ["accepted"]
    assert connector.calls == 1


@pytest.mark.parametrize("change", [{"verb": "withdraw"}, {"state_secret": "是"}])
async def test_a_withdrawal_that_nobody_seemed_to_need_is_told_once_a_receipt_says_so(
    world: World, change: dict[str, str]
) -> None:
    busy_after_storing(world)
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(**change))
    assert await world.states() == ["superseded"]
    world.clock.step(timedelta(minutes=1))
    await with_receipt(world, 0, accepted=True)

    await receive(world.deliverer())
    await world.pass_time(1)

    assert await world.states() == ["superseded", "accepted"]
    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]


async def test_a_withdrawal_that_a_look_up_in_vain_superseded_is_told_after_all(
    world: World,
) -> None:
    """The answer is lost, and the copy of the database that the look-up asks is behind."""
    connector = world.connector()
    connector.play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(verb="withdraw"))
    look_up = connector.look_up

    async def behind(items: Sequence[Item]) -> list[Outcome]:
        connector.look_up = look_up  # type: ignore[method-assign]
        return [Outcome(kind=OutcomeKind.DEFERRED, absent=True)] * len(items)

    connector.look_up = behind  # type: ignore[method-assign]
    await world.pass_time(0.1)
    assert await world.states() == ["superseded", "superseded"]
    await with_receipt(world, 0, accepted=True)

    await receive(world.deliverer())
    await world.turn()

    assert await world.states() == ["superseded", "superseded", "accepted"]
    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]


async def test_what_a_person_withdrew_stays_withdrawn(world: World) -> None:
    busy_after_storing(world)
    await world.take(penalty())
    await world.turn()
    word = Order(DeliveryState.WITHDRAWN, "不报")
    await change_all(world.database, await ids(world), word, "me", world.clock())
    await with_receipt(world, 0, accepted=True)

    await receive(world.deliverer())
    await world.turn()

    assert await world.states() == ["withdrawn"]


async def test_a_receipt_of_the_future_does_not_silence_the_later_ones(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    await with_receipt(world, 70 * 365 * 24, accepted=True)
    await receive(world.deliverer())
    world.clock.step(timedelta(hours=5))

    await with_receipt(world, -1, accepted=False)
    await receive(world.deliverer())

    assert await world.states() == ["rejected"]


async def test_a_date_before_the_delivery_makes_nothing_timely(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    world.clock.step(timedelta(days=60))
    await world.take(penalty())
    await world.turn()
    await with_receipt(world, -20 * 365 * 24, accepted=True)

    await receive(world.deliverer())

    found = (
        "select coalesce(platform_at, accepted_at) from delivery "
        "where state = 'accepted' and destination = 'platform'"
    )
    assert await world.column(found) == [world.clock()]


async def test_a_second_rejection_of_the_same_day_counts_if_it_says_something_else(
    world: World,
) -> None:
    world.connector().play(Step.SUBMIT, Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    [key] = world.connector().stored
    day = world.clock()
    for words in ("缺印章", "缺金额"):
        world.connector()._receipts.append(
            Receipt(key=key, accepted=False, reasons=(words,), platform_at=day)
        )
        await receive(world.deliverer())
        assert await world.states() == ["rejected"]
        await retry_all(world.database, await ids(world), "me", world.clock())
        await world.deliverer().drain()

    assert await world.value("select count(*) from receipt") == 2


@pytest.mark.parametrize("how", ["person", "resend"])
async def test_a_receipt_settles_an_unknown_outcome_and_what_waits_goes_on(
    make_world: MakeWorld, how: str
) -> None:
    world = await make_world(destinations=[{**PLATFORM, "settings": {"on_unknown": how}}, BANK])
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(verb="withdraw"))
    await with_receipt(world, 0, accepted=True)

    await receive(world.deliverer())
    await days(world, 2)

    assert await world.states() == ["accepted", "accepted"]


async def test_a_receipt_settles_what_was_parked_after_it_was_handed_over(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    await say(world, (await ids(world))[0], S.PARKED)
    await with_receipt(world, 0, accepted=True)

    await receive(world.deliverer())

    assert await world.states() == ["accepted"]


async def test_the_receipt_of_one_destination_settles_nothing_of_another(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM, {**PLATFORM, "name": "nation"}])
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    [id_] = await ids(world)
    key = f"{world.deliverer().installation}-{id_}"
    world.connector("nation")._receipts.append(
        Receipt(key=key, accepted=True, platform_at=world.clock() + timedelta(hours=1))
    )

    await receive(world.deliverer("nation"))
    await world.deliverer().drain()

    assert await world.states() == ["submitted"]
    assert await world.rows("select * from receipt") == []


async def test_an_older_receipt_does_not_undo_a_later_one(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    await with_receipt(world, 2, accepted=True)
    world.clock.step(timedelta(hours=5))
    await receive(world.deliverer())
    await with_receipt(world, -4, accepted=False)

    await receive(world.deliverer())

    assert await world.states() == ["accepted"]
