"""aiokafka's consumer, and what it does not do: say what it cannot read, and what is gone.

It reads committed records only. Where the log no longer has the offset that is to be read, aiokafka
would go on at the oldest record and say so at INFO; here `Missing` is told first.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError

from gateway.check.raw import PORTION_BYTES
from gateway.config.errors import Away
from gateway.intake.metadata import METADATA_PAUSE, ask_with_pauses
from gateway.intake.places import LastTaken, Missing, RightPlace, Settle, Tell
from gateway.intake.unpacking import PollTooLarge, begin_poll, bound

#: Milliseconds for one fetch of a partition.
FETCH_MS = 2000
#: Polls after one that failed in which each partition is read by itself.
CAREFUL_POLLS = 500
#: Seconds for a commit that may as well be made later.
MARKS_PATIENCE = 2.0
#: Seconds for which a fault counts as present; it comes again every few seconds while it lasts.
FAULT_SECONDS = 30.0


class Consumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """A member of the group that knows what it cannot read."""

    def __init__(
        self,
        *topics: str,
        settle: Settle,
        tell: Tell,
        last_taken: LastTaken,
        unreadable: Callable[[KafkaError], None],
        right_place: RightPlace,
        is_written: Callable[[], bool],
        **options: Any,
    ) -> None:
        strict = {"auto_offset_reset": "none", "isolation_level": "read_committed"}
        super().__init__(*topics, **options | strict)
        self._settle = settle
        self._tell = tell
        self._last_taken = last_taken
        self._unreadable = unreadable
        self._right_place = right_place
        self._is_written = is_written
        self._committed: dict[TopicPartition, int] = {}
        self._handed: dict[TopicPartition, int] = {}  #: offsets behind what was handed out
        self._typical = 2**20  #: bytes of a record in the last poll; of the first one unknown
        self._careful = 0  #: polls in which each partition is read by itself
        self._on_the_way = False  #: whether the last records may not have reached their batch yet
        self._fault: tuple[str, float] | None = None
        self.committed_at = 0.0  #: of the monotonic clock; 0 before the first time
        self._halted: set[TopicPartition] = set()
        self._compared: set[TopicPartition] = set()  #: partitions of ours whose offset is right

    async def start(self) -> None:
        """Join the group; unpack within bounds, and ask for metadata with pauses, from now on."""
        bound()
        await super().start()
        ask_with_pauses(self._client)

    @property
    def halted(self) -> set[TopicPartition]:
        """Partitions of ours at which a person has to look first; they are paused."""
        return self._halted & set(self.paused())

    @property
    def fault(self) -> str | None:
        """What could not be read in the last half minute."""
        if self._fault is None or time.monotonic() - self._fault[1] > FAULT_SECONDS:
            return None
        return self._fault[0]

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

    def place(self, partition: TopicPartition) -> int | None:
        """Return the offset that is read next; None while it is not known."""
        state = self._subscription.subscription.assignment.state_value(partition)
        return state.position if state is not None and state.has_valid_position else None

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
        begin_poll()
        try:
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

    async def _compare(self) -> None:
        """Compare the offset of each partition that is new to us with what was taken.

        A database that was restored lacks what Kafka still has: it is read again, and what was
        taken is a repeat. What a person has skipped is not read. Until a partition is compared,
        nothing of it is handed out, since that would hide what is lacking before it.
        """
        self._compared &= self.assignment()
        for partition in self.assignment() - self._compared:
            with suppress(Away, KafkaError):  # compared by a later call
                committed = await self.committed(partition)
                if committed is None:  # aiokafka asks where to begin
                    self._compared.add(partition)
                    continue
                place = await self._right_place(partition, committed)
                if self.place(partition) is None:  # before, aiokafka would undo the seek
                    continue
                if place != committed:
                    first = (await self.beginning_offsets([partition]))[partition]
                    if place < committed:  # marks of transactions may be gone from there
                        place = min(max(place, first), committed)
                    elif committed < first:  # deleted, and not skipped: `tell` says what to do
                        place = committed
                self._compared.add(partition)
                if place != committed:
                    self.seek(partition, place)
                    self._handed[partition] = place

    def handed(self, partition: TopicPartition) -> int:
        """Return the offset behind what was handed out of a partition; 0 while it is not known."""
        return self._handed.get(partition, 0)

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
            for partition, offset in error.args[0].items():
                if await self._settle(partition):
                    await self._go_on_after(partition, offset)
        else:
            if isinstance(error, KafkaError):
                words = f"{type(error).__name__}: {error}{self._stands()}"
                self._fault = words[:400], time.monotonic()
                self._unreadable(error)
            self._careful = CAREFUL_POLLS
            self._compared.clear()  # a person may skip it
            raise error

    def _stands(self) -> str:
        """Return in Chinese at which offsets partitions stand that have more to read."""
        ends = {one: self.highwater(one) for one in self.assignment()}
        places = [(one, self.place(one), end) for one, end in sorted(ends.items())]
        named = "、".join(
            f"{one.topic} {one.partition} 停在 {place}"
            for one, place, end in places
            if place is not None and place < (end or 0)
        )
        return f"（{named}）" if named else ""

    async def commit(self, offsets: dict[TopicPartition, int] | None = None) -> None:
        """Commit these offsets, and remember them."""
        await super().commit(offsets)
        self._committed.update(offsets or {})
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

    async def _begin(self, partition: TopicPartition) -> None:
        """Find where to begin without a committed offset: of a new group, or one long idle."""
        first = (await self.beginning_offsets([partition]))[partition]
        last = await self._last_taken(partition)
        missing = Missing(partition, last, first) if last is not None and last < first else None
        await self._seek(partition, first, missing, new=last is None)

    async def _go_on_after(self, partition: TopicPartition, offset: int) -> None:
        first = (await self.beginning_offsets([partition]))[partition]
        await self._seek(partition, first, Missing(partition, offset, first, offset > first))

    async def _seek(
        self,
        partition: TopicPartition,
        offset: int,
        missing: Missing | None,
        *,
        new: bool = False,
    ) -> None:
        """Tell what is missing, then read on at an offset and commit it: it is told once only.

        A last batch of a topic that was made again has committed an offset of the old one. Of a
        `new` partition nothing was ever committed.
        """
        goes_on = missing is None or await self._tell(missing)
        self._halted.discard(partition)  # as of an earlier assignment
        if partition not in self.assignment():
            return  # lost while we looked
        if not goes_on:
            self._halted.add(partition)
            self.pause(partition)
            return
        self.seek(partition, offset)
        self._handed[partition] = offset
        if not new:
            with suppress(KafkaError):
                await self.commit({partition: offset})
