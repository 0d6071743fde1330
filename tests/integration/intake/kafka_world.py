"""What tests of Kafka intake share: messages, and waiting for what has no event of its own."""

import asyncio
from collections.abc import Awaitable, Callable

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError

from gateway.intake.kafka import KafkaIntake
from tests.factories import penalty

PATIENCE = 60
StartIntake = Callable[..., Awaitable[KafkaIntake]]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.02)


async def send(
    producer: AIOKafkaProducer, topic: str, *bodies: bytes | None, header: bytes | None = None
) -> None:
    """Send bodies to both partitions in turn."""
    headers = [("source", header)] if header is not None else None
    for number, body in enumerate(bodies):
        await producer.send(topic, body, key=b"key", partition=number % 2, headers=headers)
    await producer.flush()


def bodies(first: int, count: int) -> list[bytes]:
    return [orjson.dumps(penalty(n, n)) for n in range(first, first + count)]


async def committed(intake: KafkaIntake, topic: str) -> list[int | None]:
    assert intake.consumer is not None
    return [await intake.consumer.committed(TopicPartition(topic, p)) for p in (0, 1)]


async def made_again(admin: AIOKafkaAdminClient, topic: str) -> None:
    """Create a topic that was deleted, unless a client that asked for it has done so already."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await admin.create_topics([NewTopic(topic, 2, 1)])
            if answer.topic_errors[0][1] in {0, TopicAlreadyExistsError.errno}:
                return
            await asyncio.sleep(0.1)
