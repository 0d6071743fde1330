"""Read a workbook in a process of its own, with bounds: `workbook` runs it.

A workbook of 5 KB may ask for gigabytes, and a reader may end its process. Here it can only end
this one. Prints JSON lines: the sheets, then for each visible one its rows that are not empty.

    {"sheets": [{"name", "hidden", "rows"}]}     rows: so many have something in them, or fewer
    {"sheet": 0, "merged": [[first row, last row, first column, last column], …],
     "notes": [[text, …], …],           merged: null if too many; notes: last rows of a few cells
     "hidden": [[[first, last], …], …]} rows, and columns, that nobody sees
    [[row number, [cell, …]], …]        texts, numbers, true and false, {"formula": 1},
                                        {"shown": 1}, {"date": "2026-10-09"}, "" is empty,
                                        {"struck": 1, "text": "…"} (text: if it is one)
    {"end": true}                                 everything was printed
    {"error": "…"}                                the reader's words, instead of all that
    {"far": "XFD1048576"}                         with --far: the cell that lies far from the others
"""

import resource
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from itertools import islice
from typing import Any

import msgspec
from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from gateway.intake.files.areas import Area, OpenAreas, seen
from gateway.intake.files.far_cell import far_cell
from gateway.intake.files.number_format import Dateless
from gateway.intake.files.ods_xml import OdsFile
from gateway.intake.files.office_file import OfficeFile
from gateway.intake.files.office_struck import STRUCK_OUT
from gateway.intake.files.office_xml import Address

#: Processor time after which a process is killed that SIGXCPU has not ended.
SECONDS_TO_END = 5
#: Rows of a line.
CHUNK = 100
#: Merged cells of a sheet that are told; one with more is not read.
MOST_MERGED = 100_000
#: Rows in which the header is looked for, and blank ones above it.
IN_HEADER = 1000
#: Rows at the end that may be notes, and filled cells of a note.
LAST_ROWS, CELLS_OF_A_NOTE = 20, 2
#: Rows with units before them that are told.
MOST_UNITS = 100
#: Types that JSON has.
PLAIN = frozenset({str, int, float, bool})


def main(path: str, max_bytes: str, seconds: str, counted: str, far: str = "") -> None:
    """Print the workbook, within the bounds of memory and time; of more rows, count the filled.

    At the end of its time SIGXCPU ends it, by which its parent knows.
    """
    bytes_, time = int(max_bytes), int(seconds)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (time, time + SECONDS_TO_END))
    resource.setrlimit(resource.RLIMIT_DATA, (bytes_, bytes_))
    if far:
        tell({"far": far_cell(path)})
        return
    try:
        read(path, int(counted))
    except MemoryError:
        raise  # the parent tells that the workbook is too large
    except Exception as error:  # noqa: BLE001  the parent tells it to a person
        tell({"error": f"{type(error).__name__}: {error}"[:500]})


def tell(line: Any) -> None:
    """Print one line."""
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")


def read(path: str, counted: int) -> None:
    """Print the visible sheets of a workbook."""
    with open(path, "rb") as stream:  # noqa: PTH123  not by name, which may be of any bytes
        workbook = CalamineWorkbook.from_filelike(stream)
    table = (SheetVisibleEnum.Visible, SheetTypeEnum.WorkSheet)
    sheets = [(s.name, (s.visible, s.typ) == table) for s in workbook.sheets_metadata]
    shown = [index for index, (_, is_shown) in enumerate(sheets) if is_shown]
    with ThreadPoolExecutor(1) as scanning:  # beside the reader, which takes longer
        office, open_document = OfficeFile(path), OdsFile(path)
        scans = {index: scanning.submit(office.scan, sheets[index][0]) for index in shown}
        opened = {index: workbook.get_sheet_by_index(index) for index in shown}
        heights = [filled(opened[i], counted) if i in opened else 0 for i in range(len(sheets))]
        named = zip(sheets, heights, strict=True)
        tell({"sheets": [{"name": n, "hidden": not s, "rows": rows} for (n, s), rows in named]})
        for index, sheet in opened.items():
            scan, document = scans.pop(index).result(), open_document.scan(sheets[index][0])
            areas = merged(sheet) or sorted(document.merged)
            found = notes(sheet, areas) if scan.may_say_a_unit else []
            hidden = document.hidden if open_document.is_one else scan.hidden
            tell({"sheet": index, "merged": told(areas), "notes": found, "hidden": hidden})
            write_rows(sheet, scan.odd, areas)
    tell({"end": True})


