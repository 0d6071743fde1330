"""The Kafka door: batches of raw records, one transaction a batch, then the explicit offsets.

FastStream is given a pass-through decoder and a parser that shows it one empty record, since 0.7.8
drops a whole batch over one header that is not UTF-8. Offsets are committed by us, partition by
partition: its `ack()` would commit positions of records that nobody has seen. While two batches
are in flight the next poll waits; if they take long, since the database is away, the partitions are
paused and polling goes on, so that the assignment is kept however long it takes.
"""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from gateway.check.raw import Raw
from gateway.config.clock import Clock
from gateway.config.errors import Away
from gateway.config.settings import KafkaSettings
from gateway.pipeline import Pipeline
from gateway.store.base.engine import DatabaseAway
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics

Records = Sequence[ConsumerRecord[bytes, bytes]]
Ends = Mapping[TopicPartition, int]

#: Batches between poll and commit: while one waits for the database, the other is worked on.
IN_FLIGHT = 2
#: Seconds between two tries while database or broker is away, from and up to.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
POLL_MILLISECONDS = 100
#: Bytes fetched of a partition at once: several batches, so that few polls bring a small rest.
FETCH_BYTES = 4 * 2**20


class KafkaAway(Away):
    """No broker answers at the start; one that goes away later is waited for."""

    lead = "Kafka 不可用，检查 Kafka 服务和 KAFKA_BOOTSTRAP_SERVERS"


@contextmanager
def first_call() -> Iterator[None]:
    """Asks a cluster for the first time; raises KafkaAway, also for an address that is none."""
    try:
        yield
    except (KafkaError, ValueError, OverflowError) as error:
        raise KafkaAway(str(error)) from error


