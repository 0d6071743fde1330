"""Merged cells 合并单元格, hidden rows and columns of a workbook in ODS; its reader gives none.

It is used in the process that reads a workbook, within its bounds of memory and time.
"""

import xml.parsers.expat
import zipfile
from collections.abc import Iterable
from typing import NamedTuple

from gateway.intake.files.areas import Area
from gateway.intake.files.hidden import NOTHING_HIDDEN, Hidden, Span, joined
from gateway.intake.files.office_xml import BLOCK, blocks

CONTENT = "content.xml"
#: The namespace of tables in OpenDocument, as the parser puts it before a name.
TABLE = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
#: What the part has if cells are merged, rows or columns hidden.
MARKS = (b"s-spanned", b"visibility=")
INVISIBLE = frozenset({"collapse", "filter"})
CELLS = frozenset({TABLE + "table-cell", TABLE + "covered-table-cell"})


class OdsSheet(NamedTuple):
    """What the reader does not give of a sheet."""

    merged: Iterable[Area] = ()
    hidden: Hidden = NOTHING_HIDDEN


class OdsFile:
    """A workbook in ODS, whose sheets stand in one part; another file has nothing to tell."""

    def __init__(self, path: str) -> None:
        """Open it, and look through its part once."""
        archive = zipfile.ZipFile(path) if zipfile.is_zipfile(path) else None
        #: Whether the file is one.
        self.is_one = archive is not None and CONTENT in archive.namelist()
        self._archive = archive
        self._tells = (
            archive is not None
            and self.is_one
            and any(mark in block for block in blocks(archive, CONTENT) for mark in MARKS)
        )

    def scan(self, name: str) -> OdsSheet:
        """Return the merged cells of a sheet, row by row, and what is hidden in it."""
        if self._archive is None or not self._tells:
            return OdsSheet()
        parser, seen = xml.parsers.expat.ParserCreate(namespace_separator=" "), Spans(name)
        parser.StartElementHandler, parser.EndElementHandler = seen.start, seen.end
        with self._archive.open(CONTENT) as stream:
            while block := stream.read(BLOCK):
                parser.Parse(block)
        return OdsSheet(seen.found, Hidden(joined(seen.rows), joined(seen.columns)))


class Spans:
    """The place of the parser in its sheet, and the merged and hidden ones that it has met."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._depth = 0  #: of tables: a cell may have one of its own
        self._is_here = False
        self._row = self._column = 0
        self._more = 0  #: rows like the present one that follow it
        self._columns = 0  #: columns that are described, with their widths
        self.found: list[Area] = []
        self.rows: list[Span] = []
        self.columns: list[Span] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        if name == TABLE + "table":
            self._depth += 1
            self._is_here = self._depth == 1 and attributes.get(TABLE + "name") == self._name
        elif self._is_here and self._depth == 1 and name == TABLE + "table-row":
            self._row, self._column = self._row + self._more + 1, 0
            self._more = count(attributes, "number-rows-repeated") - 1
            if attributes.get(TABLE + "visibility") in INVISIBLE:
                self.rows.append((self._row, self._row + self._more))
        elif self._is_here and self._depth == 1 and name == TABLE + "table-column":
            first = self._columns + 1
            self._columns += count(attributes, "number-columns-repeated")
            if attributes.get(TABLE + "visibility") in INVISIBLE:
                self.columns.append((first, self._columns))
        elif self._is_here and self._depth == 1 and name in CELLS:
            self._cell(attributes)

    def _cell(self, attributes: dict[str, str]) -> None:
        rows, columns = (count(attributes, f"number-{one}-spanned") for one in ("rows", "columns"))
        left = self._column + 1
        self._column += count(attributes, "number-columns-repeated")
        if rows > 1 or columns > 1:
            self.found.append(Area(self._row, self._row + rows - 1, left, left + columns - 1))

    def end(self, name: str) -> None:
        """Leave an element."""
        if name == TABLE + "table":
            self._depth -= 1


def count(attributes: dict[str, str], name: str) -> int:
    """Return a number that an attribute says; without it, one."""
    return max(1, int(attributes.get(TABLE + name, 1)))
