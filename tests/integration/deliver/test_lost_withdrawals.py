"""Withdrawals that were lost, refused or stopped: a later one is told all the same."""

from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.deliver.receipts import receive
from gateway.store.deliver.unheard import unheard
from schemas.delivery import DeliveryState
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.late import days, ids, lost_on_the_way, say, with_receipt
from tests.integration.world import World

pytestmark = pytest.mark.integration

S = DeliveryState
SECRET = "涉密内容"


async def asking_people(make_world: MakeWorld) -> World:
    """A platform at which a person says what became of an unknown outcome."""
    asks = {**PLATFORM, "settings": {"on_unknown": "person"}}
    return await make_world(destinations=[asks, BANK])


async def sending_again(make_world: MakeWorld) -> World:
    """A platform to which an unknown outcome is sent again."""
    again = {**PLATFORM, "settings": {"on_unknown": "resend"}}
    return await make_world(destinations=[again, BANK])


async def lost(world: World, **changes: object) -> int:
    """Let a withdrawal be lost on its way; return its delivery."""
    lost_on_the_way(world)
    await world.take(penalty(verb="withdraw", **changes))
    await world.turn()
    return (await ids(world))[-1]


async def published(world: World) -> World:
    """Let the platform have the decision."""
    await world.take(penalty())
    await world.turn()
    return world


def verbs(world: World) -> list[str]:
    return [verb for verb, _ in world.sent()]


@pytest.mark.parametrize(
    "later",
    [penalty(verb="withdraw", CF_NR="乙"), penalty(state_secret="是")],
    ids=["withdraw", "secret"],
)
async def test_one_that_was_lost_and_put_aside_is_replaced_by_the_next(
    make_world: MakeWorld, later: dict[str, object]
) -> None:
    world = await published(await asking_people(make_world))
    assert await say(world, await lost(world, CF_NR="甲"), S.PARKED)

    await world.take(later)
    await days(world)

    assert verbs(world) == ["new", "withdraw"]


async def test_one_that_is_refused_after_a_lost_answer_is_replaced_by_the_corrected_one(
    make_world: MakeWorld,
) -> None:
    world = await published(await sending_again(make_world))
    lost_on_the_way(world)
    await world.take(penalty(verb="withdraw", CF_NR="甲"))
    await world.deliverer().drain()
    world.connector().play(Step.REJECT)
    await days(world, 1)
    assert (await world.states())[-1] == "rejected"

    await world.take(penalty(verb="withdraw", CF_NR="乙，补正"))
    await days(world)

    assert verbs(world) == ["new", "withdraw"]


async def test_a_newer_one_is_told_once_the_older_is_refused(world: World) -> None:
    await published(world)
    world.connector().play(Step.SUBMIT)
    await world.take(penalty(verb="withdraw", CF_NR="甲"))
    await world.turn()
    await world.take(penalty(verb="withdraw", CF_NR="乙，补正"))
    world.clock.step(timedelta(minutes=1))
    await with_receipt(world, 0, accepted=False, key=list(world.connector().stored)[-1])

    await receive(world.deliverer())
    await days(world)

    assert list(world.connector().stored.values())[-1].columns["CF_NR"] == "乙，补正"


async def test_one_that_was_stopped_as_a_mistake_does_not_keep_a_secret_from_being_withdrawn(
    make_world: MakeWorld,
) -> None:
    world = await published(await asking_people(make_world))
    for mistake, correction in (("误撤", "更正"), ("误撤二", None)):
        stopped = await lost(world, CF_NR=mistake)
        assert await say(world, stopped, S.PARKED)
        assert await say(world, stopped, S.WITHDRAWN)
        if correction:
            await world.take(penalty(CF_NR=correction))
            await days(world, 1)

    await world.take(penalty(state_secret="是"))
    await days(world)

    assert verbs(world)[-1] == "withdraw"


async def test_what_nobody_can_tell_is_withdrawn_once_and_not_asked_for_again(
    make_world: MakeWorld,
) -> None:
    world = await asking_people(make_world)
    for row in (penalty(), penalty(state_secret="是")):
        lost_on_the_way(world)
        await world.take(row)
        await world.turn()
        assert await say(world, (await ids(world))[-1], S.PARKED)

    await world.take(penalty(state_secret="是", CF_SY="另"))
    await days(world)

    async with world.database.transaction() as connection:
        assert await unheard(connection, 500, ["platform"]) == []
    assert verbs(world) == ["withdraw"]


async def test_one_that_is_sent_again_has_nothing_that_became_secret(
    make_world: MakeWorld,
) -> None:
    world = await published(await sending_again(make_world))
    lost_on_the_way(world)
    await world.take(penalty(verb="withdraw", CF_SY=SECRET))
    await world.deliverer().drain()

    await world.take(penalty(verb="withdraw", state_secret="是", CF_SY=SECRET))
    await days(world)

    assert SECRET not in str(list(world.connector().stored.values()))
