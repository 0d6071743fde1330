"""A gateway that forgets what is over: what it keeps, and for how long."""

from datetime import datetime

import pytest

from gateway.store.record import inbox
from schemas.base import SHANGHAI
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

KEPT_MONTHS = 6
ALL = dict.fromkeys(
    ("attempts", "receipts", "audit", "inbox", "intake_requests", "assessments"), KEPT_MONTHS
)
#: A time in a month that is over by more than the classes are kept; it has partitions.
OLD = datetime(2026, 12, 20, 9, tzinfo=SHANGHAI)
LATER = datetime(2027, 7, 20, 9, tzinfo=SHANGHAI)
COUNTS = ("attempt", "receipt", "inbox", "origin", "intake_request", "assessment")


@pytest.fixture
async def keeping(make_world: MakeWorld) -> World:
    """A gateway that keeps every class for six months, some months ago, and deletes each day."""
    world = await make_world(retention=ALL, ledger={"freeze_day": None})
    world.clock.step(OLD - world.clock())
    await deleted(world, OLD)
    return world


async def deleted(world: World, at: datetime) -> None:
    """Note that the deletion of that day was done."""
    await world.run(
        "insert into job_run values ('retention', :day, :now) on conflict do nothing",
        day=at.date(),
        now=at,
    )


async def counts(world: World) -> dict[str, int]:
    return {table: await world.value(f"select count(*) from {table}") for table in COUNTS}


async def forget(world: World) -> None:
    """Run the daily work of a day in the following year, as if there had been one each day."""
    await deleted(world, LATER)
    world.clock.step(LATER - world.clock())
    await world.schedule.daily.run(world.clock())


async def ask(world: World, key: str) -> None:
    async with world.database.transaction() as connection:
        await inbox.request_hash(connection, key, b"hash", world.clock())


async def receipt(world: World) -> None:
    await world.run(
        "insert into receipt (delivery_id, accepted, platform_at, received_at) "
        "select id, true, :now, :now from delivery",
        now=world.clock(),
    )
