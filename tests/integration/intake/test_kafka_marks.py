"""The marks of transactions take offsets that no record shows: they are no missing records."""

import asyncio
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from faststream.kafka import KafkaMessage

from gateway.intake.kafka import KafkaIntake
from tests.integration.intake.kafka_world import bodies, committed, delete_before, noted, put, until
from tests.integration.intake.test_kafka_neighbours import transactional  # noqa: F401  a fixture
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("mode", ["continue", "stop"])
async def test_the_mark_behind_what_was_read_is_not_missing(
    world: World,
    admin: Any,
    transactional: Any,  # noqa: F811
    topic: str,
    start: Any,
    mode: str,
) -> None:
    async with transactional.transaction():
        await put(transactional, topic, *bodies(1, 3))
    first = await start()
    await until(lambda: first.taken == 3)
    await until(lambda: first.idle)
    await first.stop()
    await delete_before(admin, topic, 4)

    second = await start(on_missing=mode)
    async with transactional.transaction():
        await put(transactional, topic, *bodies(11, 2))
    await until(lambda: second.taken == 2)

    assert await noted(world) == []


async def test_marks_behind_which_a_restored_database_lacks_records_are_not_told(
    world: World,
    admin: Any,
    transactional: Any,  # noqa: F811
    topic: str,
    start: Any,
) -> None:
    """Records stand at 0 to 2 and at 4 and 5, marks at 3 and 6; the database has the first two."""
    first = await start()
    for number, count in ((1, 3), (11, 2)):
        async with transactional.transaction():
            await put(transactional, topic, *bodies(number, count))
    await until(lambda: first.taken == 5 and first.idle)
    await first.stop()
    await world.run("delete from inbox where position > 1")
    await delete_before(admin, topic, 7)

    second = await start()
    await until(lambda: len(second.consumer._compared) == 2)

    assert [place[1:] for place in await noted(world)] == [(2, 6)]


async def test_a_mark_that_comes_later_is_committed_too(
    transactional: Any,  # noqa: F811
    topic: str,
    start: Any,
) -> None:
    intake = await start()
    for first in (1, 11):
        async with transactional.transaction():
            await put(transactional, topic, *bodies(first, 2))
    await until(lambda: intake.taken == 4)

    await until_committed(intake, topic, 6)


async def until_committed(intake: Any, topic: str, offset: int) -> None:
    """Wait until the offset of the first partition is committed."""
    for _ in range(100):
        if offset in await committed(intake, topic):
            return
        await until(lambda: intake.idle)
    raise AssertionError(await committed(intake, topic))


async def test_a_stop_commits_nothing_that_comes_while_it_asks_for_places(
    world: World, producer: Any, topic: str, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The coordinator is slow, and the place of one partition is not known yet."""
    intake = await start()
    consumer = intake.consumer
    await until(lambda: len(consumer._committed) == 2)
    asked, answers = asyncio.Event(), asyncio.Event()
    ask, commit = consumer.committed, intake.pipeline.commit

    async def slowly(partition: TopicPartition) -> Any:
        if asyncio.current_task() is stop:
            asked.set()
            await answers.wait()
        return await ask(partition)

    async def never(_: Any) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(consumer, "committed", slowly)
    monkeypatch.setattr(intake.pipeline, "commit", never)
    del consumer._committed[TopicPartition(topic, 1)]
    stop = asyncio.create_task(intake.stop())
    await asked.wait()
    await put(producer, topic, *bodies(1, 3))
    await until(lambda: bool(intake._batches))
    answers.set()
    await stop
    monkeypatch.setattr(intake.pipeline, "commit", commit)

    second = await start()
    await until(lambda: second.taken == 3)

    assert await world.value("select count(*) from decision") == 3


async def test_nothing_is_committed_of_records_that_have_no_batch_yet(
    producer: Any, topic: str, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were handed out, and a stop comes before the pipeline has them."""
    handed, goes_on = asyncio.Event(), asyncio.Event()
    take = KafkaIntake._take

    async def later(intake: KafkaIntake, message: KafkaMessage) -> None:
        handed.set()
        await goes_on.wait()
        await take(intake, message)

    monkeypatch.setattr(KafkaIntake, "_take", later)
    intake = await start()
    await until(lambda: len(intake.consumer._committed) == 2)
    await put(producer, topic, *bodies(1, 3))
    await handed.wait()

    await intake.consumer.commit_markers()

    assert await committed(intake, topic) == [None, None]
    goes_on.set()
    await until(lambda: intake.taken == 3)


@pytest.mark.parametrize("restarts", [True, False])
async def test_what_a_failed_poll_threw_away_is_read_again(
    world: World,
    producer: Any,
    topic: str,
    start: Any,
    monkeypatch: pytest.MonkeyPatch,
    *,
    restarts: bool,
) -> None:
    """One partition is spoilt; the other is read to its end all the same."""
    if restarts:  # then the places of the partitions are known only within the poll
        for partition in (0, 1):
            await producer.send(topic, bodies(200 + partition, 1)[0], partition=partition)
        await producer.flush()
        first = await start(batch_size=10)
        await until(lambda: first.taken == 2)
        await first.stop()
    unpack = fetcher.PartitionRecords._unpack_records

    def spoilt(records: Any) -> Any:
        if records._tp.partition == 1:
            raise CorruptRecordException(f"Invalid CRC - {records._tp}")
        yield from unpack(records)

    monkeypatch.setattr(fetcher.PartitionRecords, "_unpack_records", spoilt)
    for partition, rows in ((1, bodies(100, 2)), (0, bodies(1, 35))):
        for row in rows:
            await producer.send(topic, row, partition=partition)
    await producer.flush()

    intake = await start(batch_size=10)

    await until(lambda: intake.taken >= 35)
    assert await world.value("select count(*) from decision") == (37 if restarts else 35)
