"""One sandbox over real HTTP on loopback, and a harness for each kind of connector."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from connectors import build
from connectors.exchange_database import ExchangeDatabase
from connectors.memory import MemoryConnector, Step
from connectors.platform_api.json_api import PlatformJson
from connectors.protocol import Connector
from connectors.sandbox import BankPlace, PlatformPlace, Sandbox, create_sandbox, serve_sandbox
from gateway.embedded.postgres import EmbeddedPostgres
from schemas.codes import Verb
from schemas.delivery import Item, ItemKind
from tests import exchange_place
from tests.certificates import Authority
from tests.connectors.file_servers import Troubles, ftps_server, sftp_server
from tests.connectors.mail_server import mail_server
from tests.exchange_place import Platform, on_postgresql

CODE = "91410100MA44TEAT5F"
SECRET = "whsec_" + "c2FuZGJveC1zZWNyZXQtMDE="
ItemFactory = Callable[..., Item]


@dataclass
class SteppedClock:
    """A clock that stands still until it is moved."""

    at: datetime = field(default_factory=lambda: datetime(2026, 11, 21, 2, 0, tzinfo=UTC))

    def __call__(self) -> datetime:
        return self.at

    def move(self, by: timedelta) -> None:
        self.at += by


@dataclass
class Harness:
    """A connector with what a test must do to its destination and see there."""

    connector: Connector
    kind: str
    effects: Callable[[str], Any]
    sandbox: Sandbox | None = None
    place: str = ""
    troubles: Troubles | None = None

    def lose_next_answer(self) -> None:
        if isinstance(self.connector, ExchangeDatabase):
            exchange_place.lose_next_answer(self.connector)
        elif self.troubles is not None:
            self.troubles.lose = 1
        elif isinstance(self.connector, MemoryConnector):
            self.connector.play(Step.LOSE_ANSWER)
        else:
            assert self.sandbox is not None
            self.sandbox.order(self.place, drop_answers=1)

    async def count(self, key: str) -> int:
        found = self.effects(key)
        return int(found if isinstance(found, int) else await found)


def make_item(number: int = 1, **changes: Any) -> Item:
    """One penalty record, complete; changes go over it."""
    document = f"豫环罚决字〔2026〕{number}号"
    columns = {"CF_WSH": document, "CF_XDR_SHXYM": CODE, "CF_NR": '罚款 <3> & "万元"', "CF_ZT": "0"}
    given: dict[str, Any] = {
        "delivery_id": number,
        "key": f"key-{number}",
        "item_kind": ItemKind.RECORD_VERSION,
        "record_kind": "penalty",
        "verb": Verb.NEW,
        "version": 1,
        "subject_code": CODE,
        "document_number": document,
        "decision_date": date(2026, 11, 20),
        "occurred_at": datetime(2026, 11, 21, 1, 0, tzinfo=UTC),
        "columns": columns,
    }
    return Item.model_validate({**given, **changes})


@pytest.fixture
def item() -> ItemFactory:
    return make_item


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def sandbox(clock: SteppedClock) -> Sandbox:
    return create_sandbox(
        clock, {"credit": PlatformPlace(), "bank": BankPlace.model_validate({"secrets": [SECRET]})}
    )


@pytest.fixture
async def url(sandbox: Sandbox) -> AsyncIterator[str]:
    async with serve_sandbox(sandbox) as base:
        yield base


@pytest.fixture
def exchange_database_on_postgresql(postgres: EmbeddedPostgres) -> Iterator[Platform]:
    """An exchange database on PostgreSQL."""
    with on_postgresql(postgres.url) as platform:
        yield platform


@pytest.fixture
def exchange(request: pytest.FixtureRequest) -> Platform | None:
    """The exchange database of a test whose harness is one; its servers start outside the loop."""
    kind = str(request.node.callspec.params.get("harness"))
    name = kind.replace("-", "_").replace("@", "_on_")
    found = request.getfixturevalue(name) if name.startswith("exchange_database") else None
    assert found is None or isinstance(found, Platform)
    return found


def settings_for(kind: str, base: str) -> tuple[str, dict[str, Any]]:
    """The place in the sandbox and the settings of a kind that is reached over HTTP."""
    common = {"allow_private": True, "call_timeout": 5}
    table: dict[str, tuple[str, dict[str, Any]]] = {
        "platform-json": ("credit", {"url": f"{base}/credit"}),
        "platform-soap": (
            "credit",
            {
                "url": f"{base}/credit",
                "department_code": "410100",
                "key_column": "CG_KEY",
                "receipts_url": f"{base}/credit/receipts",
            },
        ),
        "bank-webhook": ("bank", {"url": f"{base}/bank/webhook", "secrets": [SECRET]}),
    }
    place, own = table[kind]
    return place, {**own, **common}


@pytest.fixture
async def harness(
    request: pytest.FixtureRequest,
    clock: SteppedClock,
    sandbox: Sandbox,
    url: str,
    exchange: Platform | None,
    tmp_path: Path,
) -> AsyncIterator[Harness]:
    """The connector of the kind that the test is parametrised with."""
    kind = str(request.param)
    if kind.startswith("file-drop"):
        async with _files(kind, tmp_path, clock) as files:
            yield files
        return
    if kind == "mail-drop":
        with mail_server(tmp_path) as server:
            connector = build(kind, server.settings, clock)
            yield Harness(connector, kind, server.effects, troubles=server.troubles)
            await connector.close()
        return
    if exchange is not None:
        made = Harness(exchange.connector(clock), kind, exchange.count)
    elif kind.startswith("kafka-topic"):
        made = await _kafka(kind, request.getfixturevalue("kafka_bootstrap"), clock)
    elif kind == "memory":
        twin = build(kind, {}, clock)
        assert isinstance(twin, MemoryConnector)
        made = Harness(twin, kind, lambda key: twin.effects[key])
    else:
        place, settings = settings_for(kind, url)
        made = Harness(
            build(kind, settings, clock),
            kind,
            lambda key: sandbox.books[place].state()["effects"].get(key, 0),
            sandbox=sandbox,
            place=place,
        )
    yield made
    await made.connector.close()


@asynccontextmanager
async def _files(kind: str, folder: Path, clock: SteppedClock) -> AsyncIterator[Harness]:
    root, troubles = folder / "files", Troubles()
    root.mkdir()
    async with AsyncExitStack() as stack:
        if kind.endswith("@ftps"):
            server = ftps_server(root, troubles, Authority(folder))
            place = stack.enter_context(server)
        else:
            place = await stack.enter_async_context(sftp_server(root, troubles))
        connector = build("file-drop", {**place, **FILES}, clock)

        def effects(key: str) -> int:
            texts = (file.read_text("utf-8") for file in root.glob("*.xml"))
            return sum(text.count(f"<CG_KEY>{key}</CG_KEY>") for text in texts)

        yield Harness(connector, kind, effects, troubles=troubles)
        await connector.close()


#: The files of penalties, with our key in a column.
FILES: dict[str, Any] = {
    "tables": {"penalty": {"code": "001501", "key_column": "CG_KEY", "status_column": "CF_ZT"}},
    "call_timeout": 9,
}
_topics: Iterator[int] = iter(range(1_000_000))


async def _kafka(kind: str, bootstrap: str, clock: SteppedClock) -> Harness:
    topic = f"conformance-{next(_topics)}"
    settings: dict[str, Any] = {"bootstrap_servers": bootstrap, "topic": topic}
    if kind.endswith("@receipts"):
        settings["receipts"] = {"topic": f"{topic}.receipts"}
        admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        await admin.create_topics([NewTopic(f"{topic}.receipts", 2, 1)])
        await admin.close()

    async def effects(key: str) -> int:
        """Count distinct events of a key, as a consumer that de-duplicates by id sees them."""
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest", group_id=None
        )
        await consumer.start()
        try:
            batches = await consumer.getmany(timeout_ms=5000)
        finally:
            await consumer.stop()
        events = [orjson.loads(r.value) for records in batches.values() for r in records]
        return len({event["id"] for event in events if event["id"] == key})

    return Harness(build("kafka-topic", settings, clock), kind, effects)


@pytest.fixture
async def platform(url: str, clock: Any) -> AsyncIterator[PlatformJson]:
    made = build("platform-json", {"url": f"{url}/credit", "allow_private": True}, clock)
    assert isinstance(made, PlatformJson)
    yield made
    await made.close()
