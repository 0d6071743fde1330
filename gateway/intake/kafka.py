"""Kafka intake: batches of raw records, one transaction for each, then their explicit offsets.

FastStream gets a pass-through decoder, and a parser that shows it one empty record: 0.7.8 drops a
whole batch because of one header that is not UTF-8. We commit offsets ourselves, partition by
partition: its `ack()` would commit positions of records not processed yet. While two batches are in
flight the next poll waits. If they take long, because the database is away, the partitions are
paused and polling goes on, so that the consumer keeps its assignment.
"""

import asyncio
import time
from asyncio import FIRST_COMPLETED
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage

from connectors.shared.kafka_connection import client_options
from connectors.shared.tls import TlsFileError
from gateway.check.raw import Raw
from gateway.config.clock import Clock
from gateway.config.errors import Away, BadConfiguration
from gateway.config.settings import KafkaSettings, OnMissing
from gateway.intake.consumer import Consumer, Missing
from gateway.pipeline import Pipeline
from gateway.store.base.engine import DatabaseAway
from gateway.store.record import missing
from gateway.store.record.missing import MissingMessages
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics

Records = Sequence[ConsumerRecord[bytes, bytes]]
Ends = Mapping[TopicPartition, int]
Result = TypeVar("Result")

#: Batches between poll and commit at most: one is checked while the other waits for the database.
IN_FLIGHT = 2
#: Seconds between two tries while the database is away: the first and the longest pause.
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0
POLL_MILLISECONDS = 100
#: Bytes fetched from a partition at once: several batches, so that few polls return a small rest.
FETCH_BYTES = 4 * 2**20
#: Seconds without a step, though there is work, after which intake counts as stuck; seconds that
#: the database or the broker may be away before intake says that it is not ready.
STUCK_AFTER, AWAY_AFTER = 45.0, 10.0


class KafkaAway(Away):
    """No broker answers at the start; if it goes away later, intake waits for it."""

    lead = "Kafka 不可用，检查 Kafka 服务和 KAFKA_BOOTSTRAP_SERVERS"


