"""A whole gateway through PgBouncer, which gives each transaction another server."""

import asyncio
import os
import pwd
import shutil
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gateway.batch import Batch
from gateway.config.clock import SteppedClock
from gateway.embedded.access import let_pass
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.server import spawn, wait_until
from gateway.ledger.freeze import freeze_month
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from schemas.verdict import Verdict
from tests.conftest import BuildGateway
from tests.factories import penalty, person_penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration

CONFIGURATION = """\
[databases]
* = host={server} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 2
server_reset_query =
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def bouncer(postgres: EmbeddedPostgres, state: Path) -> Iterator[int]:
    """The port of a PgBouncer in transaction mode, with two servers for each database."""
    program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
    port = free_port()
    folder = state / f"pgbouncer-{port}"
    folder.mkdir()
    file, log = folder / "pgbouncer.ini", folder / "pgbouncer.log"
    file.write_text(CONFIGURATION.format(server=postgres.runtime, port=port))
    user = None
    if os.geteuid() == 0:  # it refuses to run as root
        user = pwd.getpwnam("nobody").pw_uid
        let_pass(folder)
    server = spawn([program, str(file)], log, user)
    assert wait_until(lambda: accepts(port), lambda: server.poll() is not None), log.read_text()
    yield port
    server.terminate()
    server.wait()


@pytest.fixture
async def pooled(database: Database, bouncer: int) -> AsyncIterator[Database]:
    name = database.engine.url.database
    url = f"postgresql://postgres@127.0.0.1:{bouncer}/{name}?pooler=transaction"
    made = Database(url)
    yield made
    await made.close()


async def test_everything_works_through_a_pooler(
    pooled: Database, build_gateway: BuildGateway, clock: SteppedClock
) -> None:
    await upgrade(pooled)
    world = World(await build_gateway(pooled), clock)
    batches = [[penalty(n, n) for n in range(first, first + 20)] for first in range(1, 200, 20)]

    await asyncio.gather(*(world.take(*batch) for batch in batches))
    await world.take(person_penalty(300))
    await asyncio.gather(*(world.turn() for _ in range(3)))
    await world.turn()
    _, frozen, made = await freeze_month(
        pooled, world.gateway.ledger_scope, world.gateway.keys, "2026-10", clock(), "测试"
    )

    assert await world.states() == ["accepted"] * 201
    assert (frozen.version, made) == (1, True)
    assert await world.value("select count(*) from quarantine") == 0
    assert await world.value("show lock_timeout") == "20s"
    for deliverer in world.deliverers.values():
        await deliverer.close()


async def test_a_reading_command_reads_only_through_a_pooler_too(
    database: Database, bouncer: int
) -> None:
    name = database.engine.url.database
    url = f"postgresql://postgres@127.0.0.1:{bouncer}/{name}?pooler=transaction"
    reading = Database(url, read_only=True)

    async with reading.transaction() as connection:
        shown = await connection.scalar(text("show transaction_read_only"))
    await reading.close()

    assert shown == "on"


async def test_a_snapshot_has_the_settings_of_a_transaction_and_sees_no_moment_before_its_work(
    bouncer: int,
) -> None:
    """The driver would set them by a query, which would be the moment of the snapshot."""
    address = f"postgresql://postgres@127.0.0.1:{bouncer}/postgres?pooler=transaction"
    database = Database(f"{address}&options=-c%20search_path%3Dsomewhere")
    names = ("search_path", "timezone", "lock_timeout", "jit")
    async with database.transaction() as connection:
        wanted = [await connection.scalar(text(f"show {name}")) for name in names]
    async with database.snapshot() as connection:
        found = [await connection.scalar(text(f"show {name}")) for name in names]
    await database.close()

    assert found == wanted
    assert found[:2] == ["somewhere", "UTC"]


@pytest.fixture
def scarce(monkeypatch: pytest.MonkeyPatch) -> None:
    """One server for each database, and no patience."""
    less = "default_pool_size = 1\nquery_wait_timeout = 4"
    written = CONFIGURATION.replace("default_pool_size = 2", less)
    monkeypatch.setattr("tests.integration.store.test_pgbouncer.CONFIGURATION", written)


async def test_one_broken_connection_quarantines_nothing_where_servers_are_scarce(
    scarce: None,
    pooled: Database,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second connection, which shows whether all are cut, is not to be had."""
    world, run, runs = World(await build_gateway(pooled), clock), Batch.run, 0

    async def breaks_once(batch: Batch) -> Any:
        nonlocal runs
        runs += 1
        if runs == 1:
            raw = await batch.connection.get_raw_connection()
            driver: Any = raw.driver_connection
            driver._transport.abort()
        return await run(batch)

    monkeypatch.setattr(Batch, "run", breaks_once)

    [taken] = await world.take(penalty())

    assert taken.verdict is Verdict.OK
    assert runs == 2
    for deliverer in world.deliverers.values():
        await deliverer.close()
