"""Merged cells 合并单元格: what a person sees in each part of them."""

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gateway.intake.files.address import column_letters
from gateway.intake.files.header import Header, is_blank
from schemas.cell import merged

#: Columns of one merged cell that are filled.
_MOST_COLUMNS = 100


class Area(NamedTuple):
    """One merged cell: its first and last row and column, from 1."""

    top: int
    bottom: int
    left: int
    right: int


class Merged:
    """The merged cells of a table, whose rows are given in their order."""

    def __init__(self, areas: Iterable[Area], unread: dict[str, list[int]] | None = None) -> None:
        """Read areas in their order; `unread` takes the rows for which a column is not filled."""
        self._coming = deque(areas)
        self._unread = {} if unread is None else unread
        self._open: list[tuple[Area, Any]] = []  #: with what stands in its first cell

    def _at(self, number: int, cells: Sequence[Any]) -> list[tuple[Area, Any]]:
        """Return the merged cells that a row is a part of, with what stands in them."""
        while self._coming and self._coming[0].top <= number:
            area = self._coming.popleft()
            first = cells[area.left - 1] if area.top == number and area.left <= len(cells) else ""
            self._open.append((area, first))
        self._open = [one for one in self._open if one[0].bottom >= number]
        return [one for one in self._open if not is_blank(one[1])]

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
    ) -> Sequence[Any]:
        """Return a row of a record: what one cell says for many rows is filled into each.

        `following` is the number of the next row that has something in it.

        That is all that is no single value of a decision: authority, source and state, and columns
        of one's own, such as what is secret; of messages nearly all. The subject is filled in where
        the row has a number of its own. A number that several rows share makes them one decision
        over several rows, which is no record.
        """
        if not self._open and (not self._coming or self._coming[0].top > number):
            return cells
        row = list(cells)
        has_number = header.number in header.names and not is_blank(
            dict(zip(header.names, cells, strict=False)).get(header.number)
        )
        for area, value in self._at(number, cells):
            name = header.names[area.left - 1] if area.left <= len(header.names) else ""
            if area.top == number and not (name == header.number and following <= area.bottom):
                continue
            row += [""] * (area.left - len(row))
            if name and (name not in header.single or (has_number and name in header.subject)):
                row[area.left - 1] = value
            elif name == header.number:
                row[area.left - 1] = merged(f"{column_letters(area.left)}{number}")
            elif name and has_number:
                self._unread.setdefault(name, []).append(number)
        return row
