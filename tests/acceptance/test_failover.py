"""The primary of a replicated PostgreSQL is killed under load, and its replica is promoted."""

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from connectors.sandbox import serve_sandbox
from gateway.embedded import postgres
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.server import spawn
from gateway.store.base.engine import Database, DatabaseAway
from gateway.store.base.seen_timeline import SeenTimeline
from gateway.store.base.upgrade import upgrade
from tests.acceptance.month import (
    assert_everything_is_there_once,
    messages,
    outcome_without_trouble,
)
from tests.acceptance.test_servers_restart import kill
from tests.acceptance.town import CITY, NATION, Town, eventually
from tests.conftest import NewDatabase
from tests.outcome import outcome


class Replicated(EmbeddedPostgres):
    """One server of a pair, on a port of its own."""

    def __init__(self, state: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        super().__init__(
            state / str(self.port), {"listen_addresses": "127.0.0.1", "port": str(self.port)}
        )

    def complete(self) -> None:
        """Make the database, by the own port."""
        asyncio.run(self._make_database())

    async def _make_database(self) -> None:
        if not await self.ask("select count(*) from pg_database where datname = 'credit_gateway'"):
            await self.ask("create database credit_gateway")

    async def ask(self, query: str, database: str = "postgres") -> object:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user="postgres", database=database, timeout=10
        )
        try:
            return await connection.fetchval(query, timeout=10)
        finally:
            await connection.close()


class Replica(Replicated):
    """A server that follows another one until it is promoted."""

    def follow(self, primary: Replicated) -> None:
        user = self._prepare_folders()
        command = [str(postgres._binaries() / "pg_basebackup"), "-D", str(self.data), "-R"]
        command += ["-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres", "-c", "fast"]
        self.run(spawn(command, self.log, user))

    def complete(self) -> None:
        """It has the database of the other one."""


@pytest.fixture
async def pair(state: Path) -> AsyncIterator[tuple[Replicated, Replica]]:
    """A primary with a synchronous replica: what is acknowledged is on both."""
    primary, replica = Replicated(state), Replica(state)
    await asyncio.to_thread(primary.start)
    await asyncio.to_thread(replica.follow, primary)
    await asyncio.to_thread(replica.start)
    await primary.ask("alter system set synchronous_standby_names = '*'")
    await primary.ask("select pg_reload_conf()")

    async def synchronous() -> object:
        return await primary.ask("select sync_state = 'sync' from pg_stat_replication")

    await eventually(synchronous)
    yield primary, replica
    for server in (primary, replica):
        await asyncio.to_thread(server.stop)
        shutil.rmtree(server.runtime, ignore_errors=True)


def address(pair: tuple[Replicated, Replicated]) -> str:
    hosts = "&".join(f"host=127.0.0.1:{one.port}" for one in pair)
    return f"postgresql://postgres@/credit_gateway?{hosts}&target_session_attrs=read-write"


@pytest.fixture
async def replicated(
    pair: tuple[Replicated, Replica], kafka_bootstrap: str, tmp_path: Path
) -> AsyncIterator[Town]:
    """A town whose gateways know both servers, and write to the one that takes writes."""
    database = Database(address(pair))
    await upgrade(database)
    made = Town("replicated", database, kafka_bootstrap, tmp_path)
    made.database_url = address(pair)
    async with serve_sandbox(made.sandbox) as url:
        made.url = url
        await made.make_topics()
        yield made
        await made.close()
    await database.close()


async def server_of(database: Database) -> int | None:
    """Return the port of the server that is written to."""
    async with database.transaction() as connection:
        port: int | None = await connection.scalar(text("select current_setting('port')::int"))
        return port


async def test_a_primary_that_lives_on_is_left_once_its_replica_is_promoted(
    pair: tuple[Replicated, Replica],
) -> None:
    """Its connections are as good as before; nothing on them says that it was replaced."""
    primary, replica = pair
    database = Database(address(pair))
    assert await server_of(database) == primary.port
    assert await replica.ask("select pg_promote(true, 30)")

    async def left() -> bool:
        return bool(await server_of(database) == replica.port)

    await eventually(left)
    await primary.ask("select pg_reload_conf()")
    assert await server_of(database) == replica.port
    await database.close()


async def test_behind_one_address_connections_to_the_primary_before_are_left(
    pair: tuple[Replicated, Replica],
) -> None:
    """A balancer sends new connections to the promoted server; the old one lives on."""
    primary, replica = pair
    goal = [primary.port]
    await primary.ask("alter system set synchronous_standby_names = ''")
    await primary.ask("select pg_reload_conf()")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", goal[0])
        await asyncio.gather(_pump(reader, back), _pump(there, writer))

    balancer = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = balancer.sockets[0].getsockname()[1]
    database = Database(f"postgresql://postgres@127.0.0.1:{port}/credit_gateway")
    assert await server_of(database) == primary.port
    assert await replica.ask("select pg_promote(true, 30)")
    goal[0] = replica.port
    async with database.transaction():  # on the old connection, so that the next one is new
        assert await server_of(database) == replica.port

    assert [await server_of(database) for _ in range(4)] == [replica.port] * 4
    await database.close()
    balancer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def test_a_standby_that_is_named_first_is_not_written_to(
    pair: tuple[Replicated, Replica],
) -> None:
    primary, replica = pair
    for hosts in ((primary, replica), (replica, primary)):
        url = address(hosts).replace("&target_session_attrs=read-write", "")
        database = Database(url)
        assert await server_of(database) == primary.port
        await database.close()


