"""Messages that Kafka deleted before they were read 缺失的来件: noted, told, and gone behind."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from aiokafka import TopicPartition

from gateway.config.clock import Clock
from gateway.config.settings import KafkaSettings, OnMissing
from gateway.intake.places import Missing, ReadOn
from gateway.intake.watch import Watch
from gateway.store.account.evidence import Statement
from gateway.store.audit import events
from gateway.store.audit.events import AuditEntry
from gateway.store.base.engine import Connection, Database
from gateway.store.record import missing, topics
from gateway.store.record.missing import MissingMessages
from gateway.store.record.topics import TopicIs
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
        #: Behind what this process has written of its partitions.
        self._written: dict[TopicPartition, int] = {}

    async def compare_topic(self, partition: TopicPartition, topic_id: str | None) -> TopicIs:
        """Compare the id that the broker gives a topic with the one that its messages had.

        Raises:
            DatabaseAway: it cannot be told now.
        """
        if topic_id is None:
            return TopicIs.UNKNOWN
        origin = origin_of(self.settings.cluster, partition)
        work = partial(topics.compare_topic, origin=origin, topic_id=topic_id)
        return await self.database.run(work)

    async def tell(self, found: Missing) -> bool:
        """Note what is missing; return whether to go on behind it."""
        origin = origin_of(self.settings.cluster, found.partition)
        place = {"origin": origin, "first": found.first, "end": found.end}
        if found.anew:
            logger.warning(LogEvent.TOPIC_MADE_AGAIN, extra=place)
            await self.begins_anew(found.partition, found.topic_id)
            return True
        logger.error(LogEvent.RECORDS_MISSING, extra=place)
        note = MissingMessages(origin, found.first, found.end, self.clock())
        work = partial(self.database.run, partial(_write, note=note))
        if await self.watch.until_back(work):  # another member may have found it before
            self.metrics.missing.labels(found.partition.topic).inc(found.end - found.first)
        return self.settings.on_missing is OnMissing.CONTINUE

    async def begins_anew(self, partition: TopicPartition, topic_id: str | None) -> None:
        """Let nothing count that was taken or missing so far: other messages stand there now.

        Nothing where another member has done so for the topic of this id.
        """
        origin, now = origin_of(self.settings.cluster, partition), self.clock()

        async def work(connection: Connection) -> None:
            closed = await topics.begin_anew(connection, origin, topic_id, now)
            if closed is None:
                return
            entries = [AuditEntry(AuditEvent.TOPIC_MADE_AGAIN, {"origin": origin})]
            entries += [_set_aside(one) for one in closed if one.skipped_by]
            await events.add(connection, entries, now)

        await self.watch.until_back(partial(self.database.run, work))
        self._written.pop(partition, None)

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

        async def work(connection: Connection) -> list[AuditEntry]:
            closed = await missing.close_spans(connection, origin, now, beyond=end)
            entries = [_set_aside(one, log_end=end) for one in closed]
            await events.add(connection, entries, now)
            return entries

        for entry in await self.database.run(work):
            logger.error(LogEvent.SKIP_BEYOND_END, extra=dict(entry.detail))

    async def after_last_taken(self, partition: TopicPartition) -> int | None:
        """Return the offset after the last one that was ever taken; None if none is known."""
        origin = origin_of(self.settings.cluster, partition)
        read = partial(topics.taken, origin=origin)
        return (await self.watch.until_back(partial(self.database.run, read))).behind

    def wrote(self, ends: Mapping[TopicPartition, int]) -> None:
        """Note the offsets behind records that the database has now."""
        self._written |= ends

    async def require(self, partitions: Iterable[TopicPartition]) -> None:
        """Check that what this process has written of partitions is still there.

        A standby that lagged behind may have taken over: what is written next would hide what it
        lacks. After a restart that is read again.

        Raises:
            RecordsLost: it is not there any more.
            DatabaseAway: it cannot be told now.
        """
        written = {one: self._written[one] for one in partitions if one in self._written}
        if not written:
            return
        origins = {origin_of(self.settings.cluster, one): end for one, end in written.items()}
        read = partial(topics.all_taken, origins=list(origins))
        found = await self.database.run(read)
        known = {name: one.behind or 0 for name, one in found.items()}
        lost = [name for name, end in origins.items() if known.get(name, 0) < end]
        if lost:
            raise RecordsLost(lost)

    async def right_place(self, partition: TopicPartition, committed: int, written: int) -> ReadOn:
        """Return where to read on in place of a committed offset.

        Before it where messages were committed that are not in the database, which was restored;
        marks of transactions look the same, and cost nothing. `written` is the offset behind the
        last record that the database had at that commit, 0 if that is not known: where it has none
        at all now, everything is lacking. Likewise where nothing was taken of a topic that was
        made again: the offset may be of the one before. Behind it where a person has skipped what
        stands there, and before that where it was taken back.

        Raises:
            DatabaseAway: it cannot be told now.
        """
        self._written.pop(partition, None)  # by an assignment before this one
        origin = origin_of(self.settings.cluster, partition)
        (behind, anew), skipped, back = await self.database.run(partial(_taken, origin=origin))
        if behind is None:
            behind = 0 if written or anew else committed
        place = min(_behind(behind, skipped), committed)
        if back is not None:
            place = min(place, back)
        if place < committed:
            extra = {"origin": origin, "first": place, "end": committed}
            logger.warning(LogEvent.READ_AGAIN, extra=extra)
        return ReadOn(_behind(place, skipped), back is not None)

    async def went_back(self, partition: TopicPartition, place: int) -> None:
        """Note that what a person took back is read now, from a place on.

        Raises:
            DatabaseAway: it cannot be noted now.
        """
        origin = origin_of(self.settings.cluster, partition)
        await self.database.run(partial(missing.went_back, origin=origin, place=place))


def _set_aside(closed: MissingMessages, **detail: object) -> AuditEntry:
    """Return the audit entry of a skip that is closed: other messages stand there."""
    place = {"origin": closed.origin, "first": closed.first, "end": closed.end}
    return AuditEntry(AuditEvent.SKIP_SET_ASIDE, place | detail)


async def _taken(
    connection: Connection, origin: str
) -> tuple[topics.OriginTaken, Sequence[tuple[int, int]], int | None]:
    taken = await topics.taken(connection, origin)
    spans = await missing.spans(connection, origin)
    return taken, spans, await missing.back_to(connection, origin)


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
        note = MissingMessages(origin, first, end, now, said.actor)
        added = await missing.add_missing(connection, note)
        if added:
            entry = _said(AuditEvent.MESSAGES_SKIPPED, note, said)
            await events.add(connection, [entry], now)
        return added

    return await database.run(work)


async def unskip_messages(
    database: Database,
    settings: KafkaSettings,
    place: tuple[str, int, int, int],
    said: Statement,
    now: datetime,
) -> bool:
    """Take a skip (topic, partition, first, end) back; return whether a person had noted it.

    A process that is already behind it goes back when it begins; what it then reads once more is
    a repeat. What Kafka deleted cannot be taken back.
    """
    topic, number, first, end = place
    origin = origin_of(settings.cluster, TopicPartition(topic, number))

    async def work(connection: Connection) -> bool:
        done = await missing.take_back(connection, origin, first, end, now)
        if done:
            note = MissingMessages(origin, first, end, now)
            entry = _said(AuditEvent.SKIP_TAKEN_BACK, note, said)
            await events.add(connection, [entry], now)
        return done

    return await database.run(work)


def _said(event: AuditEvent, note: MissingMessages, said: Statement) -> AuditEntry:
    place = {"origin": note.origin, "first": note.first, "end": note.end}
    return AuditEntry(event, place | {"reason": said.words}, said.actor)
