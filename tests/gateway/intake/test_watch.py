"""Liveness of intake: an outage of a neighbour is never a reason to restart."""

import time
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from gateway.intake import watch as watching
from gateway.intake.watch import Watch
from gateway.telemetry.metrics import Metrics


class Broker:
    """A consumer whose broker answers, or not."""

    fault = None
    ended = False
    named_member = ""
    is_kept_out = False
    halted: frozenset[TopicPartition] = frozenset()

    def __init__(self, left: int | None) -> None:
        self.left = left

    async def measured_lag(self) -> int:
        if self.left is None:
            raise KafkaConnectionError
        return self.left

    def assignment(self) -> set[TopicPartition]:
        return {TopicPartition("t", 0)}


@pytest.mark.parametrize(("left", "live"), [(None, True), (5, False)], ids=["away", "answering"])
async def test_a_batch_that_waits_for_the_broker_is_no_reason_to_restart(
    monkeypatch: pytest.MonkeyPatch, left: int | None, live: bool
) -> None:
    watch, consumer, start = Watch(Metrics()), Broker(left), time.monotonic()
    broker: Any = consumer
    monkeypatch.setattr(time, "monotonic", lambda: start + watching.STUCK_AFTER + 1)

    await watch.look(broker, busy=True)

    assert (watch.stuck(broker) is None) is live
    assert (watch.waits(broker) == "Kafka 没有应答") is (left is None)
