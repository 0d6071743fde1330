"""Messages that Kafka deleted before they were read 缺失的来件: noted, told, and gone behind."""

from functools import partial

from aiokafka import TopicPartition

from gateway.config.clock import Clock
from gateway.config.settings import KafkaSettings, OnMissing
from gateway.intake.consumer import Missing
from gateway.intake.watch import Watch
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
            return True
        logger.error(LogEvent.RECORDS_MISSING, extra=place)
        note = MissingMessages(origin, found.first, found.end, self.clock())
        work = partial(self.database.run, partial(_write, note=note))
        if await self.watch.until_back(work):  # another member may have found it before
            self.metrics.missing.labels(found.partition.topic).inc(found.end - found.first)
        return self.settings.on_missing is OnMissing.CONTINUE

    async def after_last_taken(self, partition: TopicPartition) -> int | None:
        """Return the offset after the last one that was ever taken; None if none is known."""
        origin = origin_of(self.settings.cluster, partition)
        read = partial(missing.last_position, origin=origin)
        last = await self.watch.until_back(partial(self.database.run, read))
        return None if last is None else last + 1

    async def lacking(self, partition: TopicPartition, committed: int) -> int | None:
        """Return from where on messages were committed and are not in the database; None if none.

        It was restored, or is a standby that lagged behind. Marks of transactions look the same,
        and cost nothing when they are read again.

        Raises:
            DatabaseAway: it cannot be told now.
        """
        origin = origin_of(self.settings.cluster, partition)
        last = await self.database.run(partial(missing.last_position, origin=origin))
        if last is None or last + 1 >= committed:
            return None
        place = {"origin": origin, "first": last + 1, "end": committed}
        logger.warning(LogEvent.READ_AGAIN, extra=place)
        return last + 1


async def _write(connection: Connection, note: MissingMessages) -> bool:
    added = await missing.add_missing(connection, note)
    if added:
        detail = {"origin": note.origin, "first": note.first, "end": note.end}
        entry = AuditEntry(AuditEvent.MESSAGES_MISSING, detail)
        await events.add(connection, [entry], note.found_at)
    return added
