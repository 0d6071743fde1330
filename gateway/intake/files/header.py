"""Find the row of column names 表头 in a table, and what its columns mean."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from gateway.check.rows import OWN_COLUMNS
from gateway.intake.files.address import column_letters
from gateway.intake.files.header_cells import is_value, name_of, names_in, struck_names, text_of
from gateway.intake.files.header_columns import (
    OF_THE_SUBJECT,
    amounts_of,
    columns_named,
    keys_of,
    marked_of,
    single,
    spread_of,
    telling,
    texts_of,
    titles,
    without_other_units,
)
from gateway.intake.files.header_groups import under_groups
from schemas.codes import RecordKind
from schemas.column_names import ColumnNames, name_key
from schemas.identifiers import visible
from schemas.kinds import KINDS
from schemas.legacy import OLD_COLUMNS

#: The header is looked for in so many rows from the first that has something in it.
SEARCHED_ROWS = 20
#: With so many known columns a row is a header, whatever else is in it.
ENOUGH = 3
#: Names of a running number 序号, which says nothing about a record.
_RUNNING_NUMBER = frozenset(map(name_key, ["序号", "编号", "行号", "No.", "NO", "#", "序", "项次"]))


@dataclass(frozen=True, slots=True)
class Header:
    """The names in a header row: by column the wire column, or the name as it was given."""

    row: int
    kind: RecordKind | None
    names: tuple[str, ...]
    #: Names that are no column of the kind.
    unknown: tuple[str, ...] = ()
    #: Names of the running number 序号.
    numbers: frozenset[str] = frozenset()
    known: int = 0  #: columns
    own: int = 0  #: of them those with a text in this row; others are of the row above
    #: Places without a name.
    nameless: tuple[int, ...] = ()
    #: Names that are struck out 删除线, by the addresses of their cells; the columns are not read.
    struck: Mapping[str, str] = field(default_factory=dict)
    #: Names that several columns have.
    repeated: tuple[str, ...] = ()
    #: Names of columns that say nothing of a record: the running number, and unknown ones.
    silent: frozenset[str] = frozenset()
    #: Columns of the layout of 2016–17.
    old: frozenset[str] = frozenset()
    #: The texts of its row, and those of the row above where both are the header.
    lower: tuple[str, ...] = ()
    upper: tuple[str, ...] = ()
    watched: tuple[int, ...] = ()  #: places of credit code and day, by which a record is known

    @property
    def number(self) -> str | None:
        """The column of the document number."""
        return KINDS[self.kind].number_column if self.kind else None

    @property
    def single(self) -> frozenset[str]:
        """Columns of which a cell that is merged over rows counts for its first row only."""
        return single(self.kind)

    @property
    def subject(self) -> frozenset[str]:
        """Columns of the subject 行政相对人: one merged cell may stand for several decisions."""
        return columns_named(self.kind, OF_THE_SUBJECT)

    @property
    def keys(self) -> frozenset[str]:
        """Columns by which records are told apart."""
        return keys_of(self.kind) if self.kind else frozenset()

    @property
    def spread(self) -> frozenset[str]:
        """Columns of which people write several values below each other."""
        return spread_of(self.kind)

    @property
    def texts(self) -> frozenset[str]:
        """Columns in which a day is no value."""
        return texts_of(self.kind)

    @property
    def names_and_numbers(self) -> frozenset[str]:
        """Columns of names, numbers and codes, which are no quantities."""
        return self.texts - amounts_of(self.kind)

    @property
    def marked(self) -> frozenset[str]:
        """Columns in which an apostrophe before a value says that a spreadsheet take it as text."""
        return marked_of(self.kind)

    @property
    def identifies(self) -> bool:
        """Whether a column is among the names by which records are told apart."""
        return self.kind is None or not self.keys.isdisjoint(self.names)

    def unnamed(self, cells: Sequence[Any]) -> list[str]:
        """Return the letters of columns without a name that have something in this row."""
        places = [*self.nameless, *range(len(self.names), len(cells))]
        return [column_letters(i + 1) for i in places if i < len(cells) and not is_blank(cells[i])]

    def surplus(self, cells: Sequence[Any]) -> list[str]:
        """Return what stands in a row behind the last column of the header."""
        return [str(cell) for cell in cells[len(self.names) :] if not is_blank(cell)]

    def first_known(self, row: Iterable[str]) -> str | None:
        """Return the first of these names that is a column of a standard."""
        return next((name for name in row if name in titles() and name not in OWN_COLUMNS), None)

    def texts_at(self, place: int) -> list[str]:
        """Return what the header says of a column, in both of its rows."""
        return [line[place] for line in (self.upper, self.lower) if place < len(line)]

    def address(self, name: str, number: int) -> str:
        """Return the address of a cell, such as J2."""
        return f"{column_letters(self.names.index(name) + 1)}{number}"


def is_blank(cell: Any) -> bool:
    """Whether nobody sees anything in a cell."""
    if type(cell) is not str:
        return cell is None
    return not cell or not (
        cell[0].isalnum() or "\u3000" < cell[0] < "\ufe00" or visible(cell).strip()
    )


def find_header(
    rows: Sequence[tuple[int, Sequence[Any]]], names: ColumnNames, kind: RecordKind | None
) -> Header | None:
    """Return the header among the first rows: the first one with three known columns.

    Of two such rows, one behind the other, it is the one that knows more: the first may name groups
    of columns, the second may be their codes. Without such a row it is the one that knows the most,
    if half of its cells are known. None if there is none: it is never guessed.
    """
    headers = [_header(rows, place, names, kind) for place in range(min(len(rows), SEARCHED_ROWS))]
    for place, one in enumerate(headers):
        if one.known >= ENOUGH and one.identifies:
            below = headers[place + 1] if place + 1 < len(headers) else one
            if below.row != one.row + 1 or any(map(is_value, rows[place + 1][1])):
                return one
            if below.own > 1 and below.known >= one.known:
                return replace(below, upper=one.lower)
            if below.own >= ENOUGH:
                return replace(one, row=below.row, upper=one.lower, lower=below.lower)
            return one
    best = max(headers, key=lambda one: one.known, default=None)
    if best is None or not best.known:
        return None
    filled = sum(bool(name) for name in best.names) - len(best.numbers)
    return best if best.known * 2 >= filled and best.identifies and not best.repeated else None


def another_header(
    before: Header, row: tuple[int, Sequence[Any]], names: ColumnNames, kind: RecordKind | None
) -> Header | None:
    """Return the header that a row among the records is; None if it is none.

    It may be that of another kind, unless the kind is given.
    """
    is_next = row[0] == before.row + 1
    if is_next and _is_part(row[1], before.lower):
        return replace(before, row=row[0])
    if _is_record(before, row[1]):
        return None
    if _is_part(row[1], before.upper):
        return replace(before, row=row[0])
    if not any(names.knows(cell) for cell in row[1] if type(cell) is str):
        return None
    found = _header([row], 0, names, kind)
    if found.known < ENOUGH:
        return None
    # Some codes below a header are a part of it.
    return replace(before, row=row[0]) if is_next and found.known < before.known else found


def _is_record(before: Header, cells: Sequence[Any]) -> bool:
    """Whether a code or a day stands in its place: names of columns begin in another way."""
    for place in before.watched:
        cell = text_of(cells[place]) if place < len(cells) else ""
        if type(cell) is not str or cell[2:8].isdigit() or cell[:4].isdigit():
            return True
    return False


def _is_part(cells: Sequence[Any], line: Sequence[str]) -> bool:
    """Whether all names in a row are those of a line of the header, in their places."""
    names = [name_of(cell) for cell in cells] if line else []
    return any(names) and all(
        not name or name == other for name, other in zip_longest(names, line, fillvalue="")
    )


def _header(
    rows: Sequence[tuple[int, Sequence[Any]]],
    place: int,
    names: ColumnNames,
    kind: RecordKind | None,
) -> Header:
    number, cells = rows[place]
    given = names_in(cells, names)
    above = names_in(rows[place - 1][1], names) if place else []
    kind = kind or names.kind_of(given) or names.kind_of(above)
    lower, upper = given, above if kind else []
    given = under_groups(given, upper, names, kind) if upper and kind else given
    is_double = kind and any(names.wire(kind, name) for name in upper if name)
    struck = struck_names(rows[place - 1 : place + 1] if is_double else [rows[place]], names)
    given = ["" if at in struck else name for at, name in enumerate(given)]
    wires = without_other_units(given, [_wire(name, names, kind) for name in given], kind)
    unknown = tuple(
        name
        for name, wire in zip(given, wires, strict=True)
        if name and wire is None and kind and name_key(name) not in _RUNNING_NUMBER
    )
    numbers = frozenset(name for name in given if name_key(name) in _RUNNING_NUMBER)
    meant = tuple(wire or name for name, wire in zip(given, wires, strict=True))
    return Header(
        row=number,
        kind=kind,
        names=meant,
        unknown=unknown,
        numbers=numbers,
        known=len(set(filter(None, wires))),
        own=sum(bool(wire and text) for wire, text in zip(wires, lower, strict=False)),
        nameless=tuple(at for at, name in enumerate(given) if not name and at not in struck),
        struck=dict(struck.values()),
        repeated=tuple(name for name, times in Counter(meant).items() if name and times > 1),
        silent=numbers.union(unknown),
        old=OLD_COLUMNS.get(kind, frozenset()).intersection(meant) if kind else frozenset(),
        upper=tuple(upper) if given != lower else (),
        lower=tuple(lower),
        watched=tuple(at for at, name in enumerate(meant) if name in telling(kind)),
    )


def _wire(name: str, names: ColumnNames, kind: RecordKind | None) -> str | None:
    """Return the column that a name means; where each row has its own kind, the name as it is."""
    if name in OWN_COLUMNS:
        return name
    if kind is not None:
        return names.wire(kind, name) if name else None
    return name if any(names.wire(one, name) == name for one in KINDS) else None
