"""The merged cells 合并单元格 of a workbook in ODS, which its reader does not give.

It is used in the process that reads a workbook, within its bounds of memory and time.
"""

import xml.parsers.expat
import zipfile
from collections.abc import Iterator

from gateway.intake.files.areas import Area
from gateway.intake.files.office_xml import BLOCK, blocks

CONTENT = "content.xml"
#: The namespace of tables in OpenDocument, as the parser puts it before a name.
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
CELLS = frozenset({TABLE + "table-cell", TABLE + "covered-table-cell"})


def spans(path: str, name: str) -> Iterator[Area]:
    """Yield the merged cells of a sheet, row by row; none if the file is no ODS."""
    if not zipfile.is_zipfile(path):
        return
    archive = zipfile.ZipFile(path)
    if CONTENT not in archive.namelist():
        return
    if not any(b"s-spanned" in block for block in blocks(archive, CONTENT)):
        return
    parser, seen = xml.parsers.expat.ParserCreate(namespace_separator=" "), Spans(name)
    parser.StartElementHandler, parser.EndElementHandler = seen.start, seen.end
    with archive.open(CONTENT) as stream:
        while block := stream.read(BLOCK):
            parser.Parse(block)
            yield from seen.taken()


class Spans:
    """The place of the parser in its sheet, and the merged cells since they were taken."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._depth = 0  #: of tables: a cell may have one of its own
        self._is_here = False
        self._row = self._column = 0
        self._more = 0  #: rows like the present one that follow it
        self._found: list[Area] = []

    def taken(self) -> list[Area]:
        """Return the merged cells that the parser has met."""
        found, self._found = self._found, []
        return found

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        if name == TABLE + "table":
            self._depth += 1
            self._is_here = self._depth == 1 and attributes.get(TABLE + "name") == self._name
        elif self._is_here and self._depth == 1 and name == TABLE + "table-row":
            self._row, self._column = self._row + self._more + 1, 0
            self._more = count(attributes, "number-rows-repeated") - 1
        elif self._is_here and self._depth == 1 and name in CELLS:
            self._cell(attributes)

    def _cell(self, attributes: dict[str, str]) -> None:
        rows, columns = (count(attributes, f"number-{one}-spanned") for one in ("rows", "columns"))
        left = self._column + 1
        self._column += count(attributes, "number-columns-repeated")
        if rows > 1 or columns > 1:
            self._found.append(Area(self._row, self._row + rows - 1, left, left + columns - 1))

    def end(self, name: str) -> None:
        """Leave an element."""
        if name == TABLE + "table":
            self._depth -= 1


def count(attributes: dict[str, str], name: str) -> int:
    """Return a number that an attribute says; without it, one."""
    return max(1, int(attributes.get(TABLE + name, 1)))
