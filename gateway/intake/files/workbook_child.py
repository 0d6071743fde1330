"""Read a workbook in a process of its own, with bounds: run by `workbook`, imports nothing of ours.

A workbook of 5 KB may ask for gigabytes, and a reader may end its process. Here it can only end
this one. Prints JSON lines: the sheets, then for each visible one its rows that are not empty.

    {"sheets": [{"name", "hidden", "rows"}]}     rows: so many have something in them, or fewer
    {"sheet": 0}
    [[row number, [cell, …]], …]        texts, numbers, true and false, {"formula": 1},
                                        {"date": "2026-10-09"}; "" is empty
    {"end": true}                                 everything was printed
    {"error": "…"}                                the reader's words, instead of all that
    {"far": "XFD1048576"}                         with --far: the cell that lies far from the others
"""

import resource
import sys
import xml.parsers.expat
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from typing import Any
from xml.etree.ElementTree import ParseError

import msgspec
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

CPU_SECONDS = 120
#: Rows of a line.
CHUNK = 100
#: Merged cells, and rows of one, that are filled.
MOST_MERGED = 10_000
BLOCK = 1 << 20
#: A cell so many rows or columns behind the next one is far from it.
FAR_ROWS, FAR_COLUMNS = 1000, 100
LINKS = "xl/_rels/workbook.xml.rels"
#: The attribute of a sheet that names its part; Strict workbooks have another namespace.
RELATION = "}id"

Cells = dict[tuple[int, int], Any]
#: Types that JSON has.
PLAIN = frozenset({str, int, float, bool})


def main(path: str, max_bytes: int, counted: int, far: bool) -> None:
    """Print the workbook, within the bounds of memory and time."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (max_bytes, max_bytes))
    if far:
        tell({"far": far_cell(path)})
        return
    try:
        read(path, counted)
    except Exception as error:  # noqa: BLE001  the parent tells it to a person
        tell({"error": f"{type(error).__name__}: {error}"[:500]})


def tell(line: Any) -> None:
    """Print one line."""
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")


def read(path: str, counted: int) -> None:
    """Print the visible sheets of a workbook."""
    from python_calamine import (
        CalamineWorkbook,
        SheetTypeEnum,
        SheetVisibleEnum,
    )

    with open(path, "rb") as stream:  # noqa: PTH123  not by name, which may be of any bytes
        workbook = CalamineWorkbook.from_filelike(stream)
    table = (SheetVisibleEnum.Visible, SheetTypeEnum.WorkSheet)
    sheets = [(s.name, (s.visible, s.typ) == table) for s in workbook.sheets_metadata]
    shown = [index for index, (_, is_shown) in enumerate(sheets) if is_shown]
    with ThreadPoolExecutor(1) as scanning:  # beside the reader, which takes longer
        odd = {index: scanning.submit(odd_cells, path, sheets[index][0]) for index in shown}
        opened = {index: workbook.get_sheet_by_index(index) for index in shown}
        heights = [filled(opened[i], counted) if i in opened else 0 for i in range(len(sheets))]
        named = zip(sheets, heights, strict=True)
        tell({"sheets": [{"name": n, "hidden": not s, "rows": rows} for (n, s), rows in named]})
        for index, sheet in opened.items():
            tell({"sheet": index})
            write_rows(sheet, odd[index].result())
    tell({"end": True})


def filled(sheet: Any, counted: int) -> int:
    """Return the rows of a sheet; above so many, without those that have a running number only."""
    if sheet.height <= counted:
        return int(sheet.height)
    least = 2 if sheet.width > 2 else 1
    return sum(len(row) - row.count("") >= least for row in sheet.iter_rows())


def write_rows(sheet: Any, odd: Cells) -> None:
    """Print the rows of a sheet that have something in a cell."""
    odd_rows = by_row(odd)
    merged = merged_rows(sheet)
    margin = [""] * (sheet.start or (0, 0))[1]  # the reader begins with the first used column
    values: dict[tuple[int, int], Any] = {}
    chunk: list[tuple[int, list[Any]]] = []
    for number, read_row in enumerate(sheet.iter_rows(), 1):
        row = margin + read_row if margin else read_row
        if not set(map(type, row)) <= PLAIN:
            row = [cell if type(cell) in PLAIN else as_json(cell) for cell in row]
        if number in odd_rows:
            place_odd(row, odd_rows[number])
        if number in merged:
            fill(row, merged[number], values)
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


def by_row(cells: Cells) -> dict[int, dict[int, Any]]:
    """Return cells by row and column."""
    rows: dict[int, dict[int, Any]] = {}
    for (number, column), value in cells.items():
        rows.setdefault(number, {})[column] = value
    return rows


def merged_rows(sheet: Any) -> dict[int, dict[int, tuple[int, int]]]:
    """Return row → column → first cell of the merged cell that it is a part of; from 1."""
    rows: dict[int, dict[int, tuple[int, int]]] = {}
    for (top, left), (bottom, right) in (sheet.merged_cell_ranges or [])[:MOST_MERGED]:
        for row in range(top, min(bottom, top + MOST_MERGED) + 1):
            for column in range(left, min(right, left + FAR_COLUMNS) + 1):
                rows.setdefault(row + 1, {})[column + 1] = (top + 1, left + 1)
    return rows


def fill(
    row: list[Any], parts: dict[int, tuple[int, int]], values: dict[tuple[int, int], Any]
) -> None:
    """Put into each part of a merged cell what a person sees there; remember it for later rows."""
    for column, first in parts.items():
        row += [""] * (column - len(row))
        if first not in values:
            values[first] = row[column - 1]
        row[column - 1] = values[first]


def place_odd(cells: list[Any], odd: dict[int, Any]) -> None:
    """Put the values that the reader does not give into a row."""
    for column, value in odd.items():
        cells += [""] * (column - len(cells))
        cells[column - 1] = value


def odd_cells(path: str, name: str) -> Cells:
    """Return the errors of a sheet, and its formulas without a result.

    The reader gives an empty cell for both. Only the XML of Office workbooks is looked at.
    """
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        parts, recalculated = sheet_parts(archive)
        part = parts.get(name)
        if part is None or not any(has_odd(block) for block in blocks(archive, part)):
            return {}
        found = cells_of(archive, part, recalculated)
        return {address: value for address, value in found if value is not None}


def sheet_parts(archive: zipfile.ZipFile) -> tuple[dict[str, str], bool]:
    """Return sheet name → file in the archive, and whether formulas are still to be calculated."""
    try:
        book = fromstring(archive.read("xl/workbook.xml"))
        links = fromstring(archive.read(LINKS))
    except (KeyError, ParseError, DefusedXmlException):
        return {}, False
    target = {link.get("Id"): link.get("Target", "") for link in links}
    found = {}
    for sheet in book.iterfind(".//{*}sheet"):
        link = next((value for name, value in sheet.items() if name.endswith(RELATION)), "")
        part = target.get(link, "")
        found[sheet.get("name", "")] = part[1:] if part.startswith("/") else f"xl/{part}"
    calculation = book.find("{*}calcPr")
    recalculated = calculation is not None and calculation.get("fullCalcOnLoad") in {"1", "true"}
    return {name: part for name, part in found.items() if part in archive.namelist()}, recalculated


def blocks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part unpacked, block by block, each with the end of the one before."""
    before = b""
    with archive.open(part) as stream:
        while block := stream.read(BLOCK):
            yield before + block
            before = block[-16:]


