"""What a destination has, or may have, stays known whatever a person or a receipt does next."""

import pytest

from connectors.memory import Step
from gateway.deliver.manual import retry_all
from schemas.delivery import DeliveryState, Outcome, OutcomeKind
from tests.conftest import PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.late import days, ids, say
from tests.integration.world import World

pytestmark = pytest.mark.integration

S = DeliveryState


@pytest.mark.parametrize("step", [Step.SUBMIT, Step.LOSE_ANSWER])
@pytest.mark.parametrize(
    ("later", "verbs"),
    [({"verb": "withdraw"}, ["new", "withdraw"]), ({"CF_NR": "更正"}, ["new", "correct"])],
    ids=["withdrawn", "corrected"],
)
async def test_what_may_have_arrived_is_withdrawn_or_corrected_though_it_is_parked(
    world: World, step: Step, later: dict[str, str], verbs: list[str]
) -> None:
    world.connector().play(step)
    await world.take(penalty())
    await world.turn()
    [id_] = await ids(world)
    assert await say(world, id_, S.PARKED)

    await world.take(penalty(**later))
    await days(world)

    assert [verb for verb, _ in world.sent()] == verbs
    assert "chain_mended" not in await world.events()


async def test_a_withdrawal_behind_an_unknown_outcome_is_told_after_it_is_parked(
    world: World,
) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(verb="withdraw"))
    first, _ = await ids(world)

    await say(world, first, S.PARKED)
    await days(world)

    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]


async def test_a_rejected_resend_does_not_prove_that_the_first_attempt_was_lost(
    make_world: MakeWorld,
) -> None:
    world = await make_world(destinations=[{**PLATFORM, "settings": {"on_unknown": "resend"}}])
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.deliverer().round()
    [key] = world.connector().stored
    exists = Outcome(kind=OutcomeKind.REJECTED, reasons=("数据已存在",))
    world.connector()._outcomes[key] = exists
    await days(world, 1)
    assert await world.states() == ["rejected"]

    await world.take(penalty(verb="withdraw"))
    await days(world)

    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]


async def test_a_retry_of_what_may_have_arrived_looks_it_up_first(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[{**PLATFORM, "settings": {"on_unknown": "look_up"}}])
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    [id_] = await ids(world)
    await say(world, id_, S.PARKED)

    acted = await retry_all(world.database, [id_], "me", world.clock())
    await days(world, 1)

    assert acted == ({id_}, {id_: S.UNKNOWN})
    assert await world.column("select act from attempt order by started_at") == ["send", "look_up"]
    assert await world.states() == ["accepted"]


async def test_a_parked_delivery_behind_a_withdrawal_cannot_be_retried(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    [id_] = await ids(world)
    await say(world, id_, S.PARKED)
    await world.take(penalty(verb="withdraw"))
    await days(world)

    acted = await retry_all(world.database, [id_], "me", world.clock())

    assert acted.changed == set()


async def test_a_person_may_say_that_a_parked_one_arrived_if_it_may_have(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty(1), penalty(2))
    await world.deliverer().round()
    await say(world, (await ids(world))[0], S.PARKED)
    await world.take(penalty(3))
    never = (await ids(world))[-1]
    await say(world, never, S.PARKED)

    assert await say(world, (await ids(world))[0], S.ACCEPTED_BLIND)
    assert not await say(world, never, S.ACCEPTED_BLIND)


async def test_what_a_look_up_finds_rejected_is_not_there(make_world: MakeWorld) -> None:
    world = await make_world(destinations=[{**PLATFORM, "settings": {"on_unknown": "look_up"}}])
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.deliverer().round()
    [key] = world.connector().stored
    rejected = Outcome(kind=OutcomeKind.REJECTED, reasons=("缺少证明",))
    world.connector()._outcomes[key] = rejected
    await days(world, 1)
    assert await world.rows("select state, maybe_arrived from delivery") == [("rejected", False)]

    acted = await retry_all(world.database, await ids(world), "me", world.clock())
    assert list(acted.states.values()) == [S.READY]
    await world.take(penalty(verb="withdraw"))
    await days(world)

    assert await world.states() == ["superseded"]


# ------------------------------------------------------------ receipts