class KafkaIntake:
    """Consumes the configured topics as one member of the consumer group."""

    def __init__(
        self,
        settings: KafkaSettings,
        bootstrap: str,
        pipeline: Pipeline,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self.pipeline = pipeline
        self.clock = clock
        self.metrics = metrics
        self.consumer: AIOKafkaConsumer | None = None
        self.taken = 0  #: records whose effects are committed
        self.broker = KafkaBroker(bootstrap, apply_types=False, logger=None)
        self.failed = False  #: a batch met a fault of ours, so that liveness must fail
        self._stopping = False
        self._batches: set[asyncio.Task[None]] = set()
        self._last: dict[TopicPartition, asyncio.Task[None]] = {}
        self._subscriber = self._subscribe()

    def _subscribe(self) -> Any:
        subscriber = self.broker.subscriber(
            *self.settings.topics,
            batch=True,
            group_id=self.settings.group,
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.MANUAL,
            max_records=self.settings.batch_size,
            batch_timeout_ms=POLL_MILLISECONDS,
            max_partition_fetch_bytes=FETCH_BYTES,
            max_poll_interval_ms=self.settings.max_poll_interval_ms,
            parser=_parse_one_empty,
            decoder=_pass_through,
        )
        subscriber(self._take)
        return subscriber

    async def start(self) -> None:
        """Join the group and begin.

        Raises:
            KafkaAway: no broker answers.
        """
        with first_call():
            await self.broker.start()
        self.consumer = self._subscriber.consumer
        _ask_with_pauses(self._subscriber.consumer)

    async def stop(self) -> None:
        """Leave the group; what was not committed is read again by the next one."""
        self._stopping = True
        for task in self._batches:
            task.cancel()
        await asyncio.gather(*self._batches, return_exceptions=True)
        await self.broker.stop()
        self.consumer = None

    @property
    def idle(self) -> bool:
        """Nothing between poll and commit, and nothing left in the assigned partitions."""
        return not self._batches and self.lag() == 0

    def assigned(self) -> set[TopicPartition]:
        """The partitions that are ours now."""
        return set() if self.consumer is None else set(self.consumer.assignment())

    def lag(self) -> int | None:
        """Records behind the end of our partitions; None while the end is not known."""
        if self.consumer is None or not self.assigned():
            return None
        total = 0
        for partition in self.assigned():
            end = self.consumer.highwater(partition)
            state = self.consumer._subscription.subscription.assignment.state_value(partition)  # noqa: SLF001  position() awaits
            if end is None or not state.has_valid_position:
                return None
            total += max(0, end - state.position)
        return total

    # ------------------------------------------------------------ from poll to commit

    async def _take(self, message: KafkaMessage) -> None:
        """Called for every poll with records; waits for a free place, half a poll interval at most.

        A pause is the last resort: aiokafka throws away what it has fetched of a paused partition,
        asks for it again, and leaves the bytes to the garbage collector.
        """
        if self._stopping:
            return
        records: Records = message.raw_message
        message.raw_message = ()  # FastStream's context and a cycle of its own keep the message
        ends = _ends(records)
        before = [self._last[partition] for partition in ends if partition in self._last]
        batch = asyncio.create_task(self._work(records, ends, before))
        self._last.update(dict.fromkeys(ends, batch))
        self._batches.add(batch)
        batch.add_done_callback(self._done)
        if len(self._batches) >= IN_FLIGHT:
            patience = self.settings.max_poll_interval_ms / 2_000
            await asyncio.wait(self._batches, timeout=patience, return_when=FIRST_COMPLETED)
            if len(self._batches) >= IN_FLIGHT:
                self._pause()

    def _pause(self) -> None:
        if self.consumer is not None:
            self.consumer.pause(*self.consumer.assignment())

    async def _work(
        self, records: Records, ends: Ends, before: Sequence[asyncio.Task[None]]
    ) -> None:
        """One batch from check to committed offsets; a partition's batches keep their order."""
        with self.metrics.batch_seconds.time():
            checked = await self.pipeline.check(self._raws(records, ends))
            await asyncio.gather(*before)
            await _until_back(partial(self.pipeline.commit, checked))
            await self._commit_offsets(ends)
        self.taken += len(records)
        self.metrics.last_progress.set(self.clock().timestamp())

    def _done(self, batch: asyncio.Task[None]) -> None:
        """Resume polling, unless a batch failed: polling on could commit past it."""
        self._batches.discard(batch)
        if batch.cancelled():
            return
        if (error := batch.exception()) is not None:
            self.failed = True
            self._pause()
            logger.error(LogEvent.WORK_FAILED, exc_info=error, extra={"work": "intake"})
        elif self.consumer is not None and not self.failed and len(self._batches) < IN_FLIGHT:
            self.consumer.resume(*self.consumer.paused())

    async def _commit_offsets(self, ends: Ends) -> None:
        """Explicit offsets of what was written; a partition lost meanwhile is another's now."""
        mine = {p: offset for p, offset in ends.items() if p in self.assigned()}
        with suppress(KafkaError):
            if mine and self.consumer is not None:
                await self.consumer.commit(mine)

    def _raws(self, records: Records, partitions: Iterable[TopicPartition]) -> list[Raw]:
        cluster = self.settings.cluster
        origins = {p: f"kafka:{cluster}/{p.topic}/{p.partition}" for p in partitions}
        kinds = self.settings.topics
        return [
            Raw(origins[one.topic, one.partition], one.offset, one.value, kinds[one.topic])
            for one in records
        ]


def _ends(records: Records) -> Ends:
    """The offset after the last record of each partition, whose records come in order."""
    ends = {(record.topic, record.partition): record.offset + 1 for record in records}
    return {TopicPartition(*place): offset for place, offset in ends.items()}


def _ask_with_pauses(consumer: AIOKafkaConsumer) -> None:
    """Let the consumer wait after it asked in vain where the partitions are.

    aiokafka 0.14 asks again at once while a partition has no leader: with the broker away that is a
    whole core, and thousands of lines of log a second, until it comes back.
    """
    client = consumer._client  # noqa: SLF001  there is no setting for it
    ask = client._metadata_update  # noqa: SLF001

    async def patiently(*arguments: Any) -> bool:
        if await ask(*arguments):
            return True
        await asyncio.sleep(FIRST_PAUSE)
        return False

    client._metadata_update = patiently  # noqa: SLF001


async def _until_back(work: Callable[[], Awaitable[Any]]) -> None:
    """Do the work, again and again while the database is away: an outage never quarantines."""
    pause = FIRST_PAUSE
    while True:
        try:
            await work()
        except DatabaseAway as error:
            logger.warning(LogEvent.DATABASE_AWAY, extra={"error": str(error)[:200]})
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)
        else:
            if pause > FIRST_PAUSE:
                logger.info(LogEvent.DATABASE_BACK)
            return


async def _parse_one_empty(records: Any, original: Callable[[Any], Awaitable[Any]]) -> Any:
    first = replace(records[0], headers=(), value=b"")
    message = await original((first,))
    message.raw_message = records
    return message


async def _pass_through(message: Any) -> Any:
    return message
