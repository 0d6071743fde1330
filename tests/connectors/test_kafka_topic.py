"""The connector `kafka-topic` where no broker is needed, and its own promises on a real one."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from connectors import build
from connectors.errors import CallRejected, NotSent
from connectors.kafka_topic import KafkaTopic, KafkaTopicSettings
from schemas.delivery import Item, OutcomeKind

ItemFactory = Callable[..., Item]


async def test_items_of_a_batch_that_is_too_large_are_sent_one_by_one(
    kafka_bootstrap: str, clock: Any, item: ItemFactory
) -> None:
    small = NewTopic("small", 1, 1, topic_configs={"max.message.bytes": "6000"})
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.create_topics([small])
    await admin.close()
    topic = build("kafka-topic", {"bootstrap_servers": kafka_bootstrap, "topic": "small"}, clock)
    items = [item(n, columns={"CF_NR": "x" * 800}) for n in range(1, 30)]
    huge = item(30, columns={"CF_NR": "x" * 8000})

    outcomes = await topic.send([*items, huge])
    later = await topic.send(items[:1])
    await topic.close()

    assert {one.kind for one in outcomes[:-1]} == {OutcomeKind.ACCEPTED}
    assert outcomes[-1].kind is OutcomeKind.REJECTED
    assert later[0].kind is OutcomeKind.ACCEPTED


async def test_the_receiver_gets_his_own_columns_and_no_more(
    kafka_bootstrap: str, clock: Any, item: ItemFactory
) -> None:
    layout = {"columns": {"CF_WSH": "WSH"}, "left_out": ["BZ"], "masked": ["CF_XDR_ZJHM"]}
    persons = {"left_out": ["CF_WSH"], "masked": ["CF_XDR_ZJHM"]}
    tables = {"penalty": layout, "penalty/persons": persons}
    settings = {"bootstrap_servers": kafka_bootstrap, "topic": "own-columns"}
    topic = build("kafka-topic", {**settings, "tables": tables}, clock)
    given = {"CF_WSH": "1号", "BZ": "内部", "CF_XDR_ZJHM": "11010519491231002X"}
    consumer = AIOKafkaConsumer(
        "own-columns", bootstrap_servers=kafka_bootstrap, auto_offset_reset="earliest"
    )

    await topic.send([item(1, columns=given), item(2, columns=given, person=True)])
    await topic.close()
    await consumer.start()
    event = orjson.loads((await consumer.getone()).value)
    of_person = orjson.loads((await consumer.getone()).value)
    await consumer.stop()

    assert event["data"]["columns"] == {"WSH": "1号", "CF_XDR_ZJHM": "110105********002X"}
    assert of_person["data"]["document_number"] is None
    assert of_person["data"]["columns"] == {"BZ": "内部", "CF_XDR_ZJHM": "110105********002X"}


async def test_a_refused_connection_to_the_broker_means_not_sent(
    clock: Any, item: ItemFactory
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = {"bootstrap_servers": f"127.0.0.1:{port}", "topic": "t", "call_timeout": 4}
    topic = build("kafka-topic", settings, clock)

    with pytest.raises(NotSent):
        await topic.send([item(1)])

    assert not (await topic.health()).ok
    await topic.close()


@pytest.mark.parametrize(("host", "theirs"), [("no-such-host.invalid", False), ("127.0.0.1", True)])
async def test_a_name_that_does_not_resolve_is_no_trouble_of_the_broker(
    host: str, theirs: bool, clock: Any, item: ItemFactory
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = {"bootstrap_servers": f"{host}:{port}", "topic": "t", "call_timeout": 4}
    topic = build("kafka-topic", settings, clock)

    with pytest.raises(NotSent) as caught:
        await topic.send([item(1)])
    await topic.close()

    assert caught.value.theirs is theirs
    assert ("解析不出来" in str(caught.value)) is not theirs


def test_a_password_is_never_shown(clock: Any) -> None:
    settings = {"bootstrap_servers": "x:1", "topic": "t", "username": "u", "password": "hidden"}
    settings["security_protocol"] = "SASL_SSL"

    topic = build("kafka-topic", settings, clock)

    assert "hidden" not in repr(vars(topic))


class _Producer:
    """Stands for a producer: each send meets the next thing on the list."""

    def __init__(self, *meets: Any) -> None:
        self.meets = list(meets)
        self.stopped = 0

    async def start(self) -> None:
        return

    async def stop(self) -> None:
        self.stopped += 1

    async def send(self, topic: str, **_event: Any) -> asyncio.Future[Any]:
        met = self.meets.pop(0)
        if isinstance(met, AtOnce):
            raise met.error
        future = asyncio.get_running_loop().create_future()
        if isinstance(met, Exception):
            future.set_exception(met)
        elif met is not NEVER:
            future.set_result(SimpleNamespace(topic=topic, partition=0, offset=met))
        return future


@dataclass
class AtOnce:
    """Fails while it is handed over, before it can leave."""

    error: Exception


NEVER = object()


def _topic(clock: Any, producer: _Producer) -> KafkaTopic:
    settings = KafkaTopicSettings(
        bootstrap_servers="x:1", topic="t", call_timeout=timedelta(seconds=0.1)
    )
    return KafkaTopic(settings, clock, lambda _settings: producer)


async def test_each_item_has_its_own_outcome(clock: Any, item: ItemFactory) -> None:
    producer = _Producer(
        5, AtOnce(MessageSizeTooLargeError("large")), KafkaTimeoutError(), NEVER,
        AtOnce(KafkaTimeoutError()),
    )  # fmt: skip
    topic = _topic(clock, producer)

    outcomes = await topic.send([item(n) for n in range(1, 7)])

    kinds = [outcome.kind.value for outcome in outcomes]
    assert kinds == ["accepted", "rejected", "unknown", "unknown", "deferred", "deferred"]
    assert outcomes[0].reference == "t/0/5"
    await topic.close()


async def test_a_broker_that_confirms_nothing_has_not_answered(
    clock: Any, item: ItemFactory
) -> None:
    topic = _topic(clock, _Producer(NEVER, NEVER))

    outcomes = await topic.send([item(1), item(2)])

    assert {(one.kind, one.answered) for one in outcomes} == {(OutcomeKind.UNKNOWN, False)}
    await topic.close()


async def test_a_producer_that_failed_is_replaced(clock: Any, item: ItemFactory) -> None:
    producer = _Producer(KafkaTimeoutError(), 6)
    topic = _topic(clock, producer)

    [failed] = await topic.send([item(1)])
    [again] = await topic.send([item(1)])
    await topic.close()

    assert (failed.kind.value, again.kind.value) == ("unknown", "accepted")
    assert producer.stopped == 2


@pytest.mark.parametrize(
    ("met", "error"),
    [
        (AtOnce(KafkaTimeoutError()), NotSent),
        (AtOnce(UnknownTopicOrPartitionError()), CallRejected),
        (TopicAuthorizationFailedError(), CallRejected),
    ],
)
async def test_a_refusal_of_every_item_rejects_the_call(
    met: Any, error: type[Exception], clock: Any, item: ItemFactory
) -> None:
    topic = _topic(clock, _Producer(met))

    with pytest.raises(error):
        await topic.send([item(1)])

    await topic.close()


@pytest.mark.integration
async def test_an_item_that_is_too_large_is_rejected_and_the_others_are_not(
    kafka_bootstrap: str, clock: Any, item: ItemFactory
) -> None:
    settings = {"bootstrap_servers": kafka_bootstrap, "topic": "sizes", "max_request_size": 4096}
    topic = build("kafka-topic", settings, clock)
    large = item(2, columns={"CF_NR": "长" * 5000})

    outcomes = await topic.send([item(1), large, item(3)])

    assert [outcome.kind.value for outcome in outcomes] == ["accepted", "rejected", "accepted"]
    await topic.close()
