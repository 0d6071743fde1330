"""Database and broker stop under load and start again; both are servers of this test."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest

from connectors.sandbox import serve_sandbox
from gateway.embedded.kafka import EmbeddedKafka
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from tests.acceptance.month import (
    assert_everything_is_there_once,
    messages,
    outcome_without_trouble,
)
from tests.acceptance.town import CITY, NATION, Town
from tests.conftest import NewDatabase
from tests.outcome import outcome


@pytest.fixture
async def own_postgres(state: Path) -> AsyncIterator[EmbeddedPostgres]:
    """A PostgreSQL server that may be killed; it is durable, as in production."""
    server = EmbeddedPostgres(state / "own")
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)
    shutil.rmtree(server.runtime, ignore_errors=True)


@pytest.fixture
async def own_kafka(state: Path) -> AsyncIterator[EmbeddedKafka]:
    """A broker that may be stopped."""
    server = EmbeddedKafka(state / "own-kafka")
    await asyncio.to_thread(server.start)
    yield server
    await asyncio.to_thread(server.stop)


@pytest.fixture
async def fragile(
    own_postgres: EmbeddedPostgres, own_kafka: EmbeddedKafka, tmp_path: Path
) -> AsyncIterator[Town]:
    """A town on servers that will stop."""
    database = Database(own_postgres.url)
    await upgrade(database)
    made = Town("fragile", database, own_kafka.bootstrap, tmp_path)
    async with serve_sandbox(made.sandbox) as url:
        made.url = url
        await made.make_topics()
        yield made
        await made.close()
    await database.close()


def kill(server: EmbeddedPostgres) -> None:
    """Kill the postmaster and all of its children."""
    master = psutil.Process(server.pid())
    for process in (master, *master.children(recursive=True)):
        process.kill()
    psutil.wait_procs([master])
    server.stop()


async def test_nothing_is_lost_or_doubled_when_the_servers_restart_under_load(
    fragile: Town,
    own_postgres: EmbeddedPostgres,
    own_kafka: EmbeddedKafka,
    new_database: NewDatabase,
) -> None:
    published = messages()
    third = len(published) // 3
    fragile.receive_later(CITY, NATION)
    gateway = fragile.start()

    await fragile.publish(published[:third])
    await fragile.until_in(CITY, 3)
    await asyncio.to_thread(kill, own_postgres)
    await fragile.publish(published[third : 2 * third])
    await asyncio.to_thread(own_postgres.start)
    await asyncio.to_thread(own_kafka.stop)
    await asyncio.to_thread(own_kafka.start)
    assert own_kafka.bootstrap == fragile.bootstrap
    await fragile.publish(published[2 * third :])
    await fragile.settle()
    await fragile.stop(gateway)

    await assert_everything_is_there_once(fragile)
    assert await outcome(fragile.rows) == await outcome_without_trouble(fragile, new_database)
