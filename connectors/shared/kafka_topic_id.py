"""The id of a topic 主题标识, by which one that was made again is told from the one before.

Brokers give it from Kafka 2.8 on, in the Metadata answer of version 10 (KIP-516). aiokafka 0.14
speaks versions up to 5, so the messages of that version are written down here.
"""

import asyncio
from io import BytesIO
from typing import Any
from uuid import UUID

from aiokafka.errors import KafkaTimeoutError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

#: Seconds for an answer.
PATIENCE = 5.0
_METADATA, _VERSION = 3, 10
_NAME, _TAGS = CompactString("utf-8"), ("tags", TaggedFields)
#: What a broker says of a topic that it does not know.
_NO_ID = UUID(int=0)


class _Uuid(AbstractType[UUID]):  # type: ignore[misc]  # aiokafka has no types
    @classmethod
    def encode(cls, value: UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> UUID:
        return UUID(bytes=data.read(16))


class _TopicsAnswer(Response):  # type: ignore[misc]
    API_KEY = _METADATA
    API_VERSION = _VERSION
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", _NAME), ("port", Int32), ("rack", _NAME), _TAGS
            ),
        ),
        ("cluster_id", _NAME),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", _NAME),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        _TAGS,
                    ),
                ),
                ("authorized_operations", Int32),
                _TAGS,
            ),
        ),
        ("authorized_operations", Int32),
        _TAGS,
    )


class _TopicsQuestion(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = _METADATA
    API_VERSION = _VERSION
    RESPONSE_TYPE = _TopicsAnswer
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("topic", _NAME), _TAGS)),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        _TAGS,
    )


class _AskForTopic(Request[_TopicsQuestion]):  # type: ignore[misc]
    API_KEY = _METADATA

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[_TopicsQuestion]) -> _TopicsQuestion:
        return request_struct_class([(_NO_ID, self._topic, {})], False, False, False, {})


async def topic_id(client: Any, topic: str) -> str | None:
    """Ask by an aiokafka client for the id of a topic; None if the broker gives none.

    Raises:
        KafkaError: no answer.
    """
    node = client.get_random_node()
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await client.send(node, _AskForTopic(topic))
    except NotImplementedError:  # a broker before 2.8
        return None
    except TimeoutError as error:
        raise KafkaTimeoutError from error
    [found] = answer.to_object()["topics"]
    id_ = found["topic_id"]
    return None if found["error_code"] or id_ == _NO_ID else str(id_)
