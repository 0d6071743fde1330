"""Take a file as the whole list 名单 of its kind: what it does not have any more is withdrawn."""

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

import orjson

from gateway.check.checked import Checked
from gateway.check.raw import Raw, portion
from gateway.config.keys import Keys
from gateway.intake.files.reading import BATCH, Reading, batches
from gateway.intake.files.taking import Each, Taken, take
from gateway.intake.files.tally import FileTally
from gateway.intake.files.unreadable import UnreadableFile
from gateway.pipeline import Pipeline
from gateway.store.base import leases
from gateway.store.base.installation import know
from gateway.store.base.statements import Ids
from gateway.store.record import list_editions
from gateway.store.record.list_editions import AbsentEntry, Edition, ListedKey
from schemas.codes import RecordKind, Verb
from schemas.kinds import KINDS
from schemas.verdict import Verdict

#: For so long nobody else takes the same list; it is renewed at each batch.
_LEASE = timedelta(minutes=10)


class EditionRefused(Exception):
    """The file is not taken as a list; the message says why in Chinese. Nothing has changed."""


class AskedEdition(NamedTuple):
    """An edition by name, who takes it, and the name of its file."""

    name: str
    by: str
    file: str | None


@dataclass(frozen=True, slots=True)
class TakenEdition:
    """What became of the file, and of the list; without an edition nothing was withdrawn.

    `stopped` says in Chinese what of the list is not as the file has it.
    """

    taken: Taken
    edition: Edition | None
    stopped: str = ""


def edition_of(asked: AskedEdition) -> str:
    """Return what tells one taking of a file from another: the same file may be right again."""
    return f"#{asked.name[:60]} {secrets.token_hex(8)}"


def edition_words(one: Edition) -> str:
    """Return what became of a list, for a person."""
    return f"{one.name}：{one.entries} 条，新增 {one.added}，移出 {one.removed}"


async def take_edition(
    pipeline: Pipeline, keys: Keys, reading: Reading, each: Each, asked: AskedEdition
) -> TakenEdition:
    """Take a file as a whole, then withdraw the entries of its authority that it does not have.

    Nothing is taken unless every row is without problems, since one that is not read would be
    withdrawn. Taken again after it was cut off, it goes on.

    Raises:
        EditionRefused: it is no list of one kind and one authority, or somebody takes it now.
        DatabaseAway: take the file again.
    """
    listed = _Listed()
    try:
        async for batch in batches(reading):
            listed.add(await pipeline.check(batch))
    except UnreadableFile as error:
        return TakenEdition(Taken(reading, FileTally(()), str(error), whole=True), None)
    taking = _Taking(pipeline, keys, listed.kind(), asked)
    await taking.begin()
    try:
        taken = await take(pipeline, reading, each, whole=True, name=asked.file)
        if taken.stopped:
            return TakenEdition(taken, None)
        if refused := taken.tally.verdicts[Verdict.REFUSED]:
            why = f"{refused} 条没有记下（见 quarantine list），所以没有移出任何一条"
            why += "；处理后再整份接收"
            return TakenEdition(taken, None, why)
        return await taking.withdraw(taken, listed.keys, reading.origin)
    finally:
        await taking.end()


class _Listed:
    """What a file has: the keys of its entries."""

    def __init__(self) -> None:
        self.keys: set[ListedKey] = set()
        self._kinds: set[RecordKind | None] = set()

    def add(self, checked: Sequence[Checked]) -> None:
        for one in checked:
            self._kinds.add(one.kind)
            if one.key is not None and one.verb is not Verb.WITHDRAW:
                self.keys.add(ListedKey(one.key.number, one.key.authority, one.key.subject))

    def kind(self) -> RecordKind:
        """Return the kind of the list; raises EditionRefused if the file is none."""
        [kind] = self._kinds if len(self._kinds) == 1 else [None]
        if kind is None or not KINDS[kind].whole_list:
            lists = "、".join(one.title for one in KINDS.values() if one.whole_list)
            raise EditionRefused(f"文件不是一种名单（whole_list）；名单有：{lists or '无'}")
        authorities = sorted({one.authority for one in self.keys})
        if len(authorities) > 1:
            shown = "、".join(authorities[:5])
            raise EditionRefused(
                f"文件里有 {len(authorities)} 个机关（{shown}）：整份名单一个机关一份文件，"
                "否则少写的会当作移出"
            )
        return kind


class _Taking:
    """The taking of one edition, alone of its kind."""

    def __init__(
        self, pipeline: Pipeline, keys: Keys, kind: RecordKind, asked: AskedEdition
    ) -> None:
        self.pipeline = pipeline
        self.keys = keys
        self.kind = kind
        self.asked = asked
        self.begun = pipeline.clock()
        self._lease = f"edition {kind}"
        self._owner = secrets.token_hex(8)
        self._mark = 0  #: what is recorded from now on has higher ids, whatever the clocks say

    async def begin(self) -> None:
        async with self.pipeline.database.transaction() as connection:
            if not await leases.claim(connection, self._lease, self._owner, _LEASE):
                title = KINDS[self.kind].title
                raise EditionRefused(f"{title}正在由别人整份接收；等他做完再来")
            self._mark = (await Ids.reserve(connection, 1)).take()

    async def end(self) -> None:
        async with self.pipeline.database.transaction() as connection:
            await leases.release(connection, self._lease, self._owner)

    async def withdraw(self, taken: Taken, listed: set[ListedKey], origin: str) -> TakenEdition:
        """Withdraw what the list has no more, and note the edition."""
        async with self.pipeline.database.transaction() as connection:
            gone = await list_editions.absent(connection, self.kind, listed, self._mark)
            await know(connection, self.keys, {one.key_version for one in gone})
        rows, removed = self._withdrawals(gone, f"edition:{origin}"), 0
        while batch := portion(rows, BATCH):
            results = await self.pipeline.process(batch)
            removed += sum(one.verdict is not Verdict.REFUSED for one in results)
            async with self.pipeline.database.transaction() as connection:
                await leases.renew(connection, self._lease, self._owner, _LEASE)
        async with self.pipeline.database.transaction() as connection:
            added = await list_editions.added(connection, self.kind, listed, self._mark)
            held = await list_editions.held_back(connection, [one.id for one in gone])
            asked = self.asked
            edition = Edition(asked.name, self.begun, asked.by, len(listed), added, removed)
            await list_editions.note(connection, self.kind, origin, edition)
        return TakenEdition(taken, edition, _left(len(gone) - removed, held))

    def _withdrawals(self, gone: Sequence[AbsentEntry], origin: str) -> Iterator[Raw]:
        for one in gone:
            plain = b"{}"
            if one.secret is not None:
                plain = self.keys.decrypt(one.secret, one.key_version)
            row = {**one.body, **orjson.loads(plain), "verb": Verb.WITHDRAW}
            yield Raw(origin, one.id, orjson.dumps(row), self.kind)


def _left(refused: int, held: int) -> str:
    """Return in Chinese what was to be removed and is still shown."""
    parts = []
    if refused:
        parts.append(f"{refused} 条应移出的没能撤回，见 quarantine list")
    if held:
        parts.append(f"{held} 条的撤回超过平日，等人确认后才报送，见 doctor")
    return "；".join(parts)
