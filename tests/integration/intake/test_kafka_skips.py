"""Skips of persons: taken back, closed with their topic, and those that Kafka made."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from gateway.intake.gaps import skip_messages, unskip_messages
from gateway.intake.kafka import KafkaIntake
from gateway.store.account.evidence import Statement
from gateway.store.record.missing import spans, went_back
from tests.integration.intake.kafka_world import (
    FIRST,
    StartIntake,
    bodies,
    committed,
    delete_before,
    made_again,
    noted,
    put,
    read_then_deleted,
    until,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration
SAID = Statement("张三", "记错了分区")


async def skip(world: World, intake: KafkaIntake, *place: int) -> bool:
    first, end = place
    where = (next(iter(intake.settings.topics)), FIRST, first, end)
    return await skip_messages(world.database, intake.settings, where, SAID, world.clock())


async def back(world: World, intake: KafkaIntake, *place: int) -> bool:
    first, end = place
    where = (next(iter(intake.settings.topics)), FIRST, first, end)
    return await unskip_messages(world.database, intake.settings, where, SAID, world.clock())


async def numbers(world: World) -> list[int]:
    """Return the numbers of the documents that were taken."""
    found = await world.column("select document_number from decision")
    return sorted(int(one.rpartition("〕")[2][:-1]) for one in found)


async def stopped_after(start: StartIntake, taken: int) -> KafkaIntake:
    intake = await start()
    await until(lambda: intake.taken >= taken and intake.idle)
    await intake.stop()
    assert intake.taken == taken
    return intake


async def test_a_skip_can_be_taken_back_before_anybody_went_behind_it(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await put(producer, topic, *bodies(1, 2))
    intake = await stopped_after(start, 2)
    await put(producer, topic, *bodies(3, 2))

    assert not await back(world, intake, 2, 3)
    assert await skip(world, intake, 2, 3)
    assert await back(world, intake, 2, 3)
    assert len(await noted(world)) == 1  # it is told until it is read
    await stopped_after(start, 2)

    assert await noted(world) == []
    assert await world.events() == ["messages_skipped", "skip_taken_back"]


async def test_what_a_process_went_behind_is_read_after_a_restart_where_it_is_taken_back(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    """Also where more came in between; the commands may run on a host with another clock."""
    await put(producer, topic, *bodies(1, 2))
    intake = await stopped_after(start, 2)
    assert await skip(world, intake, 2, 4)
    await put(producer, topic, *bodies(3, 3))
    running = await start()
    await until(lambda: running.taken == 1 and running.idle)
    assert await back(world, intake, 2, 4)
    await put(producer, topic, *bodies(6, 1))
    await until(lambda: running.taken == 2 and running.idle)
    assert await numbers(world) == [1, 2, 5, 6]
    await running.stop()

    again = await start()
    await until(lambda: again.taken == 4 and again.idle)
    await again.stop()
    assert await numbers(world) == [1, 2, 3, 4, 5, 6]
    assert await noted(world) == []
    last = await start()
    await until(lambda: last.idle)
    await asyncio.sleep(1)

    assert last.taken == 0  # it goes back once only
    assert await committed(last, topic) == [6, None]


async def test_a_skip_that_is_taken_back_may_be_made_again(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await put(producer, topic, *bodies(1, 2))
    intake = await stopped_after(start, 2)
    await put(producer, topic, *bodies(3, 2))

    assert [await act(world, intake, 2, 3) for act in (skip, back, skip)] == [True] * 3
    await stopped_after(start, 1)

    assert await numbers(world) == [1, 2, 4]


async def test_what_kafka_deleted_cannot_be_taken_back(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await read_then_deleted(admin, producer, topic, start)
    intake = await stopped_after(start, 3)
    before = await noted(world)

    assert before == [(f"kafka:main/{topic}/0", 4, 7)]
    assert not await back(world, intake, 4, 7)
    assert await noted(world) == before


async def test_of_a_skip_that_is_taken_back_only_what_is_gone_stays_missing(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    """Also where the process goes before it has taken what is left."""
    await put(producer, topic, *bodies(1, 3))
    intake = await stopped_after(start, 3)
    await put(producer, topic, *bodies(4, 7))
    assert await skip(world, intake, 3, 10)
    await put(producer, topic, *bodies(11, 1))
    await stopped_after(start, 1)
    assert await back(world, intake, 3, 10)
    await delete_before(admin, topic, 6)
    async with world.database.transaction() as connection:
        await went_back(connection, f"kafka:main/{topic}/0", 6)

    assert [place[1:] for place in await noted(world)] == [(3, 6)]
    async with world.database.transaction() as connection:
        assert await spans(connection, f"kafka:main/{topic}/0") == [(3, 6)]


async def test_a_skip_holds_for_a_new_group_of_the_same_topic(
    world: World, packed: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    for body in (*bodies(1, 2), b"0" * 3_000_000, *bodies(3, 2)):
        await packed.send_and_wait(topic, body, partition=FIRST)
    intake = await start()
    await until(lambda: intake.stuck() is not None and intake.taken == 2)
    assert await skip(world, intake, 2, 3)
    await until(lambda: intake.taken == 4 and intake.idle)
    await intake.stop()

    other = await start(group=f"{topic}-anew")
    await until(lambda: other.taken == 4 and other.idle)

    assert await world.events() == ["messages_skipped"]


async def test_a_skip_of_a_topic_that_was_made_again_is_closed_and_that_is_on_record(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await put(producer, topic, *bodies(1, 2))
    intake = await stopped_after(start, 2)
    assert await skip(world, intake, 2, 3)
    await admin.delete_topics([topic])
    await made_again(admin, topic)
    await put(producer, topic, *bodies(11, 4))
    await stopped_after(start, 4)

    assert await numbers(world) == [1, 2, 11, 12, 13, 14]
    first, *others = await world.events()
    assert first == "messages_skipped"
    assert set(others) == {"topic_made_again", "skip_set_aside"}  # of both partitions, in any order
    assert others.count("skip_set_aside") == 1
