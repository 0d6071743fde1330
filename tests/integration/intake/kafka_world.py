"""What tests of Kafka intake share: messages, and waiting for what has no event of its own."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

import orjson
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.errors import TopicAlreadyExistsError

from gateway.intake.kafka import KafkaIntake
from gateway.store.record.missing import missing_found
from tests.factories import penalty
from tests.integration.world import World

PATIENCE = 60
#: Of a partition; the topic's other one stays empty.
FIRST = 0
_ALWAYS = (datetime.fromisoformat("2000-01-01T00:00Z"), datetime.fromisoformat("2100-01-01T00:00Z"))
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


async def put(producer: AIOKafkaProducer, topic: str, *messages: bytes) -> None:
    for message in messages:
        await producer.send(topic, message, partition=FIRST)
    await producer.flush()


async def delete_before(admin: AIOKafkaAdminClient, topic: str, offset: int) -> None:
    await admin.delete_records({TopicPartition(topic, FIRST): RecordsToDelete(offset)})


async def noted(world: World) -> list[tuple[str, int, int]]:
    """Return what was found missing, as the store has it."""
    async with world.database.transaction() as connection:
        found = await missing_found(connection, *_ALWAYS)
    return [(one.origin, one.first, one.end) for one in found]


async def took(start: StartIntake, producer: AIOKafkaProducer, topic: str, count: int) -> None:
    """Let an intake take so many messages, and stop it."""
    intake = await start()
    await put(producer, topic, *bodies(1, count))
    await until(lambda: intake.taken == count and intake.idle)
    await intake.stop()


async def read_then_deleted(
    admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    """Four messages are read; of six more, three are deleted before anybody reads them."""
    await put(producer, topic, *bodies(1, 4))
    first = await start()
    await until(lambda: first.taken == 4)
    await first.stop()
    await put(producer, topic, *bodies(5, 6))
    await delete_before(admin, topic, 7)


async def observe_for_ever(intake: KafkaIntake) -> None:
    while True:
        await intake.observe()
        await asyncio.sleep(0.1)


async def halted(start: StartIntake) -> KafkaIntake:
    """Start a member that waits for a person at a gap."""
    intake = await start(on_missing="stop")
    await until(lambda: bool(intake.consumer and intake.consumer.halted))
    return intake
