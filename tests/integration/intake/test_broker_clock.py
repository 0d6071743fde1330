"""What `doctor` says of Kafka's clock: asked of a real broker, and nothing is written for it."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from gateway.config.clock import SteppedClock, system_clock
from gateway.config.settings import Settings
from gateway.intake.broker_clock import DescribeQuorum, leader_time
from gateway.service.broker_clock import kafka_clock_agrees
from gateway.service.doctor import examine
from gateway.service.finding import Unwell

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(kafka_bootstrap: str, topic: str, tmp_path: Path) -> Settings:
    """A gateway that takes a topic that there is, and one that there is not yet."""
    topics = {topic: "penalty", f"{topic}-to-come": "licence"}
    kafka = {"group": topic, "topics": topics}
    return Settings.model_validate(
        {"state": tmp_path, "kafka_bootstrap": kafka_bootstrap, "kafka": kafka}
    )


async def test_a_clock_that_agrees_with_the_controller_is_well(settings: Settings) -> None:
    assert await kafka_clock_agrees(settings) == "与 Kafka 一致（控制节点 1）"


async def test_doctor_tells_it_where_kafka_answers(settings: Settings) -> None:
    found = {one.name: one for one in await examine(settings)}
    away = settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})
    without = {one.name for one in await examine(away)}

    assert found["Kafka 时钟"].ok
    assert found["Kafka 时钟"].detail == "与 Kafka 一致（控制节点 1）"
    assert "Kafka" in without
    assert "Kafka 时钟" not in without


@pytest.mark.parametrize("hours", [1, -1])
async def test_a_clock_that_differs_from_the_controller_is_told(
    settings: Settings, hours: int
) -> None:
    clock = SteppedClock(system_clock() + timedelta(hours=hours))

    with pytest.raises(Unwell, match=r"本机时钟与 Kafka（控制节点 1）相差 -?3[56]\d\d 秒"):
        await kafka_clock_agrees(settings, clock)


async def test_a_cluster_that_does_not_tell_is_not_guessed_at(
    settings: Settings,
    topic: str,
    producer: AIOKafkaProducer,
    admin: AIOKafkaAdminClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(DescribeQuorum, "API_KEY", 9999)  # as a broker before 3.3 knows none
    await producer.send_and_wait(topic, b"{}", partition=1)
    nothing = await kafka_clock_agrees(settings)

    later = system_clock() + timedelta(minutes=30)
    await producer.send_and_wait(topic, b"{}", partition=1, timestamp_ms=_milliseconds(later))
    hint = await kafka_clock_agrees(settings)

    assert nothing.endswith("没有比较")
    assert f"{topic}/1 有来件的时间在未来（" in hint
    assert f"{topic}-to-come" not in await admin.list_topics()


def test_a_refused_answer_tells_no_time() -> None:
    voter = {"replica_id": 1, "last_caught_up_timestamp": 1_790_000_000_000}
    partition = {"error_code": 0, "leader_id": 1, "current_voters": [voter]}
    refused = {"error_code": 31, "topics": []}

    assert leader_time(refused) is None
    assert leader_time({"topics": [{"partitions": [{**partition, "leader_id": 2}]}]}) is None
    assert leader_time({"topics": [{"partitions": [{**partition, "error_code": 6}]}]}) is None
    assert leader_time({"topics": [{"partitions": [partition]}]}) is not None


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
