"""What a shard 分片 must have of its subjects, and how shards share the rate of a destination."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from deploy.shards import shard_of
from gateway.config.clock import SteppedClock
from gateway.deliver import pace
from tests.conftest import BANK, PLATFORM, BuildGateway, NewDatabase
from tests.factories import credit_code, event, participant, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.test_participants import grades
from tests.integration.world import World

pytestmark = pytest.mark.integration

Route = Callable[[dict[str, Any]], int]
Grades = dict[str, str | None]
TakeInShards = Callable[[Route], Awaitable[list[Grades]]]

SHARDS = 2
#: A branch 分支机构 whose own code belongs to the other shard than that of its legal person.
LEGAL_PERSON, BRANCH = 1, 2
STORY = (
    penalty(1, LEGAL_PERSON),
    participant(BRANCH, parent_code=credit_code(LEGAL_PERSON)),
    event(2, BRANCH, type="dishonesty.permit_fraud"),
)
OF_LEGAL_PERSON = {credit_code(BRANCH): credit_code(LEGAL_PERSON)}


def by_own_code(row: dict[str, Any]) -> int:
    return shard_of(row.get("subject_code") or row["CF_XDR_SHXYM"], SHARDS)


def by_legal_person(row: dict[str, Any]) -> int:
    """Return the shard as a source must route: by the legal person of whoever is a branch."""
    code = row.get("subject_code") or row["CF_XDR_SHXYM"]
    return shard_of(OF_LEGAL_PERSON.get(code, code), SHARDS)


async def last_grades(world: World) -> Grades:
    return {row[0]: row[2] for row in await grades(world)}


@pytest.fixture
def in_shards(
    build_gateway: BuildGateway, clock: SteppedClock, new_database: NewDatabase
) -> TakeInShards:
    """Take the story in new shards, as it is routed; return the grades of each."""

    async def take(route: Route) -> list[Grades]:
        found = []
        for number in range(SHARDS):
            async with new_database() as database:
                shard = World(await build_gateway(database), clock)
                for row in STORY:
                    if route(row) == number:
                        await shard.take(row)
                found.append(await last_grades(shard))
        return found

    return take


async def test_branches_go_to_the_shard_of_their_legal_person(
    world: World, in_shards: TakeInShards
) -> None:
    """One transaction reads what a legal person and its branches did; else two shards grade it."""
    for row in STORY:
        await world.take(row)

    routed, torn = await in_shards(by_legal_person), await in_shards(by_own_code)

    assert await last_grades(world) == {credit_code(LEGAL_PERSON): "D"}
    assert routed == [{credit_code(LEGAL_PERSON): "D"}, {}]
    assert torn == [{credit_code(LEGAL_PERSON): "A"}, {credit_code(LEGAL_PERSON): "D"}]


@pytest.mark.parametrize("whole", [4, 20])
async def test_the_shares_of_a_rate_add_up_to_it(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    """Each shard is configured with its share; of each, one call in five is for receipts."""
    seconds = 30

    calls = [
        await calls_of(await with_rate(make_world, whole // SHARDS), monkeypatch, seconds)
        for _ in range(SHARDS)
    ]

    assert calls == [seconds * whole * 4 // 5 // SHARDS] * SHARDS


async def with_rate(make_world: MakeWorld, calls: int) -> World:
    rates = [{"calls": calls, "within": "PT1S"}]
    return await make_world(destinations=[PLATFORM | {"rates": rates}, BANK])


async def calls_of(world: World, monkeypatch: pytest.MonkeyPatch, seconds: float) -> int:
    """Return how many turns a caller has in so many seconds of a clock that only pauses move."""

    async def pause(delay: float) -> None:
        world.clock.step(timedelta(seconds=delay))

    monkeypatch.setattr(pace, "asyncio", SimpleNamespace(sleep=pause))
    end, calls = world.clock() + timedelta(seconds=seconds), 0
    while await world.deliverer().caller.pace.turn(lambda: world.clock() >= end):
        calls += 1
    monkeypatch.undo()
    return calls
