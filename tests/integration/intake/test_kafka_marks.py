"""The marks of transactions take offsets that no record shows: they are no missing records."""

from typing import Any

import pytest
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException

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
