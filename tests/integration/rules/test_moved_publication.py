"""A new text may move the day of publication: each period is published once all the same."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.score.verify import verify_published
from tests.factories import REGION, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.rules.conftest import approve, diffed, propose
from tests.integration.schedule.publications import at, told
from tests.integration.world import World
from tests.town_rules import NAME, write_town_rules

pytestmark = pytest.mark.integration

SNAPSHOT = """\
    snapshot: {{cadence: year, counts: of_period, published_on: "{day}", article: 七, text: 每年}}
    items:
"""


async def town(make_world: MakeWorld, folder: Path, day: str, points: int) -> World:
    """Start the gateway with a text that publishes on a day of the year."""
    write_town_rules(folder, points)
    file = folder / f"{NAME}.yaml"
    file.write_text(file.read_text().replace("    items:\n", SNAPSHOT.format(day=day)))
    bindings = [{"rule_set": NAME, "regions": [REGION]}]
    return await make_world(scoring={"bindings": bindings, "rule_set_folders": [str(folder)]})


@pytest.mark.parametrize(
    ("before", "after", "begins", "expected"),
    [
        ("06-30", "05-30", date(2027, 6, 10), date(2027, 6, 10)),
        ("05-30", "06-30", date(2027, 5, 20), date(2027, 6, 30)),
    ],
)
async def test_a_period_is_published_once(
    make_world: MakeWorld, tmp_path: Path, before: str, after: str, begins: date, expected: date
) -> None:
    world = await town(make_world, tmp_path, before, 5)
    await world.take(penalty(1), penalty(2, 2))
    world.clock.set(at((begins - timedelta(days=1)).isoformat()))
    await world.turn()
    world = await town(make_world, tmp_path, after, 10)
    await diffed(world, flips=0, population=2, as_of=begins)
    await propose(world, begins, share="1")
    await approve(world)

    day = begins
    while day < date(2027, 7, 4):
        world.clock.set(at(day.isoformat()))
        await world.turn()
        day += timedelta(days=1)

    days = await world.column("select published_on from published_grade")
    assert days == [expected, expected]
    empty = "select count(*) from publication where stored = 0 and period_end = '2026-12-31'"
    assert await world.value(empty) == 0
    assert await verify_published(world.database, lambda _: None) == (2, [])
    lines = [line for body in await told(world) for line in body["reasons"]]
    assert any("启用之日公布" in line for line in lines) == (expected == begins)
