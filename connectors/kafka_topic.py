"""The connector `kafka-topic`: publishes items as CloudEvents with an idempotent producer.

The event id is our key. Consumers de-duplicate by it, so an unknown outcome is sent again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    InvalidTopicError,
    KafkaConnectionError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from pydantic import Field

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from connectors.shared.kafka_connection import client_options, is_ours, kafka_words, why_away
from connectors.shared.one_way import OneWay
from connectors.shared.parts import outcome_of
from schemas.connection import KafkaConnection
from schemas.delivery import Health, Item, Outcome, OutcomeKind

_CALL_REJECTED = (
    TopicAuthorizationFailedError,
    ClusterAuthorizationFailedError,
    UnknownTopicOrPartitionError,
    InvalidTopicError,
)
_LOGIN_REFUSED = (AuthenticationFailedError, SaslAuthenticationFailed)
_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

Sent = asyncio.Future[Any] | Outcome
MakeProducer = Callable[["KafkaTopicSettings"], AIOKafkaProducer]


class KafkaTopicSettings(KafkaConnection):
    """Configuration of a `kafka-topic` destination."""

    bootstrap_servers: str = Field(min_length=1, title="Kafka 地址")
    topic: str = Field(min_length=1, title="主题")
    source: str = Field(default="credit-gateway", title="事件来源")
    batch_size: int = Field(default=500, ge=1, le=5000, title="每批条数")
    concurrency: int = Field(default=2, ge=1, le=64, title="并发数")
    call_timeout: timedelta = Field(
        default=timedelta(seconds=30), gt=timedelta(0), title="单次调用时限"
    )
    max_request_size: int = Field(default=1024 * 1024, ge=1024, title="单条上限（字节）")


class KafkaTopic(OneWay):
    """One topic; an item is accepted when every in-sync replica has it."""

    def __init__(
        self, settings: KafkaTopicSettings, now: Clock, make: MakeProducer | None = None
    ) -> None:
        self.limits = Limits(
            batch_size=settings.batch_size,
            concurrency=settings.concurrency,
            on_unknown=OnUnknown.RESEND,
            call_timeout=settings.call_timeout,
        )
        self._settings = settings
        self._now = now
        self._producer: AIOKafkaProducer | None = None
        self._make = make or new_producer
        self._starting = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()

    async def send(self, items: Sequence[Item]) -> list[Outcome]:
        """Publish items and wait for their confirmations, within `call_timeout`.

        Raises CallRejected if the broker refuses every item, and NotSent or CallRejected if nothing
        could be sent.
        """
        if not items:
            return []
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.limits.call_timeout.total_seconds()
        producer = await self._started()
        sent = await self._hand_over(producer, items, deadline)
        waiting = [each for each in sent if isinstance(each, asyncio.Future)]
        if waiting:
            await asyncio.wait(waiting, timeout=max(0.0, deadline - loop.time()))
        await self._send_apart(items, sent, deadline)
        return self._confirmed(sent)

    async def _send_apart(self, items: Sequence[Item], sent: list[Sent], deadline: float) -> None:
        """Send the items of a batch that the broker found too large one by one.

        The producer packs items into batches, and the broker refuses a batch: an item is too large
        only if it is refused alone. Those for which there is no time are as not sent.
        """
        apart = [place for place, each in enumerate(sent) if _is_too_large(each)]
        if len(apart) < 2:
            return
        later = NotSent("同批的数据过大，改为逐条报送")
        later.theirs = False  # it answers
        for place in apart:
            sent[place] = outcome_of(later)
        with contextlib.suppress(ConnectorError, KafkaError, TimeoutError):
            async with asyncio.timeout_at(deadline):
                self._retire()
                for place in apart:
                    alone = await self._put(await self._started(), items[place])
                    sent[place] = alone
                    if isinstance(alone, asyncio.Future):
                        await asyncio.wait([alone])
                    if _is_too_large(alone):
                        self._retire()

    async def _hand_over(
        self, producer: AIOKafkaProducer, items: Sequence[Item], deadline: float
    ) -> list[Sent]:
        """Put items into the producer; from the first failure on, items are not sent.

        Raises if the first item fails.
        """
        sent: list[Sent] = []
        try:
            async with asyncio.timeout_at(deadline):
                for item in items:
                    sent.append(await self._put(producer, item))
        except (KafkaError, TimeoutError) as exc:
            failure = _before_sending(exc)
            if not sent:
                raise failure from exc
            sent += [outcome_of(failure)] * (len(items) - len(sent))
        return sent

    async def _put(self, producer: AIOKafkaProducer, item: Item) -> Sent:
        try:
            future: asyncio.Future[Any] = await producer.send(
                self._settings.topic,
                value=self._event(item),
                key=item.subject_code.encode(),
                headers=[("content-type", b"application/cloudevents+json")],
            )
        except _TOO_LARGE as exc:
            return Outcome(kind=OutcomeKind.REJECTED, reasons=(_told(exc),))
        future.add_done_callback(_error)
        return future

    def _confirmed(self, sent: Sequence[Sent]) -> list[Outcome]:
        errors = [_error(each) for each in sent if isinstance(each, asyncio.Future)]
        if any(error is not None for error in errors):
            self._retire()  # its sequence of numbers may have a gap
        outcomes = [each if isinstance(each, Outcome) else _outcome(each) for each in sent]
        refused = [error for error in errors if isinstance(error, _CALL_REJECTED)]
        if refused and len(refused) == len(outcomes):
            raise CallRejected(_told(refused[0])) from refused[0]
        return outcomes

    def _event(self, item: Item) -> bytes:
        """Return a CloudEvents 1.0 envelope; a resend has the same bytes."""
        event = {
            "specversion": "1.0",
            "id": item.key,
            "source": self._settings.source,
            "type": f"credit-gateway.{item.record_kind}.{item.verb.value}",
            "subject": item.subject_code,
            "time": item.occurred_at.isoformat(),
            "datacontenttype": "application/json",
            "data": {
                "kind": item.record_kind,
                "verb": item.verb.value,
                "version": item.version,
                "document_number": item.document_number,
                "columns": item.columns,
            },
        }
        return orjson.dumps(event, default=str)

    async def _started(self) -> AIOKafkaProducer:
        """Return the started producer; start a new one at the first call or after a failure."""
        async with self._starting:
            if self._producer is None:
                producer = self._make(self._settings)
                try:
                    async with asyncio.timeout(self.limits.call_timeout.total_seconds() / 2):
                        await producer.start()
                except (KafkaError, OSError) as exc:
                    await producer.stop()
                    raise _before_sending(await self._cause(exc)) from exc
                self._producer = producer
            return self._producer

    async def _cause(self, error: Exception) -> Exception:
        """Return why no producer could be started, as far as it can be found out."""
        found = None
        if isinstance(error, KafkaConnectionError):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.limits.call_timeout.total_seconds() / 4):
                    options = client_options(self._settings)
                    found = await why_away(self._settings.bootstrap_servers, options)
        return found or error

    async def health(self) -> Health:
        """Check the topic by asking the brokers for its partitions."""
        try:
            producer = await self._started()
            async with asyncio.timeout(self.limits.call_timeout.total_seconds()):
                partitions = await producer.partitions_for(self._settings.topic)
        except (ConnectorError, KafkaError, TimeoutError) as exc:
            return Health(ok=False, detail=_told(exc))
        return Health(ok=bool(partitions), detail=f"{len(partitions)} 个分区")

    async def close(self) -> None:
        """Stop the producer and wait for it; a later call would start a new one."""
        self._retire()
        if self._retired:
            await asyncio.wait(self._retired)

    def _retire(self) -> None:
        """Stop the producer in the background, so that the call still ends in time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(self._stop(producer))
            self._retired.add(task)
            task.add_done_callback(self._retired.discard)

    async def _stop(self, producer: AIOKafkaProducer) -> None:
        with contextlib.suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(self.limits.call_timeout.total_seconds()):
                await producer.stop()


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


