"""What time it is by the Kafka cluster, asked for without writing anything.

The leader of the KRaft quorum, one of the controllers, says its current time where it says how far
its voters are. No other answer of Kafka has a time of its own: messages have the time of who sent
them, unless the topic says otherwise.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

from gateway.config.clock import Clock
from gateway.config.settings import KafkaSettings
from gateway.intake.access import first_call, options_of
from schemas.base import SHANGHAI

#: The topic of the quorum, which is asked about and never read.
QUORUM = "__cluster_metadata"
_KEY, _VERSION = 55, 1
_REPLICAS = CompactArray(
    ("replica_id", Int32),
    ("log_end_offset", Int64),
    ("last_fetch_timestamp", Int64),
    ("last_caught_up_timestamp", Int64),
    ("tags", TaggedFields),
)


class DescribeQuorumResponse(Response):  # type: ignore[misc]  # aiokafka has no types
    """The answer of the leader of the quorum; its own times are the current one."""

    API_KEY = _KEY
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "topics",
            CompactArray(
                ("topic_name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("partition_index", Int32),
                        ("error_code", Int16),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("high_watermark", Int64),
                        ("current_voters", _REPLICAS),
                        ("observers", _REPLICAS),
                        ("tags", TaggedFields),
                    ),
                ),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeQuorumStruct(RequestStruct):  # type: ignore[misc]
    """The question as it is written on the wire."""

    FLEXIBLE_VERSION = True
    API_KEY = _KEY
    API_VERSION = _VERSION
    RESPONSE_TYPE = DescribeQuorumResponse
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_name", CompactString("utf-8")),
                ("partitions", CompactArray(("partition_index", Int32), ("tags", TaggedFields))),
                ("tags", TaggedFields),
            ),
        ),
        ("tags", TaggedFields),
    )


class DescribeQuorum(Request[DescribeQuorumStruct]):  # type: ignore[misc]
    """Ask for the state of the quorum; Kafka 3.3 and later answer with times."""

    API_KEY = _KEY

    def build(self, request_struct_class: type[DescribeQuorumStruct]) -> DescribeQuorumStruct:
        """Return the question in the version that the broker knows."""
        return request_struct_class([(QUORUM, [(0, {})], {})], {})


@dataclass(frozen=True, slots=True)
class BrokerTime:
    """How far our clock is ahead of that of a controller."""

    controller: int
    ahead: timedelta


async def broker_time(settings: KafkaSettings, bootstrap: str, clock: Clock) -> BrokerTime | None:
    """Compare the clock with that of the cluster; None if the cluster does not tell its time.

    Raises:
        KafkaAway: no broker answers.
        BadConfiguration: a file of the connection is unusable.
    """
    client = AIOKafkaClient(bootstrap_servers=bootstrap, **options_of(settings))
    with first_call():
        try:
            await client.bootstrap()
            before = clock()
            answer = await client.send(client.get_random_node(), DescribeQuorum())
            after = clock()
        except (IncompatibleBrokerVersion, NotImplementedError):
            return None
        finally:
            await client.close()
    found = leader_time(answer.to_object())
    return found and BrokerTime(found[0], before + (after - before) / 2 - found[1])


def leader_time(answer: dict[str, Any]) -> tuple[int, datetime] | None:
    """Return the leader of the quorum and its time; None if it may not tell us, or has none."""
    for partition in (each for topic in answer["topics"] for each in topic["partitions"]):
        leader = partition["leader_id"]
        for voter in partition["current_voters"]:
            at = voter["last_caught_up_timestamp"]
            if voter["replica_id"] == leader and at > 0 and not partition["error_code"]:
                return leader, _time(at)
    return None


async def of_the_future(
    settings: KafkaSettings, bootstrap: str, later: datetime
) -> tuple[TopicPartition, datetime] | None:
    """Return where a message is stamped later than this, and when; None if there is none.

    Raises:
        KafkaAway: no broker answers.
        BadConfiguration: a file of the connection is unusable.
    """
    options = options_of(settings)
    with first_call():
        topics = await _that_exist(settings.topics, bootstrap, options)
        if not topics:
            return None
        reader = AIOKafkaConsumer(*topics, bootstrap_servers=bootstrap, **options)
        try:
            await reader.start()
            partitions = [
                TopicPartition(topic, number)
                for topic in topics
                for number in sorted(reader.partitions_for_topic(topic) or ())
            ]
            wanted = dict.fromkeys(partitions, int(later.timestamp() * 1000))
            found = await reader.offsets_for_times(wanted)
        finally:
            await reader.stop()
    return next(
        ((place, _time(one.timestamp)) for place, one in found.items() if one is not None), None
    )


async def _that_exist(
    topics: Iterable[str], bootstrap: str, options: Mapping[str, Any]
) -> list[str]:
    """Return which topics there are; to ask for one by its name might make it."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap, **options)
    try:
        await client.bootstrap()
        known = (await client.fetch_all_metadata()).topics()
    finally:
        await client.close()
    return [topic for topic in topics if topic in known]


def _time(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, SHANGHAI)
