"""The clients of one cluster: how they are made and ended, and what their errors mean."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any, Protocol

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)

from connectors.errors import CallRejected, ConnectorError, NotSent
from connectors.kafka_topic.settings import KafkaTopicSettings
from connectors.shared.kafka_connection import client_options, is_ours, kafka_words, why_away

#: Errors that say no to the whole call.
CALL_REJECTED = (
    TopicAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    InvalidTopicError,
)
_LOGIN_REFUSED = (AuthenticationFailedError, SaslAuthenticationFailed)


def new_producer(settings: KafkaTopicSettings) -> AIOKafkaProducer:
    """Return an idempotent producer that waits for every in-sync replica."""
    return AIOKafkaProducer(
        bootstrap_servers=settings.bootstrap_servers,
        enable_idempotence=True,
        acks="all",
        max_request_size=settings.max_request_size,
        request_timeout_ms=int(settings.call_timeout.total_seconds() * 1000),
        **client_options(settings),
    )


def new_consumer(settings: KafkaTopicSettings) -> AIOKafkaConsumer:
    """Return a consumer without a group that reads what is committed, and resets no offset."""
    return AIOKafkaConsumer(
        bootstrap_servers=settings.bootstrap_servers,
        group_id=None,
        auto_offset_reset="none",
        isolation_level="read_committed",
        request_timeout_ms=int(settings.call_timeout.total_seconds() * 1000),
        **client_options(settings),
    )


class KafkaClient(Protocol):
    """A producer or a consumer."""

    async def stop(self) -> Any: ...  # noqa: D102  as aiokafka


class EndingClients:
    """Clients that are stopped in the background, so that the call that used them ends in time."""

    def __init__(self, patience: timedelta) -> None:
        self._patience = patience
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, client: KafkaClient) -> None:
        """Stop a client."""
        task = asyncio.create_task(self._stop(client))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def wait(self) -> None:
        """Wait until all have stopped."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _stop(self, client: KafkaClient) -> None:
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(self._patience.total_seconds()):
                await client.stop()


async def cause(error: Exception, settings: KafkaTopicSettings) -> Exception:
    """Return why no client could be started, as far as it can be found out."""
    found = None
    if isinstance(error, KafkaConnectionError):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(settings.call_timeout.total_seconds() / 4):
                options = client_options(settings)
                found = await why_away(settings.bootstrap_servers, options)
    return found or error


def told(error: BaseException) -> str:
    """Return a sentence about an error."""
    return str(error) if isinstance(error, ConnectorError) else kafka_words(error)


def before_sending(error: Exception) -> ConnectorError:
    """Translate an error from before anything was sent: CallRejected if refused, else NotSent."""
    refused = isinstance(error, (*CALL_REJECTED, *_LOGIN_REFUSED))
    made = (CallRejected if refused else NotSent)(told(error))
    made.theirs = not is_ours(error)
    return made