def has_odd(block: bytes) -> bool:
    """Whether a block may have an error or a formula; quick, and sometimes wrongly so."""
    return b't="e"' in block or b"t='e'" in block or b"<f" in block or b":f>" in block


def cells_of(
    archive: zipfile.ZipFile, part: str, recalculated: bool = False
) -> Iterator[tuple[tuple[int, int], Any]]:
    """Yield ((row, column), value) of the cells with something in them.

    The value is the words of an error, {"formula": 1}, or None for what the reader gives itself.
    """
    parser, seen = xml.parsers.expat.ParserCreate(), Cell()
    parser.StartElementHandler, parser.EndElementHandler = seen.start, seen.end
    parser.CharacterDataHandler = seen.text
    seen.recalculated = recalculated
    with archive.open(part) as stream:
        while block := stream.read(BLOCK):
            parser.Parse(block)
            yield from seen.taken()


class Cell:
    """The cell that the parser is in, and those that it has left since they were taken."""

    def __init__(self) -> None:
        self.recalculated = False
        self._left: list[tuple[tuple[int, int], Any]] = []
        self._row = self._column = 0
        self._type, self._formula, self._value, self._within = "", False, "", ""

    def taken(self) -> list[tuple[tuple[int, int], Any]]:
        """Return the cells that the parser has left."""
        left, self._left = self._left, []
        return left

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        name = name.rpartition(":")[2]
        if name == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif name == "c":
            self._row, self._column = self._address(attributes.get("r", ""))
            self._type, self._formula, self._value = attributes.get("t", ""), False, ""
        elif name in {"v", "t"}:
            self._within = name
        elif name == "f":
            self._formula = True

    def _address(self, text: str) -> tuple[int, int]:
        letters = text.rstrip("0123456789")
        if not letters:
            return self._row, self._column + 1
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        return int(text[len(letters) :] or self._row), column

    def text(self, data: str) -> None:
        """Take a piece of text."""
        if self._within:
            self._value += data

    def end(self, name: str) -> None:
        """Leave an element."""
        name = name.rpartition(":")[2]
        if name in {"v", "t"}:
            self._within = ""
        elif name == "c" and (self._value or self._formula):
            self._left.append(((self._row, self._column), self._odd()))

    def _odd(self) -> Any:
        if self._type == "e":
            return self._value
        unknown = self._type != "str" and self._value == ""
        if self._formula and (unknown or (self.recalculated and self._value == "0")):
            return {"formula": 1}
        return None


def far_cell(path: str) -> str:
    """Return the address of a cell that lies far from all others; empty if there is none."""
    if not zipfile.is_zipfile(path):
        return ""
    archive = zipfile.ZipFile(path)
    parts, _ = sheet_parts(archive)
    return next((f"{n}!{a}" for n, part in parts.items() if (a := far_in(archive, part))), "")


def far_in(archive: zipfile.ZipFile, part: str) -> str:
    """Return the cell with the last row or column, if the one before it is far."""
    rows: list[int] = [0]
    columns: dict[int, int] = {}
    for (row, column), _ in cells_of(archive, part):
        if row != rows[-1]:
            rows = [*rows[-1:], row]
        columns.setdefault(column, row)
    *_, before, last = [0, 0, *sorted(columns)]
    if last - before > FAR_COLUMNS:
        return f"{letters(last)}{columns[last]}"
    if rows[-1] - rows[0] > FAR_ROWS:
        column = next((c for c, row in columns.items() if row == rows[-1]), 1)
        return f"{letters(column)}{rows[-1]}"
    return ""


def letters(column: int) -> str:
    """Return the letters of a column."""
    text = ""
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), "--far" in sys.argv)
