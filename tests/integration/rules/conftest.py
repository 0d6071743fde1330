"""A town whose rule set changes: its gateway, its texts, and their approval."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gateway.rules import activation as lives
from gateway.rules.activation import Proposal
from gateway.store.score import activations
from tests.factories import REGION, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World
from tests.town_rules import NAME, write_town_rules

DAY = date(2026, 10, 15)
MILD, HARD = 5, 30
PRESENT = (
    "select distinct on (s.id) g.to_grade from grade_change g join subject s "
    "on s.id = g.subject_id order by s.id, g.id desc"
)
WAITS = (
    "select exists (select from pg_stat_activity "
    "where datname = current_database() and wait_event_type = 'Lock')"
)
Town = Callable[[int], Awaitable[World]]


async def start(world: World) -> None:
    """Start the activation that is due; its subjects are not scored yet."""
    assert await world.schedule.rescoring.activate(world.clock())


async def approved(town: Town) -> World:
    """Approve a stricter text for four companies, and come to its day; it has not started."""
    world = await changed_file(town)
    await diffed(world, flips=4)
    await propose(world, share="1")
    await approve(world)
    world.clock.step(timedelta(days=3))
    return world


async def paused(town: Town) -> World:
    """Come to the day of a stricter text that changes more grades than its diff showed."""
    world = await changed_file(town)
    await diffed(world, flips=1)
    await propose(world)
    await approve(world)
    await world.pass_time(24 * 3)
    return world


async def beside(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[object, str],
    first: Callable[[], Awaitable[object]],
    second: Callable[[], Awaitable[object]],
) -> None:
    """Stop the first act after this function, let the second wait for its locks, then end both."""
    there, go = asyncio.Event(), asyncio.Event()
    owner, name = place
    function = getattr(owner, name)

    async def slowly(*arguments: Any) -> Any:
        done = await function(*arguments)
        there.set()
        await go.wait()
        return done

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, slowly)
        one = asyncio.ensure_future(first())
        async with asyncio.timeout(20):
            await there.wait()
        other = asyncio.ensure_future(second())
        async with asyncio.timeout(20):
            while not await world.value(WAITS):  # noqa: ASYNC110  the database has no event
                await asyncio.sleep(0.02)
        assert not other.done()
        go.set()
        await asyncio.gather(one, other)


@pytest.fixture
def town(make_world: MakeWorld, tmp_path: Path) -> Town:
    """Start the gateway with the rules of the town as they are now in the file."""

    async def start(points: int) -> World:
        write_town_rules(tmp_path, points)
        bindings = [{"rule_set": NAME, "regions": [REGION]}]
        return await make_world(scoring={"bindings": bindings, "rule_set_folders": [str(tmp_path)]})

    return start


async def diffed(world: World, flips: int, population: int = 4, as_of: date = DAY) -> None:
    """Store what `rules diff --store` stores."""
    rulebook = world.gateway.rulebook
    standing, new = rulebook.in_force(NAME, as_of), rulebook.load(NAME).rule_set
    async with world.database.transaction() as connection:
        await activations.add_diff(
            connection,
            {
                "old_hash": standing.version,
                "new_hash": new.version,
                "as_of": as_of,
                "population": population,
                "flips": flips,
                "totals": {},
                "made_by": "张三",
                "made_at": world.clock(),
            },
        )


async def propose(world: World, day: date = DAY, share: str = "0.3", by: str = "张三") -> None:
    rulebook, now = world.gateway.rulebook, world.clock()
    proposal = Proposal(NAME, rulebook.load(NAME), day, Fraction(share), by)
    async with world.database.transaction() as connection:
        await lives.propose(connection, rulebook, proposal, now)


async def approve(world: World, by: str = "李四") -> None:
    version = world.gateway.rulebook.load(NAME).rule_set.version
    async with world.database.transaction() as connection:
        await lives.approve(connection, NAME, version, by, world.clock())


async def confirm(world: World, by: str = "王五") -> None:
    async with world.database.transaction() as connection:
        await lives.confirm(connection, NAME, by, world.clock())


async def withdraw(world: World) -> None:
    async with world.database.transaction() as connection:
        await lives.withdraw(connection, NAME, "张三", world.clock())


async def changed_file(town: Town) -> World:
    """Score four companies with one fine each, then write stricter rules to the file."""
    before = await town(MILD)
    await before.take(*(penalty(n, n) for n in range(1, 5)))
    return await town(HARD)
