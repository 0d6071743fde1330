"""Messages that unpack to much more than they are on the wire."""

from collections.abc import AsyncIterator, Sequence

import orjson
import pytest
from aiokafka import AIOKafkaProducer

from gateway.check.checked import Checked
from gateway.check.raw import PORTION_BYTES, START_BYTES
from gateway.record.result import Result
from schemas.input_rules import InputRules
from tests.factories import penalty
from tests.integration.intake.kafka_world import (
    FIRST,
    StartIntake,
    bodies,
    committed,
    put,
    until,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration

MEGABYTE = 2**20
SIZES = "select sum(length(bytes)) from quarantine"


@pytest.fixture
async def packing(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """A producer whose messages are small on the wire, whatever they unpack to."""
    made = AIOKafkaProducer(
        bootstrap_servers=kafka_bootstrap,
        compression_type="zstd",
        max_request_size=2**30,
        max_batch_size=2**30,
        linger_ms=500,
    )
    await made.start()
    yield made
    await made.stop()


async def test_a_message_that_is_too_large_is_refused_and_the_next_ones_are_taken(
    world: World, start: StartIntake, topic: str, packing: AIOKafkaProducer
) -> None:
    huge = b"a" * (64 * MEGABYTE)
    await put(packing, topic, *bodies(1, 1), huge, *bodies(2, 1))

    intake = await start()
    await until(lambda: intake.taken == 3)

    assert await world.value("select count(*) from decision") == 2
    assert await world.column("select origin from quarantine") == [f"kafka:main/{topic}/{FIRST}#1"]
    assert await world.value(SIZES) < 2 * START_BYTES
    assert await committed(intake, topic) == [3, None]


async def test_large_messages_are_processed_in_portions_and_committed_one_by_one(
    world: World,
    start: StartIntake,
    topic: str,
    packing: AIOKafkaProducer,
) -> None:
    padding = "a" * (InputRules().max_record_bytes - MEGABYTE)
    rows = [orjson.dumps(penalty(n, n, remark=padding)) for n in range(1, 13)]
    for row in rows:
        await packing.send(topic, row, partition=FIRST)
    await packing.flush()
    sizes: list[int] = []
    commit = world.gateway.pipeline.commit

    async def noted(checked: Sequence[Checked]) -> list[Result]:
        sizes.append(sum(one.raw.size for one in checked))
        return await commit(checked)

    world.gateway.pipeline.commit = noted  # type: ignore[method-assign]
    intake = await start()
    await until(lambda: intake.taken == len(rows))

    assert await world.value("select count(*) from decision") == len(rows)
    assert max(sizes) < PORTION_BYTES + InputRules().max_record_bytes
    assert await committed(intake, topic) == [len(rows), None]
