"""A connection that is cut: what is sent is found, and an outage is waited for."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path

import pytest

from connectors.memory import Step
from gateway.config.clock import SteppedClock
from gateway.deliver.receipts import receive
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.audit import chain
from gateway.store.base.engine import Database, DatabaseAway
from schemas.delivery import Item, Outcome, OutcomeKind
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
        self.cuts_all = False  #: it cuts all other connections as well
        self.bears = inf  #: bytes after which it cuts a connection
        self.down_for = 0.0  #: seconds in which it takes no connection after it has cut one
        self._down_until = 0.0

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if time.monotonic() < self._down_until:
            writer.close()
        else:
            await super().__call__(reader, writer)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        carried = 0
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                carried += len(data)
                if carried > self.bears:
                    break
                if self.cuts in data and self.times > 0:
                    self.times -= 1
                    self._down_until = time.monotonic() + self.down_for
                    if self.cuts_all:
                        self.cut_all()
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

    await slow(behind, 0.2)
    task = asyncio.create_task(breaking())
    with pytest.raises(DatabaseAway):
        await behind.take(penalty(1))
    task.cancel()

    assert await behind.value("select count(*) from quarantine") == 0


async def test_a_link_that_breaks_after_some_bytes_quarantines_nothing(
    behind: World, proxy: Cutting
) -> None:
    """It lets every short question through, as often as one asks."""
    await behind.value("select 1")
    proxy.bears = 20_000

    with pytest.raises(DatabaseAway):
        await behind.take(penalty(1))
    proxy.bears = inf

    assert await behind.value("select count(*) from quarantine") == 0
    [taken] = await behind.take(penalty(1))
    assert taken.verdict is not Verdict.REFUSED


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
            await chain.add_links(connection, [(1, 1, behind.clock(), b"digest", b"hash")])

    assert "rollback" not in str(caught.value)


async def test_an_item_is_found_though_the_administrator_bounds_statements(
    behind: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction that touches nothing stands for longer than the bound."""
    monkeypatch.setattr("gateway.store.base.steadiness.SHORTEST", 1.5)
    await bound(behind)

    [refused] = await behind.take(penalty(1, CF_NR=POISON))

    assert refused.verdict is Verdict.REFUSED


async def test_a_server_that_falls_over_thrice_quarantines_nothing(
    behind: World, proxy: Cutting
) -> None:
    """It ends all connections, as after its memory ran out: not by the record that was sent."""
    proxy.cuts_all, proxy.times = True, 3

    [taken] = await behind.take(penalty(1, CF_NR=POISON))

    assert proxy.times == 0
    assert taken.verdict is not Verdict.REFUSED


async def test_an_item_by_which_the_server_always_falls_over_is_found(
    behind: World, proxy: Cutting
) -> None:
    proxy.cuts_all = True

    [refused] = await behind.take(penalty(1, CF_NR=POISON))

    assert refused.verdict is Verdict.REFUSED


async def test_words_of_a_destination_that_cut_the_connection_cost_no_other_outcome(
    behind: World,
) -> None:
    await behind.take(*(penalty(n, n) for n in range(1, 6)))

    async def send(items: Sequence[Item]) -> list[Outcome]:
        refused = Outcome(kind=OutcomeKind.REJECTED, reasons=(f"不合格：{POISON}",))
        accepted = Outcome(kind=OutcomeKind.ACCEPTED)
        return [refused if "〕3号" in str(one.document_number) else accepted for one in items]

    behind.connector().send = send  # type: ignore[method-assign]
    await behind.deliverer().drain()

    assert sorted(await behind.states()) == ["accepted"] * 4 + ["rejected"]


async def test_a_receipt_that_cuts_the_connection_is_left_out(behind: World) -> None:
    behind.connector().play(*[Step.SUBMIT] * 3)
    await behind.take(*(penalty(n, n) for n in range(1, 4)))
    await behind.deliverer().drain()
    first, second, third = behind.connector().stored
    behind.connector().issue_receipt(first, accepted=True)
    behind.connector().issue_receipt(second, accepted=False, reasons=(POISON,))
    behind.connector().issue_receipt(third, accepted=True)

    await receive(behind.deliverer())

    assert sorted(await behind.states()) == ["accepted", "accepted", "submitted"]


async def test_a_batch_of_which_a_statement_takes_too_long_is_done_in_parts(world: World) -> None:
    await slow(world, 0.05, "for each row")
    await bound(world)

    results = await world.take(*(penalty(n, n) for n in range(1, 41)))

    assert {one.verdict for one in results} == {Verdict.OK}
    assert await world.value("select count(*) from decision") == 40


async def test_one_item_whose_statement_takes_too_long_is_an_outage(world: World) -> None:
    await slow(world, 3)
    await bound(world)

    with pytest.raises(DatabaseAway, match="statement timeout"):
        await world.take(penalty())

    assert await world.value("select count(*) from quarantine") == 0


async def slow(world: World, seconds: float, each: str = "") -> None:
    """Let each insert of decisions take so long."""
    await world.run(
        "create function slow() returns trigger language plpgsql as $$ begin "
        f"perform pg_sleep({seconds}); return new; end $$"
    )
    await world.run(f"create trigger slow before insert on decision {each} execute function slow()")


async def bound(world: World) -> None:
    """Let the administrator end all statements after a second."""
    await world.run(
        "do $$ begin execute format('alter database %I set statement_timeout = 1000', "
        "current_database()); end $$"
    )
    await world.database.engine.dispose()
