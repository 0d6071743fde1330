"""Topics that were made again: their messages are never taken for those of the one before."""

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.consumer.fetcher import Fetcher
from aiokafka.structs import OffsetAndMetadata

from connectors.shared.kafka_topic_id import topic_id
from gateway.store.record.topics import TopicIs
from tests.integration.intake.kafka_world import (
    FIRST,
    PATIENCE,
    StartIntake,
    bodies,
    halted,
    made_again,
    noted,
    put,
    read_then_deleted,
    send,
    took,
    until,
)
from tests.integration.intake.test_kafka_skips import numbers, stopped_after
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def commit(bootstrap: str, topic: str, offset: int, said: str = "") -> None:
    """Commit an offset for the group of the test, as its member had done."""
    place = TopicPartition(topic, FIRST)
    member = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=topic, enable_auto_commit=False)
    member.assign([place])
    await member.start()
    await member.commit({place: OffsetAndMetadata(offset, said)})
    await member.stop()


async def make_again(admin: AIOKafkaAdminClient, topic: str) -> None:
    await admin.delete_topics([topic])
    await made_again(admin, topic)


async def test_the_id_of_a_topic_is_another_once_it_is_made_again(
    admin: AIOKafkaAdminClient, topic: str
) -> None:
    first, same = [await topic_id(admin._client, topic) for _ in range(2)]
    await make_again(admin, topic)
    another = await topic_id(admin._client, topic)
    await admin.delete_topics([topic])

    assert first == same != another
    assert await topic_id(admin._client, f"{topic}-not-there") is None


async def test_what_a_restored_database_lacks_of_a_topic_that_was_made_again_is_read_again(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    kafka_bootstrap: str,
) -> None:
    """The topic before had more messages than this one; two are committed and not there."""
    await took(start, producer, topic, 10)
    await make_again(admin, topic)
    await put(producer, topic, *bodies(21, 3))
    await stopped_after(start, 3)
    await put(producer, topic, *bodies(24, 2))
    await commit(kafka_bootstrap, topic, 5, "5")

    await stopped_after(start, 2)

    assert await numbers(world) == [*range(1, 11), *range(21, 26)]


@pytest.mark.parametrize("said", ["5", ""])
async def test_a_database_that_was_restored_to_before_a_topic_was_made_again_lacks_all_of_it(  # noqa: PLR0917
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    kafka_bootstrap: str,
    said: str,
) -> None:
    await took(start, producer, topic, 10)
    await make_again(admin, topic)
    await put(producer, topic, *bodies(21, 5))
    await commit(kafka_bootstrap, topic, 5, said)

    await stopped_after(start, 5)

    assert await numbers(world) == [*range(1, 11), *range(21, 26)]


@pytest.fixture
def asks_each_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.intake.placed.BELIEVED", 1)


@pytest.mark.usefixtures("asks_each_second")
@pytest.mark.parametrize("count", [3, 12])
async def test_a_topic_that_is_made_again_while_it_is_read_is_read_from_its_start(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    *,
    count: int,
) -> None:
    """Also where it has outgrown the offset of the reader before anybody notices."""
    intake = await start(metadata_max_age_ms=1000)
    await put(producer, topic, *bodies(1, 6))
    await until(lambda: intake.taken == 6 and intake.idle)
    await make_again(admin, topic)
    await put(producer, topic, *bodies(21, count))

    async with asyncio.timeout(PATIENCE):
        while await numbers(world) != [*range(1, 7), *range(21, 21 + count)]:  # noqa: ASYNC110  the database has no event
            await asyncio.sleep(0.1)
    assert await noted(world) == []


@pytest.mark.usefixtures("asks_each_second")
async def test_one_partition_that_is_found_to_be_made_again_hides_no_other_one(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first one is shorter than before, so that its offset tells; the second is longer."""
    goes_on, fetch = asyncio.Event(), Fetcher._proc_fetch_request
    goes_on.set()

    async def held(fetcher: Fetcher, *arguments: object) -> object:
        await goes_on.wait()
        return await fetch(fetcher, *arguments)

    monkeypatch.setattr(Fetcher, "_proc_fetch_request", held)
    intake = await start(metadata_max_age_ms=1000)
    await send(producer, topic, *bodies(1, 6))
    await until(lambda: intake.taken == 6 and intake.idle)
    goes_on.clear()
    await asyncio.sleep(1)  # the fetch that is on its way has come
    await make_again(admin, topic)
    await put(producer, topic, *bodies(21, 1))
    for body in bodies(31, 8):
        await producer.send_and_wait(topic, body, partition=1)
    goes_on.set()

    async with asyncio.timeout(PATIENCE):
        while await numbers(world) != [*range(1, 7), 21, *range(31, 39)]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


@pytest.mark.usefixtures("asks_each_second")
async def test_a_partition_that_waits_for_a_person_goes_on_where_its_topic_is_made_again(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await read_then_deleted(admin, producer, topic, start)
    await halted(start)
    await make_again(admin, topic)
    await put(producer, topic, *bodies(21, 12))

    async with asyncio.timeout(PATIENCE):
        while await numbers(world) != [*range(1, 5), *range(21, 33)]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_offsets_of_two_topics_of_one_name_stay_apart(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    """The same bytes at the same offset are another message; its decision is a repeat."""
    await took(start, producer, topic, 3)
    await make_again(admin, topic)
    await took(start, producer, topic, 3)

    taken = await world.column(
        "select count(*) from inbox i join origin o on o.id = i.origin_id group by o.name"
    )
    assert taken == [3, 3]
    assert await world.value("select count(*) from decision") == 3


async def test_a_late_member_does_not_begin_anew_what_another_one_has_begun(
    world: World, topic: str, start: StartIntake
) -> None:
    """Nor does a broker that still tells the former id; the intake itself asks for its own ones."""
    intake = await start()
    one = TopicPartition(topic, 7)
    await intake.gaps.compare_topic(one, "first")
    assert await intake.gaps.compare_topic(one, "second") is TopicIs.ANOTHER
    await intake.gaps.begins_anew(one, "second")
    assert await intake.gaps.compare_topic(one, "second") is TopicIs.SAME
    await world.run("update origin set name = name")  # it has been taken of by now
    await intake.gaps.begins_anew(one, "second")

    assert await intake.gaps.compare_topic(one, "first") is TopicIs.SAME
    names = await world.column(
        "select name from origin where name like :name order by name", name=f"%{topic}/7%"
    )
    assert len(names) == 2  # the present one, and the one that was put aside
