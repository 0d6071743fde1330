"""Kafka intake: batches of raw records, one transaction for each, then their explicit offsets.

FastStream gets a pass-through decoder, and a parser that shows it one empty record: 0.7.8 drops a
whole batch because of one header that is not UTF-8. We commit offsets ourselves, partition by
partition: its `ack()` would commit positions of records not processed yet. While two batches are in
flight the next poll waits. If they take long, because the database is away, the partitions are
paused and polling goes on, so that the consumer keeps its assignment.
"""

import asyncio
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from gateway.check.raw import Raw, portion
from gateway.config.clock import Clock
from gateway.config.settings import KafkaSettings
from gateway.intake.access import first_call, options_of
from gateway.intake.consumer import Consumer
from gateway.intake.gaps import Gaps, origin_of
from gateway.intake.watch import Watch
from gateway.pipeline import Pipeline
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics

Records = Sequence[ConsumerRecord[bytes, bytes]]
Ends = Mapping[TopicPartition, int]

#: Batches between poll and commit at most: one is checked while the other waits for the database.
IN_FLIGHT = 2
POLL_MILLISECONDS = 100
#: Bytes fetched from a partition at once: several batches, so that few polls return a small rest.
FETCH_BYTES = 4 * 2**20


class _Broker(KafkaBroker):
    """FastStream's broker with consumers of ours, and neither a producer nor an admin client."""

    def __init__(self, make: Callable[..., Consumer]) -> None:
        super().__init__(apply_types=False, logger=None, consumer_only=True)
        self._make = make

    async def _connect(self) -> Callable[..., Consumer]:
        self.config.broker_config.builder = self._make
        return self._make


