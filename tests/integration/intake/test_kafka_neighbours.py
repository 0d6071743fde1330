"""Brokers and producers as they are: transactions, codecs, retention, topics made again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.new_partitions import NewPartitions

from gateway.config.settings import KafkaSettings
from gateway.intake.access import bounds_of
from gateway.intake.gaps import Gaps, skip_messages
from gateway.intake.kafka import KafkaIntake
from gateway.intake.places import ReadOn
from gateway.ledger.freeze import ledger_lines
from gateway.ledger.month import month
from gateway.store.account.evidence import Statement
from gateway.store.audit.retention import delete_rows
from gateway.store.base.engine import DatabaseAway
from tests.integration.intake.kafka_world import (
    FIRST,
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
    send,
    took,
    until,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.fixture
async def transactional(kafka_bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, transactional_id=topic)
    await made.start()
    yield made
    await made.stop()


async def test_messages_of_an_aborted_transaction_are_not_taken(
    world: World, transactional: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await transactional.begin_transaction()
    await put(transactional, topic, *bodies(1, 3))
    await transactional.abort_transaction()
    async with transactional.transaction():
        await put(transactional, topic, *bodies(4, 2))

    intake = await start()
    await until(lambda: intake.taken == 2)
    await until(lambda: intake.idle)

    numbers = await world.column("select document_number from decision order by 1")
    assert numbers == ["样环罚字〔2026〕4号", "样环罚字〔2026〕5号"]


async def test_messages_of_an_open_transaction_wait_and_nobody_is_alarmed(
    world: World, transactional: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await transactional.begin_transaction()
    await put(transactional, topic, *bodies(1, 3))
    intake = await start()
    await until(lambda: (intake.lag() or 0) >= 3)
    await intake.observe()
    told, before = gauge(world), await world.value("select count(*) from decision")
    await transactional.commit_transaction()
    await until(lambda: intake.taken == 3)

    assert (told, before) == (0, 0)


def gauge(world: World) -> float:
    """Return the lag that the metrics tell."""
    return float(world.gateway.metrics.intake_lag._value.get())


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_every_codec_of_kafka_is_read(
    world: World, kafka_bootstrap: str, topic: str, start: StartIntake, codec: str
) -> None:
    async with AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap, compression_type=codec, linger_ms=20
    ) as producer:
        await put(producer, topic, *bodies(1, 20))

    intake = await start()
    await until(lambda: intake.taken == 20)

    assert await world.value("select count(*) from decision") == 20


async def test_messages_that_kafka_deleted_unread_are_noted_and_intake_goes_on(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await read_then_deleted(admin, producer, topic, start)

    second = await start()
    await until(lambda: second.taken == 3)
    await second.stop()
    third = await start()
    await until(lambda: third.idle)

    assert await noted(world) == [(f"kafka:main/{topic}/0", 4, 7)]
    assert await committed(third, topic) == [10, None]
    assert await world.events() == ["messages_missing"]
    ledger = await month(
        world.database, world.gateway.ledger_scope, f"{world.clock():%Y-%m}", world.clock()
    )
    assert [(one.first, one.end) for one in ledger.missing] == [(4, 7)]
    assert "4 至 6 号没有读到：读之前已被 Kafka 删除" in ledger_lines(ledger)[-1]


async def test_where_everything_was_deleted_the_gap_is_noted_once(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await read_then_deleted(admin, producer, topic, start)
    await delete_before(admin, topic, 10)

    second = await start()
    await until(lambda: second.idle)
    await second.stop()
    third = await start()
    await until(lambda: third.idle)

    assert await noted(world) == [(f"kafka:main/{topic}/0", 4, 10)]
    assert await committed(third, topic) == [10, None]


async def test_a_group_whose_offsets_expired_finds_the_gap_by_what_it_has_taken(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await read_then_deleted(admin, producer, topic, start)

    other = await start(group=f"{topic}-anew")
    await until(lambda: other.taken == 3)

    assert await noted(world) == [(f"kafka:main/{topic}/0", 4, 7)]


async def test_if_so_configured_a_gap_stops_its_partition_and_readiness_says_why(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await read_then_deleted(admin, producer, topic, start)

    second = await halted(start)
    await producer.send_and_wait(topic, bodies(20, 1)[0], partition=1)
    await until(lambda: second.taken == 1)

    assert second.waits() == (
        f"{topic}/0 有未读而已被 Kafka 删除的来件，按 on_missing: stop 已停止读取"
    )
    assert await noted(world) == [(f"kafka:main/{topic}/0", 4, 7)]


async def test_a_topic_that_is_made_again_is_read_from_its_start(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await put(producer, topic, *bodies(1, 6))
    intake = await start(metadata_max_age_ms=1_000)
    await until(lambda: intake.taken == 6)

    await admin.delete_topics([topic])
    await made_again(admin, topic)
    await put(producer, topic, *bodies(11, 2))
    await until(lambda: intake.taken == 8)

    assert await world.value("select count(*) from decision") == 8
    assert await noted(world) == []


async def test_partitions_that_are_added_are_read(
    world: World,
    admin: AIOKafkaAdminClient,
    kafka_bootstrap: str,
    topic: str,
    start: StartIntake,
) -> None:
    intake = await start(metadata_max_age_ms=1_000)
    await until(lambda: len(intake.assigned()) == 2)

    await admin.create_partitions({topic: NewPartitions(3)})
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        await producer.send_and_wait(topic, bodies(1, 1)[0], partition=2)
    await until(lambda: intake.taken == 1)

    assert await world.value("select count(*) from decision") == 1


def damage(folder: str, topic: str) -> None:
    """Change a byte within a message of the first partition on the disk of the broker."""
    [log] = Path(folder).glob(f"{topic}-{FIRST}/*.log")
    content = bytearray(log.read_bytes())
    content[-20] ^= 0xFF
    log.write_bytes(content)


async def test_a_message_that_cannot_be_read_fails_liveness_and_is_counted(
    world: World,
    state: object,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
) -> None:
    await put(producer, topic, *bodies(1, 1))
    damage(f"{state}/kafka", topic)

    intake = await start()
    await until(lambda: intake.stuck() is not None and intake.lag() == 1)

    assert "CorruptRecord" in str(intake.stuck())
    assert world.gateway.metrics.unreadable._value.get() > 0


async def test_what_a_restored_database_lacks_is_read_again(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await took(start, producer, topic, 6)
    await world.run("delete from inbox where position > 2")

    after = await start()
    await put(producer, topic, *bodies(7, 1))
    await until(lambda: after.lag() == 0 and after.taken >= 4)

    assert await world.value("select count(distinct position) from inbox") == 7
    assert await committed(after, topic) == [7, None]


@pytest.mark.parametrize(("deleted", "told"), [(0, []), (4, [(0, 4)])])
async def test_a_database_restored_to_before_the_first_message_lacks_all_of_them(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    *,
    deleted: int,
    told: list[tuple[int, int]],
) -> None:
    await took(start, producer, topic, 6)
    await world.run("delete from inbox")
    await delete_before(admin, topic, deleted)

    after = await start()
    await put(producer, topic, *bodies(7, 1))
    await until(lambda: after.taken == 7 - deleted)

    assert await world.value("select count(distinct position) from inbox") == 7 - deleted
    assert [place[1:] for place in await noted(world)] == told


async def test_an_inbox_that_is_kept_for_less_than_a_topic_is_idle_stops_and_repeats_nothing(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    """What waits in quarantine is kept in the inbox, and is not the last that was taken."""
    intake = await start()
    await put(producer, topic, b"{", *bodies(1, 4))
    await until(lambda: intake.taken == 5 and intake.idle)
    async with world.database.transaction() as connection:
        before = world.clock() + timedelta(days=1)
        assert await delete_rows(connection, "inbox", before, 1000) == 3
    await put(producer, topic, *bodies(5, 2))
    await until(lambda: intake.taken == 7 and intake.idle)
    await intake.stop()
    async with world.database.transaction() as connection:
        assert await delete_rows(connection, "inbox", before, 1000) == 2

    again = await start()
    await put(producer, topic, *bodies(7, 1))
    await until(lambda: again.taken > 0 and again.idle)

    assert again.taken == 1


@pytest.mark.parametrize(("deleted", "taken"), [(5, 3), (8, 0)])
async def test_what_neither_a_restored_database_nor_kafka_has_is_told(
    world: World,
    admin: AIOKafkaAdminClient,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    *,
    deleted: int,
    taken: int,
) -> None:
    await took(start, producer, topic, 8)
    await world.run("delete from inbox where position > 1")
    await delete_before(admin, topic, deleted)

    for expected in (taken, 0):
        again = await start()
        await until(lambda: bool(again.consumer and len(again.consumer._compared) == 2))  # noqa: B023
        await until(lambda: again.idle and again.taken == expected)  # noqa: B023
        await again.stop()

    assert await noted(world) == [(f"kafka:main/{topic}/0", 2, deleted)]
    assert await world.events() == ["messages_missing"]


async def test_a_batch_that_unpacks_to_too_much_stops_nothing_else_and_can_be_skipped(
    world: World, packed: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    """Where memory is short, it would end the process at every start."""
    first, second, third, other = bodies(1, 4)
    for body in (first, second, b"0" * 3_000_000, third):
        await packed.send_and_wait(topic, body, partition=FIRST)
    await packed.send_and_wait(topic, other, partition=1)

    intake = await start()
    await until(lambda: intake.stuck() is not None and intake.taken == 3)
    told = str(intake.stuck())
    settings, now = intake.settings, world.clock()
    said = Statement("张三", "来源已重发")
    assert await skip_messages(world.database, settings, (topic, FIRST, 2, 3), said, now)
    await until(lambda: intake.taken == 4)
    await intake.stop()

    assert f"{topic} 0 停在 2" in told
    assert await world.value("select count(*) from decision") == 4
    assert [place[1:] for place in await noted(world)] == [(2, 3)]
    again = await start()
    await until(lambda: again.lag() == 0)
    assert again.taken == 0


async def skipped(world: World, intake: KafkaIntake, *place: Any) -> bool:
    said = Statement("张三", "来源已重发")
    return await skip_messages(world.database, intake.settings, place, said, world.clock())


async def test_a_skip_beyond_the_end_of_the_log_hides_nothing_and_another_one_mends_it(
    world: World, packed: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    """The end was guessed; intake had read everything again, for ever."""
    for body in (*bodies(1, 3), b"0" * 3_000_000, *bodies(4, 2)):
        await packed.send_and_wait(topic, body, partition=FIRST)
    intake = await start()
    await until(lambda: intake.stuck() is not None and intake.taken == 3)
    assert await skipped(world, intake, topic, FIRST, 3, 100)
    async with asyncio.timeout(30):
        while "skip_set_aside" not in await world.events():  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert intake.taken == 3

    assert await skipped(world, intake, topic, FIRST, 3, 4)
    await until(lambda: intake.taken == 5 and intake.idle)
    for body in bodies(6, 100):
        await packed.send(topic, body, partition=FIRST)
    await packed.flush()
    await until(lambda: intake.taken == 105)
    await intake.stop()
    again = await start()
    await until(lambda: again.idle)

    assert await committed(again, topic) == [106, None]
    assert await world.value("select count(*) from decision") == 105


@pytest.mark.parametrize("running", [True, False])
async def test_an_unreadable_batch_with_which_a_topic_begins_can_be_skipped(
    world: World, packed: AIOKafkaProducer, topic: str, start: StartIntake, *, running: bool
) -> None:
    for body in (b"0" * 3_000_000, b"0" * 3_000_000, *bodies(1, 2)):
        await packed.send_and_wait(topic, body, partition=FIRST)
    intake = await start()
    for offset in (0, 1):
        await until(lambda: f"停在 {offset}，" in str(intake.stuck()))  # noqa: B023
        if not running:
            await intake.stop()
        assert await skipped(world, intake, topic, FIRST, offset, offset + 1)
        if not running:
            intake = await start()

    await until(lambda: intake.taken == 2 and intake.idle)

    assert await committed(intake, topic) == [4, None]


async def test_where_an_unreadable_batch_ends_is_told(
    world: World, packed: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await packed.send_and_wait(topic, bodies(1, 1)[0], partition=FIRST)
    batch = packed.create_batch()
    for _ in range(20):
        batch.append(key=None, value=b"0" * 200_000, timestamp=None)
    await (await packed.send_batch(batch, topic, partition=FIRST))
    await packed.send_and_wait(topic, bodies(2, 1)[0], partition=FIRST)

    intake = await start()
    await until(lambda: intake.stuck() is not None and intake.taken == 1)
    told = str(intake.stuck())
    assert await skipped(world, intake, topic, FIRST, 1, 21)
    await until(lambda: intake.taken == 2)

    assert f"{topic} 0 停在 1，读不出的一批到 20 号为止" in told


async def test_the_bounds_of_a_log_are_told_and_a_partition_that_is_not_there_has_none(
    kafka_bootstrap: str, admin: AIOKafkaAdminClient, producer: AIOKafkaProducer, topic: str
) -> None:
    await put(producer, topic, *bodies(1, 3))
    await delete_before(admin, topic, 2)
    settings = KafkaSettings(topics={topic: "penalty"})

    places = [TopicPartition(topic, number) for number in (0, 1, 2)]
    bounds = [await bounds_of(settings, kafka_bootstrap, one) for one in places]

    assert bounds == [(2, 3), (0, 0), None]


async def test_a_standby_that_lacks_what_was_written_stops_intake_and_is_filled_again(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    """What is written next would hide what is lacking."""
    intake = await start()
    await put(producer, topic, *bodies(1, 6))
    await until(lambda: intake.taken == 6 and intake.idle)
    await world.run("delete from inbox where position > 2")
    await put(producer, topic, *bodies(7, 2))
    await until(lambda: intake.stuck() is not None)
    await intake.stop()

    again = await start()
    await until(lambda: again.taken == 5)

    assert await world.value("select count(distinct position) from inbox") == 8
    assert await world.value("select count(*) from decision") == 8


async def test_batches_that_are_too_large_together_are_read_one_by_one(
    world: World, packed: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    for body in bodies(1, 6):
        await packed.send_and_wait(topic, body + b" " * 900_000, partition=FIRST)

    intake = await start()
    await until(lambda: intake.taken == 6)

    assert intake.stuck() is None
    assert await world.value("select count(*) from decision") == 6


async def test_nothing_is_handed_out_before_it_is_compared(
    world: World,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await took(start, producer, topic, 6)
    await world.run("delete from inbox where position > 2")
    await put(producer, topic, *bodies(7, 2))
    away, right_place = True, Gaps.right_place

    async def place(gaps: Gaps, partition: TopicPartition, committed: int, written: int) -> ReadOn:
        if away:
            raise DatabaseAway
        return await right_place(gaps, partition, committed, written)

    monkeypatch.setattr(Gaps, "right_place", place)
    after = await start()
    await asyncio.sleep(2)
    assert after.taken == 0
    away = False
    await until(lambda: after.taken == 5)

    assert await world.value("select count(distinct position) from inbox") == 8


async def test_intake_that_makes_no_step_though_there_is_work_fails_liveness(
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("gateway.intake.watch.STUCK_AFTER", 1)
    ends = asyncio.Event()

    async def commit(checked: object) -> None:
        await ends.wait()

    intake = await start()
    await until(lambda: intake.lag() == 0)
    await intake.observe()
    monkeypatch.setattr(world.gateway.pipeline, "commit", commit)
    await send(producer, topic, *bodies(1, 2))
    observed = asyncio.create_task(observe_for_ever(intake))
    await until(lambda: "intake_trouble" in [one.getMessage() for one in caplog.records])
    told = intake.stuck()
    ends.set()
    await until(lambda: intake.stuck() is None)
    observed.cancel()

    assert told == "有来件未处理，1 秒没有进展"
