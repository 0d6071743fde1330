"""A gateway is killed at any point: nothing acknowledged is lost, nothing has two effects."""

import pytest

from tests.acceptance.child import POINTS
from tests.acceptance.month import (
    assert_everything_is_there_once,
    messages,
    outcome_without_trouble,
)
from tests.acceptance.town import CITY, NATION, Town
from tests.conftest import NewDatabase
from tests.outcome import outcome

#: Points that are only reached after another process died at the given point.
ASKED = "the platform was asked about an unknown outcome"
AFTER_A_DEATH = {
    "lost leases were found": "the platform stored, its answer was lost",
    ASKED: "the platform stored, its answer was lost",
}


@pytest.mark.parametrize("point", POINTS)
async def test_after_a_kill_the_next_gateway_finishes_everything(
    town: Town, new_database: NewDatabase, point: str
) -> None:
    await town.publish(messages())
    # A receipt that comes within the lost lease tells the outcome: then nobody needs to ask.
    town.receive_later(*[NATION] if point == ASKED else [CITY, NATION])
    if before := AFTER_A_DEATH.get(point):
        await town.start_and_let_die(before)

    await town.start_and_let_die(point)
    survivor = town.start()
    await town.settle()
    await town.stop(survivor)

    await assert_everything_is_there_once(town)
    assert await outcome(town.rows) == await outcome_without_trouble(town, new_database)


async def test_after_several_kills_the_last_gateway_finishes_everything(
    town: Town, new_database: NewDatabase
) -> None:
    await town.publish(messages())
    town.receive_later(CITY, NATION)

    await town.start_and_let_die("the batch was committed, its offsets not", at_pass=2)
    await town.start_and_let_die("versions were written", at_pass=2)
    await town.start_and_let_die("the platform stored, its answer was lost")
    await town.start_and_let_die("outcomes were known, not written")
    survivor = town.start()
    await town.settle()
    await town.stop(survivor)

    await assert_everything_is_there_once(town)
    assert await outcome(town.rows) == await outcome_without_trouble(town, new_database)