def filled(sheet: Any, counted: int) -> int:
    """Return the rows of a sheet; beyond a header and so many, those with more than a number."""
    if sheet.height <= counted + 1:
        return int(sheet.height)
    least = 2 if sheet.width > 2 else 1
    return sum(len(row) - row.count("") >= least for row in sheet.iter_rows())


def write_rows(sheet: Any, odd: Iterator[tuple[Address, Any]], areas: Iterable[Area]) -> None:
    """Print the rows of a sheet in which something is seen; odd cells come in their order."""
    coming, open_ = next(odd, None), OpenAreas(areas)
    margin = [""] * (sheet.start or (0, 0))[1]  # the reader begins with the first used column
    chunk: list[tuple[int, list[Any]]] = []
    for number, read_row in enumerate(sheet.iter_rows(), 1):
        row = margin + read_row if margin else read_row
        if not set(map(type, row)) <= PLAIN:
            row = [cell if type(cell) in PLAIN else as_json(cell) for cell in row]
        while coming is not None and coming[0][0] <= number:
            if coming[0][0] == number:
                place_odd(row, coming[0][1], coming[1])
            coming = next(odd, None)
        row = seen(number, row, open_.at(number, len(row)))
        if row.count("") < len(row):
            chunk.append((number, row))
        if len(chunk) == CHUNK:
            tell(chunk)
            chunk = []
    tell(chunk)


def as_json(cell: Any) -> Any:
    """Return a day as such, so that it is told from a text; other values as text."""
    if isinstance(cell, datetime):
        return {"date": cell.isoformat().removesuffix("T00:00:00")}
    return {"date": cell.isoformat()} if isinstance(cell, date) else str(cell)


def merged(sheet: Any) -> list[Area]:
    """Return the merged cells of a sheet in their order; none for ODS."""
    ranges = sheet.merged_cell_ranges or ()
    return sorted(Area(t + 1, b + 1, left + 1, right + 1) for (t, left), (b, right) in ranges)


def told(areas: Iterable[Area]) -> list[Area] | None:
    """Return the merged cells by which rows are filled in; None if there are too many.

    Those within one row count in the rows of the header only: what they hide is taken out here.
    """
    filled_in = (area for area in areas if area.top < area.bottom or area.top <= IN_HEADER)
    found = list(islice(filled_in, MOST_MERGED + 1))
    return found if len(found) <= MOST_MERGED else None


def notes(sheet: Any, areas: Iterable[Area]) -> list[list[str]]:
    """Return the texts of rows in which one or two are seen: the last ones, and those of units.

    Only units among them count.
    """
    margin, open_ = [""] * (sheet.start or (0, 0))[1], OpenAreas(areas)
    few = [  # of all rows, as fast as can be
        (number, row)
        for number, row in enumerate(sheet.iter_rows(), 1)
        if 0 < len(row) - row.count("") <= CELLS_OF_A_NOTE
    ]
    last = sheet.height - LAST_ROWS
    units = [one for one in few if one[0] <= last and says_a_unit(one[1])][:MOST_UNITS]
    rows = ((n, margin + row) for n, row in [*units, *(one for one in few if one[0] > last)])
    shown = (seen(n, row, open_.at(n, len(row))) for n, row in rows)
    texts = ([cell for cell in row if cell != ""] for row in shown)
    return [
        row for row in texts if 0 < len(row) <= CELLS_OF_A_NOTE and set(map(type, row)) == {str}
    ]


def says_a_unit(row: list[Any]) -> bool:
    """Whether a text of a row may be a unit for the rows below it."""
    return any(type(cell) is str and "元" in cell and "单位" in cell for cell in row)


def place_odd(cells: list[Any], column: int, value: Any) -> None:
    """Put what the reader does not give into a row: of a day without its day, what is shown."""
    cells += [""] * (column - len(cells))
    if isinstance(value, Dateless):
        value = dateless(cells[column - 1], value)
    elif value == STRUCK_OUT and type(cells[column - 1]) is str:
        value = {**STRUCK_OUT, "text": cells[column - 1]}
    cells[column - 1] = value


def dateless(given: Any, shows: Dateless) -> Any:
    """Return a day of which the cell shows only the month or the time, with what it shows."""
    if type(given) is not dict:
        return {"shown": 1}
    day, _, time = given["date"].partition("T")
    return given | {"shows": day[:7] if shows is Dateless.MONTH else time or "00:00:00"}
