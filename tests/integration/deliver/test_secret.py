"""A decision that becomes secret is withdrawn, and nothing secret leaves."""

import pytest

from tests.conftest import BANK, PLATFORM
from tests.factories import penalty, publicity_repair
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.late import days, lost_on_the_way
from tests.integration.world import World

pytestmark = pytest.mark.integration

SECRET = "涉密内容"
REPAIR = publicity_repair(1, 1)


def secret() -> dict[str, object]:
    return penalty(1, 1, state_secret="是", CF_SY=SECRET)


async def test_the_withdrawal_has_what_the_destination_has_already(world: World) -> None:
    await world.take(penalty(1, 1))
    await world.turn()
    await world.take(secret())
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]
    assert SECRET not in str(list(world.connector().stored.values()))


@pytest.mark.parametrize("together", [True, False])
async def test_a_repair_does_not_send_what_is_secret(world: World, *, together: bool) -> None:
    await world.take(penalty(1, 1))
    await world.turn()
    for batch in [[secret(), REPAIR]] if together else [[secret()], [REPAIR]]:
        await world.take(*batch)
        await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]
    assert SECRET not in str(list(world.connector().stored.values()))


async def test_a_decision_that_is_changed_while_it_is_secret_is_withdrawn_once(
    world: World,
) -> None:
    await world.take(penalty(1, 1))
    await world.turn()
    for words in (SECRET, f"{SECRET}，另一版"):
        await world.take(penalty(1, 1, state_secret="是", CF_SY=words))
        await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]
    assert SECRET not in str(list(world.connector().stored.values()))


@pytest.mark.parametrize("turns", [True, False])
@pytest.mark.parametrize("last", [{"state_secret": "是"}, {}], ids=["secret", "plain"])
async def test_a_withdrawal_of_the_bureau_does_not_send_what_was_secret(
    world: World, *, turns: bool, last: dict[str, str]
) -> None:
    await world.take(penalty(1, 1))
    await world.turn()
    await world.take(secret())
    if turns:
        await world.turn()
    await world.take(penalty(1, 1, verb="withdraw", CF_SY=SECRET, **last))
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]
    assert SECRET not in str(list(world.connector().stored.values()))


async def test_a_withdrawal_that_is_secret_itself_does_not_send_its_content(world: World) -> None:
    await world.take(penalty(1, 1))
    await world.turn()
    await world.take(penalty(1, 1, verb="withdraw", state_secret="是", CF_SY=SECRET))
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new", "withdraw"]
    assert SECRET not in str(list(world.connector().stored.values()))


async def test_what_may_have_arrived_is_not_sent_again_once_it_is_secret(
    make_world: MakeWorld,
) -> None:
    world = await make_world(
        destinations=[{**PLATFORM, "settings": {"on_unknown": "resend"}}, BANK]
    )
    lost_on_the_way(world)
    await world.take(penalty(1, 1, CF_SY=SECRET))
    await world.deliverer().drain()
    assert await world.states() == ["unknown"]

    await world.take(secret())
    await days(world)

    assert [verb for verb, _ in world.sent()] == ["withdraw"]


async def test_a_later_withdrawal_of_the_bureau_is_sent_as_it_is(world: World) -> None:
    await world.take(penalty(1, 1))
    await world.turn()
    await world.take(penalty(1, 1, verb="withdraw", CF_NR="撤销原处罚"))
    await world.turn()

    [*_, withdrawn] = world.connector().stored.values()
    assert (withdrawn.verb, withdrawn.columns["CF_NR"]) == ("withdraw", "撤销原处罚")
