"""Merged cells 合并单元格: what a person sees in each part of them."""

from collections.abc import Iterable, Sequence
from typing import Any

from gateway.intake.files.address import column_letters
from gateway.intake.files.areas import Area, OpenAreas
from gateway.intake.files.header import Header, is_blank
from schemas.cell import merged

#: Columns of one merged cell that are filled.
_MOST_COLUMNS = 100


class Merged:
    """The merged cells of a table, whose rows are given in their order, as a person sees them."""

    def __init__(self, areas: Iterable[Area]) -> None:
        """Read areas in their order."""
        self._areas = OpenAreas(areas)
        self._first: dict[Area, Any] = {}  #: what stands in the first cells of the present ones

    def _at(self, number: int, cells: Sequence[Any]) -> list[tuple[Area, Any]]:
        """Return the merged cells that a row is a part of, with what stands in them."""
        if self._areas.is_over and not self._first:
            return []
        areas = self._areas.at(number, len(cells))
        if areas or self._first:
            first = {one: cells[one.left - 1] for one in areas if one.top == number}
            self._first = {one: first.get(one, self._first.get(one, "")) for one in areas}
        return [one for one in self._first.items() if not is_blank(one[1])]

    def whole(self, number: int, cells: Sequence[Any]) -> Sequence[Any]:
        """Return a row that may be a header, with every part of its merged cells filled."""
        row = list(cells)
        for area, value in self._at(number, cells):
            right = min(area.right, area.left + _MOST_COLUMNS)
            row += [""] * (right - len(row))
            row[area.left - 1 : right] = [value] * (right - area.left + 1)
        return row

    def record(
        self, number: int, cells: Sequence[Any], header: Header, following: int
    ) -> tuple[Sequence[Any], Sequence[str]]:
        """Return a row of a record, and the columns whose merged cells are not filled into it.

        `following` is the number of the next row that has something in it.

        What one cell says for many rows is filled into each: all that is no single value of a
        decision, such as authority, source and state, and columns of one's own, such as what is
        secret; of messages nearly all. The subject is filled in where the row has a number of its
        own. A number that several rows share makes them one decision over several rows, which is
        no record.
        """
        areas = self._at(number, cells)
        if not areas:
            return cells, ()
        row, unread = list(cells), []
        has_number = header.number in header.names and not is_blank(
            dict(zip(header.names, cells, strict=False)).get(header.number)
        )
        for area, value in areas:
            name = header.names[area.left - 1] if area.left <= len(header.names) else ""
            if area.top == number and not (name == header.number and following <= area.bottom):
                continue
            row += [""] * (area.left - len(row))
            if name and (name not in header.single or (has_number and name in header.subject)):
                row[area.left - 1] = value
            elif name == header.number:
                row[area.left - 1] = merged(f"{column_letters(area.left)}{number}")
            elif name and has_number:
                unread.append(name)
        return row, unread
