"""Where the partitions of the receipts topic are read on, over gaps and what cannot be read."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import orjson
from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError
from pydantic import TypeAdapter, ValidationError

from connectors.kafka_topic.messages import Message
from connectors.shared.http_wire import logger
from connectors.shared.kafka_unpacking import PollTooLarge, one_poll

#: Milliseconds for one fetch of a partition that has more to read.
_FETCH_MS = 500


class TopicCursor(NamedTuple):
    """What was read: of which topic, up to which offset of each partition."""

    topic: str = ""
    #: The id that the broker gives the topic; None of a broker before 2.8.
    id: str | None = None
    places: Mapping[int, int] = {}

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the cursor in a text; an empty one if it is of something else."""
        try:
            return cls(*_FORM.validate_json(text))
        except ValidationError:
            return cls()

    def text(self) -> str:
        """Return the cursor as text."""
        kept = (self.topic, self.id, {str(number): at for number, at in self.places.items()})
        return orjson.dumps(kept).decode()

    def seen(self, topic: str, id_: str | None) -> "TopicCursor":
        """Return the cursor for the topic as it is now: of one that was made again, nothing."""
        other = self.id is not None and id_ is not None and self.id != id_
        return TopicCursor(topic, id_, {} if other or topic != self.topic else self.places)


_FORM: TypeAdapter[tuple[str, str | None, dict[int, int]]] = TypeAdapter(
    tuple[str, str | None, dict[int, int]]
)


class TopicReading:
    """The partitions during one page: where each stands, and where it ended at the beginning."""

    def __init__(
        self,
        consumer: Any,
        cursor: TopicCursor,
        begins: Mapping[TopicPartition, int],
        ends: Mapping[TopicPartition, int],
    ) -> None:
        self._consumer = consumer
        self._of = cursor
        self.ends = ends
        self._places: dict[TopicPartition, int] = {}
        #: Partitions whose messages are read one by one, up to one that cannot be read.
        self._careful: set[TopicPartition] = set()
        for partition, begin in begins.items():
            self._places[partition] = self._first(partition, begin)

    def start(self) -> None:
        """Let the consumer fetch, each partition from its place."""
        self._consumer.assign(list(self._places))
        for partition, place in self._places.items():
            self._go(partition, place)

    @property
    def unread(self) -> list[TopicPartition]:
        """The partitions that have more to read."""
        return [one for one, place in self._places.items() if place < self.ends[one]]

    @property
    def cursor(self) -> TopicCursor:
        """The cursor behind what was read."""
        places = {one.partition: place for one, place in self._places.items()}
        return self._of._replace(places=places)

    async def some(self, partition: TopicPartition, most: int) -> list[Message]:
        """Return some next messages of a partition; none for now where something is in the way.

        Raises:
            KafkaError: it is none of its messages.
        """
        limit = 1 if partition in self._careful else most
        try:
            with one_poll():
                found = await self._consumer.getmany(
                    partition, timeout_ms=_FETCH_MS, max_records=limit
                )
        except OffsetOutOfRangeError:
            begins = await self._consumer.beginning_offsets([partition])
            self._go(partition, self._behind(partition, begins[partition]))
            return []
        except Exception as error:  # noqa: BLE001  codecs raise errors of their own
            self._pass(partition, error)
            return []
        self._places[partition] = await self._consumer.position(partition)
        messages: list[Message] = found.get(partition, [])
        return messages

    def _first(self, partition: TopicPartition, begin: int) -> int:
        """Return where a partition is read on.

        A place behind its end is of another topic of this name, or the end was lost: all is read
        again then, which changes nothing.
        """
        known = self._of.places.get(partition.partition)
        if known is None or known > self.ends[partition]:
            return begin
        self._places[partition] = known
        return self._behind(partition, begin)

    def _behind(self, partition: TopicPartition, begin: int) -> int:
        """Return the place, or the first offset behind what Kafka deleted before it was read."""
        place = self._places[partition]
        if place < begin:
            _tell("receipts_missing", partition, place, begin)
        return max(place, begin)

    def _pass(self, partition: TopicPartition, error: Exception) -> None:
        """Read again with care; go behind the batch that cannot be read once it comes first."""
        place = self._places[partition]
        if isinstance(error, PollTooLarge) or partition not in self._careful:
            self._careful.add(partition)
        else:
            _, last = getattr(error, "batch", (None, None))
            if last is None:
                raise error
            _tell("receipts_unreadable", partition, place, last + 1, type(error).__name__)
            self._careful.discard(partition)
            place = last + 1
        self._go(partition, place)

    def _go(self, partition: TopicPartition, place: int) -> None:
        self._places[partition] = place
        self._consumer.seek(partition, place)


def _tell(event: str, partition: TopicPartition, first: int, end: int, why: str = "") -> None:
    """Log offsets whose messages say nothing to us; what they answered stays 已报送待回执."""
    place = {"topic": partition.topic, "partition": partition.partition}
    logger.warning(event, extra={**place, "first": first, "end": end, "why": why})
