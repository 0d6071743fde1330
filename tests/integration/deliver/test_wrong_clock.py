"""A clock that is wrong for a while leaves nothing behind that stays wrong for ever."""

from datetime import timedelta

import pytest

from connectors.memory import Step
from tests.factories import penalty
from tests.integration.deliver.late import days
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("step", [Step.LOSE_ANSWER, Step.DEFER])
@pytest.mark.parametrize("ahead", [timedelta(days=45), timedelta(days=3650)])
async def test_a_retry_at_a_time_that_no_wait_can_have_is_made_at_once(
    world: World, step: Step, ahead: timedelta
) -> None:
    await world.take(penalty())
    world.connector().play(step)
    world.clock.step(ahead)
    await world.deliverer().drain()
    world.clock.step(-ahead)

    await days(world, 20)

    assert await world.states() == ["accepted"]


async def test_the_time_of_a_subject_does_not_become_that_of_others(world: World) -> None:
    await world.take(penalty(2, 2, CF_NR_FK="20"))
    await world.turn()
    world.clock.step(timedelta(days=3650))
    await world.take(penalty(1, 1))
    world.clock.step(-timedelta(days=3650))

    await world.take(penalty(2, 2, verb="withdraw"), penalty(3, 1))
    await world.take(penalty(4, 2, CF_NR_FK="30"), penalty(5, 3))

    year = world.clock().year
    due = await world.value("select max(due_at) from delivery where verb = 'withdraw'")
    assert due < world.clock() + timedelta(days=5)
    query = (
        "select max(recorded_at) from assessment a join subject s on s.id = a.subject_id "
        "where s.id <> (select subject_id from decision order by id limit 1 offset 1)"
    )
    assert (await world.value(query)).year == year
    assert await world.value("select count(*) from fact where known_to < known_from") == 0
