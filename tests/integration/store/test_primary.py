"""Several hosts of a database: silent ones, hardened ones, and connections that are given up."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError

from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.base.engine import Database, DatabaseAway
from tests.integration.store.test_outages import Proxy, asked

pytestmark = pytest.mark.integration


@pytest.fixture
async def hosts(postgres: EmbeddedPostgres) -> AsyncIterator[tuple[int, int]]:
    """The ports of a host that takes connections and says nothing, and of the real one."""
    held: list[asyncio.StreamWriter] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(writer)
        with suppress(ConnectionError):
            await reader.read()

    proxy = Proxy(postgres.runtime / ".s.PGSQL.5432")
    servers = [await asyncio.start_server(one, "127.0.0.1", 0) for one in (silent, proxy)]
    first, second = (one.sockets[0].getsockname()[1] for one in servers)
    yield first, second
    for writer in held:
        writer.close()
    for one in servers:
        one.close()
    await proxy.stop()


def address(*ports: int, more: str = "") -> str:
    return "postgresql://postgres@/postgres?" + "&".join(
        f"host=127.0.0.1:{port}" for port in ports
    ) + more  # fmt: skip


@pytest.mark.parametrize("first", [True, False])
async def test_a_host_that_is_silent_keeps_nobody_from_the_other_one(
    hosts: tuple[int, int], *, first: bool
) -> None:
    silent, real = hosts
    database = Database(address(*(hosts if first else (real, silent))), connect_seconds=8)
    found = await asyncio.wait_for(asyncio.gather(*(asked(database) for _ in range(5))), 30)
    await database.close()

    assert found == [1] * 5


@pytest.mark.parametrize("count", [1, 2])
async def test_commands_that_only_read_take_the_address_of_those_that_write(
    hosts: tuple[int, int], count: int
) -> None:
    """A session that only reads is not `read-write`, whatever the server is."""
    _, real = hosts
    url = address(*[real] * count, more="&target_session_attrs=read-write")
    for read_only in (True, False):
        database = Database(url, read_only=read_only)
        assert await asked(database) == 1
        await database.close()


async def test_connections_that_end_one_after_the_other_are_an_outage(
    hosts: tuple[int, int],
) -> None:
    """The pool gives up after two, and says so by an error that is of no driver."""
    _, real = hosts
    database = Database(address(real, real))

    def ended(*_: object) -> None:
        raise DisconnectionError

    event.listen(database.engine.sync_engine, "checkout", ended)
    with pytest.raises(DatabaseAway):
        await asked(database)
    event.remove(database.engine.sync_engine, "checkout", ended)
    assert await asked(database) == 1
    await database.close()


async def test_a_role_that_may_not_ask_for_the_timeline_is_let_in(
    postgres: EmbeddedPostgres, hosts: tuple[int, int]
) -> None:
    admin = await asyncpg.connect(host=str(postgres.runtime), user="postgres", database="postgres")
    await admin.execute("create role hardened login")
    await admin.execute("revoke execute on function pg_walfile_name(pg_lsn) from public")
    _, real = hosts
    try:
        for url in (address(real), address(real, real)):
            database = Database(url.replace("postgres@", "hardened@"))
            assert await asked(database) == 1
            await database.close()
    finally:
        await admin.execute("grant execute on function pg_walfile_name(pg_lsn) to public")
        await admin.execute("drop role hardened")
        await admin.close()


async def test_connections_that_are_given_up_while_they_are_opened_are_ended(
    postgres: EmbeddedPostgres, hosts: tuple[int, int]
) -> None:
    _, real = hosts
    admin = await asyncpg.connect(host=str(postgres.runtime), user="postgres", database="postgres")
    database = Database(address(real, real, more="&application_name=given-up"), pool_size=20)
    for number in range(40):
        task = asyncio.create_task(asked(database))
        await asyncio.sleep(0.001 * number)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await database.close()
    count = "select count(*) from pg_stat_activity where application_name = 'given-up'"
    left = -1
    for _ in range(100):
        if not (left := await admin.fetchval(count)):
            break
        await asyncio.sleep(0.1)
    await admin.close()

    assert left == 0
