"""Find the row of column names 表头 in a table, and what its columns mean."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gateway.check.rows import OWN_COLUMNS
from schemas.cell import conflict
from schemas.codes import RecordKind
from schemas.column_names import ColumnNames, name_key
from schemas.identifiers import fold_once, visible

#: The header is looked for in so many rows from the first that has something in it.
SEARCHED_ROWS = 20
#: With so many known columns a row is a header, whatever else is in it.
_ENOUGH = 3
#: Names of a running number 序号, which says nothing about a record.
_RUNNING_NUMBER = frozenset(map(name_key, ["序号", "编号", "行号", "No.", "NO", "#", "序", "项次"]))


@dataclass(frozen=True, slots=True)
class Header:
    """The names in a header row: by column the wire column, or the name as it was given."""

    row: int
    kind: RecordKind | None
    names: tuple[str, ...]
    #: Names that are no column of the kind, with the title of the most similar one.
    unknown: dict[str, str | None] = field(default_factory=dict)
    #: Names of the running number 序号.
    numbers: frozenset[str] = frozenset()
    known: int = 0
    #: Places without a name.
    nameless: tuple[int, ...] = ()
    #: Names that several columns have.
    repeated: tuple[str, ...] = ()
    #: Names of columns that say nothing of a record: the running number, and unknown ones.
    silent: frozenset[str] = frozenset()

    def values(self, number: int, cells: Sequence[Any]) -> dict[str, Any]:
        """Return the cells that are not blank, by name; two that differ become a conflict."""
        row = {
            name: cell
            for name, cell in zip(self.names, cells, strict=False)
            if (cell and ((type(cell) is str and cell[0].isalnum()) or not is_blank(cell)))
            or cell == 0
        }
        row.pop("", None)
        for name in self.repeated:
            self._merge(row, number, cells, name)
        return row

    def _merge(self, row: dict[str, Any], number: int, cells: Sequence[Any], name: str) -> None:
        """Keep the value of columns of one name if it is one; else put a conflict in its place."""
        places = [place for place, other in enumerate(self.names[: len(cells)]) if other == name]
        filled = [place for place in places if not is_blank(cells[place])]
        if any(not _same(cells[filled[0]], cells[place]) for place in filled):
            addresses = (f"{column_letters(place)}{number}" for place in filled)
            row[name] = conflict(dict(zip(addresses, (cells[i] for i in filled), strict=True)))

    def unnamed(self, cells: Sequence[Any]) -> list[str]:
        """Return the letters of columns without a name that have something in this row."""
        named = len(self.names)
        places = [*self.nameless, *range(named, len(cells))]
        return [column_letters(i) for i in places if i < len(cells) and not is_blank(cells[i])]

    def address(self, name: str, number: int) -> str:
        """Return the address of a cell, such as J2."""
        return f"{column_letters(self.names.index(name))}{number}"


def is_blank(cell: Any) -> bool:
    """Whether nobody sees anything in a cell."""
    if type(cell) is not str:
        return cell is None
    return not cell or not (cell[0].isalnum() or visible(cell).strip())


def find_header(
    rows: Sequence[tuple[int, Sequence[Any]]], names: ColumnNames, kind: RecordKind | None
) -> Header | None:
    """Return the header among the first rows: the row with the most known columns.

    A row is one if it has three of them, if half of its cells are, or if it has nothing else. None
    if there is none: it is never guessed.
    """
    headers = [_header(rows, place, names, kind) for place in range(min(len(rows), SEARCHED_ROWS))]
    best = max(headers, key=lambda one: one.known, default=None)
    if best is None or not best.known:
        return None
    filled = sum(bool(name) for name in best.names) - len(best.numbers)
    return best if best.known >= _ENOUGH or best.known * 2 >= filled else None


def _header(
    rows: Sequence[tuple[int, Sequence[Any]]],
    place: int,
    names: ColumnNames,
    kind: RecordKind | None,
) -> Header:
    number, cells = rows[place]
    given = [_name(cell) for cell in cells]
    kind = kind or names.kind_of(given)
    if place and kind is not None:
        given = _with_merged(given, rows[place - 1][1], names, kind)
    wires = [_wire(name, names, kind) for name in given]
    unknown = {
        name: names.nearest(kind, name) if kind else None
        for name, wire in zip(given, wires, strict=True)
        if name and wire is None and kind and name_key(name) not in _RUNNING_NUMBER
    }
    numbers = frozenset(name for name in given if name_key(name) in _RUNNING_NUMBER)
    meant = tuple(wire or name for name, wire in zip(given, wires, strict=True))
    return Header(
        row=number,
        kind=kind,
        names=meant,
        unknown=unknown,
        numbers=numbers,
        known=len(set(filter(None, wires))),
        nameless=tuple(place for place, name in enumerate(given) if not name),
        repeated=tuple(name for name, times in Counter(meant).items() if name and times > 1),
        silent=numbers | unknown.keys(),
    )


def _with_merged(
    given: Sequence[str], above: Sequence[Any], names: ColumnNames, kind: RecordKind
) -> list[str]:
    """Fill empty names from the row above: a cell that is merged over both has its text there."""
    upper = [_name(cell) for cell in above] + [""] * len(given)
    filled = [
        name or (over if names.wire(kind, over) else "")
        for name, over in zip(given, upper, strict=False)
    ]
    more = upper[len(given) : len(above)]
    return [*filled, *(over if names.wire(kind, over) else "" for over in more)]


def _name(cell: Any) -> str:
    return visible(cell).strip() if isinstance(cell, str) else ""


def _wire(name: str, names: ColumnNames, kind: RecordKind | None) -> str | None:
    """Return the column that a name means; where each row has its own kind, the name as it is."""
    if name in OWN_COLUMNS:
        return name
    if kind is not None:
        return names.wire(kind, name) if name else None
    return name if any(names.wire(one, name) == name for one in RecordKind) else None


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or fold_once(str(one)) == fold_once(str(other))


def column_letters(place: int) -> str:
    """Return the letters of a column from its place, which begins at 0."""
    text, column = "", place + 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
