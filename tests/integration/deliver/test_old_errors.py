"""What went wrong before is no more shown of what has succeeded since."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from connectors.memory import Step
from gateway.store.deliver import views
from tests.factories import penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def shown(world: World) -> list[tuple[str, Any]]:
    async with world.database.transaction() as connection:
        rows = await views.listed(connection, None, "platform", 10)
    return [(row["state"], row["reasons"]) for row in rows]


async def later(world: World) -> None:
    await world.pass_time(2)
    await world.pass_time(2)


async def corrected(world: World) -> None:
    await world.take(penalty(1, CF_NR="改"))
    await world.turn()


@pytest.mark.parametrize(
    ("steps", "mend"),
    [([Step.NOT_SENT] * 3, later), ([Step.CALL_REJECTED], later), ([Step.REJECT], corrected)],
)
async def test_an_error_is_gone_once_its_item_has_succeeded(
    world: World, steps: list[Step], mend: Callable[[World], Coroutine[Any, Any, None]]
) -> None:
    world.connector().play(*steps)
    await world.take(penalty(1))
    await world.turn()
    before = await shown(world)

    await mend(world)

    assert [reasons for _, reasons in before if reasons]
    assert ("accepted", None) in await shown(world)
    assert not [one for one in await shown(world) if one[0] == "accepted" and one[1]]
