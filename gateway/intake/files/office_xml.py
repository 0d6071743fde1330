"""What the reader of workbooks does not give, from the XML of Office workbooks.

It is used in the process that reads a workbook, within its bounds of memory and time.
"""

import xml.parsers.expat
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from gateway.intake.files.address import column_letters, column_number
from gateway.intake.files.number_format import NumberFormat, number_format

BLOCK = 1 << 20
#: A cell so many rows or columns behind the next one is far from it.
FAR_ROWS, FAR_COLUMNS = 1000, 100
BOOK, LINKS, STYLES = "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"
#: The attribute of a sheet that names its part; Strict workbooks have another namespace.
RELATION = "}id"

Cells = dict[tuple[int, int], Any]
#: By the number of the style, those that show more than a number.
Formats = dict[str, NumberFormat]


def odd_cells(path: str, name: str) -> Cells:
    """Return the errors of a sheet, its formulas without a result, and numbers shown as texts.

    For these the reader gives empty cells and plain numbers. Only the XML of Office workbooks is
    looked at.
    """
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        parts, recalculated = sheet_parts(archive)
        part, formats = parts.get(name), formats_of(archive)
        marks = [*ODD, *(mark for key in formats for mark in (f' s="{key}"', f" s='{key}'"))]
        sought = [mark.encode() for mark in marks]
        if part is None or not any(has_any(sought, block) for block in blocks(archive, part)):
            return {}
        found = cells_of(archive, part, formats, recalculated)
        return {address: value for address, value in found if value is not None}


def sheet_parts(archive: zipfile.ZipFile) -> tuple[dict[str, str], bool]:
    """Return sheet name → file in the archive, and whether formulas are still to be calculated."""
    try:
        book = fromstring(archive.read(BOOK))
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


def formats_of(archive: zipfile.ZipFile) -> Formats:
    """Return the styles of a workbook that show more than a number."""
    try:
        styles = fromstring(archive.read(STYLES))
    except (KeyError, ParseError, DefusedXmlException):
        return {}
    codes = {
        one.get("numFmtId"): one.get("formatCode", "")
        for one in styles.iterfind("{*}numFmts/{*}numFmt")
    }
    shown = {key: read for key, code in codes.items() if (read := number_format(code))}
    uses = (one.get("numFmtId") for one in styles.iterfind("{*}cellXfs/{*}xf"))
    return {str(place): shown[key] for place, key in enumerate(uses) if key in shown}


def blocks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part unpacked, block by block, each with the end of the one before."""
    before = b""
    with archive.open(part) as stream:
        while block := stream.read(BLOCK):
            yield before + block
            before = block[-16:]


#: What a block has that may have an error or a formula; sometimes wrongly so.
ODD = ('t="e"', "t='e'", "<f", ":f>")


def has_any(marks: list[bytes], block: bytes) -> bool:
    """Whether one of the marks is in a block."""
    return any(mark in block for mark in marks)


def cells_of(
    archive: zipfile.ZipFile, part: str, formats: Formats, recalculated: bool = False
) -> Iterator[tuple[tuple[int, int], Any]]:
    """Yield ((row, column), value) of the cells with something in them.

    The value is the words of an error, {"formula": 1}, the text that a number is shown as, or None
    for what the reader gives itself.
    """
    parser, seen = xml.parsers.expat.ParserCreate(), Cell(formats)
    parser.StartElementHandler, parser.EndElementHandler = seen.start, seen.end
    parser.CharacterDataHandler = seen.text
    seen.recalculated = recalculated
    with archive.open(part) as stream:
        while block := stream.read(BLOCK):
            parser.Parse(block)
            yield from seen.taken()


class Cell:
    """The cell that the parser is in, and those that it has left since they were taken."""

    def __init__(self, formats: Formats) -> None:
        self.recalculated = False
        self._formats = formats
        self._format: NumberFormat | None = None
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
            self._format = self._formats.get(attributes.get("s", ""))
        elif name in {"v", "t"}:
            self._within = name
        elif name == "f":
            self._formula = True

    def _address(self, text: str) -> tuple[int, int]:
        letters = text.rstrip("0123456789")
        if not letters:
            return self._row, self._column + 1
        return int(text[len(letters) :] or self._row), column_number(letters)

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
        if self._format is None or self._type not in {"", "n"}:
            return None
        return self._format.shown(self._value)


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
