"""Read the rows of a source register 案件登记: a file, a database or a topic.

A row needs no more than a document number; what cannot be read of it is left out, and rows without
a number are counted and told.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

import orjson

from gateway.check.normalise import Candidate, Normalising
from gateway.check.raw import Raw
from gateway.check.rows import read_row
from gateway.check.verbs import own_columns, register_verb
from gateway.intake.files.reading import BATCH, Reading, batches
from gateway.intake.files.unreadable import UnreadableFile
from gateway.intake.whole_topic import TopicUnread, whole_topic
from gateway.reconcile.pairs import Shown
from gateway.reconcile.register import RegisterUnread
from gateway.store.base.other_database import OtherDatabaseAway, query_rows
from schemas.codes import RecordKind, Verb
from schemas.column_names import standard_names
from schemas.faults import of_system
from schemas.kinds import KINDS
from schemas.register import Register

_Place = tuple[int, int]  #: partition and offset
#: Rows without a number whose places are told.
MOST_TOLD = 5
#: Columns that are looked at.
MOST_COLUMNS = 100
#: In JSON: what cannot be stored, unless it is a part of what can, which is the first group.
_UNSTORABLE = re.compile(
    rb"\\\\(?=u0000)|(\\[^u]|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)|\x00|\\u0000|\\u[dD][89a-fA-F].."
)


@dataclass(slots=True)
class Unread:
    """What of a register is not read.

    Rows without a document number: how many, and where the first ones are; and the columns that are
    no standard ones, with the titles that they mean most likely.
    """

    count: int = 0
    places: list[str] = field(default_factory=list)
    columns: dict[str, str | None] = field(default_factory=dict)

    def know(self, kind: RecordKind, names: Iterable[str]) -> None:
        """Note columns of a row that are not known."""
        for name in names:
            if name not in self.columns and len(self.columns) < MOST_COLUMNS:
                self.columns[name] = standard_names().nearest(kind, name)

    @property
    def meant(self) -> dict[str, str]:
        """The columns that are most likely others, with the titles of those."""
        return {name: title for name, title in self.columns.items() if title is not None}

    def add(self, place: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.places) < MOST_TOLD:
            self.places.append(place)


class RegisterRows:
    """How the rows of a register become rows to compare; `unread` are those that do not."""

    def __init__(self, normalise: Normalising, placeholders: frozenset[str], now: datetime) -> None:
        self.normalise = normalise
        self.placeholders = placeholders
        self.now = now
        self.unread = Unread()

    async def read(self, items: Iterable[tuple[Raw, str]]) -> Sequence[Shown]:
        """Return the rows of a slice of items with their places, read in a thread."""
        return await asyncio.to_thread(lambda: [row for one in items for row in self.shown(*one)])

    def shown(self, raw: Raw, place: str) -> Iterator[Shown]:
        """Yield the row of an item; nothing for one of no reported kind."""
        candidate = self.normalise(raw)
        if not isinstance(candidate, Candidate):
            # One character that nobody sees must not make a decision missing.
            candidate = self.normalise(raw._replace(body=_storable(raw.body or b"")))
        if not isinstance(candidate, Candidate):
            self.unread.add(place)
            return
        if candidate.kind not in KINDS.reported:
            return
        values, _, unknown = read_row(candidate.kind, candidate.row, self.placeholders)
        if unknown:
            self.unread.know(candidate.kind, unknown)
        verb = register_verb(own_columns(candidate.row, unknown), self.placeholders)
        number = KINDS[candidate.kind].number_of(values)
        if not number:
            if verb is not Verb.WITHDRAW:
                self.unread.add(place)
            return
        code = str(values.get("credit_code") or values.get("identity_number") or "")
        plain = {name: _text(value) for name, value in candidate.row.items() if _is_plain(value)}
        yield Shown(candidate.kind, number, code, plain, self.now, verb)


def _storable(body: bytes) -> bytes:
    return _UNSTORABLE.sub(lambda found: found[1] or b"", body)


def _is_plain(value: Any) -> bool:
    return isinstance(value, str | int | float | Decimal | list) and not isinstance(value, bool)


def _text(value: Any) -> str:
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


async def of_file(rows: RegisterRows, reading: Reading) -> AsyncIterator[Sequence[Shown]]:
    """Yield the rows of a file in batches.

    Raises:
        RegisterUnread: there is no such file, or it cannot be read to its end.
    """
    try:
        async for part in batches(reading):
            yield await rows.read((raw, reading.place(raw)) for raw in part)
    except UnreadableFile as error:
        raise RegisterUnread(str(error)) from error
    except OSError as error:
        raise RegisterUnread(f"读不出来：{of_system(error)}") from error


async def of_query(
    rows: RegisterRows, register: Register, first: date, end: date
) -> AsyncIterator[Sequence[Shown]]:
    """Yield the rows of a query in batches.

    Raises:
        RegisterUnread: the database does not answer, or refuses the query.
    """
    if register.sql is None:
        raise ValueError(register.name)
    span = {"first": first, "end": end}
    before = 0
    try:
        async for part in query_rows(
            register.sql.url.get_secret_value(), register.sql.query, span, BATCH
        ):
            yield await rows.read(_of_query(register, part, before))
            before += len(part)
    except OtherDatabaseAway as error:
        raise RegisterUnread(str(error)) from error


def _of_query(
    register: Register, part: Sequence[Mapping[str, Any]], before: int
) -> Iterator[tuple[Raw, str]]:
    for number, row in enumerate(part, before + 1):
        yield Raw(register.name, number, _body(row), register.kind), f"第{number}行"


def _body(row: Mapping[str, Any]) -> bytes:
    given = {name: value for name, value in row.items() if value is not None}
    try:
        return orjson.dumps(given, default=str)
    except TypeError:  # half a character, or a number of more than 64 bits
        return json.dumps(given, default=str).encode()


async def of_topic(
    rows: RegisterRows, register: Register, bootstrap: str, options: Mapping[str, Any]
) -> AsyncIterator[Sequence[Shown]]:
    """Yield the last row of each message key of a topic in batches, as it stands now.

    A register may write a row anew under the same key, or delete it by an empty message; messages
    without a key stand each for themselves. Until the topic has been read, the bytes of those that
    count are held in memory.

    Raises:
        RegisterUnread: the cluster does not answer, or has no such topic.
    """
    if register.topic is None:
        raise ValueError(register.name)
    last: dict[bytes | _Place, tuple[_Place, bytes]] = {}
    try:
        async for record in whole_topic(bootstrap, register.topic, options):
            place = record.partition, record.offset
            key = place if record.key is None else record.key
            last.pop(key, None)
            if record.value is not None:
                last[key] = place, record.value
    except TopicUnread as error:
        raise RegisterUnread(str(error)) from error
    kept = _of_topic(register, last)
    while part := list(islice(kept, BATCH)):
        yield await rows.read(part)


def _of_topic(
    register: Register, last: dict[bytes | _Place, tuple[_Place, bytes]]
) -> Iterator[tuple[Raw, str]]:
    """Yield the messages, and forget each."""
    for key in list(last):
        (partition, offset), value = last.pop(key)
        origin = f"{register.topic} 分区{partition}"
        yield Raw(origin, offset, value, register.kind), f"{origin} 偏移{offset}"
