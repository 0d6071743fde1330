"""The rows of a table: which are records, which are not, and how their cells become texts."""

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, tee
from typing import Any, NamedTuple

from gateway.intake.files.above import rows_above
from gateway.intake.files.areas import Area, OpenAreas, seen
from gateway.intake.files.header import (
    SEARCHED_ROWS,
    Header,
    another_header,
    find_header,
    is_blank,
)
from gateway.intake.files.hidden import NOTHING_HIDDEN, Hidden
from gateway.intake.files.merged import Merged
from gateway.intake.files.no_record import no_record
from gateway.intake.files.part import Below, is_part
from gateway.intake.files.report import TableReport
from gateway.intake.files.row import row_of
from gateway.intake.files.sums import Sums
from gateway.intake.files.two_units import TwoUnits
from gateway.intake.files.units import ROWS_BELOW, Units
from gateway.intake.files.unseen import Unseen
from schemas.cell import is_cell, shifted, split
from schemas.codes import RecordKind
from schemas.column_names import ColumnNames

Row = tuple[int, Sequence[Any]]


class FileTable(NamedTuple):
    """The rows of a table, its merged cells, and the notes among its last rows.

    In a text a row that is longer than the header is shifted by a separator within a cell.
    """

    rows: Iterable[Row]
    merged: Iterable[Area] = ()
    is_text: bool = False
    notes: Iterable[Sequence[str]] = ()
    hidden: Hidden = NOTHING_HIDDEN


#: Row, kind, and values by wire column.
RecordRow = tuple[int, RecordKind | None, dict[str, Any]]

#: Rows before a further header that may say its unit.
ROWS_BETWEEN = 5
#: Filled cells of a row that has more of the decision above it, at most.
_CELLS_OF_A_PART = 6
#: A row with more of a decision stands so far below it at most: people leave a row blank.
_BLANKS_WITHIN = 2
#: What follows the last row.
_END: Row = (sys.maxsize, ())


def records(
    table: FileTable, names: ColumnNames, kind: RecordKind | None, report: TableReport
) -> Iterator[RecordRow]:
    """Yield the records of a table by wire column, and note in the report what is none.

    A table without a header has no records; the report says so. One with records above its header
    is not read: whether they have the same columns is not known, and none must vanish.
    """
    filled = (row for row in _seen(table) if not all(map(is_blank, row[1])))
    first = list(islice(filled, SEARCHED_ROWS))
    merged = Merged(table.merged)
    searched = [(number, merged.whole(number, cells)) for number, cells in first]
    header = find_header(searched, names, kind)
    if header is None:
        report.unread(first, names, kind)
        return
    above = rows_above(searched, header, names)
    if above.records:
        report.refuse(header, above.records)
        return
    report.above = above.others
    report.read_by(header, names)
    report.unseen = Unseen(table.hidden, header)
    yield from _Rows(table, header, first, names, kind, report).read(chain(first, filled))


def _seen(table: FileTable) -> Iterator[Row]:
    """Yield the rows of a table without what is hidden under its merged cells."""
    open_ = OpenAreas(table.merged)
    if open_.is_over:  # the way of most tables
        yield from table.rows
        return
    for number, cells in table.rows:
        areas = open_.at(number, len(cells))
        yield number, seen(number, cells, areas) if areas else cells


