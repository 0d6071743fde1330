"""Read the columns of decision rows, with caches for thousands of rows (pure)."""

from collections.abc import Callable, Container, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.check.garbled import unusual
from gateway.check.values import DITTO, EXACT_DIGITS, Read, is_code, read
from schemas.cell import TO_FILL
from schemas.codes import RecordKind
from schemas.columns import Column, ColumnType, columns_of
from schemas.identifiers import visible
from schemas.kinds import KINDS
from schemas.problem import Problem

#: Our own columns beside those of the standard.
OWN_COLUMNS = frozenset({"kind", "verb", "填报问题", "修改办法", "来源工作表", "来源行"})
#: Those that stand beside an event or a grade where the problem workbook is sent again.
WRITTEN_BY_US = OWN_COLUMNS - {"verb"}
#: Cached texts of a column at most: dates, kinds, and the credit codes of a province's companies.
MEMORY = 16_384
#: Only texts up to this length are cached: longer ones are no codes, and a shifted column of long
#: texts would stay in memory.
LONGEST = 64
#: Texts behind it begin with no digit: they are no numbers that lost digits.
_NUMBERS = ":"
#: Types that are not cached: their texts rarely repeat, or must not be kept.
_FORGOTTEN = frozenset({ColumnType.TEXT, ColumnType.IDENTITY})


class RowRead(NamedTuple):
    """A row: typed values by field name, problems in the order of the standard, unknown columns."""

    values: dict[str, Any]
    problems: list[Problem]
    unknown: dict[str, Any] | None


class _Place(NamedTuple):
    """A column of the standard: its place in it, and how its texts are read."""

    name: str
    plain: int  #: texts up to this length need no check
    read_text: Callable[[str], Read]
    position: int
    column: Column


def read_row(
    kind: RecordKind, row: Mapping[str, Any], placeholders: frozenset[str] = frozenset()
) -> RowRead:
    """Read the columns of a row of this kind; empty ones and placeholders are left out."""
    sheet, words = _sheet(kind, placeholders), _words(placeholders)
    values: dict[str, Any] = {}
    found: list[tuple[int, Problem]] = []
    for wire, given in row.items():
        place = sheet.get(wire)
        if place is None:
            continue
        name, plain, read_text, position, column = place
        if type(given) is str and len(given) <= plain and given > _NUMBERS and not unusual(given):
            value = given.strip()  # the way of most texts
            if value and value not in words:
                values[name] = value
                continue
        text = str(given) if type(given) is Decimal and given.adjusted() < EXACT_DIGITS else given
        if type(text) is str and len(text) <= LONGEST:
            value, problem = read_text(text)
        else:
            value, problem = read(column, text)
        if value is not None:
            values[name] = value
        if problem is not None:
            found.append((position, problem))
    found.sort(key=_position)
    unknown = None if row.keys() <= sheet.keys() else _beside(row, sheet)
    return RowRead(values, [problem for _, problem in found], unknown)


def _beside(row: Mapping[str, Any], sheet: Container[str]) -> dict[str, Any] | None:
    """Return the columns of a row that are neither of the standard nor ours; None without one."""
    names = (name for name in row if name not in sheet and name not in OWN_COLUMNS)
    return {name: row[name] for name in names} or None


@lru_cache(8)
def _words(placeholders: frozenset[str]) -> frozenset[str]:
    """Return the words that are no values: for an empty cell, for the row above, to be replaced."""
    return placeholders | DITTO | {TO_FILL}


@KINDS.cached
def words_that_are_codes(
    kind: RecordKind, placeholders: frozenset[str]
) -> Mapping[str, frozenset[str]]:
    """Return the placeholders that are values of a column by its code list, by wire column."""
    return {
        column.wire: both
        for column in columns_of(KINDS[kind].model)
        if (both := placeholders & (column.codes or frozenset()))
    }


def _position(found: tuple[int, Problem]) -> int:
    return found[0]


@KINDS.cached
def _sheet(kind: RecordKind, placeholders: frozenset[str]) -> Mapping[str, _Place]:
    """Return the places by wire column; codes, dates and lists are read with a cache."""
    return {
        column.wire: _Place(
            column.name, column.plain, _read_text(column, placeholders), position, column
        )
        for position, column in enumerate(columns_of(KINDS[kind].model))
    }


def _read_text(column: Column, placeholders: frozenset[str]) -> Callable[[str], Read]:
    def read_text(text: str) -> Read:
        stands_for_nothing = visible(text).strip() in placeholders and not is_code(column, text)
        return (None, None) if stands_for_nothing else read(column, text)

    return read_text if column.type in _FORGOTTEN else lru_cache(MEMORY)(read_text)
