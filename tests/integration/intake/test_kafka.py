"""Kafka intake on a real broker with two partitions: ARCHITECTURE.md, "Traps of Kafka"."""

import asyncio
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError

from gateway.embedded.postgres import EmbeddedPostgres
from gateway.intake.kafka import KafkaIntake
from tests.conftest import execute
from tests.factories import penalty
from tests.integration.intake.kafka_world import (
    PATIENCE,
    StartIntake,
    bodies,
    committed,
    made_again,
    send,
    until,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration


@pytest.fixture
def _broken(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(checked: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(world.gateway.pipeline, "commit", fail)


async def test_unreadable_messages_are_quarantined_and_stop_nothing(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    good = bodies(1, 4)
    await send(producer, topic, good[0], b"\xff\xfe{", None, good[1])
    await send(producer, topic, good[2], header=b"\xff\xfe")
    await send(producer, topic, b'{"CF_WSH": ', good[3], header=b"\xd4\xc6")

    intake = await start()
    await until(lambda: intake.taken == 7)

    assert await world.value("select count(*) from decision") == 4
    assert await world.value("select count(*) from quarantine") == 3
    assert await committed(intake, topic) == [4, 3]


async def test_the_origin_of_an_item_is_its_partition_and_offset(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await send(producer, topic, *bodies(1, 6))

    intake = await start()
    await until(lambda: intake.taken == 6)

    places = await world.rows(
        "select o.name, i.position from inbox i join origin o on o.id = i.origin_id order by 1, 2"
    )
    assert places == [(f"kafka:main/{topic}/{p}", offset) for p in (0, 1) for offset in range(3)]


async def test_reading_the_topic_again_makes_no_new_versions(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await send(producer, topic, *bodies(1, 20), b"broken", *bodies(1, 3))
    first = await start()
    await until(lambda: first.taken == 24)
    before = await world.rows("select * from record_version order by id")

    again = await start(group=f"{topic}-again")
    await until(lambda: again.taken == 24)

    assert await world.rows("select * from record_version order by id") == before
    assert await world.value("select count(*) from quarantine") == 1


async def test_a_restarted_member_continues_at_its_committed_offsets(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await send(producer, topic, *bodies(1, 10))
    first = await start(batch_size=3)
    await until(lambda: first.taken >= 3)
    await first.stop()
    await send(producer, topic, *bodies(11, 10))

    second = await start()
    await until(lambda: second.idle and second.taken > 0)

    assert await world.value("select count(*) from decision") == 20
    assert await committed(second, topic) == [10, 10]


async def test_the_batches_of_a_partition_keep_their_order(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    contents = [f"处罚款人民币{n}元" for n in range(1, 61)]
    rows = [penalty(number, number, CF_NR=words) for words in contents for number in (1, 2)]
    await send(producer, topic, *map(orjson.dumps, rows))

    intake = await start(batch_size=3)
    await until(lambda: intake.taken == 120)

    query = "select body ->> 'CF_NR' from record_version join decision d on d.id = decision_id "
    for number in (1, 2):
        where = (
            f"where document_number = '样环罚字〔2026〕{number}号' order by record_version.version"
        )
        assert await world.column(query + where) == contents


@pytest.mark.usefixtures("_broken")
async def test_a_failed_batch_is_reported_and_no_offset_after_it_is_committed(
    producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await send(producer, topic, *bodies(1, 20))

    intake = await start(batch_size=3)
    await until(lambda: intake.watch.failed)

    assert intake.taken == 0
    assert await committed(intake, topic) == [None, None]


@pytest.mark.usefixtures("_broken")
async def test_records_after_a_failed_batch_count_as_lag(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await send(producer, topic, *bodies(1, 1))
    intake = await start(batch_size=3)
    await until(lambda: intake.watch.failed)

    await send(producer, topic, *bodies(2, 20))

    await asyncio.sleep(1)  # ten polls
    await intake.observe()
    assert world.gateway.metrics.intake_lag._value.get() == 20


async def test_no_batch_is_started_while_intake_stops(
    world: World,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun = []

    async def commit(checked: object) -> None:
        begun.append(checked)
        try:
            await asyncio.sleep(PATIENCE)
        except asyncio.CancelledError:  # undoing takes a while, and input goes on coming
            await producer.send_and_wait(topic, bodies(2, 1)[0], partition=1)
            await asyncio.sleep(0.5)
            raise

    monkeypatch.setattr(world.gateway.pipeline, "commit", commit)
    await send(producer, topic, *bodies(1, 1))
    intake = await start()
    await until(lambda: len(begun) == 1)

    await intake.stop()

    assert (len(begun), intake.watch.failed) == (1, False)


async def test_a_re_created_topic_is_processed_and_audited(
    world: World,
    producer: AIOKafkaProducer,
    admin: AIOKafkaAdminClient,
    topic: str,
    start: StartIntake,
) -> None:
    await send(producer, topic, *bodies(1, 4))
    first = await start()
    await until(lambda: first.taken == 4)
    await first.stop()

    await admin.delete_topics([topic])
    await made_again(admin, topic)
    await send(producer, topic, *bodies(5, 4))
    second = await start(group=f"{topic}-new")
    await until(lambda: second.taken == 4)

    assert await world.value("select count(*) from decision") == 8
    assert set(await world.events()) == {"topic_made_again"}


async def test_an_outage_longer_than_the_poll_interval_keeps_the_assignment(
    world: World,
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    postgres: EmbeddedPostgres,
) -> None:
    intake = await start(batch_size=2, max_poll_interval_ms=1_000)
    await until(lambda: len(intake.assigned()) == 2)
    name = world.database.engine.url.database

    await execute(postgres, f"alter database {name} allow_connections false")
    await execute(
        postgres, f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
    )
    await send(producer, topic, *bodies(1, 20))
    await asyncio.sleep(3)  # longer than the poll interval: that is what is tested
    held, offsets = len(intake.assigned()), await committed(intake, topic)
    await execute(postgres, f"alter database {name} allow_connections true")
    await until(lambda: intake.taken >= 20)

    assert (held, offsets) == (2, [None, None])
    assert await world.value("select count(*) from decision") == 20
    assert await world.value("select count(*) from quarantine") == 0
    assert await committed(intake, topic) == [10, 10]


async def test_normal_work_never_pauses_partitions(
    start: StartIntake,
    producer: AIOKafkaProducer,
    topic: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[KafkaIntake] = []

    def note(intake: KafkaIntake) -> None:
        pauses.append(intake)

    monkeypatch.setattr(KafkaIntake, "_pause", note)
    intake = await start(batch_size=2)

    await send(producer, topic, *bodies(0, 24))
    await until(lambda: intake.taken == 24)

    assert pauses == []


async def test_a_broker_without_a_leader_is_asked_with_pauses(
    start: StartIntake,
    producer: AIOKafkaProducer,
    topic: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    intake = await start()
    await until(lambda: len(intake.assigned()) == 2)
    assert intake.consumer is not None
    client, tries = intake.consumer._client, []

    async def refused(node: object, **_: object) -> None:
        tries.append(node)
        await asyncio.sleep(0)

    with monkeypatch.context() as away:
        away.setattr(client, "_get_conn", refused)
        away.setattr(client.cluster, "leader_for_partition", lambda partition: -1)  # noqa: ARG005
        await asyncio.sleep(2)
    await send(producer, topic, *bodies(0, 2))
    await until(lambda: intake.taken == 2)

    assert len(tries) < 40  # not thousands


async def test_offsets_that_cannot_be_committed_are_told(
    producer: AIOKafkaProducer,
    topic: str,
    start: StartIntake,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("gateway.intake.watch.UNCOMMITTED_AFTER", 0.0)
    intake = await start()
    consumer = intake.consumer
    assert consumer is not None
    refused = True
    commit = consumer._coordinator.commit_offsets

    async def commit_offsets(*arguments: Any) -> Any:
        if refused:
            raise GroupAuthorizationFailedError(topic)
        return await commit(*arguments)

    monkeypatch.setattr(consumer._coordinator, "commit_offsets", commit_offsets)
    await send(producer, topic, *bodies(1, 2))
    await until(lambda: intake.waits() is not None and "提交位点" in str(intake.waits()))
    refused = False
    await send(producer, topic, *bodies(3, 2))
    await until(lambda: intake.taken == 4)
    await intake.observe()

    assert "offsets_uncommitted" in [one.getMessage() for one in caplog.records]
    assert "提交位点" not in str(intake.waits())
