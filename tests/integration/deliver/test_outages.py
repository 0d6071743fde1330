"""The register of receivers' outages: from the first failed call to the first answer."""

from datetime import timedelta

import pytest

from connectors.memory import Step
from gateway.store.account import evidence, outages
from gateway.store.account.evidence import About, Evidence
from gateway.store.account.outages import Outage
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def entered(world: World) -> list[tuple[Outage, list[Evidence]]]:
    async with world.database.transaction() as connection:
        found = await outages.listed(connection)
        said = await evidence.of(connection, About.OUTAGE, [one.id for one in found])
    return [(one, said.get(one.id, [])) for one in found]


async def quarters(world: World, count: int) -> None:
    for _ in range(count):
        world.clock.step(timedelta(minutes=15))
        await world.deliverer().drain()


async def test_an_outage_goes_from_the_first_failed_call_to_the_first_answer(world: World) -> None:
    world.connector().play(*[Step.NOT_SENT] * 30)  # each call tries three times
    await world.take(penalty())
    first = world.clock()
    await world.deliverer().drain()
    await quarters(world, 8)
    [(one, during)] = await entered(world)

    await quarters(world, 24)
    [(after, said)] = await entered(world)

    assert (one.since, one.until, one.opened_by) == (first, None, "credit-gateway")
    assert 5 <= len(during) < len(said) == 11
    assert after.until is not None
    assert one.since < during[-1].at < after.until < world.clock()
    assert [each.at for each in said] == sorted(each.at for each in said)
    assert said[-1].words == "恢复应答"


async def test_a_refused_call_is_no_outage(world: World) -> None:
    world.connector().play(*[Step.CALL_REJECTED] * 300)
    await world.take(penalty())

    await quarters(world, 12)

    assert await entered(world) == []


async def test_a_later_owner_goes_on_with_the_outage_and_ends_it(make_world: MakeWorld) -> None:
    before = await make_world()
    before.connector().play(*[Step.NOT_SENT] * 300)
    await before.take(penalty())
    await quarters(before, 12)
    await before.deliverer().close()

    after = await make_world()
    after.clock.step(timedelta(hours=3))
    after.connector().play(*[Step.NOT_SENT] * 3)
    await quarters(after, 24)

    [(one, said)] = await entered(after)
    assert one.until is not None
    assert said[-1].words == "恢复应答"
