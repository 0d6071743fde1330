"""A connection that is cut: what is sent is found, and an outage is waited for."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from math import inf
from pathlib import Path

import pytest

from gateway.config.clock import SteppedClock
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Database, DatabaseAway
from gateway.telemetry.audit_events import AuditEvent
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.conftest import BuildGateway
from tests.factories import penalty
from tests.integration.store.test_outages import Proxy
from tests.integration.world import World

pytestmark = pytest.mark.integration

#: What the proxy does not let through, in a record.
POISON = "样例断线标记"


class Cutting(Proxy):
    """Stands before PostgreSQL and closes each connection on which some bytes are sent."""

    def __init__(self, server: Path) -> None:
        super().__init__(server)
        self.cuts = POISON.encode()
        self.times = inf  #: how often it cuts
        self.down_for = 0.0  #: seconds in which it takes no connection after it has cut one
        self._down_until = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if time.monotonic() < self._down_until:
            writer.close()
        else:
            await super().__call__(reader, writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if self.cuts in data and self.times > 0:
                    self.times -= 1
                    self._down_until = time.monotonic() + self.down_for
                    break
                writer.write(data)
        writer.close()

    def cut_all(self) -> None:
        for writer in self._writers:
            writer.transport.abort()


@pytest.fixture(autouse=True)
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.store.base.steadiness.SHORTEST", 0.5)


@pytest.fixture
async def proxy(postgres: EmbeddedPostgres) -> Cutting:
    return Cutting(postgres.runtime / ".s.PGSQL.5432")


@pytest.fixture
async def behind(
    proxy: Cutting, database: Database, build_gateway: BuildGateway, clock: SteppedClock
) -> AsyncIterator[World]:
    """A gateway whose database is behind the proxy."""
    listening = await asyncio.start_server(proxy, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        through = Database(f"postgresql://postgres@127.0.0.1:{port}/{database.engine.url.database}")
        yield World(await build_gateway(through), clock)
        await through.close()
        await proxy.stop()


async def test_an_item_that_ends_the_connection_is_found_by_halving(behind: World) -> None:
    rows = [penalty(n, n, CF_NR=POISON if n == 4 else "罚款") for n in range(1, 8)]

    results = await behind.take(*rows)

    refused = [one for one in results if one.verdict is Verdict.REFUSED]
    assert [one.position for one in refused] == [3]
    assert [one.rule for one in refused[0].problems] == [Rule.INTERNAL]
    assert await behind.value("select count(*) from decision") == 6
    assert await behind.value("select count(*) from quarantine") == 1


async def test_an_outage_that_cuts_every_batch_quarantines_nothing(
    behind: World, proxy: Cutting
) -> None:
    proxy.cuts = b"COPY "

    with pytest.raises(DatabaseAway):
        await behind.take(penalty(1), penalty(2))
    proxy.cuts = POISON.encode()

    assert await behind.value("select count(*) from quarantine") == 0
    await behind.take(penalty(1), penalty(2))
    assert await behind.value("select count(*) from decision") == 2


async def test_a_good_item_that_is_cut_twice_is_taken(behind: World, proxy: Cutting) -> None:
    proxy.times = 2

    [taken] = await behind.take(penalty(1, CF_NR=POISON))

    assert proxy.times == 0
    assert taken.verdict is not Verdict.REFUSED


async def test_a_link_that_breaks_now_and_then_quarantines_nothing(
    behind: World, proxy: Cutting
) -> None:
    async def breaking() -> None:
        while True:
            await asyncio.sleep(0.1)
            proxy.cut_all()

    await behind.run(
        "create function slow() returns trigger language plpgsql as $$ begin "
        "perform pg_sleep(0.2); return new; end $$"
    )
    await behind.run("create trigger slow before insert on decision execute function slow()")
    task = asyncio.create_task(breaking())
    with pytest.raises(DatabaseAway):
        await behind.take(penalty(1))
    task.cancel()

    assert await behind.value("select count(*) from quarantine") == 0


async def test_an_item_is_found_though_the_server_needs_long_to_come_back(
    behind: World, proxy: Cutting
) -> None:
    proxy.down_for = 6

    [refused] = await behind.take(penalty(1, CF_NR=POISON))

    assert refused.verdict is Verdict.REFUSED


async def test_the_first_error_is_told_and_not_that_of_the_rollback(
    behind: World, proxy: Cutting
) -> None:
    proxy.cuts = b"COPY "

    with pytest.raises(DatabaseAway) as caught:
        async with behind.database.transaction() as connection:
            await events.add(connection, [AuditEntry(AuditEvent.RECONCILED, {})], behind.clock())

    assert "rollback" not in str(caught.value)
