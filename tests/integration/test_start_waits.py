"""A start waits for locks that somebody else holds in the database, and says so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import text

from gateway.config.settings import Settings, make_settings
from gateway.service import locks
from gateway.service.app import gateway
from gateway.service.roles import run
from gateway.store.base.engine import Connection, Database, DatabaseBusy
from gateway.store.base.upgrade import is_newest
from tests.conftest import SETTINGS
from tests.integration.older import back_to
from tests.integration.world import World

pytestmark = pytest.mark.integration

PATIENCE = 30


@pytest.fixture
def settings(database: Database) -> Settings:
    """Settings with the database of the test, in which a lock is waited for but a moment."""
    url = database.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    impatient = f"{url}&options=-c%20lock_timeout%3D100ms"
    return make_settings({**SETTINGS, "database_url": impatient}, "test")


@asynccontextmanager
async def held(database: Database, table: str) -> AsyncIterator[Connection]:
    """Hold a lock as a process does that stands still."""
    async with database.transaction() as connection:
        await connection.execute(text(f"lock table {table} in access exclusive mode"))
        yield connection


async def started(settings: Settings) -> None:
    async with gateway(settings) as built, run(built, frozenset()):
        pass


async def waits(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [one for one in caplog.records if one.getMessage() == "start_waits"]


async def until_it_waits(caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(PATIENCE):
        while not await waits(caplog):  # noqa: ASYNC110  the log has no event
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("table", ["alembic_version", "key_ring", "destination"])
async def test_a_start_waits_for_a_lock_and_says_for_what(
    database: Database, settings: Settings, caplog: pytest.LogCaptureFixture, table: str
) -> None:
    async with held(database, table):
        starting = asyncio.create_task(started(settings))
        await until_it_waits(caplog)
    await starting

    assert "数据库里有锁，等它放开" in (await waits(caplog))[0].waits


async def test_a_start_that_gives_up_names_the_lock_and_not_the_address(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "START_PATIENCE", 0)
    await started(settings)

    async with held(database, "destination"):
        with pytest.raises(DatabaseBusy) as caught:
            await started(settings)

    assert "占着锁" in caught.value.told()
    assert "CREDIT_GATEWAY_DATABASE_URL" not in caught.value.told()


async def test_a_migration_that_waits_lets_others_work_and_says_so(
    world: World, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    await back_to(world, "0020")
    async with world.database.transaction() as connection:
        await connection.execute(text("lock table delivery in row exclusive mode"))
        starting = asyncio.create_task(started(settings))
        await until_it_waits(caplog)
        async with asyncio.timeout(PATIENCE), world.database.transaction() as writing:
            await writing.execute(text("lock table delivery in row exclusive mode"))
    await starting

    assert await is_newest(world.database)


async def test_every_process_looks_for_what_stands_still(settings: Settings) -> None:
    async with gateway(settings) as built, run(built, frozenset()) as running:
        assert "frozen" in running.tasks
