"""Where each partition is read on: by what was taken and skipped, not only what is committed."""

import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from connectors.shared.kafka_topic_id import topic_id
from gateway.config.errors import Away
from gateway.intake.places import Missing, Places, ReadOn, Settle
from gateway.store.record.topics import TopicIs

#: Seconds for which the id of a topic is believed.
BELIEVED = 10.0

Ask = Callable[[TopicPartition, int], Awaitable[ReadOn]]


class PlacedConsumer(AIOKafkaConsumer):  # type: ignore[misc]  # aiokafka has no types
    """A member of the group that begins at the right offset, and goes on behind gaps."""

    def __init__(self, *topics: str, settle: Settle, places: Places, **options: Any) -> None:
        super().__init__(*topics, **options)
        self._settle = settle
        self._places = places
        self._handed: dict[TopicPartition, int] = {}  #: offsets behind what was handed out
        self._written: dict[TopicPartition, int] = {}  #: offsets behind the last written records
        self._halted: set[TopicPartition] = set()
        self._compared: set[TopicPartition] = set()  #: partitions of ours whose offset is right
        self._topics: dict[str, tuple[str | None, float]] = {}  #: their ids, and since when

    @property
    def halted(self) -> set[TopicPartition]:
        """Partitions of ours at which a person has to look first; they are paused."""
        return self._halted & set(self.paused())

    def place(self, partition: TopicPartition) -> int | None:
        """Return the offset that is read next; None while it is not known."""
        state = self._subscription.subscription.assignment.state_value(partition)
        return state.position if state is not None and state.has_valid_position else None

    def handed(self, partition: TopicPartition) -> int:
        """Return the offset behind what was handed out of a partition; 0 while it is not known."""
        return self._handed.get(partition, 0)

    def wrote(self, ends: Mapping[TopicPartition, int]) -> None:
        """Note the offsets behind records that the database has now."""
        self._written.update(ends)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Commit these offsets, and beside each the one behind the last record that was written.

        A database that is restored knows neither; between both stand only marks of transactions.
        """
        await super().commit(
            {one: (end, str(self._written.get(one, ""))) for one, end in offsets.items()}
        )

    async def _recall_written(self, partition: TopicPartition) -> None:
        """Recall what the last commit says of the records that were written."""
        found = await self._coordinator.fetch_committed_offsets([partition])
        told = found[partition].metadata if partition in found else ""
        if told.isdecimal():  # a release before, or another program, says nothing
            self._written[partition] = max(int(told), self._written.get(partition, 0))

    async def _compare(self) -> None:
        """Compare the offset of each partition that is new to us with what was taken.

        A database that was restored lacks what Kafka still has: it is read again, and what was
        taken is a repeat. What a person has skipped is not read. Until a partition is compared,
        nothing of it is handed out, since that would hide what is lacking before it. A topic that
        was made again while we read it may have grown beyond our offset already.
        """
        self._compared &= self.assignment()
        for topic in {one.topic for one in self._compared}:
            id_, asked = self._topics.get(topic, (None, 0.0))
            if id_ is not None and time.monotonic() - asked > BELIEVED:
                self._topics[topic] = id_, time.monotonic()
                with suppress(KafkaError):
                    await self._id_of(topic)
        for partition in self.assignment() - self._compared:
            with suppress(Away, KafkaError):  # compared by a later call
                await self._compare_one(partition)

    async def _id_of(self, topic: str) -> str | None:
        """Ask for the id of a topic; None where there is none.

        With another id than before, all partitions of the topic are compared again.

        Raises:
            KafkaError: no answer.
        """
        found = await topic_id(self._client, topic)
        known, _ = self._topics.get(topic, (None, 0.0))
        # Of one that is just being made again there is none; what it was is compared later.
        self._topics[topic] = known if found is None else found, time.monotonic()
        if found is not None and known not in {None, found}:
            self._compared = {one for one in self._compared if one.topic != topic}
        return found

    async def _compare_one(self, partition: TopicPartition) -> None:
        found = await self._places.compare_topic(partition, await self._id_of(partition.topic))
        if found is TopicIs.ANOTHER and self.place(partition) is not None:
            if await self._settle(partition):
                await self._read_anew(partition)
            return
        committed = await self.committed(partition)
        if committed is None:
            await self._pass_skipped(partition)
            self._compared.add(partition)
            return
        await self._recall_written(partition)
        ask = partial(self._places.right_place, written=self._written.get(partition, 0))
        place, back = await self._within_log(ask, partition, committed)
        if self.place(partition) is None:  # before, aiokafka would undo the seek
            return
        place = await self._go_to(partition, place, committed)
        if back:  # once it is committed, so that a crash forgets nothing
            await self.commit({partition: place})
            await self._places.went_back(partition, place)
        self._compared.add(partition)

    async def _go_to(self, partition: TopicPartition, place: int, committed: int) -> int:
        """Read on at the right place, where it is not the committed offset; return it."""
        missing = None
        if place != committed:
            first = (await self.beginning_offsets([partition]))[partition]
            if place < committed:  # marks of transactions may be gone from there
                lost = min(first, self._written.get(partition, 0))
                missing = Missing(partition, place, lost) if place < lost else None
                place = min(max(place, first), committed)
            elif committed < first:  # deleted, and not skipped: `tell` says what to do
                place = committed
        if missing is not None:
            await self._seek(partition, place, missing)
        elif place != committed:
            self.seek(partition, place)
            self._handed[partition] = place
        return place

    async def _read_anew(self, partition: TopicPartition) -> None:
        """Read a topic that was made again from its start; it is compared by a later call."""
        self._written.pop(partition, None)
        self._compared.discard(partition)
        first = (await self.beginning_offsets([partition]))[partition]
        id_, _ = self._topics.get(partition.topic, (None, 0.0))
        old = Missing(partition, self.place(partition) or 0, first, anew=True, topic_id=id_)
        await self._seek(partition, first, old)

    async def _pass_skipped(self, partition: TopicPartition) -> None:
        """Go behind what was skipped where nothing is committed yet."""
        begun = self.place(partition)
        if begun is None:  # aiokafka asks where to begin
            return
        place, _ = await self._within_log(self._behind_skipped, partition, begun)
        if place != begun:
            self.seek(partition, place)
            self._handed[partition] = place

    async def _behind_skipped(self, partition: TopicPartition, place: int) -> ReadOn:
        return ReadOn(await self._places.behind_skipped(partition, place))

    async def _within_log(self, ask: Ask, partition: TopicPartition, place: int) -> ReadOn:
        """Ask where to read on in place of an offset.

        What was skipped beyond the end of the log is set aside: it would hide what comes there, and
        an offset that is not there yet looks like a topic that was made again.
        """
        found = await ask(partition, place)
        if found.place > place:
            end = (await self.end_offsets([partition]))[partition]
            if found.place > end:
                await self._places.set_aside(partition, end)
                found = await ask(partition, place)
        return found

    async def _begin(self, partition: TopicPartition) -> None:
        """Find where to begin without a committed offset: of a new group, or one long idle."""
        self._written.pop(partition, None)
        try:
            topic = await self._places.compare_topic(partition, await self._id_of(partition.topic))
        except Away:
            return  # the next poll asks again
        first = (await self.beginning_offsets([partition]))[partition]
        last = await self._places.after_last_taken(partition)
        if topic is TopicIs.ANOTHER:
            await self._read_anew(partition)
        elif last is None or (topic is TopicIs.SAME and last >= first):
            place, _ = await self._within_log(self._behind_skipped, partition, first)
            await self._seek(partition, place, None, new=last is None)
        elif last < first:
            await self._seek(partition, first, Missing(partition, last, first))
        else:  # perhaps the topic was made again meanwhile
            await self._places.begins_anew(partition, None)
            await self._seek(partition, first, None)

    async def _go_on_after(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Go on where the log begins now, in place of offsets that it does not have any more."""
        for partition, offset in offsets.items():
            if await self._settle(partition):
                first = (await self.beginning_offsets([partition]))[partition]
                if offset > first:  # of another topic
                    await self._id_of(partition.topic)
                    await self._read_anew(partition)
                else:
                    await self._seek(partition, first, Missing(partition, offset, first))

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
        if partition not in self.assignment():
            return
        goes_on = missing is None or await self._places.tell(missing)
        was_halted = partition in self._halted  # perhaps by an earlier assignment
        self._halted.discard(partition)
        if partition not in self.assignment():
            return  # lost while we looked
        if not goes_on:
            self._halted.add(partition)
            self.pause(partition)
            return
        self.seek(partition, offset)
        self._handed[partition] = offset
        if was_halted:
            self.resume(partition)
        if not new:
            with suppress(KafkaError):
                await self.commit({partition: offset})
