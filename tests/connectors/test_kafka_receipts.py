"""The receipts topic of `kafka-topic`, read on a real broker: whatever a receiver writes there."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete

from connectors import BadSettings, build
from connectors.errors import CallRejected, NotSent
from connectors.kafka_topic import KafkaTopic, receipts
from connectors.kafka_topic.places import TopicCursor
from gateway.intake.whole_topic import whole_topic
from schemas.delivery import Item, Receipt

pytestmark = pytest.mark.integration
ItemFactory = Callable[..., Item]
_numbers = count()
DONE = {"status": "accepted"}
LARGE: dict[str, Any] = {"max.message.bytes": str(2**23)}


class Receiver:
    """The other side: it has a topic for what we send and one for its receipts."""

    def __init__(self, bootstrap: str, name: str, admin: Any) -> None:
        self.bootstrap, self.name, self.admin = bootstrap, name, admin
        self.receipts = f"{name}.receipts"

    async def make(self, partitions: int = 1, **configs: str) -> None:
        made = NewTopic(self.receipts, partitions, 1, topic_configs=configs)
        await self.admin.create_topics([made])
        await self._until(lambda topics: self.receipts in topics)

    async def remove(self) -> None:
        await self.admin.delete_topics([self.receipts])
        await self._until(lambda topics: self.receipts not in topics)

    async def _until(self, reached: Callable[[list[str]], bool]) -> None:
        for _ in range(200):
            if reached(await self.admin.list_topics()):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the topics of the broker do not change")

    async def write(self, *messages: Any, partition: int = 0, **producing: Any) -> None:
        """Write messages in one batch; bytes as they are, others as JSON."""
        headers = producing.pop("headers", [])
        producer = AIOKafkaProducer(
            bootstrap_servers=self.bootstrap, linger_ms=50, max_request_size=2**24, **producing
        )
        async with producer:
            sent = [
                await producer.send(
                    self.receipts, value, b"key", partition=partition, headers=headers
                )
                for value in map(as_bytes, messages)
            ]
            await asyncio.gather(*sent)

    def settings(self, **receipts: Any) -> dict[str, Any]:
        told = {"topic": self.receipts, **receipts}
        return {"bootstrap_servers": self.bootstrap, "topic": self.name, "receipts": told}


def as_bytes(value: Any) -> bytes | None:
    return value if value is None or isinstance(value, bytes) else orjson.dumps(value)


@pytest.fixture
async def receiver(kafka_bootstrap: str) -> AsyncIterator[Receiver]:
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    yield Receiver(kafka_bootstrap, f"office-{next(_numbers)}", admin)
    await admin.close()


@asynccontextmanager
async def connected(
    receiver: Receiver, clock: Any, call_timeout: float = 15, **settings: Any
) -> AsyncIterator[KafkaTopic]:
    given = receiver.settings(**settings) | {"call_timeout": call_timeout}
    made = build("kafka-topic", given, clock)
    assert isinstance(made, KafkaTopic)
    yield made
    await made.close()


async def everything(topic: KafkaTopic, cursor: str = "") -> tuple[list[Receipt], str]:
    """Read page by page as the gateway does, up to an empty one."""
    told: list[Receipt] = []
    for _ in range(100):
        found, cursor = await topic.receipts(cursor)
        told += found
        if not found:
            return told, cursor
    raise AssertionError("the pages have no end")


def said(told: list[Receipt]) -> dict[str, bool]:
    return {one.key: one.accepted for one in told}


async def test_an_item_waits_for_its_receipt_where_the_receiver_has_them(
    receiver: Receiver, clock: Any, item: ItemFactory
) -> None:
    await receiver.make()
    async with connected(receiver, clock) as topic:
        [sent] = await topic.send([item(1)])
        before, cursor = await everything(topic)
        await receiver.write({"id": "key-1", **DONE})
        [after], cursor = await everything(topic, cursor)
        nothing, _ = await everything(topic, cursor)

    assert (sent.kind.value, topic.limits.has_receipts) == ("submitted", True)
    assert (before, nothing) == ([], [])
    assert (after.key, after.accepted, after.reference) == (
        "key-1",
        True,
        f"{receiver.receipts}/0/0",
    )
    assert after.platform_at is not None


async def test_a_receipt_is_plain_json_a_cloud_event_or_a_list_of_them(
    receiver: Receiver, clock: Any
) -> None:
    at = "2026-10-12T10:00:00+08:00"
    event = {"specversion": "1.0", "id": "their-own-17", "source": "/office", "time": at}
    refused = {"id": "key-2", "status": "rejected", "reasons": ["未查询到主体", "列为空"]}
    await receiver.make()
    await receiver.write(
        {"id": "key-1", "status": "accepted", "time": at},
        {**event, "data": refused},
        [{"id": "key-3", **DONE}, {"id": "key-4", "status": "rejected", "reasons": None}],
    )

    async with connected(receiver, clock) as topic:
        told, _ = await everything(topic)

    assert said(told) == {"key-1": True, "key-2": False, "key-3": True, "key-4": False}
    first, second, _, fourth = told
    assert first.platform_at == second.platform_at == datetime(2026, 10, 12, 2, tzinfo=UTC)
    assert (second.reasons, fourth.reasons) == (("未查询到主体", "列为空"), ("没有写原因",))


async def test_a_receiver_has_names_and_values_of_its_own(receiver: Receiver, clock: Any) -> None:
    names: dict[str, Any] = {"key_field": "requestId", "status_field": "code"}
    names |= {"reasons_field": "msg", "time_field": "at"}
    values: dict[str, Any] = {"accepted": ["0", "true"], "rejected": ["500"], "pending": ["100"]}
    await receiver.make()
    await receiver.write(
        *({"requestId": f"key-{n}", "code": code, "msg": "查无此人", "at": 1791770400}
          for n, code in enumerate((0, 500, True, 100, "0 ")))
    )  # fmt: skip

    async with connected(receiver, clock, **names, **values) as topic:
        told, _ = await everything(topic)

    assert said(told) == {"key-0": True, "key-1": False, "key-2": True, "key-4": True}
    assert told[1].reasons == ("查无此人",)
    assert told[0].platform_at == datetime(2026, 10, 12, 2, tzinfo=UTC)


HOSTILE: dict[str, Any] = {
    "（不是 JSON）": b"\x81\x00\xff\xfe" * 40,
    "（不是对象）": b'"accepted"',
    "（过大）": b'{"id": "key-9", "status": "accepted", "x": "' + b"y" * 2**20 + b'"}',
    "id": {"id": ["key-9"], **DONE},
    "status": {"id": "key-9", "status": {"a": 1}},
}


@pytest.mark.parametrize(
    ("field", "message"),
    [
        *HOSTILE.items(),
        ("（不是 JSON）", b""),
        ("（不是 JSON）", b"[" * 500_000),
        ("id", {**DONE}),
        ("status", {"id": "key-9"}),
        ("status", {"id": "key-9", "status": "weitergeleitet"}),
    ],
)
async def test_what_says_nothing_is_told_and_stops_nothing(
    receiver: Receiver, clock: Any, field: str, message: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await receiver.make(**LARGE)
    await receiver.write({"id": "key-1", **DONE}, message, {"id": "key-2", **DONE})

    with caplog.at_level(logging.WARNING, "credit_gateway.connectors"):
        async with connected(receiver, clock) as topic:
            told, _ = await everything(topic)

    assert said(told) == {"key-1": True, "key-2": True}
    [entry] = [one for one in caplog.records if one.getMessage() == "feed_row_unreadable"]
    assert (entry.places, entry.row) == (field, f"{receiver.receipts}/0/1")  # type: ignore[attr-defined]
    assert "key-9" not in str(vars(entry))


async def test_tombstones_and_odd_values_beside_the_verdict_are_no_trouble(
    receiver: Receiver, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    odd = {"reasons": {"a": [1]}, "time": "0001-01-01T00:00:00+08:00", "data": None}
    await receiver.make()
    half = b'{"id": "half \\ud800 a character", "status": "accepted", "nan": NaN}'
    await receiver.write(None, {"id": "key-1", "status": "rejected", **odd}, half, None)

    async with connected(receiver, clock) as topic:
        told, _ = await everything(topic)

    assert said(told) == {"key-1": False, "half \ufffd a character": True}
    assert not caplog.records


async def test_gbk_is_read_also_where_it_is_said_to_be_utf_8(
    receiver: Receiver, clock: Any
) -> None:
    refused = '{"id": "key-1", "status": "rejected", "reasons": ["未查询到主体"]}'.encode("gbk")
    await receiver.make()
    await receiver.write(refused, headers=[("content-type", b"application/json; charset=UTF-8")])

    async with connected(receiver, clock) as topic:
        [told], _ = await everything(topic)

    assert told.reasons == ("未查询到主体",)


async def test_receipts_of_every_partition_are_read_in_pages_each_once(
    receiver: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "PAGE", 10)
    await receiver.make(partitions=3)
    for partition, many in enumerate((50, 0, 7)):
        rows = [{"id": f"key-{partition}-{n}", **DONE} for n in range(many)]
        await receiver.write(*rows, partition=partition)

    async with connected(receiver, clock) as topic:
        first, _ = await topic.receipts("")
        told, cursor = await everything(topic)
        await receiver.admin.create_partitions({receiver.receipts: NewPartitions(4)})
        await receiver.write({"id": "key-new", **DONE}, partition=3)
        later, _ = await everything(topic, cursor)

    assert {one.key[:5] for one in first} == {"key-0", "key-2"}  # none waits for another
    assert len(told) == len(said(told)) == 57
    assert said(later) == {"key-new": True}


async def test_only_what_is_committed_is_read(receiver: Receiver, clock: Any) -> None:
    await receiver.make()
    producer = AIOKafkaProducer(
        bootstrap_servers=receiver.bootstrap, transactional_id=f"{receiver.name}-tx"
    )

    async def write(key: str) -> None:
        await producer.send_and_wait(
            receiver.receipts, orjson.dumps({"id": key, **DONE}), partition=0
        )

    async with connected(receiver, clock) as topic, producer:
        await producer.begin_transaction()
        await write("aborted")
        await producer.abort_transaction()
        async with producer.transaction():
            await write("open")
            during, cursor = await everything(topic)
        after, cursor = await everything(topic, cursor)
        nothing, same = await everything(topic, cursor)

    assert (during, said(after), nothing, same) == ([], {"open": True}, [], cursor)


async def test_a_topic_that_is_made_again_is_read_from_its_beginning(
    receiver: Receiver, clock: Any
) -> None:
    await receiver.make()
    await receiver.write(*({"id": f"old-{n}", **DONE} for n in range(3)))
    async with connected(receiver, clock) as topic:
        _, cursor = await everything(topic)
        await receiver.remove()
        with pytest.raises(
            CallRejected, match=f"回执主题 {receiver.receipts}：Kafka 里没有这个主题"
        ):
            await topic.receipts(cursor)
        await receiver.make()
        await receiver.write(*({"id": f"new-{n}", **DONE} for n in range(5)))

        told, _ = await everything(topic, cursor)

    assert sorted(said(told)) == [f"new-{n}" for n in range(5)]


@pytest.mark.parametrize("cursor", ["17", '["other-topic",null,{"0":2}]', "{"])
async def test_the_cursor_of_something_else_is_none(
    receiver: Receiver, clock: Any, cursor: str
) -> None:
    await receiver.make()
    await receiver.write(*({"id": f"key-{n}", **DONE} for n in range(3)))

    async with connected(receiver, clock) as topic:
        told, _ = await everything(topic, cursor)

    assert len(told) == 3


async def test_a_place_behind_the_end_is_of_another_topic_where_no_id_tells(
    receiver: Receiver, clock: Any
) -> None:
    await receiver.make()
    await receiver.write({"id": "key-1", **DONE})

    async with connected(receiver, clock) as topic:
        told, _ = await everything(topic, orjson.dumps([receiver.receipts, None, {0: 9}],
                                   option=orjson.OPT_NON_STR_KEYS).decode())  # fmt: skip

    assert said(told) == {"key-1": True}


async def test_what_kafka_deleted_before_it_was_read_is_told(
    receiver: Receiver, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await receiver.make()
    await receiver.write({"id": "key-0", **DONE})
    async with connected(receiver, clock) as topic:
        _, cursor = await everything(topic)
        await receiver.write(*({"id": f"key-{n}", **DONE} for n in range(1, 6)))
        gone = {TopicPartition(receiver.receipts, 0): RecordsToDelete(before_offset=4)}
        await receiver.admin.delete_records(gone)

        told, cursor = await everything(topic, cursor)
        nothing, _ = await everything(topic, cursor)

    assert (sorted(said(told)), nothing) == (["key-4", "key-5"], [])
    [entry] = [one for one in caplog.records if one.getMessage() == "receipts_missing"]
    assert (entry.first, entry.end) == (1, 4)  # type: ignore[attr-defined]


async def test_what_is_deleted_while_a_page_is_read_stops_nothing(
    receiver: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await receiver.make()
    await receiver.write(*({"id": f"key-{n}", **DONE} for n in range(6)))
    cursor = TopicCursor(receiver.receipts, None, {0: 0}).text()
    gone = {TopicPartition(receiver.receipts, 0): RecordsToDelete(before_offset=4)}
    reading = receipts.ReceiptsTopic._reading

    async def slow(self: Any, consumer: Any, cursor: Any) -> Any:
        found = await reading(self, consumer, cursor)
        await receiver.admin.delete_records(gone)
        return found

    monkeypatch.setattr(receipts.ReceiptsTopic, "_reading", slow)
    async with connected(receiver, clock) as topic:
        told, _ = await everything(topic, cursor)

    assert {"key-4", "key-5"} <= said(told).keys()


@pytest.mark.parametrize("codec", ["gzip", "zstd", "lz4", "snappy"])
async def test_a_batch_with_too_much_in_it_is_told_and_gone_behind(
    receiver: Receiver,
    clock: Any,
    codec: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("connectors.shared.kafka_unpacking.MOST_UNPACKED", 2_000_000)
    await receiver.make(**LARGE)
    await receiver.write({"id": "key-1", **DONE}, {"id": "key-2", **DONE})
    await receiver.write(b" " * 3_000_000, {"id": "hidden", **DONE}, compression_type=codec,
                         max_batch_size=2**23)  # fmt: skip
    await receiver.write({"id": "key-3", **DONE}, compression_type=codec)

    async with connected(receiver, clock) as topic:
        told, cursor = await everything(topic)
        nothing, _ = await everything(topic, cursor)

    assert (sorted(said(told)), nothing) == (["key-1", "key-2", "key-3"], [])
    [entry] = [one for one in caplog.records if one.getMessage() == "receipts_unreadable"]
    assert (entry.first, entry.end) == (2, 4)  # type: ignore[attr-defined]


async def test_many_packed_batches_are_read_one_after_another(
    receiver: Receiver, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("connectors.shared.kafka_unpacking.MOST_UNPACKED", 500_000)
    await receiver.make()
    for n in range(6):
        row = {"id": f"key-{n}", **DONE, "x": "y" * 200_000}
        await receiver.write(row, compression_type="gzip")

    async with connected(receiver, clock) as topic:
        told, _ = await everything(topic)
    whole = [one async for one in whole_topic(receiver.bootstrap, receiver.receipts, {})]

    assert len(said(told)) == len(whole) == 6  # only what is polled in portions is counted


async def test_a_repeated_receipt_is_the_same_one_and_that_of_another_sender_is_theirs(
    receiver: Receiver, clock: Any
) -> None:
    await receiver.make()
    await receiver.write(*[{"id": "key-1", **DONE}] * 2, {"id": "somebody-else-7", **DONE})

    async with connected(receiver, clock) as topic:
        told, _ = await everything(topic)
        again, _ = await everything(topic)

    assert [one.key for one in told] == ["key-1", "key-1", "somebody-else-7"]
    assert again == told


@pytest.mark.parametrize("names", ["receiver", "nobody"])
async def test_a_check_looks_at_the_topic_of_the_receipts_too(
    receiver: Receiver, clock: Any, names: str
) -> None:
    await receiver.make(partitions=3)
    topic = receiver.receipts if names == "receiver" else f"{receiver.name}.misspelt"

    async with connected(receiver, clock, topic=topic) as connector:
        health = await connector.health()

    if names == "receiver":
        assert (health.ok, health.detail) == (True, "2 个分区，回执 3 个分区")
    else:
        assert health.ok is False
        assert f"回执主题 {topic}：Kafka 里没有这个主题" in health.detail
        assert topic not in await receiver.admin.list_topics()


async def test_a_broker_that_is_away_is_told_in_time(clock: Any, unused_tcp_port: int) -> None:
    settings = {"bootstrap_servers": f"127.0.0.1:{unused_tcp_port}", "topic": "t"}
    given = settings | {"receipts": {"topic": "r"}, "call_timeout": 4}
    topic = build("kafka-topic", given, clock)
    began = asyncio.get_running_loop().time()

    with pytest.raises(NotSent, match="回执主题 r：连接不上 Kafka") as caught:
        await topic.receipts("")
    await topic.close()

    assert caught.value.theirs
    assert asyncio.get_running_loop().time() - began < 8


@pytest.mark.parametrize(
    ("receipts_settings", "words"),
    [
        ({"topic": "t"}, "receipts 的 topic 应与报送的 topic 不同"),
        ({"topic": "r", "accepted": ["1"], "rejected": ["1", "2"]}, "1 只能写在"),
        ({"topic": "r", "accepted": []}, "accepted"),
    ],
)
def test_settings_that_contradict_themselves_are_refused(
    clock: Any, receipts_settings: dict[str, Any], words: str
) -> None:
    given = {"bootstrap_servers": "x:1", "topic": "t", "receipts": receipts_settings}

    with pytest.raises(BadSettings, match=words):
        build("kafka-topic", given, clock)