class _Rows:
    """The rows of a table below its header, one after the other."""

    def __init__(
        self,
        table: FileTable,
        header: Header,
        first: Sequence[Row],
        names: ColumnNames,
        kind: RecordKind | None,
        report: TableReport,
    ) -> None:
        self._header = header
        self._merged = Merged(table.merged)
        self._is_text = table.is_text
        above = [cells for number, cells in first if number < header.row]
        self._notes = list(table.notes)
        self._units = Units(header, above, self._notes)
        self._sums = Sums(header, self._units)
        self._two_units = TwoUnits(header, names)
        report.units |= self._units.other
        self._between: list[Sequence[Any]] = []  #: rows since the last record that are none
        self._is_more = False  #: the row has more of the decision above it
        self._names = names
        self._kind = kind
        self._report = report
        #: Cells of a row; some programs end each row of a text with a separator.
        self._width = min((len(cells) for number, cells in first if number > header.row), default=0)

    def read(self, rows: Iterable[Row]) -> Iterator[RecordRow]:
        """Yield the records among the rows, each of which has something in it."""
        for (number, given), coming, after in _in_threes(rows):
            if number <= self._header.row:
                continue
            cells, unread = self._merged.record(number, given, self._header, coming[0])
            if self._is_header(number, cells):
                continue
            header = self._header
            row = row_of(header, number, cells)
            # What a merged cell fills in makes no record of a row that has nothing else.
            own = row if cells is given else row_of(header, number, given)
            reason = None if self._is_more else self._why_none(number, row, own, given)
            if reason is not None:
                self._skip(number, reason, given)
                continue
            self._between = []
            self._report.add(number, unread)
            self._fill(number, row)
            is_more, self._is_more = self._is_more, self._goes_on(number, row, coming, after)
            if (is_more or self._is_more) and not is_cell(row.get(str(header.number))):
                row[str(header.number)] = split("上一行" if is_more else "下一行")
            if header.nameless or len(cells) > len(header.names):
                self._note_unnamed(number, cells, row)
            if (
                header.old
            ):  # they say by their names, also where they are empty, the layout of a row
                row = {**dict.fromkeys(header.old, ""), **row}
            yield number, header.kind, row

    def _fill(self, number: int, row: dict[str, Any]) -> None:
        """Give the amounts of a record their units, compare them, and add them up."""
        self._units.fill(row)
        self._two_units.compare(number, row)
        self._sums.add(row)

    def _why_none(
        self, number: int, row: dict[str, Any], own: dict[str, Any], given: Sequence[Any]
    ) -> str | None:
        """Return why a row is no record; `own` is what it has without merged cells above it."""
        if own is not row and is_cell(row.get(self._header.number or "")):
            return None
        if self._sums.stand_in(own):
            self._sums.end_group()
            return "合计"
        return no_record(self._header, number, own, given)

    def _goes_on(self, number: int, above: Mapping[str, Any], coming: Row, after: Row) -> bool:
        """Whether the next row has more of the decision of this one."""
        following, cells = coming
        if len(cells) - cells.count("") > _CELLS_OF_A_PART:
            return False
        if following > number + _BLANKS_WITHIN and not self._is_text:  # a text counts lines
            return False
        header = self._header
        row = row_of(header, following, cells)
        if self._sums.stand_in(row):
            return False
        return is_part(header, above, Below(following, row, cells, row_of(header, *after)))

    def _is_header(self, number: int, cells: Sequence[Any]) -> bool:
        """Whether a row is a further header, which holds from there on."""
        again = another_header(self._header, (number, cells), self._names, self._kind)
        if again is None:
            return False
        same = again.names == self._header.names
        self._report.skip(number, "又一个表头" if same else "另一个表头")
        self._units = Units(again, self._between, self._notes, self._units)
        self._report.units |= self._units.other
        self._sums = Sums(again, self._units)
        self._two_units = TwoUnits(again, self._names)
        self._header, self._between = again, []
        return True

    def _skip(self, number: int, reason: str, cells: Sequence[Any]) -> None:
        """Note a row that is no record; it may say a unit."""
        self._report.skip(number, reason)
        first = next((cell for cell in cells if not is_blank(cell)), None)
        self._report.vertical += type(first) is str and self._names.knows(first)
        self._between = [*self._between[-ROWS_BETWEEN:], cells]
        if number <= self._header.row + ROWS_BELOW:
            self._units.below(cells)
        else:
            self._units.between(cells)
        self._report.units |= self._units.other

    def _note_unnamed(self, number: int, cells: Sequence[Any], row: dict[str, Any]) -> None:
        """Note what stands outside of the named columns; in a text this may shift the others."""
        self._report.unnamed.update(self._header.unnamed(cells))
        if not self._is_text:
            return
        surplus = self._header.surplus(cells)
        name = self._header.first_known(row) if surplus else None
        if name is not None:
            row[name] = shifted(str(row[name]), surplus)
        elif len(cells) > max(self._width, len(self._header.names)):
            self._report.longer.append(number)


def _in_threes(rows: Iterable[Row]) -> Iterator[tuple[Row, Row, Row]]:
    """Yield each row with the two that follow it."""
    one, two, three = tee(chain(rows, [_END, _END]), 3)
    return zip(one, islice(two, 1, None), islice(three, 2, None), strict=False)