def _told(error: BaseException) -> str:
    return str(error) if isinstance(error, ConnectorError) else kafka_words(error)


def _before_sending(error: Exception) -> ConnectorError:
    """Translate an error from before sending: CallRejected if refused, else NotSent."""
    refused = isinstance(error, (*_CALL_REJECTED, *_LOGIN_REFUSED))
    made = (CallRejected if refused else NotSent)(_told(error))
    made.theirs = not is_ours(error)
    return made


def _is_too_large(sent: Sent) -> bool:
    return isinstance(sent, asyncio.Future) and isinstance(_error(sent), _TOO_LARGE)


def _error(future: asyncio.Future[Any]) -> BaseException | None:
    return future.exception() if future.done() and not future.cancelled() else None


def _outcome(future: asyncio.Future[Any]) -> Outcome:
    """Return the outcome of one item; without a confirmation it may have arrived (unknown)."""
    error = _error(future)
    if isinstance(error, _TOO_LARGE):
        return Outcome(kind=OutcomeKind.REJECTED, reasons=(_told(error),))
    if isinstance(error, _CALL_REJECTED):
        return outcome_of(CallRejected(_told(error)))
    if error is not None:
        return outcome_of(OutcomeUnknown(_told(error)))
    if not future.done() or future.cancelled():
        return outcome_of(OutcomeUnknown("Kafka 没有在时限内应答"))
    record = future.result()
    return Outcome(
        kind=OutcomeKind.ACCEPTED, reference=f"{record.topic}/{record.partition}/{record.offset}"
    )
