"""The sandbox as a platform on topics of Kafka, and answers by receipts."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import orjson
import pytest
from aiokafka import AIOKafkaProducer

from connectors import build
from connectors.kafka_topic import KafkaTopic
from connectors.sandbox import (
    Sandbox,
    TopicPlace,
    create_sandbox,
    serve_sandbox,
    serve_topics,
)
from connectors.sandbox.book import Book, Entry
from connectors.sandbox.faults import Faults
from connectors.sandbox.topic_side import TopicDesk
from schemas.delivery import Item, Receipt
from tests.connectors.conftest import SteppedClock

pytestmark = pytest.mark.integration
ItemFactory = Callable[..., Item]
PLACE = "bus"
_numbers = count()


@pytest.fixture
def topic() -> str:
    return f"sandbox-bus-{next(_numbers)}"


@pytest.fixture
def sandbox(clock: SteppedClock, topic: str) -> Sandbox:
    place = TopicPlace(topic=topic, receipts_topic=f"{topic}.receipts")
    return create_sandbox(clock, {PLACE: place})


@pytest.fixture
async def connector(
    sandbox: Sandbox, topic: str, kafka_bootstrap: str, clock: SteppedClock
) -> AsyncIterator[KafkaTopic]:
    receipts = {"topic": f"{topic}.receipts"}
    settings = {"bootstrap_servers": kafka_bootstrap, "topic": topic, "receipts": receipts}
    async with serve_topics(sandbox, kafka_bootstrap):
        made = build("kafka-topic", settings, clock)
        assert isinstance(made, KafkaTopic)
        yield made
        await made.close()


class Reader:
    """Reads receipts as the gateway does, and keeps its place."""

    def __init__(self, connector: KafkaTopic) -> None:
        self.connector = connector
        self.cursor = ""

    async def next(self, many: int) -> dict[str, Receipt]:
        """Return the next receipts by their keys, once so many have come."""
        told: list[Receipt] = []
        async with asyncio.timeout(20):
            while len(told) < many:
                found, self.cursor = await self.connector.receipts(self.cursor)
                told += found
        assert len(told) == many
        return {one.key: one for one in told}


def marked(item: ItemFactory, number: int, mark: str, **changes: Any) -> Item:
    document = f"样环罚字〔2026〕{number}号-演练-{mark}"
    columns = {"CF_WSH": document, **changes}
    return item(number, columns=columns, document_number=document)


async def test_each_row_is_taken_and_answered_once(
    connector: KafkaTopic, sandbox: Sandbox, item: ItemFactory, clock: SteppedClock
) -> None:
    reader = Reader(connector)
    health = await connector.health()

    sent = await connector.send([item(1), marked(item, 2, "退回"), item(3)])
    told = await reader.next(3)
    again, _ = await connector.receipts(reader.cursor)

    assert (health.ok, health.detail) == (True, "2 个分区，回执 2 个分区")
    assert [one.kind for one in sent] == ["submitted"] * 3
    verdicts = {key: one.accepted for key, one in told.items()}
    assert verdicts == {"key-1": True, "key-2": False, "key-3": True}
    assert "未查询到主体" in told["key-2"].reasons[0]
    assert told["key-1"].platform_at == clock()
    assert again == []
    assert sandbox.books[PLACE].state()["effects"] == {"key-1": 1, "key-3": 1}


async def test_a_row_that_comes_again_has_one_effect_and_its_verdict_again(
    connector: KafkaTopic, sandbox: Sandbox, item: ItemFactory
) -> None:
    reader = Reader(connector)
    await connector.send([item(1)])
    await reader.next(1)

    await connector.send([item(1)])

    assert (await reader.next(1))["key-1"].accepted
    state = sandbox.books[PLACE].state()
    assert (state["effects"], state["received"]) == ({"key-1": 1}, {"key-1": 2})


async def test_a_verdict_comes_when_it_is_due(
    connector: KafkaTopic,
    item: ItemFactory,
    clock: SteppedClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    reader = Reader(connector)
    marks = ("无回执", "稍后入库", "事后退回", "乱码", "入库")
    rows = [marked(item, number, mark) for number, mark in enumerate(marks, start=1)]

    await connector.send(rows)
    early = await reader.next(1)
    clock.move(timedelta(seconds=30))
    late = await reader.next(2)

    assert early.keys() == {"key-5"}
    assert {key: one.accepted for key, one in late.items()} == {"key-2": True, "key-3": False}
    unread = [one for one in caplog.records if one.getMessage() == "feed_row_unreadable"]
    assert len(unread) == 1  # the one of 乱码


@pytest.mark.parametrize(
    ("name", "many"), [("duplicate_answer", 2), ("wrong_count", 2), ("wrong_encoding", 1)]
)
async def test_an_odd_answer_is_read(
    connector: KafkaTopic, sandbox: Sandbox, item: ItemFactory, name: str, many: int
) -> None:
    reader = Reader(connector)
    sandbox.rehearse(PLACE, name)

    await connector.send([marked(item, 2, "退回")])

    told = await reader.next(many)
    assert "未查询到主体" in told["key-2"].reasons[0]
    assert told.keys() - {"key-2"} == ({"nobody-asked"} if name == "wrong_count" else set())


async def test_what_only_a_call_can_do_is_refused(
    connector: KafkaTopic, sandbox: Sandbox, item: ItemFactory
) -> None:
    reader = Reader(connector)
    async with serve_sandbox(sandbox) as url, httpx.AsyncClient(base_url=url) as client:
        refused = await client.put(f"/{PLACE}/control/rehearsal", json={"name": "down"})
        ordered = await client.put(f"/{PLACE}/control/rehearsal", json={"name": "reject"})
        await connector.send([item(1), marked(item, 2, "停机")])
        told = await reader.next(2)

    assert (refused.status_code, ordered.status_code) == (422, 200)
    assert [one.accepted for one in told.values()] == [False, False]
    assert "演练词“停机”这里没有：可用 入库、" in told["key-2"].reasons[0]


async def test_what_is_no_event_of_ours_stops_nothing(
    connector: KafkaTopic, sandbox: Sandbox, item: ItemFactory, topic: str, kafka_bootstrap: str
) -> None:
    odd = (b"", b"\xff", b"[]", b'{"id": 1, "data": {"columns": {}}}', b'{"id": "k", "data": 1}')
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        for value in odd:
            for partition in range(2):
                await producer.send_and_wait(topic, value, partition=partition)

    await connector.send([item(1)])

    assert (await Reader(connector).next(1))["key-1"].accepted
    sandbox.forget(PLACE)
    await connector.send([item(2)])
    assert (await Reader(connector).next(2))["key-2"].accepted


async def test_a_restart_takes_what_was_sent_meanwhile_and_nothing_again(
    sandbox: Sandbox, topic: str, kafka_bootstrap: str, clock: SteppedClock, item: ItemFactory
) -> None:
    receipts = {"topic": f"{topic}.receipts"}
    settings = {"bootstrap_servers": kafka_bootstrap, "topic": topic, "receipts": receipts}
    connector = build("kafka-topic", settings, clock)
    assert isinstance(connector, KafkaTopic)
    reader = Reader(connector)
    async with serve_topics(sandbox, kafka_bootstrap):
        await connector.send([item(1)])
        await reader.next(1)
    await connector.send([item(2)])
    sandbox.forget(PLACE)
    async with serve_topics(sandbox, kafka_bootstrap):
        told = await reader.next(1)
    await connector.close()

    assert told.keys() == {"key-2"}


EVENT: dict[str, Any] = {"kind": "penalty", "verb": "new", "version": 1, "columns": {}}


@pytest.mark.parametrize(
    "odd",
    [
        {"kind": []}, {"kind": {}}, {"kind": None}, {"verb": []}, {"verb": {}}, {"version": "x"},
        {"version": []}, {"columns": []},
    ],
)  # fmt: skip
def test_an_event_with_a_value_of_another_type_is_counted_as_unreadable(
    clock: SteppedClock, odd: dict[str, Any]
) -> None:
    book = Book(clock, marks=True)
    book.faults.required_columns = {"penalty": ["CF_WSH"]}
    desk = TopicDesk(PLACE, book)

    desk.take(orjson.dumps({"id": "key-1", "data": EVENT | odd}))

    assert (book.calls["unreadable"], book.entries) == (1, {})


class _BrokenBook(Book):
    """A book with a bug, which one row brings to light."""

    def store(self, entry: Entry, faults: Faults) -> None:
        if entry.key == "key-1":
            raise ZeroDivisionError
        super().store(entry, faults)


async def test_a_bug_at_one_event_ends_nothing(
    connector: KafkaTopic, sandbox: Sandbox, item: ItemFactory, clock: SteppedClock
) -> None:
    sandbox.books[PLACE] = _BrokenBook(clock)

    await connector.send([item(1), item(2)])

    assert set(await Reader(connector).next(1)) == {"key-2"}
