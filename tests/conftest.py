"""Fixtures of all tests: real servers for each worker, and a clone of a migrated database."""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pythonjsonlogger.json import JsonFormatter

from gateway.config.clock import SteppedClock
from gateway.config.settings import make_settings
from gateway.embedded.kafka import EmbeddedKafka
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.service.app import Gateway, build
from gateway.service.roles import mirror
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from schemas.base import SHANGHAI
from tests.exchange_place import Platform, on_mariadb
from tests.factories import REGION
from tests.folders import server_folder
from tests.mariadb import MariaDb, mariadb
from tests.soak import CHAOS_SEED, TIMES

NewDatabase = Callable[[], AbstractAsyncContextManager[Database]]
BuildGateway = Callable[..., Awaitable[Gateway]]

TEMPLATE = "template_gateway"
#: The servers of tests need no durability, so they do not wait for the disk.
UNSAFE = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
UNSAFE |= {"wal_level": "minimal", "max_wal_senders": "0"}
_numbers = count()


def pytest_report_header() -> list[str]:
    """Say with which seed of troubles a soak runs."""
    return [f"chaos: CHAOS_SEED={CHAOS_SEED}"] if TIMES > 1 else []


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(("CREDIT_GATEWAY_", "KAFKA_")):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _log_as_it_was() -> Iterator[None]:
    """Undo what a command that runs in this process does to the log."""
    root = logging.getLogger()
    level = root.level
    yield
    root.setLevel(level)
    for handler in root.handlers[:]:
        if isinstance(handler.formatter, JsonFormatter):
            root.removeHandler(handler)


@pytest.fixture(scope="session")
def state() -> Iterator[Path]:
    """The folder of the servers of the worker; pytest's own is closed to other users."""
    with server_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def postgres(state: Path) -> Iterator[EmbeddedPostgres]:
    """The PostgreSQL server of the worker, with a migrated template database."""
    server = EmbeddedPostgres(state, UNSAFE)
    server.start()
    asyncio.run(_make_template(server))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def kafka_bootstrap(state: Path) -> Iterator[str]:
    """The Kafka broker of the worker; each test creates its own topics."""
    server = EmbeddedKafka(state)
    server.start()
    yield server.bootstrap
    server.stop()


@pytest.fixture(scope="session")
def mariadb_server(state: Path) -> Iterator[MariaDb]:
    """The MariaDB of the worker, on which platforms have their exchange databases 前置库."""
    folder = state / "mariadb"
    folder.mkdir()
    with mariadb(folder) as server:
        yield server


@pytest.fixture
def exchange_database(mariadb_server: MariaDb) -> Iterator[Platform]:
    """An exchange database on MariaDB."""
    with on_mariadb(mariadb_server) as platform:
        yield platform


@pytest.fixture
def new_database(postgres: EmbeddedPostgres) -> NewDatabase:
    """Create migrated databases, for tests that need more than one."""

    @asynccontextmanager
    async def make() -> AsyncIterator[Database]:
        name = f"test_{next(_numbers)}"
        await execute(postgres, f"create database {name} template {TEMPLATE} strategy file_copy")
        database = Database(url_of(postgres, name))
        try:
            yield database
        finally:
            await database.close()
            await execute(postgres, f"drop database {name} with (force)")

    return make


@pytest.fixture
async def database(new_database: NewDatabase) -> AsyncIterator[Database]:
    """A migrated database for this test."""
    async with new_database() as made:
        yield made


@pytest.fixture
def clock() -> SteppedClock:
    """A clock that stands at 09:00 in China on Monday 2026-10-12."""
    return SteppedClock(datetime(2026, 10, 12, 9, tzinfo=SHANGHAI))


@pytest.fixture
def build_gateway(clock: SteppedClock) -> BuildGateway:
    """Build a gateway on a database; the given settings override `SETTINGS`."""

    async def make(database: Database, **changes: Any) -> Gateway:
        built = await build(make_settings({**SETTINGS, **changes}, "test"), database, clock)
        await mirror(built)
        return built

    return make


PLATFORM: dict[str, Any] = {
    "name": "platform",
    "title": "样例平台",
    "connector": "memory",
    "takes": ["penalty", "licence"],
    "clocks": ["calendar-7"],
    "settle": "PT0S",
}
BANK: dict[str, Any] = {**PLATFORM, "name": "bank", "title": "样例银行", "takes": ["grade_change"]}
SETTINGS: dict[str, Any] = {
    "state": "/nonexistent",
    "master_key": "a master key for tests only, and long",
    "scoring": {"bindings": [{"rule_set": "nm-2023-draft", "regions": [REGION]}]},
    "destinations": [PLATFORM, BANK],
}


def url_of(server: EmbeddedPostgres, database: str) -> str:
    """Return the URL of another database of the same server."""
    return f"postgresql+asyncpg://postgres@/{database}?host={server.runtime}"


async def execute(server: EmbeddedPostgres, statement: str) -> None:
    """Run one statement outside the databases of tests."""
    connection = await asyncpg.connect(
        host=str(server.runtime), user="postgres", database="postgres"
    )
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def _make_template(server: EmbeddedPostgres) -> None:
    await execute(server, f"create database {TEMPLATE}")
    database = Database(url_of(server, TEMPLATE))
    await upgrade(database)
    await database.close()
