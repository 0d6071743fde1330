"""A connection that is cut: what is sent is found, and an outage is waited for."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
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

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while (data := await reader.read(65536)) and self.cuts not in data:
                writer.write(data)
        writer.close()


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


async def test_the_first_error_is_told_and_not_that_of_the_rollback(
    behind: World, proxy: Cutting
) -> None:
    proxy.cuts = b"COPY "

    with pytest.raises(DatabaseAway) as caught:
        async with behind.database.transaction() as connection:
            await events.add(connection, [AuditEntry(AuditEvent.RECONCILED, {})], behind.clock())

    assert "rollback" not in str(caught.value)
