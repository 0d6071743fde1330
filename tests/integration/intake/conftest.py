"""Fixtures of Kafka intake: a topic of two partitions, a producer, members of a group."""

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from gateway.config.settings import KafkaSettings
from gateway.intake.kafka import KafkaIntake
from tests.integration.intake.kafka_world import StartIntake
from tests.integration.world import World


@pytest.fixture
async def admin(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await client.start()
    yield client
    await client.close()


@pytest.fixture
async def topic(admin: AIOKafkaAdminClient) -> str:
    name = f"penalty-{uuid.uuid4().hex}"
    await admin.create_topics([NewTopic(name, 2, 1)])
    return name


@pytest.fixture
async def producer(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    made = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def packed(
    kafka_bootstrap: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AIOKafkaProducer]:
    """A producer whose batches may unpack to more than may be."""
    monkeypatch.setattr("connectors.shared.kafka_unpacking.MOST_UNPACKED", 2_000_000)
    options = {"compression_type": "zstd", "max_request_size": 2**23, "max_batch_size": 2**23}
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap, **options) as producer:
        yield producer


@pytest.fixture
async def start(world: World, kafka_bootstrap: str, topic: str) -> AsyncIterator[StartIntake]:
    """Start members of a group; by default the group is that of the test."""
    started: list[KafkaIntake] = []

    async def run(group: str = "", **options: Any) -> KafkaIntake:
        settings = KafkaSettings.model_validate(
            {"group": group or topic, "topics": {topic: "penalty"}, **options}
        )
        gateway = world.gateway
        intake = KafkaIntake(
            settings, kafka_bootstrap, gateway.pipeline, world.clock, gateway.metrics
        )
        await intake.start()
        started.append(intake)
        return intake

    yield run
    for intake in started:
        if intake.consumer is not None:
            await intake.stop()
