"""What the consumer asks of others: what is missing of a partition, and where to read on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiokafka import TopicPartition


@dataclass(frozen=True, slots=True)
class Missing:
    """Offsets of a partition that nobody can read any more: from `first` up to, without, `end`.

    With `anew` the log ends before `first`: the topic was made again, and is read from its start.
    """

    partition: TopicPartition
    first: int
    end: int
    anew: bool = False


#: Note what is missing; return whether to go on behind it.
Tell = Callable[[Missing], Awaitable[bool]]
#: Wait until what was read of a partition is written: a restart would not read it again once we
#: went on elsewhere. False if that failed.
Settle = Callable[[TopicPartition], Awaitable[bool]]
#: The offset after the last record that was ever taken from a partition; None if none was.
LastTaken = Callable[[TopicPartition], Awaitable[int | None]]
#: Where to read on in place of a committed offset: before it where the database lacks what was
#: taken, behind it where a person has skipped what stands there. Raises Away.
RightPlace = Callable[[TopicPartition, int], Awaitable[int]]
