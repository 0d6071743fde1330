"""A town of which every way to the outside leads through a proxy; its processes are kept up."""

import asyncio
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from connectors.sandbox import serve_sandbox
from gateway.embedded import kafka as embedded
from gateway.embedded.kafka import EmbeddedKafka
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.acceptance.chaos.names import DOMAIN
from tests.acceptance.chaos.plan import End, Trouble
from tests.acceptance.chaos.proxy import Behind, Fault, Proxy
from tests.acceptance.child import AWAY
from tests.acceptance.town import BANK, CITY, NATION, PATIENCE, Message, Town, eventually

DATABASE, BROKER = "database", "broker"
PLACES = (DATABASE, BROKER, CITY, NATION, BANK)
#: When the month is over, so that none of its decisions is of the future.
START = datetime(2026, 11, 2, 9, tzinfo=SHANGHAI)
PROCESSES = 2
#: Seconds for a stop in order, after which a process is killed.
STOP_PATIENCE = 20
#: Seconds between two looks at whether the processes live.
LOOK = 0.25


class Ways:
    """The proxies by name, and the names that do not resolve."""

    def __init__(self, chance: Random, unknown: Path) -> None:
        self.proxies: dict[str, Proxy] = {}
        self.unknown = unknown
        self.seen: set[Fault] = set()  #: what went wrong
        self._chance = chance
        unknown.write_text("")

    async def lead(self, name: str, behind: Behind) -> str:
        """Make a way; return the host and port by which it is gone."""
        made = self.proxies[name] = Proxy(name, self._chance, behind)
        await made.start()
        return f"{name}{DOMAIN}:{made.port}"

    async def hinder(self, faults: dict[str, Fault]) -> None:
        """Let exactly this go wrong."""
        nameless = [name + DOMAIN for name, fault in faults.items() if fault is Fault.NAMELESS]
        self.unknown.write_text("\n".join(nameless))
        for name, proxy in self.proxies.items():
            await proxy.hinder(faults.get(name))
        self.seen |= set(faults.values())

    async def stop(self) -> None:
        """Let nothing more through."""
        for proxy in self.proxies.values():
            await proxy.stop()


class ChaosTown(Town):
    """A town behind proxies, with two gateways that are started again when they end."""

    ways: Ways
    hosts: dict[str, str]

    def __init__(self, database: Database, bootstrap: str, folder: Path) -> None:
        super().__init__("chaos", database, bootstrap, folder, START)
        self.hosts = {}
        self.ended: list[int | None] = []  #: how processes ended that nobody ended

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of a town, with the broker behind its proxy."""
        return super().settings | {"kafka_bootstrap": self.hosts[BROKER]}

    @property
    def destinations(self) -> list[dict[str, Any]]:
        """The destinations of a town, each behind its proxy."""
        found = super().destinations
        for one in found:
            for name in ("url", "receipts_url"):
                if name in one["settings"]:
                    direct = one["settings"][name]
                    behind = direct.replace(self.url, f"http://{self.hosts[one['name']]}")
                    one["settings"][name] = behind
        return found

    async def live_through(
        self, troubles: Sequence[Trouble], messages: Sequence[Message], *, expels: bool
    ) -> None:
        """Publish the messages over the troubles, and let everything through in the end."""
        for _ in range(PROCESSES):
            self.start()
        async with AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, enable_idempotence=True
        ) as producer:
            for number, trouble in enumerate(troubles):
                first, end = (len(messages) * n // len(troubles) for n in (number, number + 1))
                await self.ways.hinder(dict(trouble.faults))
                for one in messages[first:end]:
                    await producer.send(f"{self.name}.{one.kind}", one.body, key=one.key)
                await producer.flush()
                if trouble.end is not None:
                    await self._end(trouble)
                    if expels:
                        await self.expel()
                await self._watched(trouble.seconds)
        await self.ways.hinder({})

    async def _end(self, trouble: Trouble) -> None:
        """End a process and start it again, as its unit does."""
        process = self.running[trouble.process]
        if trouble.end is End.STOPPED:
            process.terminate()
            await asyncio.to_thread(process.join, STOP_PATIENCE)
        process.kill()
        await asyncio.to_thread(process.join, PATIENCE)
        assert process.exitcode in {0, AWAY, -signal.SIGKILL, -signal.SIGTERM}, self.said()
        self._again(trouble.process)

    def _again(self, place: int) -> None:
        self.running[place].close()
        self.running[place] = self.start()
        self.running.pop()

    async def _watched(self, seconds: float) -> None:
        """Let the time pass; start again what has ended by itself."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            self.keep_up()
            await asyncio.sleep(LOOK)

    def keep_up(self) -> None:
        """Start again what has ended by itself."""
        for place, process in enumerate(self.running):
            if process.exitcode is not None:
                self.ended.append(process.exitcode)
                self._again(place)

    async def settled(self) -> bool:
        """Whether everything is done; until then the processes are kept up."""
        self.keep_up()
        return await super().settled()


