"""Fixtures with whole gateways on the database of the test."""

from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf
from pathlib import Path

import pytest

from gateway.config.clock import SteppedClock
from gateway.store.base.engine import Database
from tests.conftest import BuildGateway
from tests.integration.world import World
from tests.receiving_rules import receiving

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture(autouse=True)
def nothing_is_put_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock of these tests stands: what is put off because it was slow would never be done."""
    monkeypatch.setattr("gateway.deliver.seldom.SLOW", inf)


@pytest.fixture
async def make_world(
    database: Database, clock: SteppedClock, build_gateway: BuildGateway
) -> AsyncIterator[MakeWorld]:
    """Build worlds on the database of the test: the processes of one installation."""
    made: list[World] = []

    async def make(**settings: object) -> World:
        made.append(World(await build_gateway(database, **settings), clock))
        return made[-1]

    yield make
    for world in made:
        for deliverer in world.deliverers.values():
            await deliverer.close()


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    """A gateway with a platform for decisions and a bank for grade changes."""
    return await make_world()


@pytest.fixture
async def receiving_world(make_world: MakeWorld, tmp_path: Path) -> World:
    """A gateway whose rule set counts points, and takes grades that are computed elsewhere."""
    return await make_world(scoring=receiving(tmp_path))
