"""The merged cells 合并单元格 of a sheet, row by row: of each a person sees the first cell only.

It is also used in the process that reads a workbook, within its bounds of memory and time.
"""

from bisect import bisect_right, insort
from collections import deque
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any, NamedTuple


class Area(NamedTuple):
    """One merged cell: its first and last row and column, from 1."""

    top: int
    bottom: int
    left: int
    right: int


_LEFT = attrgetter("left")


class OpenAreas:
    """The merged cells that a row is a part of; rows are given in their order.

    They share no cell: of those that do, which no program writes on purpose, the first one counts.
    So they are at most as many as the row has cells, however many a file may name.
    """

    def __init__(self, areas: Iterable[Area]) -> None:
        """Read areas in their order."""
        self._coming = deque(areas)
        self._open: list[Area] = []  #: from left to right

    @property
    def is_over(self) -> bool:
        """Whether no row from here on is a part of a merged cell."""
        return not self._coming and not self._open

    def at(self, number: int, width: int) -> Sequence[Area]:
        """Return those of a row with so many cells, from left to right.

        One that begins behind the last cell of its first row is left out.
        """
        if self._open:
            self._open = [one for one in self._open if one.bottom >= number]
        while self._coming and self._coming[0].top <= number:
            area = self._coming.popleft()
            if area.bottom >= number and area.left <= width and self._is_free(area):
                insort(self._open, area, key=_LEFT)
        return self._open

    def _is_free(self, area: Area) -> bool:
        """Whether no open area has a column of this one."""
        place = bisect_right(self._open, area.right, key=_LEFT)
        return not place or self._open[place - 1].right < area.left


def seen(number: int, cells: Sequence[Any], areas: Iterable[Area]) -> list[Any]:
    """Return a row as a person sees it: nothing under a merged cell but its first cell."""
    row = list(cells)
    for area in areas:
        hidden = slice(area.left - (area.top != number), min(area.right, len(row)))
        row[hidden] = [""] * max(0, hidden.stop - hidden.start)
    return row
