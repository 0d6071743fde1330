"""Write Excel workbooks; no text in them ever becomes a formula or a link."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from math import ceil
from pathlib import Path
from typing import Any

import xlsxwriter

from schemas.base import SHANGHAI

#: Excel's numbers of paper sizes.
A3, A4 = 8, 9

_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_BASE = {"font_name": "宋体", "font_size": 10, "border": 1, "valign": "vcenter", "text_wrap": True}
_STYLES: Mapping[str, Mapping[str, Any]] = {
    "text": {"num_format": "@"},
    "marked": {"num_format": "@", "bg_color": "#FFC7CE"},
    "to_fill": {"num_format": "#,##0", "align": "center", "bg_color": "#FFF2CC"},
    "number": {"num_format": "#,##0", "align": "center"},
    "total": {"num_format": "#,##0", "align": "center", "bold": True, "bg_color": "#F2F2F2"},
    "percent": {"num_format": "0.00%", "align": "center"},
    "centred": {"align": "center"},
    "day": {"num_format": "yyyy-mm-dd", "align": "center"},
    "moment": {"num_format": "yyyy-mm-dd hh:mm", "align": "center"},
    "head": {"bold": True, "align": "center", "bg_color": "#DDEBF7"},
    "title": {"bold": True, "align": "center", "font_size": 16, "border": 0},
    "plain": {"border": 0},
    "label": {"border": 0, "bold": True},
}
#: Height of a line in points, and the most lines that a row shows (Excel allows 409 points).
_LINE = 13.0
_MOST_LINES = 20
#: The most characters in a cell; Excel refuses a file with more.
_CELL_LIMIT = 32_767
#: The most characters in the name of a sheet, and those that it cannot have, as wide ones.
_NAME_LIMIT = 31
_WIDE = str.maketrans("[]:*?/\\", "［］：＊？／＼")


class WrittenWorkbook:
    """A workbook that is written row by row, from the top of each sheet."""

    def __init__(self, target: Path | BytesIO) -> None:
        name = target if isinstance(target, BytesIO) else str(target)
        self.file = xlsxwriter.Workbook(name, dict(_OPTIONS))
        self._formats = {
            name: self.file.add_format({**_BASE, **style}) for name, style in _STYLES.items()
        }

    def sheet(self, name: str, widths: Sequence[float], paper: int = A4) -> "WrittenSheet":
        """Add a sheet with these column widths; it prints in landscape, one page wide.

        Its name is one that Excel takes and no other sheet of the workbook has.
        """
        taken = [one.name for one in self.file.worksheets()]
        sheet = self.file.add_worksheet(sheet_name(name, taken))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_landscape()
        sheet.set_paper(paper)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.set_footer("&L&A&R第 &P 页，共 &N 页")
        return WrittenSheet(sheet, self._formats, widths)


class WrittenSheet:
    """One sheet; `rows` is the number of rows written so far."""

    def __init__(self, sheet: Any, formats: Mapping[str, Any], widths: Sequence[float]) -> None:
        self.raw = sheet
        self.name: str = sheet.name
        self.formats = formats
        self.widths = widths
        self.rows = 0

    def write(self, cells: Sequence[tuple[object, str]], height: float | None = None) -> None:
        """Write the next row from (value, style name) pairs; without `height` it fits the texts."""
        if height is None:
            pairs = zip(cells, self.widths, strict=False)
            lines = max((_lines(value, width) for (value, _), width in pairs), default=1)
            height = _LINE * min(lines, _MOST_LINES) + 3
        self.raw.set_row(self.rows, height)
        for column, (value, style) in enumerate(cells):
            self._cell(column, value, self.formats[style])
        self.rows += 1

    def line(self, text: str, style: str, columns: int, height: float | None = None) -> None:
        """Write one text as the next row, merged over so many columns."""
        if height is not None:
            self.raw.set_row(self.rows, height)
        self.raw.merge_range(self.rows, 0, self.rows, columns - 1, text, self.formats[style])
        self.rows += 1

    def head(self, titles: Sequence[str]) -> None:
        """Write the header row; it stays visible and is repeated on every printed page."""
        self.write([(title, "head") for title in titles])
        self.keep(self.rows)

    def keep(self, rows: int, columns: int = 0) -> None:
        """Freeze the first rows and columns, and repeat the last written row on printed pages."""
        self.raw.freeze_panes(rows, columns)
        self.raw.repeat_rows(max(0, self.rows - 1), rows - 1)

    def join(self, row: int, column: int, last_row: int, last_column: int) -> None:
        """Merge cells that are already written (merge_range would write them again)."""
        self.raw.merge.append([row, column, last_row, last_column])

    def _cell(self, column: int, value: object, style: Any) -> None:
        match value:
            case None | "":
                self.raw.write_blank(self.rows, column, None, style)
            case bool():
                self.raw.write_string(self.rows, column, "是" if value else "否", style)
            case int() | float():
                self.raw.write_number(self.rows, column, value, style)
            case datetime():
                local = value.astimezone(SHANGHAI).replace(tzinfo=None)
                self.raw.write_datetime(self.rows, column, local, style)
            case _:
                self.raw.write_string(self.rows, column, str(value)[:_CELL_LIMIT], style)


def sheet_name(text: str, taken: Iterable[str] = ()) -> str:
    """Return a text as the name of a sheet that Excel takes and that is not `taken` already."""
    shown = "".join(c if c.isprintable() else " " for c in text.translate(_WIDE))
    name = " ".join(shown.split()).strip("'") or "Sheet"
    others = {one.casefold() for one in (*taken, "History")}
    found, number = _cut(name, _NAME_LIMIT), 1
    while found.casefold() in others:
        number += 1
        found = f"{_cut(name, _NAME_LIMIT - len(str(number)) - 1)}~{number}"
    return found


def _cut(text: str, units: int) -> str:
    """Return the beginning of a text within so many units of UTF-16, which Excel counts."""
    return text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore").strip("' ")


def _lines(value: object, width: float) -> int:
    """Return how many lines a text needs in a column; a Chinese character is two digits wide."""
    if not isinstance(value, str):
        return 1
    room = max(1.0, width - 1)
    return sum(
        max(1, ceil(sum(2 if letter > "ÿ" else 1 for letter in line) / room))
        for line in value[:_CELL_LIMIT].split("\n")
    )


@contextmanager
def workbook(target: Path | BytesIO, created: datetime | None = None) -> Iterator[WrittenWorkbook]:
    """Give a workbook and save it when the block ends; `created` makes its bytes repeatable."""
    book = WrittenWorkbook(target)
    if created is not None:
        stamp = created.astimezone(SHANGHAI).replace(tzinfo=None)
        book.file.set_properties({"created": stamp})
    try:
        yield book
    finally:
        book.file.close()
