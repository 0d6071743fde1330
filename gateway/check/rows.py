"""The columns of one kind of decision made ready to read rows by the thousand (pure)."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from gateway.check.values import Read, read
from schemas.codes import RecordKind
from schemas.columns import Column, ColumnType, columns_of
from schemas.problem import Problem
from schemas.record import RECORD_KINDS

#: Columns of ours beside the standard's.
OWN_COLUMNS = frozenset({"kind", "verb", "填报问题", "修改办法"})
#: Different texts of a column that are remembered: dates, kinds, and the credit codes of all
#: companies that a province's bureaus look after.
MEMORY = 16_384
#: Characters up to which a text is remembered: more is no code, and a shifted column full of it
#: would stay in memory for good.
LONGEST = 64
#: Texts of these come once, or must not be kept.
_FORGOTTEN = frozenset({ColumnType.TEXT, ColumnType.IDENTITY})


class RowRead(NamedTuple):
    """A row: typed values by field name, problems in the national order, columns nobody knows."""

    values: dict[str, Any]
    problems: list[Problem]
    unknown: dict[str, Any] | None


class _Place(NamedTuple):
    """A column on the sheet: where it stands, and how its texts are read."""

    name: str
    plain: int  #: a text up to this length is taken as it is
    read_text: Callable[[str], Read]
    position: int
    column: Column


def read_row(kind: RecordKind, row: Mapping[str, Any]) -> RowRead:
    """Read what a row of this kind holds; empty columns are left out."""
    sheet = _sheet(kind)
    values: dict[str, Any] = {}
    found: list[tuple[int, Problem]] = []
    unknown: dict[str, Any] | None = None
    for wire, given in row.items():
        place = sheet.get(wire)
        if place is None:
            if wire not in OWN_COLUMNS:
                unknown = unknown or {}
                unknown[wire] = given
            continue
        name, plain, read_text, position, column = place
        text = str(given) if type(given) is Decimal else given
        if type(text) is str and len(text) <= plain:
            value, problem = text.strip() or None, None
        elif type(text) is str and len(text) <= LONGEST:
            value, problem = read_text(text)
        else:
            value, problem = read(column, given)
        if value is not None:
            values[name] = value
        if problem is not None:
            found.append((position, problem))
    found.sort(key=_position)
    return RowRead(values, [problem for _, problem in found], unknown)


def _position(found: tuple[int, Problem]) -> int:
    return found[0]


@cache
def _sheet(kind: RecordKind) -> Mapping[str, _Place]:
    """The places by wire column; codes, dates and lists remember what they have read."""
    return {
        column.wire: _Place(column.name, column.plain, _read_text(column), position, column)
        for position, column in enumerate(columns_of(RECORD_KINDS[kind]))
    }


def _read_text(column: Column) -> Callable[[str], Read]:
    read_text = partial(read, column)
    return read_text if column.type in _FORGOTTEN else lru_cache(MEMORY)(read_text)
