"""Gaps of the bus beside batches in flight, other members, and topics made again."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from gateway.intake.kafka import KafkaIntake
from tests.integration.intake.kafka_world import (
    StartIntake,
    bodies,
    committed,
    delete_before,
    halted,
    made_again,
    noted,
    observe_for_ever,
    put,
    read_then_deleted,
    until,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration


@dataclass
class Gates:
    """The first two batches are written only once the event of each is set."""

    first: asyncio.Event = field(default_factory=asyncio.Event)
    second: asyncio.Event = field(default_factory=asyncio.Event)
    gap: asyncio.Event = field(default_factory=asyncio.Event)  #: set once a gap is seen


@pytest.fixture
def gates(world: World, monkeypatch: pytest.MonkeyPatch) -> Gates:
    gates = Gates()
    real = world.gateway.pipeline.commit
    settle = KafkaIntake._settle
    waiting = iter([gates.first, gates.second])

    async def commit(checked: Any) -> Any:
        if (event := next(waiting, None)) is not None:
            await event.wait()
        return await real(checked)

    async def seen(intake: KafkaIntake, partition: TopicPartition) -> bool:
        if intake._batches:
            gates.gap.set()
        return await settle(intake, partition)

    monkeypatch.setattr(world.gateway.pipeline, "commit", commit)
    monkeypatch.setattr(KafkaIntake, "_settle", seen)
    return gates


async def documents(world: World) -> list[str]:
    return await world.column("select document_number from decision order by id")


async def test_what_was_read_before_a_gap_is_written_before_intake_goes_on(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    gates: Gates,
) -> None:
    await put(producer, topic, *bodies(1, 8))
    intake = await start(batch_size=2, max_poll_interval_ms=3000)
    await until(lambda: bool(intake.consumer and intake.consumer.paused()))
    await delete_before(admin, topic, 7)
    gates.first.set()
    await asyncio.wait_for(gates.gap.wait(), 40)
    await asyncio.sleep(1)  # time for what must not happen
    assert await noted(world) == []
    await intake.stop()  # the second batch is lost with the process

    gates.second.set()
    last = await start()
    await until(lambda: last.idle)

    read = {int(number.rpartition("〕")[2][:-1]) - 1 for number in await documents(world)}
    missing = {offset for _, first, end in await noted(world) for offset in range(first, end)}
    assert read | missing == set(range(8))
    assert not read & missing


async def test_a_batch_of_a_topic_that_was_made_again_does_not_move_the_place_in_the_new_one(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    gates: Gates,
) -> None:
    await put(producer, topic, *bodies(1, 6))
    intake = await start(metadata_max_age_ms=1000, batch_size=100)
    await until(lambda: len(intake._batches) == 1)
    await admin.delete_topics([topic])
    await made_again(admin, topic)
    await asyncio.wait_for(gates.gap.wait(), 40)
    await put(producer, topic, *bodies(11, 9))
    gates.first.set()
    await until(lambda: intake.taken == 6 and len(intake._batches) == 1)
    await intake.stop()  # what it has read of the new topic is not written

    gates.second.set()
    last = await start()
    await until(lambda: last.idle)
    async with asyncio.timeout(20):
        while len(await documents(world)) < 15:  # noqa: ASYNC110  the database has no event
            await asyncio.sleep(0.1)


async def test_a_partition_that_waits_for_a_person_does_not_fail_liveness(
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await read_then_deleted(admin, producer, topic, start)
    monkeypatch.setattr("gateway.intake.watch.STUCK_AFTER", 2)
    intake = await halted(start)
    observed = asyncio.create_task(observe_for_ever(intake))
    await asyncio.sleep(4)  # twice the bound
    observed.cancel()

    assert intake.stuck() is None
    assert "已停止读取" in (intake.waits() or "")


async def test_two_members_that_find_the_same_gap_count_it_once(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await read_then_deleted(admin, producer, topic, start)
    second = await halted(start)
    third = await start(on_missing="stop")
    await until(lambda: len(second.assigned()) == len(third.assigned()) == 1)
    holder = second if any(p.partition == 0 for p in second.assigned()) else third
    await until(lambda: bool(holder.consumer and holder.consumer.halted))

    for one in (second, third):
        assert one.consumer is not None
        assert one.consumer.halted <= one.assigned()
    assert world.gateway.metrics.missing.labels(topic)._value.get() == 3
    assert await committed(second, topic) is not None


@pytest.mark.parametrize("running", [True, False])
async def test_an_old_gap_hides_nothing_of_a_topic_that_was_made_again(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    *,
    running: bool,
) -> None:
    """The gap is of the offsets 4 to 6; the new topic is read up to within it, then restarted."""
    await read_then_deleted(admin, producer, topic, start)
    second = await start(metadata_max_age_ms=1000)
    await until(lambda: second.taken == 3)
    if not running:
        await second.stop()
    await admin.delete_topics([topic])
    await made_again(admin, topic)
    await put(producer, topic, *bodies(21, 5))
    third = second if running else await start()
    await until(lambda: third.taken == (8 if running else 5) and third.idle)
    await third.stop()
    await put(producer, topic, *bodies(26, 6))

    last = await start()
    await until(lambda: last.taken == 6)

    assert await noted(world) == [(f"kafka:main/{topic}/0", 4, 7)]
    assert {f"样环罚字〔2026〕{n}号" for n in range(21, 32)} <= set(await documents(world))


async def test_the_same_offsets_may_go_missing_again_in_a_topic_that_was_made_again(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await read_then_deleted(admin, producer, topic, start)
    second = await start(metadata_max_age_ms=1000)
    await until(lambda: second.taken == 3)
    await admin.delete_topics([topic])
    await made_again(admin, topic)
    await put(producer, topic, *bodies(21, 4))
    await until(lambda: second.taken == 7 and second.idle)
    await second.stop()
    await put(producer, topic, *bodies(25, 6))
    await delete_before(admin, topic, 7)
    world.clock.step(timedelta(hours=1))

    last = await start()
    await until(lambda: last.taken == 3)

    assert await noted(world) == [(f"kafka:main/{topic}/0", 4, 7)] * 2
