"""The topic places of a sandbox: each reads its topic on a broker, and answers in another."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import GroupCoordinatorNotAvailableError, KafkaError

from connectors.sandbox.app import Sandbox
from connectors.sandbox.places import TopicPlace
from connectors.sandbox.topic_side import TopicDesk
from connectors.shared.http_wire import logger

#: Milliseconds between two looks for events and for receipts that are due.
_PAUSE_MS = 100
_PARTITIONS = 2
#: Looks whether a new broker is ready for a group, which takes it some seconds.
_READY_LOOKS = 100


@asynccontextmanager
async def serve_topics(sandbox: Sandbox, bootstrap: str) -> AsyncIterator[None]:
    """Serve the topic places of a sandbox on a broker; topics that are not there are made."""
    async with AsyncExitStack() as stack:
        for name, place in sandbox.places_of(TopicPlace).items():
            await stack.enter_async_context(_served(sandbox, name, place, bootstrap))
        yield


@asynccontextmanager
async def _served(
    sandbox: Sandbox, name: str, place: TopicPlace, bootstrap: str
) -> AsyncIterator[None]:
    group = f"sandbox-{place.topic}"
    await _make_ready(place, group, bootstrap)
    # What was sent while the sandbox did not run is taken at the next start, and only then.
    consumer: Any = AIOKafkaConsumer(
        place.topic,
        bootstrap_servers=bootstrap,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    producer: Any = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    async with consumer, producer:
        task = asyncio.create_task(_Account(sandbox, name, place).serve(consumer, producer))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def _make_ready(place: TopicPlace, group: str, bootstrap: str) -> None:
    """Make the topics, and wait until a broker that is new can keep the places of the group."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        names = {place.topic, place.receipts_topic}.difference(await admin.list_topics())
        await admin.create_topics([NewTopic(name, _PARTITIONS, 1) for name in names])
        for _ in range(_READY_LOOKS):
            if await _has_coordinator(admin, group):
                break
            await asyncio.sleep(_PAUSE_MS / 1000)
    finally:
        await admin.close()


async def _has_coordinator(admin: Any, group: str) -> bool:
    try:
        await admin.find_coordinator(group)
    except GroupCoordinatorNotAvailableError:
        return False
    return True


class _Account:
    """One place, and its desk, a new one after a reset."""

    def __init__(self, sandbox: Sandbox, name: str, place: TopicPlace) -> None:
        self._sandbox = sandbox
        self._name = name
        self._place = place
        self._desk = TopicDesk(name, sandbox.books[name])
        self._unsent: deque[tuple[bytes, bytes]] = deque()

    @property
    def desk(self) -> TopicDesk:
        """The desk of the book that is there now."""
        book = self._sandbox.books[self._name]
        if self._desk.book is not book:
            self._desk = TopicDesk(self._name, book)
        return self._desk

    async def serve(self, consumer: Any, producer: Any) -> None:
        """Take events and write receipts until it is cancelled, whatever fails meanwhile."""
        while True:
            try:
                await self._round(consumer, producer)
            except KafkaError:  # a broker that is away
                await asyncio.sleep(_PAUSE_MS / 1000)
            except Exception:  # noqa: BLE001  told in the log; the place goes on
                logger.exception("sandbox_round_failed", extra={"place": self._name})
                await asyncio.sleep(_PAUSE_MS / 1000)

    async def _round(self, consumer: Any, producer: Any) -> None:
        found: Mapping[Any, Any] = await consumer.getmany(timeout_ms=_PAUSE_MS)
        for messages in found.values():
            for message in messages:
                self._take(message)
        self._unsent += self.desk.due()
        while self._unsent:  # also what a broker that was away did not take
            key, value = self._unsent[0]
            await producer.send_and_wait(self._place.receipts_topic, value, key)
            self._unsent.popleft()
        if found:
            await consumer.commit()

    def _take(self, message: Any) -> None:
        """Take one message; an odd one that the desk fails at is logged, and the next one comes."""
        try:
            self.desk.take(message.value)
        except Exception:  # noqa: BLE001  as above
            place = f"{message.topic}/{message.partition}/{message.offset}"
            logger.exception("sandbox_event_failed", extra={"place": self._name, "row": place})
