"""What a destination means by accepted, by sending again, and by a natural person."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from connectors.memory import Step
from gateway.deliver.manual import change_all
from gateway.deliver.receipts import receive
from gateway.deliver.silence import ask
from gateway.reconcile.keep import Reconciled
from gateway.reconcile.run import begin, reconcile_platform
from gateway.store.deliver.by_hand import Order
from gateway.worklist.rows import Actor
from schemas.base import start_of
from schemas.delivery import DeliveryState, Item, Outcome
from schemas.destination import AcceptedBy
from tests.factories import REGION, penalty, person_penalty, with_check_character
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.test_mass_changes import PLATFORM
from tests.integration.reconcile.sides import OCTOBER
from tests.integration.worklist.test_look import looked
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def reconcile(world: World) -> Reconciled:
    built, deliverer = world.gateway, world.deliverer()
    run = await begin(built.database, deliverer.name, OCTOBER, world.clock())
    side = deliverer.destination, deliverer.connector
    return await reconcile_platform(built.database, built.reconcile_scope, *side, run)


def receipt(world: World, *, accepted: bool) -> None:
    [key] = world.connector().stored
    world.connector().issue_receipt(key, accepted=accepted)


async def test_an_answer_is_no_acceptance_where_the_receipt_is(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "receipt"}])
    await world.take(penalty())
    await world.turn()
    assert await world.states() == ["submitted"]

    receipt(world, accepted=True)
    await world.turn()

    assert await world.states() == ["accepted"]


async def test_an_answer_is_the_acceptance_where_nothing_more_comes(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "answer"}])
    world.connector().play(Step.SUBMIT)

    await world.take(penalty())
    await world.turn()

    assert await world.states() == ["accepted"]


async def test_neither_answer_nor_receipt_is_acceptance_where_the_listing_is(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "listing"}])
    await world.take(penalty())
    await world.turn()
    receipt(world, accepted=True)
    await world.turn()
    assert await world.states() == ["accepted_blind"]
    assert await world.value("select count(*) from receipt") == 1

    await reconcile(world)

    assert await world.states() == ["accepted"]


async def test_a_receipt_of_rejection_counts_where_the_listing_is_acceptance(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "listing"}])
    await world.take(penalty())
    await world.turn()

    receipt(world, accepted=False)
    await world.turn()

    assert await world.states() == ["rejected"]


@pytest.mark.parametrize("found_out", ["resend", "look_up"])
async def test_what_may_have_arrived_waits_for_a_person_where_nothing_resends(
    make_world: MakeWorld, found_out: str
) -> None:
    settings = {"on_unknown": found_out}
    world = await make_world(destinations=[PLATFORM | {"resends": False, "settings": settings}])
    connector = world.connector()
    connector.play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    connector.stored.clear()  # it was lost on the way
    connector._outcomes.clear()

    for _ in range(5):
        await world.pass_time(5)

    assert (await world.states(), connector.calls) == (["unknown"], 1)
    [row] = (await looked(world)).rows
    assert row.actor is Actor.OPERATOR
    assert "deliveries resolve" in row.why
    assert ("对方没有这一条" in row.why) == (found_out == "look_up")

    [id_] = await world.column("select id from delivery")
    word = Order(DeliveryState.READY, "平台电话答复没有收到")
    await change_all(world.database, [id_], word, "张三", world.clock())
    await world.turn()

    assert (await world.states(), connector.calls) == (["accepted"], 2)


async def test_what_a_look_up_finds_needs_nobody_where_nothing_resends(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM | {"resends": False}])
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()

    await world.pass_time(5)

    assert (await world.states(), world.connector().calls) == (["accepted"], 1)


TRADER = penalty(
    CF_XDR_LB="个体工商户",
    CF_XDR_MC="样例早餐店",
    CF_XDR_SHXYM=with_check_character(f"92{REGION}MA0000001"),
)


@pytest.mark.parametrize(("among", "category"), [(False, "个体工商户"), (True, "自然人")])
async def test_a_sole_trader_is_what_the_platform_has_him_for(
    make_world: MakeWorld, among: bool, category: str
) -> None:
    world = await make_world(destinations=[PLATFORM | {"sole_traders_are_persons": among}])
    await world.take(TRADER, penalty(2, 2), person_penalty(3))
    await world.turn()

    sent = {one.columns["CF_XDR_MC"]: one for one in world.connector().stored.values()}
    assert (sent["样例早餐店"].person, sent["样例早餐店"].columns["CF_XDR_LB"]) == (among, category)
    assert not sent["样例2号有限公司"].person
    assert sent["张样例"].person
    assert (await reconcile(world)).differences == ()


LISTED: dict[str, Any] = PLATFORM | {"accepted_by": "listing"}


async def test_a_receipt_before_the_listing_takes_no_proof_from_it(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[LISTED])
    await world.take(penalty())
    await world.turn()
    world.clock.step(timedelta(minutes=10))
    receipt(world, accepted=True)
    await world.turn()

    await reconcile(world)

    assert await world.states() == ["accepted"]


async def test_a_receipt_in_a_lease_is_no_acceptance_where_the_listing_is(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[LISTED])
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())

    async def answered_meanwhile(items: Sequence[Item]) -> list[Outcome]:
        done = await send(items)
        world.connector().issue_receipt(items[0].key, accepted=True)
        await receive(world.deliverer())
        return done

    send = world.connector().send
    world.connector().send = answered_meanwhile  # type: ignore[method-assign]
    await world.turn()

    assert await world.states() != ["accepted"]


@pytest.mark.parametrize("step", [Step.DEFER, Step.REJECT])
async def test_a_receipt_proves_the_arrival_where_the_listing_is_acceptance(
    make_world: MakeWorld, step: Step
) -> None:
    """The platform was busy, or refused, and has stored the record all the same."""
    world = await make_world(destinations=[LISTED])
    world.connector().play(step)
    await world.take(penalty())
    await world.turn()
    [id_] = await world.column("select id from delivery")
    key = f"{world.gateway.installation}-{id_}"

    world.connector().issue_receipt(key, accepted=True)
    await receive(world.deliverer())

    assert await world.states() == ["accepted_blind"]


async def test_what_was_submitted_before_only_the_listing_counted_is_proven_by_it(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[PLATFORM])
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    listed = world.deliverer().destination.model_copy(update={"accepted_by": AcceptedBy.LISTING})
    world.deliverer().destination = listed

    await reconcile(world)

    assert await world.states() == ["accepted"]


async def test_a_version_that_never_went_makes_no_correction_of_the_next(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[LISTED])
    await world.take(penalty())
    await world.take(penalty(CF_NR="处罚款人民币三万元"))
    await world.turn()
    for key in world.connector().stored:  # the platform says the day only
        world.connector()._times[key] = start_of(date(2026, 10, 12))

    await reconcile(world)

    assert await world.states() == ["superseded", "accepted"]


async def test_grade_changes_have_no_listing_to_wait_for(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[LISTED | {"takes": ["penalty", "grade_change"]}])
    await world.take(penalty(CF_CFLB="罚款", CF_NR_FK="300"))
    await world.turn()

    states = await world.rows("select item_kind, state from delivery order by item_kind")
    assert ("grade_change", "accepted") in [tuple(row) for row in states]


async def test_what_a_silent_platform_says_is_its_verdict(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[PLATFORM | {"accepted_by": "receipt"}])
    await world.take(penalty())
    await world.turn()

    world.clock.step(timedelta(days=6))
    await ask(world.deliverer())

    assert await world.states() == ["accepted"]


@pytest.mark.parametrize("category", ["个体工商户", "法人及非法人组织"])
async def test_the_code_says_who_is_a_sole_trader(make_world: MakeWorld, category: str) -> None:
    world = await make_world(destinations=[PLATFORM | {"sole_traders_are_persons": True}])
    await world.take(TRADER | {"CF_XDR_LB": category})
    await world.turn()

    [sent] = world.connector().stored.values()
    assert (sent.person, sent.columns["CF_XDR_LB"]) == (True, "自然人")