class KafkaIntake:
    """Consume the configured topics as one member of the consumer group."""

    def __init__(
        self,
        settings: KafkaSettings,
        bootstrap: str,
        pipeline: Pipeline,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        """Prepare a member; raises BadConfiguration if a file of the connection is unusable."""
        self.settings = settings
        self.pipeline = pipeline
        self.clock = clock
        self.metrics = metrics
        self.consumer: Consumer | None = None
        self.taken = 0  #: records committed
        self._stopping = False
        self._batches: set[asyncio.Task[None]] = set()
        self._last: dict[TopicPartition, asyncio.Task[None]] = {}
        self.watch = Watch(metrics)
        self.gaps = Gaps(settings, pipeline.database, self.watch, clock, metrics)
        self.broker = _Broker(partial(self._make, bootstrap, options_of(settings)))
        self._subscriber = self._subscribe()

    def _subscribe(self) -> Any:
        subscriber = self.broker.subscriber(
            *self.settings.topics,
            batch=True,
            group_id=self.settings.group,
            ack_policy=AckPolicy.MANUAL,
            max_records=self.settings.batch_size,
            batch_timeout_ms=POLL_MILLISECONDS,
            max_partition_fetch_bytes=FETCH_BYTES,
            max_poll_interval_ms=self.settings.max_poll_interval_ms,
            group_instance_id=self.settings.instance,
            parser=_parse_one_empty,
            decoder=_pass_through,
        )
        subscriber(self._take)
        return subscriber

    def _make(self, bootstrap: str, connection: Mapping[str, Any], **options: Any) -> Consumer:
        return Consumer(
            bootstrap_servers=bootstrap,
            metadata_max_age_ms=self.settings.metadata_max_age_ms,
            client_rack=self.settings.rack,
            settle=self._settle,
            places=self.gaps,
            unreadable=self.watch.unreadable,
            is_written=lambda: not (self._batches or self._stopping or self.watch.failed),
            **connection,
            **options,
        )

    async def start(self) -> None:
        """Join the group and begin to poll.

        Raises:
            KafkaAway: no broker answers.
        """
        with first_call():
            await self.broker.start()
        self.consumer = self._subscriber.consumer

    async def stop(self) -> None:
        """Leave the group; the next member reads again what was not committed."""
        if self.consumer is not None:
            await self.consumer.commit_markers()
        self._stopping = True
        for task in self._batches:
            task.cancel()
        await asyncio.gather(*self._batches, return_exceptions=True)
        await self.broker.stop()
        self.consumer = None

    @property
    def idle(self) -> bool:
        """Whether no batch is in flight and the assigned partitions are read to their end."""
        return not self._batches and self.lag() == 0

    def assigned(self) -> set[TopicPartition]:
        """Return the partitions assigned to this process."""
        return set() if self.consumer is None else set(self.consumer.assignment())

    def lag(self) -> int | None:
        """Return the records left in our partitions; None while their end is not known."""
        return None if self.consumer is None else self.consumer.lag()

    async def observe(self) -> None:
        """Set the gauges, and log a trouble once when it begins; called every second."""
        self.metrics.assigned_partitions.set(len(self.assigned()))
        if self.consumer is not None:
            await self.watch.look(self.consumer, busy=bool(self._batches))

    def stuck(self) -> str | None:
        """Return in Chinese why a restart is needed (liveness); None if all is well."""
        return self.watch.stuck(self.consumer)

    def waits(self) -> str | None:
        """Return in Chinese what intake waits for (readiness); None if it works."""
        return self.watch.waits(self.consumer)

    # ------------------------------------------------------------ from poll to commit

    async def _take(self, message: KafkaMessage) -> None:
        """Start the work on the records of one poll; then wait for a free place.

        It waits for half a poll interval at most, then pauses the partitions. A pause is the last
        resort: aiokafka throws away what it has fetched of a paused partition and fetches it again.
        """
        if self._stopping:
            return
        records: Records = message.raw_message
        message.raw_message = ()  # FastStream keeps the message in a reference cycle
        ends = self._ends(records)
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

    async def _settle(self, partition: TopicPartition) -> bool:
        """Wait until the batches of a partition are written and committed; False if one is not."""
        batch = self._last.get(partition)
        if batch is not None:
            await asyncio.wait([batch])
            if batch.cancelled():
                return False
        return not self.watch.failed

    def _pause(self) -> None:
        if self.consumer is not None:
            self.consumer.pause(*self.consumer.assignment())

    async def _work(
        self, records: Records, ends: Ends, before: Sequence[asyncio.Task[None]]
    ) -> None:
        """Process one batch from check to committed offsets, in portions if it is large.

        Batches with the same partition are written and committed in their order.
        """
        raws, done = self._raws(records, ends), 0
        with self.metrics.batch_seconds.time():
            while part := portion(raws, len(records)):
                checked = await self.pipeline.check(part)
                await asyncio.gather(*before)
                await self.watch.until_back(partial(self.gaps.require, ends))
                await self.watch.until_back(partial(self.pipeline.commit, checked))
                done += len(part)
                after = _after(records[:done])
                self.gaps.wrote(after)
                await self._commit_offsets(after, ends if done == len(records) else after)
                self.watch.moved()
                self.taken += len(part)
        self.metrics.last_progress.set(self.clock().timestamp())

    def _ends(self, records: Records) -> Ends:
        """Return the offset after the last record of each partition, and the marks behind it.

        These records are all that the consumer handed out since the poll before.
        """
        found = _after(records)
        if self.consumer is None:
            return found
        return {one: max(end, self.consumer.handed(one)) for one, end in found.items()}

    def _done(self, batch: asyncio.Task[None]) -> None:
        """Resume polling, unless a batch failed: polling on could commit past it."""
        self._batches.discard(batch)
        if batch.cancelled():
            self.watch.failed |= not self._stopping  # nothing may be committed past it
            return
        if (error := batch.exception()) is not None:
            self.watch.failed = True
            self._pause()
            logger.error(LogEvent.WORK_FAILED, exc_info=error, extra={"work": "intake"})
        elif self.consumer is not None and not self.watch.failed and len(self._batches) < IN_FLIGHT:
            self.consumer.resume(*(self.consumer.paused() - self.consumer.halted))

    async def _commit_offsets(self, written: Ends, ends: Ends) -> None:
        """Commit the offsets of partitions that are still ours; a lost one belongs to another."""
        mine = {p: offset for p, offset in ends.items() if p in self.assigned()}
        if not mine or self.consumer is None:
            return
        self.consumer.wrote({p: offset for p, offset in written.items() if p in mine})
        try:
            await self.consumer.commit(mine)
        except KafkaError as error:
            self.watch.uncommitted(error)

    def _raws(self, records: Records, partitions: Iterable[TopicPartition]) -> Iterator[Raw]:
        origins = {
            partition: origin_of(self.settings.cluster, partition) for partition in partitions
        }
        kinds = self.settings.topics
        return (
            Raw(origins[one.topic, one.partition], one.offset, one.value, kinds[one.topic])
            for one in records
        )


def _after(records: Records) -> Ends:
    """Return the offset after the last record of each partition."""
    ends = {(record.topic, record.partition): record.offset + 1 for record in records}
    return {TopicPartition(*place): offset for place, offset in ends.items()}


async def _parse_one_empty(records: Any, original: Callable[[Any], Awaitable[Any]]) -> Any:
    first = replace(records[0], headers=(), value=b"")
    message = await original((first,))
    message.raw_message = records
    return message


async def _pass_through(message: Any) -> Any:
    return message