@contextmanager
def first_call() -> Iterator[None]:
    """Raise KafkaAway for errors of the first call to a cluster, a malformed address included."""
    try:
        yield
    except (KafkaError, ValueError, OverflowError) as error:
        raise KafkaAway(str(error)) from error


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
        self.failed = False  #: a batch failed by a bug of ours; liveness fails
        self._stopping = False
        self._batches: set[asyncio.Task[None]] = set()
        self._last: dict[TopicPartition, asyncio.Task[None]] = {}
        self._moved = time.monotonic()  #: the last step, or the last time without work
        self._heard = time.monotonic()  #: when the broker last answered
        self._away: tuple[float, str] | None = None  #: since when the database is away, and why
        self._told: str | None = None  #: the trouble that was logged last
        self.broker = _Broker(partial(self._make, bootstrap, _options(settings)))
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
            parser=_parse_one_empty,
            decoder=_pass_through,
        )
        subscriber(self._take)
        return subscriber

    def _make(self, bootstrap: str, connection: Mapping[str, Any], **options: Any) -> Consumer:
        return Consumer(
            bootstrap_servers=bootstrap,
            metadata_max_age_ms=self.settings.metadata_max_age_ms,
            tell=self._missing,
            last_taken=self._after_last_taken,
            unreadable=self._unreadable,
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

    # ------------------------------------------------------------ what is wrong

    async def observe(self) -> None:
        """Set the gauges, and log a trouble once when it begins; called every second."""
        left = await self._measured()
        self.metrics.assigned_partitions.set(len(self.assigned()))
        if left is not None:
            self._heard = time.monotonic()
            self.metrics.intake_lag.set(left)
        if (not self._batches and not left) or self._away is not None:
            self._moved = time.monotonic()
        found = self.stuck() or self.waits()
        if found is not None and found != self._told:
            logger.error(LogEvent.INTAKE_TROUBLE, extra={"trouble": found})
        self._told = found

    async def _measured(self) -> int | None:
        """Return the lag; None if the broker does not say."""
        if self.consumer is None:
            return None
        try:
            async with asyncio.timeout(AWAY_AFTER / 2):
                return await self.consumer.measured_lag()
        except (KafkaError, TimeoutError):
            return None

    def stuck(self) -> str | None:
        """Return in Chinese why a restart is needed (liveness); None if all is well."""
        if self.failed:
            return "一批来件处理失败，已停止读取，详见日志 work_failed"
        if self.consumer is None:
            return None
        if self.consumer.fault is not None:
            return f"有读不出来的来件：{self.consumer.fault}"
        if self.consumer.ended:
            return "读取来件的任务已结束"
        still = time.monotonic() - self._moved
        return f"有来件未处理，{STUCK_AFTER:g} 秒没有进展" if still > STUCK_AFTER else None

    def waits(self) -> str | None:
        """Return in Chinese what intake waits for (readiness); None if it works."""
        if not self.assigned() or self.consumer is None:
            return "没有分配到 Kafka 分区"
        if self._away is not None and time.monotonic() - self._away[0] > AWAY_AFTER:
            return f"来件写不进数据库：{self._away[1]}"
        if self.consumer.halted:
            places = "、".join(
                sorted(f"{topic}/{number}" for topic, number in self.consumer.halted)
            )
            return f"{places} 有未读而已被 Kafka 删除的来件，按 on_missing: stop 已停止读取"
        if time.monotonic() - self._heard > AWAY_AFTER:
            return "Kafka 没有应答"
        return None

    def _unreadable(self, error: KafkaError) -> None:
        self.metrics.unreadable.inc()
        words = {"error": f"{type(error).__name__}: {error}"[:300]}
        logger.error(LogEvent.RECORDS_UNREADABLE, extra=words)

    async def _missing(self, found: Missing) -> bool:
        """Note what Kafka deleted before it was read; return whether to go on behind it."""
        origin = self._origin(found.partition)
        place = {"origin": origin, "first": found.first, "end": found.end}
        if found.anew:
            logger.warning(LogEvent.TOPIC_MADE_AGAIN, extra=place)
            return True
        logger.error(LogEvent.RECORDS_MISSING, extra=place)
        self.metrics.missing.labels(found.partition.topic).inc(found.end - found.first)
        note = MissingMessages(origin, found.first, found.end, self.clock())
        write = self.pipeline.database.run
        await self._until_back(partial(write, lambda c: missing.add_missing(c, note)))
        return self.settings.on_missing is OnMissing.CONTINUE

    async def _after_last_taken(self, partition: TopicPartition) -> int | None:
        origin = self._origin(partition)
        read = self.pipeline.database.run
        last = await self._until_back(partial(read, lambda c: missing.last_position(c, origin)))
        return None if last is None else last + 1

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
        """Process one batch from check to committed offsets.

        Batches with the same partition are written and committed in their order.
        """
        with self.metrics.batch_seconds.time():
            checked = await self.pipeline.check(self._raws(records, ends))
            await asyncio.gather(*before)
            await self._until_back(partial(self.pipeline.commit, checked))
            await self._commit_offsets(ends)
        self._moved = time.monotonic()
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
            self.consumer.resume(*(self.consumer.paused() - self.consumer.halted))

    async def _commit_offsets(self, ends: Ends) -> None:
        """Commit the offsets of partitions that are still ours; a lost one belongs to another."""
        mine = {p: offset for p, offset in ends.items() if p in self.assigned()}
        with suppress(KafkaError):
            if mine and self.consumer is not None:
                await self.consumer.commit(mine)

    def _origin(self, partition: TopicPartition) -> str:
        return f"kafka:{self.settings.cluster}/{partition.topic}/{partition.partition}"

    def _raws(self, records: Records, partitions: Iterable[TopicPartition]) -> list[Raw]:
        origins = {partition: self._origin(partition) for partition in partitions}
        kinds = self.settings.topics
        return [
            Raw(origins[one.topic, one.partition], one.offset, one.value, kinds[one.topic])
            for one in records
        ]

    async def _until_back(self, work: Callable[[], Awaitable[Result]]) -> Result:
        """Repeat the work while the database is away; an outage never quarantines items."""
        pause = FIRST_PAUSE
        while True:
            try:
                done = await work()
            except DatabaseAway as error:
                since = self._away[0] if self._away else time.monotonic()
                self._away = since, str(error)[:200]
                logger.warning(LogEvent.DATABASE_AWAY, extra={"error": self._away[1]})
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE, pause * 2)
            else:
                if self._away is not None:
                    self._away = None
                    logger.info(LogEvent.DATABASE_BACK)
                return done


def _options(settings: KafkaSettings) -> dict[str, Any]:
    try:
        return client_options(settings)
    except TlsFileError as error:
        raise BadConfiguration(f"kafka {error}") from None


def _ends(records: Records) -> Ends:
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
