"""What a transaction says when the database does not answer, and that it says it in time."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.config.clock import SteppedClock
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.service.tasks import Running
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import (
    Connection,
    Database,
    DatabaseAway,
    DatabaseBusy,
    DatabaseRefuses,
    StatementTooLong,
)
from gateway.telemetry.audit_events import AuditEvent
from tests.factories import penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration

ONE = text("select 1")


class Proxy:
    """Stands between the gateway and PostgreSQL; when told so, it lets nothing more through."""

    def __init__(self, server: Path) -> None:
        self.server = server
        self.swallows = False
        self._writers: list[asyncio.StreamWriter] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, forth = await asyncio.open_unix_connection(self.server)
        self._writers += [writer, forth]
        await asyncio.gather(self._carry(reader, forth), self._carry(back, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if not self.swallows:
                    writer.write(data)
        writer.close()

    async def stop(self) -> None:
        for writer in self._writers:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in self._writers), return_exceptions=True)


@asynccontextmanager
async def proxied(server: EmbeddedPostgres) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy, and the address of the database through it."""
    proxy = Proxy(server.runtime / ".s.PGSQL.5432")
    listening = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield proxy, f"postgresql://postgres@127.0.0.1:{port}/postgres"
        await proxy.stop()


async def asked(database: Database) -> int:
    async with asyncio.timeout(20), database.transaction() as connection:
        return int(await connection.scalar(ONE))


async def asked_twice(database: Database, proxy: Proxy) -> None:
    """Ask; then let nothing through and ask again in the same transaction."""
    async with asyncio.timeout(20), database.transaction() as connection:
        await connection.execute(ONE)
        proxy.swallows = True
        await connection.execute(ONE)


async def test_a_database_that_falls_silent_in_a_transaction_is_away(
    postgres: EmbeddedPostgres,
) -> None:
    async with proxied(postgres) as (proxy, url):
        database = Database(url, command_seconds=0.5)

        with pytest.raises(DatabaseAway):
            await asked_twice(database, proxy)

        proxy.swallows = False
        assert await asked(database) == 1
        await database.close()


async def test_a_database_that_does_not_answer_a_new_connection_is_away(
    postgres: EmbeddedPostgres,
) -> None:
    async with proxied(postgres) as (proxy, url):
        database = Database(url, connect_seconds=0.5)
        proxy.swallows = True

        with pytest.raises(DatabaseAway):
            await asked(database)
        await database.close()


async def test_a_pool_without_a_free_connection_is_an_outage(
    postgres: EmbeddedPostgres,
) -> None:
    async with proxied(postgres) as (_, url):
        database = Database(url, pool_size=1, pool_seconds=0.2)

        async with database.transaction(), database.transaction():
            with pytest.raises(DatabaseAway, match="QueuePool"):
                async with database.transaction():
                    pass
        await database.close()


async def test_the_kernel_watches_an_idle_connection(postgres: EmbeddedPostgres) -> None:
    async with proxied(postgres) as (_, url):
        database = Database(url)

        async with database.transaction() as connection:
            raw = await connection.get_raw_connection()
            transport = raw.driver_connection._transport  # type: ignore[union-attr]
            raw_socket = transport.get_extra_info("socket")

            assert raw_socket.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert raw_socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) > 0
        await database.close()


async def test_a_copy_as_the_first_statement_is_part_of_the_transaction(
    database: Database, clock: SteppedClock
) -> None:
    async def work(connection: Connection) -> None:
        await events.add(connection, [AuditEntry(AuditEvent.RECONCILED, {})], clock())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.run(work)

    async with database.transaction() as connection:
        assert await connection.scalar(text("select count(*) from audit_event")) == 0


async def test_a_gateway_whose_connections_are_cut_is_not_ready(world: World) -> None:
    probe = Running(world.gateway).probes.ready["database"]
    before = await probe()

    other = Database(world.database.engine.url.render_as_string(hide_password=False))
    async with other.transaction() as connection:
        await connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    await other.close()

    assert (before, await probe()) == (None, "数据库不可用")
    assert await probe() is None


async def test_a_lock_timeout_is_an_outage_and_no_fault_of_an_item(world: World) -> None:
    await world.take(penalty())

    async def lock(connection: Connection) -> None:
        await connection.execute(text("set local lock_timeout = '50ms'"))
        await connection.execute(text("select id from subject for update"))

    async with world.database.transaction() as first:
        await lock(first)

        with pytest.raises(DatabaseAway):
            await world.database.run(lock)


_TROUBLES = {
    "lock_timeout": (
        "set local lock_timeout = '50ms'; lock table subject in exclusive mode",
        DatabaseBusy,
    ),
    "statement_timeout": (
        "set local statement_timeout = '50ms'; select pg_sleep(5)",
        StatementTooLong,
    ),
    "terminated": ("select pg_terminate_backend(pg_backend_pid())", DatabaseAway),
    "no permission": ("set local role pg_monitor; select * from subject", DatabaseRefuses),
    "no such table": ("select * from no_such_table", DatabaseRefuses),
    "read only": ("set transaction read only; delete from inbox", DatabaseAway),
    "no such statement": ("execute no_such_statement", DatabaseAway),
}


@pytest.mark.parametrize(("statements", "wanted"), _TROUBLES.values(), ids=_TROUBLES)
async def test_a_trouble_of_the_database_is_an_outage_and_passes(
    world: World, statements: str, wanted: type[DatabaseAway]
) -> None:
    async def work(connection: Connection) -> None:
        for statement in statements.split("; "):
            await connection.execute(text(statement))

    async with world.database.transaction() as other:
        await other.execute(text("lock table subject in share mode"))
        with pytest.raises(DatabaseAway) as caught:
            await world.database.run(work)
    await world.take(penalty())

    assert type(caught.value) is wanted
    assert await world.value("select count(*) from quarantine") == 0


async def test_an_idle_transaction_that_the_server_ends_is_an_outage(world: World) -> None:
    async def idle(connection: Connection) -> None:
        await connection.execute(text("set local idle_in_transaction_session_timeout = '50ms'"))
        await asyncio.sleep(0.3)
        await connection.execute(ONE)

    with pytest.raises(DatabaseAway):
        await world.database.run(idle)


async def test_a_lock_that_somebody_holds_for_long_is_an_outage(world: World) -> None:
    assert await world.value("show lock_timeout") == "20s"


async def test_a_connection_that_was_cut_while_it_was_idle_is_replaced(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.store.base.connections.IDLE_SECONDS", 0)
    other = Database(world.database.engine.url.render_as_string(hide_password=False))
    async with other.transaction() as connection:
        await connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    await other.close()

    await world.take(penalty())

    assert await world.value("select count(*) from decision") == 1


async def test_connections_to_a_server_that_became_a_standby_are_given_up(world: World) -> None:
    """It lives on and answers, but only reads (graphile/worker#449)."""

    async def demote(connection: Connection) -> None:
        await connection.execute(text("set session characteristics as transaction read only"))

    await world.database.run(demote)
    with pytest.raises(DatabaseAway, match="read-only"):
        await world.take(penalty())
    gc.collect()  # a connection that nobody closed warns now

    await world.take(penalty())

    assert await world.value("select count(*) from decision") == 1
