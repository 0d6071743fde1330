"""Compare the values of each column, whatever their spelling (pure)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

from gateway.check.values import read
from schemas.codes import RecordKind
from schemas.columns import Column, ColumnType, columns_of
from schemas.identifiers import authority_key, document_number_key, fold, masked
from schemas.kinds import KINDS

_EMPTY = (None, "")
_NOT_SHOWN = "（自然人，不显示）"


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One column with different values on the two sides."""

    column: str
    title: str
    ours: str
    shown: str


@dataclass(frozen=True, slots=True)
class Tolerances:
    """By how much two values of a column may differ: 万元 of an amount, days of a date.

    What stands in `ignored` is not compared.
    """

    by_column: Mapping[str, Decimal] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()

    def allow(self, column: Column, mine: str, theirs: str) -> bool:
        """Whether the values differ by no more than is allowed for the column."""
        if column.wire in self.ignored:
            return True
        allowed = self.by_column.get(column.wire)
        if allowed is None:
            return False
        first, second = _typed(column, mine), _typed(column, theirs)
        if first is None or second is None:
            return False
        apart = first - second
        return bool(abs(apart.days if isinstance(apart, timedelta) else apart) <= allowed)


#: Every column is compared, and no value may differ.
EXACT = Tolerances()


def mismatches(
    kind: str,
    ours: Mapping[str, Any],
    shown: Mapping[str, Any],
    *,
    person: bool,
    tolerances: Tolerances = EXACT,
) -> tuple[Mismatch, ...]:
    """Return the columns that both sides have with different values; never identity numbers."""
    # Of nearly all rows every column is the same.
    differing = {wire for wire, mine in ours.items() if shown.get(wire, mine) != mine}
    found = []
    for column in _columns(kind) if differing else ():
        mine, theirs = ours.get(column.wire), shown.get(column.wire)
        if column.wire not in differing or mine in _EMPTY or theirs in _EMPTY:
            continue
        given = str(mine), str(theirs)
        if not same(column, *given) and not tolerances.allow(column, *given):
            values = (_NOT_SHOWN, _NOT_SHOWN) if person else given
            found.append(Mismatch(column.wire, column.title, *values))
    return tuple(found)


@KINDS.cached
def _columns(kind: str) -> tuple[Column, ...]:
    columns = columns_of(KINDS[RecordKind(kind)].model)
    return tuple(column for column in columns if column.type is not ColumnType.IDENTITY)


#: Columns with a normal form of their own.
_NORMAL_FORMS: Mapping[str, Callable[[str], str]] = {
    "document_number": document_number_key,
    "authority": authority_key,
    "source": authority_key,
}


def same(column: Column, mine: str, theirs: str) -> bool:
    """Compare amounts as numbers, dates in either spelling, lists in any order, texts folded.

    Identity numbers within a text count as masked: a platform gets or shows them so.
    """
    if mine == theirs:
        return True
    normal = _NORMAL_FORMS.get(column.name)
    if normal is not None:
        return normal(mine) == normal(theirs)
    if column.type in _TYPED:
        first, second = _typed(column, mine), _typed(column, theirs)
        if first is not None and second is not None:
            return bool(first == second)
    return fold(masked(mine)) == fold(masked(theirs))


_TYPED = frozenset({ColumnType.DATE, ColumnType.AMOUNT, ColumnType.PENALTY_KINDS})


def _typed(column: Column, value: str) -> Any:
    found = read(column, value)[0]
    return frozenset(found) if isinstance(found, tuple) else found
