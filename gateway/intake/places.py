"""What the consumer asks of others: what is missing of a partition, and where to read on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from aiokafka import TopicPartition

from gateway.store.record.topics import TopicIs


@dataclass(frozen=True, slots=True)
class Missing:
    """Offsets of a partition that nobody can read any more: from `first` up to, without, `end`.

    With `anew` the topic was made again, and is read from its start; `topic_id` is what it is now.
    """

    partition: TopicPartition
    first: int
    end: int
    anew: bool = False
    topic_id: str | None = None


class ReadOn(NamedTuple):
    """Where to read on; `back` where a person took back what was skipped there."""

    place: int
    back: bool = False


#: Wait until what was read of a partition is written: a restart would not read it again once we
#: went on elsewhere. False if that failed.
Settle = Callable[[TopicPartition], Awaitable[bool]]


class Places(Protocol):
    """What the consumer asks of the database."""

    async def compare_topic(self, partition: TopicPartition, topic_id: str | None) -> TopicIs:
        """Compare the id that the broker gives a topic with what was taken of it; raises Away."""

    async def tell(self, found: Missing) -> bool:
        """Note what is missing; return whether to go on behind it."""

    async def begins_anew(self, partition: TopicPartition, topic_id: str | None) -> None:
        """Let nothing count that was taken or missing so far: other messages stand there now."""

    async def after_last_taken(self, partition: TopicPartition) -> int | None:
        """Return the offset after the last one that was ever taken; None if none is known."""

    async def right_place(self, partition: TopicPartition, committed: int, written: int) -> ReadOn:
        """Return where to read on in place of a committed offset; raises Away."""

    async def went_back(self, partition: TopicPartition, place: int) -> None:
        """Note that what a person took back is read now, from a place on; raises Away."""

    async def behind_skipped(self, partition: TopicPartition, place: int) -> int:
        """Return the first offset from a place on that is not missing."""

    async def set_aside(self, partition: TopicPartition, end: int) -> None:
        """Let nothing be gone behind that reaches beyond the end of the log; raises Away."""
