"""Read a whole topic once, up to where it ends now, without a consumer group."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from connectors.shared.kafka_connection import kafka_words

#: Milliseconds for one poll; a topic that gives nothing for this many polls has gone away.
_POLL, _PATIENCE = 1_000, 30


class TopicUnread(Exception):
    """A topic cannot be read to its end; the message says why in Chinese."""


async def whole_topic(
    bootstrap: str, topic: str, options: Mapping[str, Any]
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Yield each message that the topic has now, partition by partition in the order of offsets.

    Raises:
        TopicUnread: the cluster does not answer, or has no such topic.
    """
    try:
        partitions = await _partitions(bootstrap, topic, options)
        async with _consumer(bootstrap, options) as consumer:
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            async for record in _until(consumer, ends):
                yield record
    except KafkaError as error:
        raise TopicUnread(f"主题 {topic}：{kafka_words(error)}") from error


@asynccontextmanager
async def _consumer(bootstrap: str, options: Mapping[str, Any]) -> AsyncIterator[Any]:
    # What was aborted was never said; with this the end is that of what is committed, too.
    consumer: Any = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, group_id=None, isolation_level="read_committed", **options
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _partitions(
    bootstrap: str, topic: str, options: Mapping[str, Any]
) -> list[TopicPartition]:
    """Return the partitions; a consumer would have a missing topic made where brokers do that."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **options)
    try:
        await admin.start()
        if topic not in await admin.list_topics():
            raise TopicUnread(f"Kafka 里没有主题 {topic}；检查名字")
        [described] = await admin.describe_topics([topic])
    finally:
        await admin.close()
    numbers = sorted(one["partition"] for one in described["partitions"])
    return [TopicPartition(topic, number) for number in numbers]


async def _until(
    consumer: Any, ends: Mapping[TopicPartition, int]
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    """Yield what stands before these offsets; by the position, since compaction leaves holes."""
    waits = 0
    while any([await consumer.position(one) < end for one, end in ends.items()]):
        found = await consumer.getmany(timeout_ms=_POLL)
        waits = 0 if found else waits + 1
        if waits > _PATIENCE:
            raise TopicUnread("读到一半，Kafka 不再给出消息；稍后再试")
        for partition, records in found.items():
            for record in records:
                if record.offset < ends[partition]:
                    yield record
