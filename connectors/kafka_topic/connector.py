"""The connector `kafka-topic`: publishes items as CloudEvents with an idempotent producer.

The event id is our key. Consumers de-duplicate by it, so an unknown outcome is sent again.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from connectors.errors import CallRejected, ConnectorError, NotSent, OutcomeUnknown
from connectors.kafka_topic.clients import (
    CALL_REJECTED,
    EndingClients,
    before_sending,
    cause,
    new_producer,
    told,
)
from connectors.kafka_topic.receipts import ReceiptsTopic
from connectors.kafka_topic.settings import KafkaTopicSettings
from connectors.protocol import Limits, OnUnknown
from connectors.shared import Clock
from connectors.shared.layout import RowLayout, table_of
from connectors.shared.one_way import OneWay
from connectors.shared.parts import outcome_of
from schemas.delivery import Health, Item, Outcome, OutcomeKind, Receipt

_TOO_LARGE = (MessageSizeTooLargeError, RecordListTooLargeError)

Sent = asyncio.Future[Any] | Outcome
MakeProducer = Callable[[KafkaTopicSettings], AIOKafkaProducer]


class KafkaTopic(OneWay):
    """One topic; an item is handed over when every in-sync replica has it.

    Where the receiver has a topic for its receipts, one of these says that an item is accepted.
    """

    def __init__(
        self, settings: KafkaTopicSettings, now: Clock, make: MakeProducer | None = None
    ) -> None:
        self.limits = Limits(
            batch_size=settings.batch_size,
            concurrency=settings.concurrency,
            on_unknown=OnUnknown.RESEND,
            call_timeout=settings.call_timeout,
            has_receipts=settings.receipts is not None,
        )
        self._settings = settings
        self._now = now
        self._producer: AIOKafkaProducer | None = None
        self._make = make or new_producer
        self._starting = asyncio.Lock()
        self._retired = EndingClients(settings.call_timeout)
        self._receipts: ReceiptsTopic | None = None
        if settings.receipts is not None:
            self._receipts = ReceiptsTopic(settings, settings.receipts)

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
            failure = before_sending(exc)
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
            return Outcome(kind=OutcomeKind.REJECTED, reasons=(told(exc),))
        future.add_done_callback(_error)
        return future

    def _confirmed(self, sent: Sequence[Sent]) -> list[Outcome]:
        errors = [_error(each) for each in sent if isinstance(each, asyncio.Future)]
        if any(error is not None for error in errors):
            self._retire()  # its sequence of numbers may have a gap
        outcomes = [each if isinstance(each, Outcome) else self._outcome(each) for each in sent]
        refused = [error for error in errors if isinstance(error, CALL_REJECTED)]
        if refused and len(refused) == len(outcomes):
            raise CallRejected(told(refused[0])) from refused[0]
        return outcomes

    def _outcome(self, future: asyncio.Future[Any]) -> Outcome:
        """Return the outcome of one item; without a confirmation it may have arrived (unknown)."""
        error = _error(future)
        if isinstance(error, _TOO_LARGE):
            return Outcome(kind=OutcomeKind.REJECTED, reasons=(told(error),))
        if isinstance(error, CALL_REJECTED):
            return outcome_of(CallRejected(told(error)))
        if error is not None:
            return outcome_of(OutcomeUnknown(told(error)))
        if not future.done() or future.cancelled():
            return outcome_of(OutcomeUnknown("Kafka 没有在时限内应答"))
        record = future.result()
        kind = OutcomeKind.ACCEPTED if self._receipts is None else OutcomeKind.SUBMITTED
        return Outcome(kind=kind, reference=f"{record.topic}/{record.partition}/{record.offset}")

    def _event(self, item: Item) -> bytes:
        """Return a CloudEvents 1.0 envelope; a resend has the same bytes."""
        tables = self._settings.tables
        layout = tables.get(table_of(tables, item), RowLayout())
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
                "document_number": layout.number(item),
                "columns": layout.values(item),
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
                    raise before_sending(await cause(exc, self._settings)) from exc
                self._producer = producer
            return self._producer

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return the receipts in the receiver's topic after a cursor, and the next cursor."""
        if self._receipts is None:
            return [], cursor
        return await self._receipts.page(cursor)

    async def health(self) -> Health:
        """Ask the brokers for the partitions of the topic, and of that of the receipts."""
        try:
            producer = await self._started()
            async with asyncio.timeout(self.limits.call_timeout.total_seconds()):
                partitions = await producer.partitions_for(self._settings.topic)
            detail = f"{len(partitions)} 个分区"
            if self._receipts is not None:
                detail += f"，回执 {await self._receipts.check()} 个分区"
        except (ConnectorError, KafkaError, TimeoutError) as exc:
            return Health(ok=False, detail=told(exc))
        return Health(ok=bool(partitions), detail=detail)

    async def close(self) -> None:
        """Stop the clients and wait for them; a later call would start new ones."""
        self._retire()
        await self._retired.wait()
        if self._receipts is not None:
            await self._receipts.close()

    def _retire(self) -> None:
        """Stop the producer in the background, so that the call still ends in time."""
        producer, self._producer = self._producer, None
        if producer is not None:
            self._retired.add(producer)


def _is_too_large(sent: Sent) -> bool:
    return isinstance(sent, asyncio.Future) and isinstance(_error(sent), _TOO_LARGE)


def _error(future: asyncio.Future[Any]) -> BaseException | None:
    return future.exception() if future.done() and not future.cancelled() else None
