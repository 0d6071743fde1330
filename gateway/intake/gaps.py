"""Messages that Kafka deleted before they were read 缺失的来件: noted, told, and gone behind."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial

from aiokafka import TopicPartition

from gateway.config.clock import Clock
from gateway.config.settings import KafkaSettings, OnMissing
from gateway.intake.places import Missing
from gateway.intake.watch import Watch
from gateway.store.account.evidence import Statement
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection, Database
from gateway.store.record import missing
from gateway.store.record.missing import MissingMessages
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics


def origin_of(cluster: str, partition: TopicPartition) -> str:
    """Return the origin 来源 of the messages of a partition; their offsets are the positions."""
    return f"kafka:{cluster}/{partition.topic}/{partition.partition}"


class RecordsLost(Exception):
    """The database lacks what this process has written to it."""

    def __init__(self, origins: Sequence[str]) -> None:
        super().__init__(
            f"{'、'.join(origins)}：数据库里没有已写入的来件，像是恢复过，或切换到了落后的备库；"
            "重启后从 Kafka 再读"
        )


class Gaps:
    """What the consumer asks where the log no longer has the offset that is to be read."""

    def __init__(
        self,
        settings: KafkaSettings,
        database: Database,
        watch: Watch,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.settings = settings
        self.database = database
        self.watch = watch
        self.clock = clock
        self.metrics = metrics

    async def tell(self, found: Missing) -> bool:
        """Note what is missing; return whether to go on behind it."""
        origin = origin_of(self.settings.cluster, found.partition)
        place = {"origin": origin, "first": found.first, "end": found.end}
        if found.anew:
            logger.warning(LogEvent.TOPIC_MADE_AGAIN, extra=place)
            await self.begins_anew(found.partition)
            return True
        logger.error(LogEvent.RECORDS_MISSING, extra=place)
        note = MissingMessages(origin, found.first, found.end, self.clock())
        work = partial(self.database.run, partial(_write, note=note))
        if await self.watch.until_back(work):  # another member may have found it before
            self.metrics.missing.labels(found.partition.topic).inc(found.end - found.first)
        return self.settings.on_missing is OnMissing.CONTINUE

    async def begins_anew(self, partition: TopicPartition) -> None:
        """Let nothing be gone behind that is missing so far: other messages may stand there now."""
        origin = origin_of(self.settings.cluster, partition)
        work = partial(missing.close_spans, origin=origin, now=self.clock())
        await self.watch.until_back(partial(self.database.run, work))

    async def behind_skipped(self, partition: TopicPartition, place: int) -> int:
        """Return the first offset from a place on that is not missing."""
        origin = origin_of(self.settings.cluster, partition)
        read = partial(missing.spans, origin=origin)
        return _behind(place, await self.watch.until_back(partial(self.database.run, read)))

    async def set_aside(self, partition: TopicPartition, end: int) -> None:
        """Let nothing be gone behind that reaches beyond the end of the log.

        Raises:
            DatabaseAway: it cannot be done now.
        """
        origin, now = origin_of(self.settings.cluster, partition), self.clock()

        async def work(connection: Connection) -> list[dict[str, object]]:
            closed = await missing.close_spans(connection, origin, now, beyond=end)
            details = [
                {"origin": origin, "first": first, "end": last, "log_end": end}
                for first, last in closed
            ]
            entries = [AuditEntry(AuditEvent.SKIP_SET_ASIDE, detail) for detail in details]
            await events.add(connection, entries, now)
            return details

        for detail in await self.database.run(work):
            logger.error(LogEvent.SKIP_BEYOND_END, extra=detail)

    async def after_last_taken(self, partition: TopicPartition) -> int | None:
        """Return the offset after the last one that was ever taken; None if none is known."""
        origin = origin_of(self.settings.cluster, partition)
        read = partial(missing.last_position, origin=origin)
        last = await self.watch.until_back(partial(self.database.run, read))
        return None if last is None else last + 1

    async def require(self, written: Mapping[TopicPartition, int]) -> None:
        """Check that what was written of partitions is still there, up to these offsets.

        A standby that lagged behind may have taken over: what is written next would hide what it
        lacks. After a restart that is read again.

        Raises:
            RecordsLost: it is not there any more.
            DatabaseAway: it cannot be told now.
        """
        if not written:
            return
        origins = {origin_of(self.settings.cluster, one): end for one, end in written.items()}
        read = partial(missing.last_positions, origins=list(origins))
        found = await self.database.run(read)
        lost = [name for name, end in origins.items() if found.get(name, -1) + 1 < end]
        if lost:
            raise RecordsLost(lost)

    async def right_place(self, partition: TopicPartition, committed: int, written: int) -> int:
        """Return where to read on in place of a committed offset.

        Before it where messages were committed that are not in the database, which was restored;
        marks of transactions look the same, and cost nothing. `written` is the offset behind the
        last record that the database had at that commit, 0 if that is not known: where it has none
        at all now, everything is lacking. Behind it where a person has skipped what stands there.

        Raises:
            DatabaseAway: it cannot be told now.
        """
        origin = origin_of(self.settings.cluster, partition)
        last, skipped = await self.database.run(partial(_taken, origin=origin))
        begun = last + 1 if last is not None else 0 if written else committed
        place = min(_behind(begun, skipped), committed)
        if place < committed:
            extra = {"origin": origin, "first": place, "end": committed}
            logger.warning(LogEvent.READ_AGAIN, extra=extra)
        return _behind(place, skipped)


async def _taken(
    connection: Connection, origin: str
) -> tuple[int | None, Sequence[tuple[int, int]]]:
    last = await missing.last_position(connection, origin)
    return last, await missing.spans(connection, origin)


def _behind(place: int, spans: Sequence[tuple[int, int]]) -> int:
    """Return the first offset from a place on that is in no span; spans are in their order."""
    for first, end in spans:
        if first <= place < end:
            place = end
    return place


async def _write(connection: Connection, note: MissingMessages) -> bool:
    added = await missing.add_missing(connection, note)
    if added:
        detail = {"origin": note.origin, "first": note.first, "end": note.end}
        entry = AuditEntry(AuditEvent.MESSAGES_MISSING, detail)
        await events.add(connection, [entry], note.found_at)
    return added


async def skip_messages(
    database: Database,
    settings: KafkaSettings,
    place: tuple[str, int, int, int],
    said: Statement,
    now: datetime,
) -> bool:
    """Note messages (topic, partition, first, end) as missing; return whether they were not."""
    topic, number, first, end = place
    origin = origin_of(settings.cluster, TopicPartition(topic, number))

    async def work(connection: Connection) -> bool:
        added = await missing.add_missing(connection, MissingMessages(origin, first, end, now))
        if added:
            detail = {"origin": origin, "first": first, "end": end, "reason": said.words}
            entry = AuditEntry(AuditEvent.MESSAGES_SKIPPED, detail, said.actor)
            await events.add(connection, [entry], now)
        return added

    return await database.run(work)


class Unskipped(StrEnum):
    """What became of a skip that is taken back."""

    DONE = "done"
    NOT_NOTED = "not_noted"
    PASSED = "passed"  #: messages behind it were taken: it is missing indeed


async def unskip_messages(
    database: Database,
    settings: KafkaSettings,
    place: tuple[str, int, int, int],
    said: Statement,
    now: datetime,
) -> Unskipped:
    """Take a skip (topic, partition, first, end) back: after a restart it is read."""
    topic, number, first, end = place
    origin = origin_of(settings.cluster, TopicPartition(topic, number))

    async def work(connection: Connection) -> Unskipped:
        if await missing.is_passed(connection, origin, first, end):
            return Unskipped.PASSED
        if not await missing.remove_missing(connection, origin, first, end):
            return Unskipped.NOT_NOTED
        detail = {"origin": origin, "first": first, "end": end, "reason": said.words}
        entry = AuditEntry(AuditEvent.SKIP_TAKEN_BACK, detail, said.actor)
        await events.add(connection, [entry], now)
        return Unskipped.DONE

    return await database.run(work)