async def test_a_lost_connection_makes_a_process_look_at_all_hosts(
    pair: tuple[Replicated, Replica], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where it has looked a moment ago, and the old primary is back by then."""
    primary, replica = pair
    monkeypatch.setattr("gateway.store.base.primary.BELIEVED", 600)
    database = Database(address(pair))
    assert await server_of(database) == primary.port
    await asyncio.to_thread(kill, primary)
    assert await replica.ask("select pg_promote(true, 30)")
    await asyncio.to_thread(primary.start)

    found = None
    for _ in range(3):
        with suppress(DatabaseAway):
            found = await server_of(database)
    await database.close()

    assert found == replica.port


async def test_a_process_that_starts_while_the_new_primary_is_away_leaves_the_old_one_alone(
    pair: tuple[Replicated, Replica], tmp_path: Path
) -> None:
    primary, replica = pair
    await asyncio.to_thread(kill, primary)
    assert await replica.ask("select pg_promote(true, 30)")
    before = Database(address(pair))
    before.primary.remember(SeenTimeline(tmp_path / "timeline"))
    assert await server_of(before) == replica.port
    await before.close()
    await asyncio.to_thread(primary.start)
    await asyncio.to_thread(replica.stop)

    database = Database(address(pair))
    database.primary.remember(SeenTimeline(tmp_path / "timeline"))
    with pytest.raises(DatabaseAway, match="旧主库"):
        await server_of(database)
    await asyncio.to_thread(replica.start)
    assert await server_of(database) == replica.port
    await database.close()


async def test_nothing_is_lost_when_the_primary_is_killed_and_the_old_one_is_never_written_to(
    replicated: Town, pair: tuple[Replicated, Replica], new_database: NewDatabase
) -> None:
    primary, replica = pair
    published = messages()
    third = len(published) // 3
    replicated.receive_later(CITY, NATION)
    gateway = replicated.start()

    await replicated.publish(published[:third])
    await replicated.until_in(CITY, 3)
    await asyncio.to_thread(kill, primary)
    await replicated.publish(published[third : 2 * third])
    assert await replica.ask("select pg_promote(true, 30)")

    await replicated.until_in(CITY, 6)
    await asyncio.to_thread(primary.start)  # nobody told it that it is not the primary any more
    written = "select pg_current_wal_lsn() || ' ' || (select count(*) from inbox)"
    before = await primary.ask(written, "credit_gateway")
    await replicated.publish(published[2 * third :])
    await replicated.settle()
    await replicated.stop(gateway)

    assert str(await primary.ask(written, "credit_gateway")).split()[1] == str(before).split()[1]
    assert await replicated.rows("select 1 from audit_event where event = 'database_failed_over'")
    await assert_everything_is_there_once(replicated)
    assert await outcome(replicated.rows) == await outcome_without_trouble(replicated, new_database)


async def test_a_standby_that_lagged_behind_gives_no_id_again(
    replicated: Town, pair: tuple[Replicated, Replica]
) -> None:
    """What it lacks stands at the platforms under its keys, and is read again from Kafka."""
    primary, replica = pair
    published = messages()
    third = len(published) // 3
    await primary.ask("alter system set synchronous_standby_names = ''")
    await primary.ask("select pg_reload_conf()")
    gateway = replicated.start()
    await replicated.publish(published[:third])
    await replicated.settle()
    await replica.ask("alter system set primary_conninfo = ''")
    await replica.ask("select pg_reload_conf()")

    async def is_cut() -> bool:
        return not await primary.ask("select count(*) from pg_stat_replication")

    await eventually(is_cut)
    await replicated.publish(published[third : 2 * third])
    await replicated.settle()
    await asyncio.to_thread(kill, primary)
    assert await replica.ask("select pg_promote(true, 30)")
    await replicated.publish(published[2 * third :])
    await replicated.kill(gateway)  # it says that it has to be started again
    gateway = replicated.start()
    await replicated.settle()
    await replicated.stop(gateway)

    decided = await replicated.rows(
        "select document_number from decision where kind in ('penalty', 'licence')"
    )
    for place in (CITY, NATION):
        state = replicated.state(place)
        assert set(state["effects"].values()) == {1}
        assert {(entry["document_number"],) for entry in state["entries"]} == set(decided)
