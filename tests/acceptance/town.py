"""The surroundings of the gateways under test: topics, database, platforms, a bank; and queries."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest
from pydantic import SecretStr
from sqlalchemy import text

from connectors.sandbox import BankPlace, PlatformPlace, create_sandbox
from gateway.config.clock import Clock, system_clock
from gateway.service.roles import Role
from gateway.store.base.engine import Database, DatabaseAway
from schemas.base import SHANGHAI
from tests.acceptance.child import Order, live
from tests.acceptance.forks import FORKS
from tests.factories import REGION

#: Seconds in which a condition must become true, even on a slow machine.
PATIENCE = 60
BANK_SECRET = "whsec_c2VjcmV0IGZvciB0ZXN0cw=="
START = datetime(2026, 10, 12, 9, tzinfo=SHANGHAI)
WORKING = frozenset({Role.INTAKE, Role.DELIVER, Role.SCHEDULE})
CITY, NATION, BANK = "city", "nation", "bank"


@dataclass(frozen=True, slots=True)
class Message:
    """One message: the kind selects the topic; the key keeps the messages of a subject in order."""

    kind: str
    body: bytes
    key: bytes | None = None


async def eventually(condition: Callable[[], Awaitable[Any]], patience: float = PATIENCE) -> Any:
    """Return the first truthy answer; after the patience, fail with the last answer."""
    last: Any = None
    try:
        async with asyncio.timeout(patience):
            while not (last := await condition()):  # noqa: ASYNC110  it asks other processes
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(f"never came true; last answer {last!r}") from None
    return last


class Town:
    """The surroundings of the gateways of one installation."""

    def __init__(
        self,
        name: str,
        database: Database,
        bootstrap: str,
        folder: Path,
        starts_at: datetime = START,
    ) -> None:
        self.name = name
        self.database = database
        self.bootstrap = bootstrap
        self.folder = folder
        self.begun, self.starts_at = system_clock(), starts_at
        self.database_url = database.engine.url.render_as_string(hide_password=False)
        self.url = ""
        self.sandbox = create_sandbox(self.clock, _places())
        self.running: list[ForkServerProcess] = []
        self.unknown_names = ""

    @property
    def clock(self) -> Clock:
        """The clock of the sandbox and of the gateways."""
        return Order({}, self.starts_at, self.begun, WORKING).clock

    # ------------------------------------------------------------ settings

    @property
    def topics(self) -> dict[str, str]:
        """The topics of this town and their kinds."""
        return {f"{self.name}.{kind}": kind for kind in ("penalty", "licence", "event")}

    @property
    def settings(self) -> dict[str, Any]:
        """Settings as an operator writes them, with short pauses."""
        return {
            "state": str(self.folder),
            "master_key": "a master key for tests only, and long",
            "database_url": self.database_url,
            "kafka_bootstrap": self.bootstrap,
            "kafka": {"group": self.name, "topics": self.topics, "batch_size": 6},
            "scoring": {"bindings": [{"rule_set": "nm-2023-draft", "regions": [REGION]}]},
            "destinations": self.destinations,
        }

    @property
    def destinations(self) -> list[dict[str, Any]]:
        """A platform with look-ups, a platform that recognises resent rows, and a bank."""
        records = {"takes": ["penalty", "licence"], "clocks": ["calendar-7"]}
        soap = {"department_code": REGION, "key_column": "CG_KEY"}
        soap["receipts_url"] = f"{self.url}/{NATION}/receipts"
        return [
            self._destination(CITY, "platform-json", f"{self.url}/{CITY}", {"batch_size": 3})
            | records,
            self._destination(
                NATION, "platform-soap", f"{self.url}/{NATION}", soap | {"batch_size": 3}
            )
            | records,
            self._destination(
                BANK, "bank-webhook", f"{self.url}/{BANK}/webhook", {"secrets": [BANK_SECRET]}
            )
            | {"takes": ["grade_change"]},
        ]

    @staticmethod
    def _destination(
        name: str, connector: str, url: str, settings: dict[str, Any]
    ) -> dict[str, Any]:
        http = {"url": url, "allow_private": True, "call_timeout": 1.5, "concurrency": 2}
        return {
            "name": name,
            "title": name,
            "connector": connector,
            "settings": http | settings,
            "settle": timedelta(0),
            "retry_floor": timedelta(milliseconds=200),
            "retry_cap": timedelta(seconds=1),
        }

    # ------------------------------------------------------------ processes

    def start(self, dies: str | None = None, at_pass: int = 1) -> ForkServerProcess:
        """Start a gateway; it runs until it is stopped or kills itself."""
        order = Order(self.settings, self.starts_at, self.begun, WORKING)
        order = replace(order, dies=dies, at_pass=at_pass, unknown_names=self.unknown_names)
        log = str(self.folder / "child.log")
        process = FORKS.Process(target=live, args=(replace(order, log=log),))
        process.start()
        self.running.append(process)
        return process

    async def start_and_let_die(self, point: str, at_pass: int = 1) -> None:
        """Run a gateway until it kills itself at this point."""
        process = self.start(point, at_pass)
        await self._ended(process)
        assert process.exitcode == -signal.SIGKILL, f"{point}: {self.said()}"
        await self.expel()

    async def stop(self, process: ForkServerProcess) -> None:
        """Stop a gateway as an operator does."""
        process.terminate()
        await self._ended(process)
        assert process.exitcode == 0, self.said()

    async def kill(self, process: ForkServerProcess) -> None:
        """Kill a gateway."""
        process.kill()
        await self._ended(process)

    async def _ended(self, process: ForkServerProcess) -> None:
        await asyncio.to_thread(process.join, PATIENCE)
        if process.exitcode is None:
            process.kill()
            raise AssertionError(f"still running: {self.said()}")

    def said(self) -> str:
        """Return the end of the gateways' log; empty before the first one writes to it."""
        log = self.folder / "child.log"
        return log.read_text(errors="replace")[-4000:] if log.exists() else ""

    async def close(self) -> None:
        """End every process."""
        for process in self.running:
            if process.exitcode is None:
                process.kill()
            await asyncio.to_thread(process.join, PATIENCE)
            process.close()

    # ------------------------------------------------------------ Kafka

    async def publish(self, messages: Iterable[Message]) -> None:
        """Publish messages to their topics, in order."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True)
        await producer.start()
        try:
            for one in messages:
                topic = f"{self.name}.{one.kind}"
                await producer.send_and_wait(topic, one.body, key=one.key)
        finally:
            await producer.stop()

    async def make_topics(self) -> None:
        """Let the broker create the topics."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap)
        await producer.start()
        for topic in self.topics:
            await producer.partitions_for(topic)
        await producer.stop()

    async def expel(self) -> None:
        """Remove a dead member from the group, as the broker does some seconds later."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            [group] = await admin.describe_consumer_groups([self.name])
            coordinator = await admin.find_coordinator(self.name)
            for member in group.to_object()["groups"][0]["members"]:
                leave = LeaveGroupRequest(self.name, member["member_id"])
                await admin._send_request(leave, coordinator)
        finally:
            await admin.close()

    async def lag(self) -> int:
        """Return the number of messages whose offset is not committed."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.bootstrap, group_id=self.name)
        await consumer.start()
        try:
            return await _lag(consumer, self.topics)
        finally:
            await consumer.stop()

    # ------------------------------------------------------------ database

    async def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        async with self.database.transaction() as connection:
            return [tuple(row) for row in await connection.execute(text(query), values)]

    async def settled(self) -> bool:
        """Whether everything is consumed, numbered, delivered and answered."""
        return await self._nothing_open() and await self.lag() == 0 and await self._nothing_open()

    async def _nothing_open(self) -> bool:
        try:
            [(open_, unnumbered)] = await self.rows(_OPEN)
        except DatabaseAway:
            return False
        return not open_ and not unnumbered

    async def settle(self, patience: float = PATIENCE) -> None:
        """Wait until everything is settled."""
        try:
            await eventually(self.settled, patience)
        except AssertionError as error:
            states = await self.rows(
                "select destination, state, count(*) from delivery group by 1, 2"
            )
            raise AssertionError(
                f"{error}; {states}; lag {await self.lag()}; {self.said()}"
            ) from None

    # ------------------------------------------------------------ sandbox

    def receive_later(self, *places: str) -> None:
        """Let these platforms send their verdicts as receipts."""
        for place in places:
            self.sandbox.order(place, mode="submit")

    async def until_in(self, place: str, count: int) -> None:
        """Wait until a platform has stored so many rows."""

        async def has() -> bool:
            return len(self.state(place)["entries"]) >= count

        await eventually(has)

    def state(self, place: str) -> dict[str, Any]:
        """Return what a platform or bank has stored."""
        return self.sandbox.books[place].state()


async def _lag(consumer: AIOKafkaConsumer, topics: Iterable[str]) -> int:
    partitions = [TopicPartition(topic, number) for topic in topics for number in (0, 1)]
    ends = await consumer.end_offsets(partitions)
    committed = [(await consumer.committed(each)) or 0 for each in partitions]
    return sum(ends[each] - done for each, done in zip(partitions, committed, strict=True))


_OPEN = """
    select (select count(*) from delivery
            where state not in ('accepted', 'rejected', 'superseded', 'withdrawn', 'held')),
           (select count(*) from grade_change where number is null)
"""


def _places() -> dict[str, PlatformPlace | BankPlace]:
    return {
        CITY: PlatformPlace(),
        NATION: PlatformPlace(),
        BANK: BankPlace(secrets=(SecretStr(BANK_SECRET),)),
    }
