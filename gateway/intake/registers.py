"""Read the rows of a source register 案件登记: a file, a database or a topic.

A row needs no more than a document number; what cannot be read of it is left out, and rows without
a number are counted and told.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import orjson

from gateway.check.normalise import Candidate, Normalising
from gateway.check.raw import Raw
from gateway.check.rows import read_row
from gateway.intake.files.reading import Reading, batches
from gateway.intake.files.unreadable import UnreadableFile
from gateway.intake.whole_topic import TopicUnread, whole_topic
from gateway.reconcile.pairing import Shown
from gateway.reconcile.register import RegisterUnread
from gateway.store.base.other_database import OtherDatabaseAway, query_rows
from schemas.faults import of_system
from schemas.kinds import REPORTED_KINDS
from schemas.register import Register

BATCH = 1000
#: Rows without a number whose places are told.
MOST_TOLD = 5


@dataclass(slots=True)
class Unread:
    """Rows of a register without a document number: how many, and where the first ones are."""

    count: int = 0
    places: list[str] = field(default_factory=list)

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

    def shown(self, raw: Raw, place: str) -> Iterator[Shown]:
        """Yield the row of an item; nothing for one that is no decision of the reported kinds."""
        candidate = self.normalise(raw)
        if not isinstance(candidate, Candidate):
            self.unread.add(place)
            return
        if candidate.kind not in REPORTED_KINDS:
            return
        values = read_row(candidate.kind, candidate.row, self.placeholders).values
        number = values.get("document_number")
        if not number:
            self.unread.add(place)
            return
        code = str(values.get("credit_code") or values.get("identity_number") or "")
        plain = {name: _text(value) for name, value in candidate.row.items() if _is_plain(value)}
        yield Shown(candidate.kind.value, str(number), code, plain, self.now)


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
            yield [one for raw in part for one in rows.shown(raw, reading.place(raw))]
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
    number = 0
    try:
        async for part in query_rows(
            register.sql.url.get_secret_value(), register.sql.query, span, BATCH
        ):
            found: list[Shown] = []
            for number, row in enumerate(part, number + 1):  # noqa: B020  counted on
                raw = Raw(register.name, number, _body(row), register.kind)
                found += rows.shown(raw, f"第{number}行")
            yield found
    except OtherDatabaseAway as error:
        raise RegisterUnread(str(error)) from error


def _body(row: Mapping[str, Any]) -> bytes:
    return orjson.dumps(
        {name: value for name, value in row.items() if value is not None}, default=str
    )


async def of_topic(
    rows: RegisterRows, register: Register, bootstrap: str, options: Mapping[str, Any]
) -> Sequence[Shown]:
    """Return the last row of each message key of a topic, as it stands now.

    A register may write a row anew under the same key, or delete it by an empty message; messages
    without a key stand each for themselves.

    Raises:
        RegisterUnread: the cluster does not answer, or has no such topic.
    """
    if register.topic is None:
        raise ValueError(register.name)
    last: dict[bytes | tuple[int, int], Raw] = {}
    try:
        async for record in whole_topic(bootstrap, register.topic, options):
            place = record.partition, record.offset
            key = place if record.key is None else record.key
            last.pop(key, None)
            if record.value is not None:
                origin = f"{register.topic} 分区{record.partition}"
                last[key] = Raw(origin, record.offset, record.value, register.kind)
    except TopicUnread as error:
        raise RegisterUnread(str(error)) from error
    kept = last.values()
    return [one for raw in kept for one in rows.shown(raw, f"{raw.origin} 偏移{raw.position}")]
