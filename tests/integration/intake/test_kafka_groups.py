"""Members of a group, their partitions, and the lag."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from tests.integration.intake.kafka_world import (
    PATIENCE,
    StartIntake,
    bodies,
    send,
    until,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_the_members_of_a_group_share_the_partitions(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    one, other = await start(), await start()
    await until(lambda: len(one.assigned()) == len(other.assigned()) == 1)

    await send(producer, topic, *bodies(1, 40))
    await until(lambda: one.taken + other.taken == 40)

    assert one.assigned().isdisjoint(other.assigned())
    assert (one.taken, other.taken) == (20, 20)
    assert await world.value("select count(*) from decision") == 40


async def test_the_partition_of_a_leaving_member_goes_to_another(
    world: World, producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    one, other = await start(), await start()
    await until(lambda: len(one.assigned()) == len(other.assigned()) == 1)

    await one.stop()
    await until(lambda: len(other.assigned()) == 2)
    await send(producer, topic, *bodies(1, 10))
    await until(lambda: other.taken == 10)

    assert await world.value("select count(*) from decision") == 10


async def test_the_lag_is_zero_after_everything_is_read(
    producer: AIOKafkaProducer, topic: str, start: StartIntake
) -> None:
    await send(producer, topic, *bodies(1, 10))

    intake = await start()
    await until(lambda: intake.taken == 10)
    await until(lambda: intake.lag() == 0)

    assert not intake.watch.failed


async def test_two_members_of_one_name_are_told(
    topic: str, start: StartIntake, caplog: pytest.LogCaptureFixture
) -> None:
    """One configuration on two hosts: each takes the place of the other, without end."""
    both = [await start(instance="host"), await start(instance="host")]

    async with asyncio.timeout(PATIENCE):
        while not any(one.waits() and "kafka.instance" in str(one.waits()) for one in both):
            await asyncio.gather(*(one.observe() for one in both))
            await asyncio.sleep(0.1)
    await asyncio.gather(*(one.observe() for one in both))

    told = [str(getattr(one, "trouble", "")) for one in caplog.records]
    assert any("两台主机的 kafka.instance 相同" in words for words in told)


async def test_two_members_that_a_broker_keeps_out_for_their_name_are_told(
    start: StartIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kafka 4.2 answers one of twenty such pairs with an unknown error, until one of them ends."""

    async def refused(*_: object, **__: object) -> None:
        raise KafkaError("UnknownError()")

    named, other = await start(instance="host"), await start()
    monkeypatch.setattr("gateway.intake.placed.AIOKafkaConsumer.getmany", refused)

    await until(lambda: "kafka.instance" in str(named.waits()))

    assert named.watch.stuck(named.consumer) is None, "a restart does not mend it"
    await until(lambda: "读不出来" in str(other.watch.stuck(other.consumer)))


async def test_a_restart_under_the_same_name_is_no_trouble(
    topic: str, producer: AIOKafkaProducer, start: StartIntake
) -> None:
    await send(producer, topic, *bodies(1, 4))
    first = await start(instance="host")
    await until(lambda: first.taken == 4)
    await first.stop()

    second = await start(instance="host")
    await until(lambda: len(second.assigned()) == 2)
    await second.observe()

    assert second.waits() is None
