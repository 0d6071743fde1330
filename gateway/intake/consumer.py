"""aiokafka's consumer, and what it does not do: say what it cannot read, and what is gone.

It reads committed records only. Where the log no longer has the offset that is to be read, aiokafka
would go on at the oldest record and say so at INFO; here `Missing` is told first.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from connectors.shared.kafka_metadata import METADATA_PAUSE, ask_with_pauses
from connectors.shared.kafka_unpacking import PollTooLarge, bound, one_poll
from gateway.check.raw import PORTION_BYTES
from gateway.intake.placed import PlacedConsumer

#: Milliseconds for one fetch of a partition.
FETCH_MS = 2000
#: Polls after one that failed in which each partition is read by itself.
CAREFUL_POLLS = 500
#: Seconds for a commit that may as well be made later.
MARKS_PATIENCE = 2.0
#: Seconds for which a fault counts as present; it comes again every few seconds while it lasts.
FAULT_SECONDS = 30.0
#: What aiokafka says of a member that the broker does not let into the group, and not why.
_REFUSED = "UnknownError"


class Consumer(PlacedConsumer):
    """A member of the group that knows what it cannot read."""

    def __init__(
        self,
        *topics: str,
        unreadable: Callable[[str], None],
        is_written: Callable[[], bool],
        **options: Any,
    ) -> None:
        strict = {"auto_offset_reset": "none", "isolation_level": "read_committed"}
        super().__init__(*topics, **options | strict)
        self._unreadable = unreadable
        self._is_written = is_written
        self._committed: dict[TopicPartition, int] = {}
        self._typical = 2**20  #: bytes of a record in the last poll; of the first one unknown
        self._careful = 0  #: polls in which each partition is read by itself
        self._on_the_way = False  #: whether the last records may not have reached their batch yet
        self._fault: tuple[str, float] | None = None
        self._kept_out: float | None = None
        self.committed_at = 0.0  #: of the monotonic clock; 0 before the first time

    async def start(self) -> None:
        """Join the group; unpack within bounds, and ask for metadata with pauses, from now on."""
        bound()
        await super().start()
        ask_with_pauses(self._client)

    @property
    def fault(self) -> str | None:
        """What could not be read in the last half minute."""
        if self._fault is None or time.monotonic() - self._fault[1] > FAULT_SECONDS:
            return None
        return self._fault[0]

    @property
    def is_kept_out(self) -> bool:
        """Whether this member, which has a name of its own, was refused in the last half minute.

        Once several go by one name, a broker may answer all of them with nothing but an unknown
        error, until one of them ends (Kafka 4.2, one pair in twenty).
        """
        return self._kept_out is not None and time.monotonic() - self._kept_out <= FAULT_SECONDS

    @property
    def ended(self) -> bool:
        """Whether a task of aiokafka that must never end has ended."""
        return self._fetcher is not None and self._fetcher.error_future.done()

    @property
    def named_member(self) -> str:
        """The id that the broker gave this member for its `kafka.instance`; empty without one."""
        return str(self._coordinator.member_id) if self._group_instance_id else ""

    def lag(self) -> int | None:
        """Return the records up to the end of our partitions, as of the last fetch of each.

        None while it is not known. A paused partition is not fetched.
        """
        ends = {partition: self.highwater(partition) for partition in self.assignment()}
        places = [self.place(partition) for partition in ends]
        if not ends or None in places or None in ends.values():
            return None
        return self._left(ends)

    async def measured_lag(self) -> int:
        """Ask the broker for the ends of our partitions; return the records up to them.

        Messages of an open transaction, which cannot be read yet, do not count; nor do those of a
        partition at which a person has to look first.

        Raises:
            KafkaError: no answer in time.
        """
        return self._left(await self.end_offsets(list(self.assignment() - self.halted)))

    def _left(self, ends: Mapping[TopicPartition, int | None]) -> int:
        places = {partition: self.place(partition) for partition in ends}
        return sum(max(0, (end or 0) - (places[one] or 0)) for one, end in ends.items())

    async def getmany(
        self, *partitions: TopicPartition, timeout_ms: int = 0, max_records: int | None = None
    ) -> dict[TopicPartition, list[Any]]:
        """Return fetched records, as aiokafka does; none while a gap is looked at.

        Fewer where they are large: a small message may unpack to many megabytes.

        Raises:
            KafkaError: a partition cannot be read; it is tried again by the next call.
        """
        del partitions  # all that are compared
        self._on_the_way = False
        await self.commit_markers()
        await self._compare()
        ready = sorted(self.assignment() & self._compared)
        if not ready:
            await asyncio.sleep(min(METADATA_PAUSE, timeout_ms / 1000))
            return {}
        bound = max(1, PORTION_BYTES // self._typical)
        max_records = min(max_records or bound, bound)
        if self._careful:
            self._careful -= 1
            return await self._carefully(ready, max_records)
        found = await self._read(ready, max_records, timeout_ms)
        if isinstance(found, Exception):
            await self._looked_after(found)
            return {}
        return self._hand_out(found)

    async def _carefully(
        self, ready: Iterable[TopicPartition], max_records: int
    ) -> dict[TopicPartition, list[Any]]:
        """Read each partition by itself; what stands before an unreadable record is taken.

        Raises:
            KafkaError: as `getmany`, where nothing can be read.
        """
        found: dict[TopicPartition, list[Any]] = {}
        failed: Exception | None = None
        for partition in ready:
            part = await self._read([partition], max_records)
            if isinstance(part, Exception):  # what was fetched is gone, and comes again
                part = await self._read([partition], 1, FETCH_MS)
            if isinstance(part, Exception):
                failed = part
            else:
                found |= part
                self._note_places(part)
        if failed is not None:
            try:
                await self._looked_after(failed)
            except Exception:
                if not found:
                    raise  # else it is noted, and the others go on
        if not found:
            await asyncio.sleep(METADATA_PAUSE)
        return self._hand_out(found)

    async def _read(
        self, partitions: Iterable[TopicPartition], max_records: int, timeout_ms: int = 0
    ) -> dict[TopicPartition, list[Any]] | Exception:
        """Return records of partitions, or why there are none: then all stand as before."""
        try:
            with one_poll():
                found: dict[TopicPartition, list[Any]] = await super().getmany(
                    *partitions, timeout_ms=timeout_ms, max_records=max_records
                )
        except Exception as error:  # noqa: BLE001  codecs raise errors of their own
            await self._back()
            return error
        return found

    def _note_places(self, found: Mapping[TopicPartition, object]) -> None:
        """Note what is handed out, so that a failure elsewhere does not throw it away."""
        places = {partition: self.place(partition) for partition in found}
        self._handed |= {one: place for one, place in places.items() if place is not None}

    def _hand_out(self, found: dict[TopicPartition, list[Any]]) -> dict[TopicPartition, list[Any]]:
        places = {partition: self.place(partition) for partition in self.assignment()}
        self._handed = {one: place for one, place in places.items() if place is not None}
        self._on_the_way = bool(found)
        sizes = [len(one.value or b"") for records in found.values() for one in records]
        self._typical = max(1, sum(sizes) // len(sizes)) if sizes else self._typical
        return found

    async def _back(self) -> None:
        """Read again what a failed fetch had taken of other partitions and thrown away."""
        for partition in self.assignment():
            place = self.place(partition)
            handed = self._handed.get(partition)
            while handed is None and place is not None and partition in self.assignment():
                try:  # nothing was handed out of it yet
                    handed = await self.committed(partition)
                    break
                except KafkaError:
                    await asyncio.sleep(METADATA_PAUSE)
            if handed is not None and place not in {None, handed}:
                self.seek(partition, handed)

    async def _looked_after(self, error: Exception) -> None:
        """Go on behind a gap; raises what cannot be read."""
        if isinstance(error, NoOffsetForPartitionError):
            if await self._settle(error.args[0]):
                await self._begin(error.args[0])
        elif isinstance(error, PollTooLarge):
            self._careful = CAREFUL_POLLS
        elif isinstance(error, OffsetOutOfRangeError):
            await self._go_on_after(error.args[0])
        else:
            if self._group_instance_id and type(error) is KafkaError and _REFUSED in str(error):
                self._kept_out = time.monotonic()
                # As a new member it gets in once the other one has left.
                self._coordinator.reset_generation()
            elif isinstance(error, KafkaError):
                words = f"{type(error).__name__}: {error}{self._stands(error)}"[:400]
                self._fault = words, time.monotonic()
                self._unreadable(words)
            self._careful = CAREFUL_POLLS
            self._compared.clear()  # a person may skip it
            raise error

    def _stands(self, error: KafkaError) -> str:
        """Return in Chinese at which offsets partitions stand that have more to read."""
        ends = {one: self.highwater(one) for one in self.assignment()}
        places = [(one, self.place(one), end) for one, end in sorted(ends.items())]
        unread, last = getattr(error, "batch", (None, 0))
        named = "、".join(
            f"{one.topic} {one.partition} 停在 {place}"
            + (f"，读不出的一批到 {last} 号为止" if one == unread else "")
            for one, place, end in places
            if place is not None and place < (end or 0)
        )
        return f"（{named}）" if named else ""

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit these offsets, and remember them."""
        await super().commit(offsets)
        self._committed.update(offsets)
        self.committed_at = time.monotonic()

    async def commit_markers(self) -> None:
        """Commit the positions behind the marks of transactions, which no record shows.

        Once the broker deleted them, they would look like records that nobody has read. It waits
        until everything that was handed out is written.
        """
        if self._on_the_way or not self._is_written():
            return
        handed = dict(self._handed)  # what is handed out while we wait here is not written yet
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(MARKS_PATIENCE):
                for partition in handed.keys() - self._committed.keys():
                    known = await self.committed(partition)
                    self._committed[partition] = handed[partition] if known is None else known
                behind = {
                    partition: place
                    for partition, place in handed.items()
                    if place > self._committed[partition] and partition in self.assignment()
                }
                if behind:
                    await self.commit(behind)