def _behind_proxy(port: int) -> str:
    """Return the properties of a broker whose clients are sent to the proxy, but for ours."""
    internal = embedded._free_port(0)
    listening = f"PLAINTEXT://127.0.0.1:{{port}},INTERNAL://127.0.0.1:{internal}"
    told = f"PLAINTEXT://{BROKER}{DOMAIN}:{port},INTERNAL://127.0.0.1:{internal}"
    return (
        embedded.PROPERTIES.replace(
            "advertised.listeners=PLAINTEXT://127.0.0.1:{port}", f"advertised.listeners={told}"
        )
        .replace("\nlisteners=PLAINTEXT://127.0.0.1:{port}", f"\nlisteners={listening}")
        .replace("map=PLAINTEXT:PLAINTEXT,", "map=PLAINTEXT:PLAINTEXT,INTERNAL:PLAINTEXT,")
        + "inter.broker.listener.name=INTERNAL\n"
    )


def _internal(server: EmbeddedKafka) -> str:
    """Return the address of the listener for the test itself."""
    said = server.properties.read_text().partition("INTERNAL://")[2]
    return said.partition(",")[0]


async def _listens(address: str) -> bool:
    host, port = address.split(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True


@asynccontextmanager
async def chaos_town(
    chance: Random, postgres: EmbeddedPostgres, database: Database, state: Path, folder: Path
) -> AsyncIterator[ChaosTown]:
    """A town with a broker of its own; its database is on a server that others use too."""
    ways = Ways(chance, folder / "unknown-names")
    server = EmbeddedKafka(state / "chaos-kafka")

    async def to_broker() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        host, port = server.bootstrap.split(":")
        return await asyncio.open_connection(host, int(port))

    async def to_database() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(postgres.runtime / ".s.PGSQL.5432")

    hosts = {BROKER: await ways.lead(BROKER, to_broker)}
    hosts[DATABASE] = await ways.lead(DATABASE, to_database)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(ways.stop)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(embedded, "PROPERTIES", _behind_proxy(ways.proxies[BROKER].port))
            stack.push_async_callback(asyncio.to_thread, server.stop)
            await asyncio.to_thread(server.start)
        made = ChaosTown(database, _internal(server), folder)
        made.database_url = (
            f"postgresql://postgres@{hosts[DATABASE]}/{database.engine.url.database}"
        )
        made.ways, made.hosts, made.unknown_names = ways, hosts, str(ways.unknown)
        made.url = await stack.enter_async_context(serve_sandbox(made.sandbox))
        port = int(made.url.rpartition(":")[2])
        for name in (CITY, NATION, BANK):
            hosts[name] = await ways.lead(name, lambda: asyncio.open_connection("127.0.0.1", port))
        await eventually(lambda: _listens(made.bootstrap))
        await made.make_topics()
        await made.lag()  # lets the broker make what it keeps of groups
        stack.push_async_callback(made.close)
        yield made
