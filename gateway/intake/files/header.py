"""Find the row of column names 表头 in a table, and what its columns mean."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from gateway.check.rows import OWN_COLUMNS
from schemas.codes import RecordKind
from schemas.column_names import LONGEST_NAME, ColumnNames, name_key
from schemas.columns import ColumnType, columns_of
from schemas.identifiers import visible
from schemas.kinds import KINDS
from schemas.legacy import OLD_COLUMNS

#: The header is looked for in so many rows from the first that has something in it.
SEARCHED_ROWS = 20
#: Characters of a name or number at most; longer texts are free ones.
_LONGEST_NAME = 255
#: Cells at the start of a row that tell whether it may be a header.
LOOKED_AT = 3
#: With so many known columns a row is a header, whatever else is in it.
ENOUGH = 3
#: Names of the column that is the group itself.
_OF_THE_GROUP = frozenset({"名称", "全称"})
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
    #: Columns of authority and source: one merged cell often stands for many rows.
    shared: frozenset[str] = frozenset()
    #: Columns of the layout of 2016–17.
    old: frozenset[str] = frozenset()
    #: Columns in which a day is no value.
    texts: frozenset[str] = frozenset()
    #: Names of columns; a row that begins with one may be a header too.
    titles: frozenset[str] = frozenset()
    start: int = 0  #: place of the first name
    #: Whether a column is among them by which records are told apart.
    identifies: bool = True

    @property
    def number(self) -> str | None:
        """The column of the document number."""
        if self.kind is None:
            return None
        field = KINDS[self.kind].number
        return KINDS[self.kind].model.model_fields[field].alias or field

    def unnamed(self, cells: Sequence[Any]) -> list[str]:
        """Return the letters of columns without a name that have something in this row."""
        places = [*self.nameless, *range(len(self.names), len(cells))]
        return [column_letters(i) for i in places if i < len(cells) and not is_blank(cells[i])]

    def surplus(self, cells: Sequence[Any]) -> int:
        """Return how many filled cells a row has behind the last column of the header."""
        return sum(not is_blank(cell) for cell in cells[len(self.names) :])

    def address(self, name: str, number: int) -> str:
        """Return the address of a cell, such as J2."""
        return f"{column_letters(self.names.index(name))}{number}"


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

    Of two such rows, one behind the other, the second is it if it knows as many: the first names
    groups of columns. Without such a row it is the one that knows the most, if half of its cells
    are known. None if there is none: it is never guessed.
    """
    headers = [_header(rows, place, names, kind) for place in range(min(len(rows), SEARCHED_ROWS))]
    for place, one in enumerate(headers):
        if one.known >= ENOUGH and one.identifies:
            below = headers[place + 1] if place + 1 < len(headers) else one
            return below if below.known >= one.known and below.row == one.row + 1 else one
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
    first = [cell for cell in row[1][: before.start + LOOKED_AT] if type(cell) is str]
    if before.titles.isdisjoint(first) or row[0] == before.row + 1:
        return None
    found = _header([row], 0, names, kind)
    return found if found.known >= ENOUGH else None


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
        given = _under_groups(given, rows[place - 1][1], names, kind)
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
        old=OLD_COLUMNS.get(kind, frozenset()).intersection(meant) if kind else frozenset(),
        start=next((place for place, name in enumerate(given) if name), 0),
        shared=_shared_by(kind),
        identifies=kind is None or not _keys_of(kind).isdisjoint(meant),
        texts=_texts_of(kind),
        titles=_TITLES.union(filter(None, given)),
    )


def _under_groups(
    given: Sequence[str], above: Sequence[Any], names: ColumnNames, kind: RecordKind
) -> list[str]:
    """Return the names together with that of their group above, where this is a known column.

    An empty name is that of a cell that is merged over both rows.
    """
    groups = [*map(_name, above), *[""] * len(given)]
    pairs = zip([*given, *[""] * (len(above) - len(given))], groups, strict=False)
    return [_in_group(name, group, names, kind) for name, group in pairs]


def _in_group(name: str, group: str, names: ColumnNames, kind: RecordKind) -> str:
    if not group or group == name:
        return name
    if not name or (name in _OF_THE_GROUP and names.wire(kind, group)):
        return group if names.wire(kind, group) else name
    # 行政相对人代码_1(统一社会信用代码) has a running number between group and name.
    forms = (group + name, *(f"{group}_{number}({name})" for number in range(1, 7)))
    return next((form for form in forms if names.wire(kind, form)), name)


@cache
def _shared_by(kind: RecordKind | None) -> frozenset[str]:
    fields = KINDS[kind].model.model_fields if kind else {}
    names = ("authority", "authority_code", "source", "source_code")
    return frozenset(fields[name].alias or name for name in names if name in fields)


@cache
def _keys_of(kind: RecordKind) -> frozenset[str]:
    """Return the columns of number, name and code, old ones too; those of an event by its id."""
    fields = KINDS[kind].model.model_fields
    names = (KINDS[kind].number, "subject_name", "credit_code", "subject_code")
    return frozenset(fields[name].alias or name for name in names if name in fields) | {
        old for old in OLD_COLUMNS.get(kind, ()) if old.endswith(("_XDR", "_WSH"))
    }


@cache
def _texts_of(kind: RecordKind | None) -> frozenset[str]:
    """Return the columns of names, numbers and codes: a day in a free text may be meant."""
    columns = columns_of(KINDS[kind].model) if kind else ()
    return frozenset(
        column.wire
        for column in columns
        if column.type is not ColumnType.DATE and (column.max_length or 0) <= _LONGEST_NAME
    )


#: Codes and titles of the columns of all kinds.
_TITLES = frozenset(
    text
    for kind in KINDS.values()
    for column in columns_of(kind.model)
    for text in (column.wire, column.title)
)


def _name(cell: Any) -> str:
    return visible(cell).strip()[:LONGEST_NAME] if isinstance(cell, str) else ""


def _wire(name: str, names: ColumnNames, kind: RecordKind | None) -> str | None:
    """Return the column that a name means; where each row has its own kind, the name as it is."""
    if name in OWN_COLUMNS:
        return name
    if kind is not None:
        return names.wire(kind, name) if name else None
    return name if any(names.wire(one, name) == name for one in RecordKind) else None


def column_letters(place: int) -> str:
    """Return the letters of a column from its place, which begins at 0."""
    text, column = "", place + 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
