"""The receipts topic 回执主题 of a receiver, read page by page from the places in a cursor.

There is no consumer group: the places are kept by the gateway, with what the receipts changed. A
client lives for one page, and so sees new partitions, and a topic that was made again.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, KafkaTimeoutError, UnknownTopicOrPartitionError

from connectors.errors import CallRejected, ConnectorError
from connectors.kafka_topic.clients import EndingClients, before_sending, cause, new_consumer
from connectors.kafka_topic.messages import Message, said_in
from connectors.kafka_topic.places import TopicCursor, TopicReading
from connectors.kafka_topic.settings import KafkaTopicSettings, TopicReceipts
from connectors.shared.http_wire import logger
from connectors.shared.kafka_metadata import ask_with_pauses
from connectors.shared.kafka_topic_id import topic_id
from connectors.shared.kafka_unpacking import bound
from schemas.delivery import Receipt

#: Receipts of a page, and bytes of its messages: a page ends with the message that reaches one.
PAGE, PAGE_BYTES = 1000, 8 * 2**20
#: Messages without a receipt in a page are logged up to this number.
MOST_LOGGED = 20
#: The part of a call in which messages are read; the rest is for the way there and back.
_SHARE = 0.6
#: Seconds in which a broker says that a topic may not be read.
_REFUSED_WITHIN = 0.6


class ReceiptsTopic:
    """The topic with the answers of one receiver."""

    def __init__(self, settings: KafkaTopicSettings, receipts: TopicReceipts) -> None:
        self._settings = settings
        self._receipts = receipts
        self._ending = EndingClients(settings.call_timeout)
        bound()

    async def page(self, cursor: str) -> tuple[list[Receipt], str]:
        """Return the next receipts, and the cursor behind them; an empty page is the last for now.

        What cannot be read is logged with its place and left behind.
        """
        until = asyncio.get_running_loop().time() + self._seconds * _SHARE
        async with self._opened() as consumer:
            reading = await self._reading(consumer, TopicCursor.of(cursor))
            before = reading.cursor
            found = await self._receipts_of(reading, until) if reading.unread else []
            if reading.unread and reading.cursor == before:
                raise KafkaTimeoutError
            return found, reading.cursor.text()

    async def check(self) -> int:
        """Return the number of partitions; raises if they may not be read."""
        async with self._opened() as consumer:
            reading = await self._reading(consumer, TopicCursor.of(""))
            consumer.assign(list(reading.ends))
            for partition, end in reading.ends.items():  # what stands there is no matter here
                consumer.seek(partition, end)
            await consumer.getmany(timeout_ms=int(_REFUSED_WITHIN * 1000), max_records=1)
            return len(reading.ends)

    async def close(self) -> None:
        """Wait until the clients of former pages have stopped."""
        await self._ending.wait()

    @property
    def _seconds(self) -> float:
        return self._settings.call_timeout.total_seconds()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Give a started consumer for one call; translates what it raises."""
        consumer = new_consumer(self._settings)
        try:
            async with asyncio.timeout(self._seconds):
                await self._start(consumer)
                yield consumer
        except ConnectorError as error:
            raise self._named(error) from error
        except (KafkaError, OSError) as error:  # TimeoutError is an OSError
            raise self._named(before_sending(error)) from error
        finally:
            self._ending.add(consumer)

    async def _start(self, consumer: Any) -> None:
        try:
            async with asyncio.timeout(self._seconds / 2):
                await consumer.start()
        except (KafkaError, OSError) as error:
            raise before_sending(await cause(error, self._settings)) from error
        ask_with_pauses(consumer._client)  # noqa: SLF001  there is no setting for it

    def _named(self, error: ConnectorError) -> ConnectorError:
        """Return an error that says that it is about this topic."""
        named = type(error)(f"回执主题 {self._receipts.topic}：{error}")
        named.theirs = error.theirs
        return named

    async def _reading(self, consumer: Any, cursor: TopicCursor) -> TopicReading:
        """Return all partitions, each at its place.

        Raises:
            CallRejected: there is no such topic; asking for it does not make it.
        """
        topic, client = self._receipts.topic, consumer._client  # noqa: SLF001  as above
        cluster = await client.fetch_all_metadata()
        numbers = cluster.partitions_for_topic(topic)
        if not numbers:
            words = "Kafka 里没有这个主题，或没有读它的权限"
            raise CallRejected(words) from UnknownTopicOrPartitionError()
        partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
        id_ = await topic_id(client, topic)
        begins = await consumer.beginning_offsets(partitions)
        ends = await consumer.end_offsets(partitions)
        return TopicReading(consumer, cursor.seen(topic, id_), begins, ends)

    async def _receipts_of(self, reading: TopicReading, until: float) -> list[Receipt]:
        """Return the receipts of a page: each partition has a part, the rest is shared."""
        reading.start()
        loop = asyncio.get_running_loop()
        part = max(1, PAGE // len(reading.ends))
        found: list[Receipt] = []
        unread: list[tuple[Message, str]] = []
        size = 0
        while reading.unread and len(found) < PAGE and size < PAGE_BYTES and loop.time() < until:
            for partition in reading.unread:
                for message in await reading.some(partition, part):
                    size += len(message.value or b"")
                    for said in said_in(message, self._receipts):
                        if isinstance(said, Receipt):
                            found.append(said)
                        else:
                            unread.append((message, said))
                await asyncio.sleep(0)
        _log(unread)
        return found


def _log(unread: list[tuple[Message, str]]) -> None:
    """Log where messages stand that cannot be read, without their values, which may be personal."""
    for message, place in unread[:MOST_LOGGED]:
        row = f"{message.topic}/{message.partition}/{message.offset}"
        extra = {"feed": "receipts", "row": row, "places": place, "count": len(unread)}
        logger.warning("feed_row_unreadable", extra=extra)
