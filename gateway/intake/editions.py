"""Take a file as the whole list 名单 of its kind: what it does not have any more is withdrawn."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from gateway.check.checked import Checked
from gateway.check.raw import Raw, portion
from gateway.config.keys import Keys
from gateway.intake.files.reading import BATCH, Reading
from gateway.intake.files.taking import Each, Taken, take
from gateway.pipeline import Pipeline
from gateway.record.result import Result
from gateway.store.base.installation import know
from gateway.store.record import list_editions
from gateway.store.record.list_editions import AbsentEntry, Edition, ListedKey
from schemas.codes import RecordKind, Verb
from schemas.kinds import KINDS


@dataclass(frozen=True, slots=True)
class TakenEdition:
    """What became of the file, and of the list; without an edition nothing was withdrawn.

    `stopped` then says why, where the file itself was taken.
    """

    taken: Taken
    edition: Edition | None
    stopped: str = ""


class AskedEdition(NamedTuple):
    """An edition by name, who takes it, and the name of its file."""

    name: str
    by: str
    file: str | None


def edition_words(one: Edition) -> str:
    """Return what became of a list, for a person."""
    return f"{one.name}：{one.entries} 条，新增 {one.added}，移出 {one.removed}"


async def take_edition(
    pipeline: Pipeline, keys: Keys, reading: Reading, each: Each, asked: AskedEdition
) -> TakenEdition:
    """Take a file as a whole, then withdraw the entries of its authorities that it does not have.

    Nothing is taken unless every row is without problems, since one that is not read would be
    withdrawn. Taken again after it was cut off, it goes on.

    Raises:
        DatabaseAway: take the file again.
    """
    begun = pipeline.clock()
    listed: set[ListedKey] = set()
    kinds: set[RecordKind | None] = set()

    def seen(place: str, checked: Checked, result: Result | None) -> None:
        kinds.add(checked.kind)
        if checked.key is not None and checked.verb is not Verb.WITHDRAW:
            listed.add(ListedKey(checked.key.number, checked.key.authority, checked.key.subject))
        each(place, checked, result)

    taken = await take(pipeline, reading, seen, whole=True, name=asked.file)
    if taken.stopped:
        return TakenEdition(taken, None)
    [kind] = kinds if len(kinds) == 1 else [None]
    if kind is None or not KINDS[kind].whole_list:
        lists = "、".join(one.title for one in KINDS.values() if one.whole_list)
        why = f"文件不是同一种名单（whole_list）；名单有：{lists or '无'}"
        return TakenEdition(taken, None, f"各条已接收，没有移出任何一条：{why}")
    async with pipeline.database.transaction() as connection:
        gone = await list_editions.absent(connection, kind, listed, begun)
        await know(connection, keys, {one.key_version for one in gone})
    origin = f"edition:{kind}/{reading.origin}"
    withdrawals = _withdrawals(gone, keys, origin, kind)
    while batch := portion(withdrawals, BATCH):
        await pipeline.process(batch)
    async with pipeline.database.transaction() as connection:
        added = await list_editions.added(connection, kind, begun)
        edition = Edition(asked.name, begun, asked.by, len(listed), added, len(gone))
        await list_editions.note(connection, kind, origin, edition)
    return TakenEdition(taken, edition)


def _withdrawals(
    gone: list[AbsentEntry], keys: Keys, origin: str, kind: RecordKind
) -> Iterator[Raw]:
    for one in gone:
        secret = b"{}" if one.secret is None else keys.decrypt(one.secret, one.key_version)
        row = {**one.body, **orjson.loads(secret), "verb": Verb.WITHDRAW}
        yield Raw(origin, one.id, orjson.dumps(row), kind)
