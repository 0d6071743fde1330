"""Two processes of one installation share the work; one may be killed while it works."""

from tests.acceptance.month import (
    assert_everything_is_there_once,
    messages,
    outcome_without_trouble,
)
from tests.acceptance.town import CITY, NATION, Town, eventually
from tests.conftest import NewDatabase
from tests.outcome import outcome


async def test_two_gateways_do_everything_once_and_in_order(
    town: Town, new_database: NewDatabase
) -> None:
    town.receive_later(CITY, NATION)
    published = messages()
    first, second = town.start(), town.start()

    for start in range(0, len(published), 7):
        await town.publish(published[start : start + 7])
    await town.settle()
    await town.stop(first)
    await town.stop(second)

    await assert_everything_is_there_once(town)
    assert await outcome(town.rows) == await outcome_without_trouble(town, new_database)


async def test_the_other_gateway_takes_over_from_one_that_is_killed_under_load(
    town: Town, new_database: NewDatabase
) -> None:
    town.receive_later(CITY, NATION)
    published = messages()
    doomed, other = town.start(), town.start()
    await town.publish(published[: len(published) // 2])

    async def under_way() -> bool:
        return len(town.state(CITY)["entries"]) >= 3

    await eventually(under_way)
    await town.kill(doomed)
    await town.publish(published[len(published) // 2 :])
    await town.settle()
    await town.stop(other)

    await assert_everything_is_there_once(town)
    assert await outcome(town.rows) == await outcome_without_trouble(town, new_database)
