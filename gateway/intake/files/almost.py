"""A row that is most likely a header, though too few of its names are known 像是表头的行.

It is never read by: it only tells a clerk which names to write.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from gateway.intake.files.header_cells import is_value, names_in
from schemas.codes import RecordKind
from schemas.column_names import ColumnNames
from schemas.identifiers import masked
from schemas.kinds import KINDS

#: Names of a row that mean something at least.
_ENOUGH = 3
#: Longer texts are no names of columns, but sentences.
_LONGEST = 40
#: Names that are told.
_TOLD = 8


class Almost(NamedTuple):
    """A row, and the titles that its unknown names mean most likely."""

    row: int
    meant: Mapping[str, str]
    #: The titles of the kinds whose items are told apart in it, if they are several.
    kinds: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What a clerk is told, in Chinese."""
        if self.kinds:
            several = "、".join(self.kinds)
            return f"第{self.row}行有几种信息的列：{several}；一张表只放一种，请按种类分成几个文件"
        named = "、".join(
            f"“{masked(name)}”改成“{title}”" for name, title in islice(self.meant.items(), _TOLD)
        )
        return (
            f"第{self.row}行像是列名，有的不认识：{named}；或在配置 input.columns 里写本单位的列名"
        )


def almost_header(
    rows: Iterable[tuple[int, Sequence[Any]]], names: ColumnNames, kind: RecordKind | None
) -> Almost | None:
    """Return the row of the first ones with the most names that are like those of one kind.

    Where one has the columns of several kinds, none of its names is wrong, and that is told.
    """
    best: tuple[int, Almost] | None = None
    for number, cells in rows:
        if any(map(is_value, cells)):
            continue  # a record, not a header
        given = [name for name in names_in(cells, names) if 0 < len(name) <= _LONGEST]
        told_apart = _told_apart(given, names)
        if kind is None and len(told_apart) > 1:
            return Almost(number, {}, tuple(KINDS[one].title for one in told_apart))
        for one in KINDS.reported if kind is None else {kind}:
            known = [name for name in given if names.wire(one, name)]
            of_others = {name for other, name in told_apart.items() if other != one}
            unknown = (name for name in given if name not in known and name not in of_others)
            meant = {name: near for name in unknown if (near := names.nearest(one, name))}
            count = len(known) + len(set(meant.values()))
            if meant and count >= _ENOUGH and (best is None or count > best[0]):
                best = count, Almost(number, meant)
    return None if best is None else best[1]


def _told_apart(given: Sequence[str], names: ColumnNames) -> dict[RecordKind, str]:
    """Return the kinds of which the column that tells items apart is named, with its name there.

    A name that several of them have says nothing of one of them.
    """
    found = {
        kind: name
        for kind in KINDS.in_order
        for name in given
        if kind in KINDS.reported and names.wire(kind, name) == KINDS[kind].number_column
    }
    return {
        kind: name
        for kind, name in found.items()
        if not any(names.wire(other, name) for other in found if other != kind)
    }
