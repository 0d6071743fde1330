"""A decision that becomes secret is withdrawn, and nothing secret leaves."""

import pytest

from tests.factories import about, event, penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration

SECRET = "涉密内容"
REPAIR = event(1, 1, type="repair", decision=about(1), repair_confirmed_on="2026-10-11")


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


async def test_a_later_withdrawal_of_the_bureau_is_sent_as_it_is(world: World) -> None:
    await world.take(penalty(1, 1))
    await world.turn()
    await world.take(penalty(1, 1, verb="withdraw", CF_NR="撤销原处罚"))
    await world.turn()

    [*_, withdrawn] = world.connector().stored.values()
    assert (withdrawn.verb, withdrawn.columns["CF_NR"]) == ("withdraw", "撤销原处罚")
