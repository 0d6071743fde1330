"""A cell that lies far from all others, for which a sheet is too large to be read.

It is used in the process that reads a workbook, within its bounds of memory and time.
"""

import zipfile

from gateway.intake.files.address import column_letters
from gateway.intake.files.office_xml import book_of, cells_of

#: A cell so many rows or columns behind the next one is far from it.
FAR_ROWS, FAR_COLUMNS = 1000, 100


def far_cell(path: str) -> str:
    """Return the address of a cell that lies far from all others; empty if there is none."""
    if not zipfile.is_zipfile(path):
        return ""
    archive = zipfile.ZipFile(path)
    parts = book_of(archive).sheets
    return next((f"{n}!{a}" for n, part in parts.items() if (a := far_in(archive, part))), "")


def far_in(archive: zipfile.ZipFile, part: str) -> str:
    """Return the cell with the last row or column, if the one before it is far."""
    rows: list[int] = [0]
    columns: dict[int, int] = {}
    for (row, column), _ in cells_of(archive, part, {}):
        if row != rows[-1]:
            rows = [*rows[-1:], row]
        columns.setdefault(column, row)
    *_, before, last = [0, 0, *sorted(columns)]
    if last - before > FAR_COLUMNS:
        return f"{column_letters(last)}{columns[last]}"
    if rows[-1] - rows[0] > FAR_ROWS:
        column = next((c for c, row in columns.items() if row == rows[-1]), 1)
        return f"{column_letters(column)}{rows[-1]}"
    return ""
