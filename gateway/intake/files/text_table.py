"""Read a table that is a text: CSV and its relatives, in every encoding and separator."""

import csv
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, TextIO

from gateway.intake.files.address import column_letters
from gateway.intake.files.header import SEARCHED_ROWS, Header, find_header
from gateway.intake.files.quotes import QUOTE, are_of_csv, are_text
from gateway.intake.files.unreadable import UnreadableFile
from schemas.cell import cut
from schemas.codes import RecordKind
from schemas.column_names import ColumnNames

#: Separator → its name for people.
SEPARATORS = {",": "逗号分隔", "\t": "制表符分隔", ";": "分号分隔", "|": "竖线分隔"}
#: Excel's own first line, which says the separator.
_SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)
_LONGEST_SEPARATOR_LINE = 16
#: A text that Excel was told to keep as one: ="0123".
_QUOTED = re.compile(r'="([^"]*)"')
#: Bytes at the end that may be notes, and filled cells of a note.
_LAST_BYTES, _CELLS_OF_A_NOTE = 4096, 2
#: Characters of a line that may say a unit, and such lines.
_LONGEST_UNIT, _MOST_UNITS = 256, 100
_BLOCK = 1 << 20
#: Cells in quotes behind blanks in one line that are no chance.
_BLANKS_BEFORE_QUOTES = 3
#: Columns of a row at most: as many as Excel has.
MOST_COLUMNS = 16_384
_SURROGATES = re.compile("[\udc80-\udcff]")

Row = tuple[int, list[Any]]


class TextTable:
    """A text file as rows of cells, read line by line."""

    def __init__(self, path: Path, encoding: str, max_line_bytes: int) -> None:
        self._path = path
        self._encoding = encoding
        self._max = max_line_bytes
        self.separator = ","
        self.is_damaged = False  #: a cell that was read has bytes of no character
        self._lines_before = 0  #: the line that says the separator, which is no row
        self.quoted = True  #: quotes are those of CSV; else they are read as they stand

    def choose_form(self, names: ColumnNames, kind: RecordKind | None) -> None:
        """Choose the separator with which the header has the most known columns, and the quotes."""
        with self._opened() as stream:
            told = _SEPARATOR_LINE.fullmatch(stream.readline(_LONGEST_SEPARATOR_LINE))
        if told is not None:
            self.separator, self._lines_before = told[1], 1
        else:
            known = {separator: self._known(separator, names, kind) for separator in SEPARATORS}
            self.separator = max(known, key=lambda separator: known[separator])
        self._refuse_blanks()
        self.quoted = not self._has_quotes() or self._is_quoted(names, kind)

    def _refuse_blanks(self) -> None:
        """Refuse a text with blanks between separators and quotes: its quotes would be text."""
        spaced = re.compile(
            rf'{re.escape(self.separator)} +"[^"]*"(?= *(?:{re.escape(self.separator)}|$))'
        )
        with self._opened() as stream:
            for number, line in enumerate(islice(self._lines(stream), SEARCHED_ROWS), 1):
                if len(spaced.findall(line.rstrip("\r\n"))) >= _BLANKS_BEFORE_QUOTES:
                    raise UnreadableFile(
                        f"第{number}行的分隔符和引号之间有空格，引号会读成内容："
                        "把它们之间的空格都替换掉，再导入"
                    )

    def _known(self, separator: str, names: ColumnNames, kind: RecordKind | None) -> int:
        """Return the known columns with a separator; an odd quote in a row says nothing of it."""
        self.separator = separator
        for self.quoted in (True, False):
            with suppress(UnreadableFile):
                header = self._header(names, kind)
                return header.known if header else 0
        return 0

    def _header(self, names: ColumnNames, kind: RecordKind | None) -> Header | None:
        return find_header(list(islice(self.rows(), SEARCHED_ROWS)), names, kind)

    def _has_quotes(self) -> bool:
        with self._path.open("rb") as stream:
            return any(QUOTE.encode() in block for block in iter(partial(stream.read, _BLOCK), b""))

    def _is_quoted(self, names: ColumnNames, kind: RecordKind | None) -> bool:
        """Whether the quotes are those of CSV, or not to be read at all: `rows` tells of a fault.

        A cell may begin with a quotation mark and go on behind the second one: its program knows
        no quoting.
        """
        with suppress(UnreadableFile), self._opened() as first, self._opened() as second:
            if are_of_csv(self._lines(first), self.separator):
                return True
            self.quoted = False
            header = self._header(names, kind)
            row = 0 if header is None else header.row + self._lines_before
            return not (row and are_text(self._lines(second), self.separator, row))
        return True

    def rows(self) -> Iterator[Row]:
        """Yield the number of each row as a spreadsheet counts them, and its cells.

        A row over several lines is one, a blank line too; the line of the separator is none.

        Raises:
            UnreadableFile: a quote has no end, what follows it is no separator, a line is too long,
                or a row too wide.
        """
        csv.field_size_limit(self._max)
        with self._opened() as stream:
            reader = csv.reader(
                self._lines(stream),
                delimiter=self.separator,
                strict=True,
                quoting=csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE,
            )
            number, start, width = 0, 1, 0
            try:
                for cells in reader:
                    width = max(width, len(cells))
                    if width > MOST_COLUMNS:
                        raise UnreadableFile(_too_wide(start, width))
                    if reader.line_num > start and self._has_row(cells, width):
                        raise UnreadableFile(_unpaired(start))
                    start = reader.line_num + 1
                    if not _SEPARATOR_LINE.fullmatch(self.separator.join(cells)):
                        number += 1
                        yield number, self._read(cells, number)
            except csv.Error as error:
                if "unexpected end of data" in str(error):
                    raise UnreadableFile(_unpaired(start)) from error
                raise UnreadableFile(f"第{start}行不是有效的 CSV：{_of_csv(error)}") from error

    def notes(self) -> list[list[str]]:
        """Return the cells of lines that have one or two: the last ones, and those of units.

        From the end of a text back to the first line with an odd number of quotes, each line is a
        row of its own; before it, a line may be a part of a cell.
        """
        with self._path.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - _LAST_BYTES))  # an even number, as characters of UTF-16 have
            lines = stream.read().decode(self._encoding, "replace").splitlines()
        last = list(takewhile(self._is_whole, reversed(lines)))
        cells = (self._cells(line) for line in [*self._units(), *reversed(last)])
        return [row for row in cells if 0 < len(row) <= _CELLS_OF_A_NOTE]

    def _units(self) -> Iterator[str]:
        """Yield the short lines that may say a unit for the rows below them, the first hundred."""
        found, within = 0, False
        with self._opened() as stream:
            while (line := stream.readline(self._max)) and found < _MOST_UNITS:
                begins_within, within = within, within ^ (not self._is_whole(line))
                if begins_within or within or len(line) > _LONGEST_UNIT:
                    continue
                if "单位" in line and "元" in line and len(self._cells(line)) <= _CELLS_OF_A_NOTE:
                    found += 1
                    yield line

    def _cells(self, line: str) -> list[str]:
        """Return what stands in the cells of a line that is a row of its own."""
        return [cell for one in line.split(self.separator) if (cell := one.strip('" \r\n'))]

    def _is_whole(self, line: str) -> bool:
        return not self.quoted or line.count(QUOTE) % 2 == 0

    def _opened(self) -> TextIO:
        errors = "replace" if self._encoding.startswith("utf-16") else "surrogateescape"
        return self._path.open(encoding=self._encoding, errors=errors, newline="")

    def _lines(self, stream: TextIO) -> Iterator[str]:
        """Yield the lines of a text; one that is too long is not read to its end."""
        number = 0
        while line := stream.readline(self._max + 1):
            number += 1
            if len(line) > self._max and not line.endswith(("\r", "\n")):
                raise UnreadableFile(f"第{number}行不是有效的 CSV：{_TOO_LONG}")
            yield line

    def _has_row(self, cells: list[str], width: int) -> bool:
        """Whether a cell contains a whole row of the table, by its separators."""
        return width > 2 and any(
            line.count(self.separator) >= width - 1 for cell in cells for line in cell.splitlines()
        )

    def _read(self, cells: list[str], number: int) -> list[Any]:
        return [
            cell if cell.isascii() and cell[:1] != "=" else self._cell(cell, place, number)
            for place, cell in enumerate(cells)
        ]

    def _cell(self, cell: str, place: int, number: int) -> Any:
        quoted = _QUOTED.fullmatch(cell)
        if quoted is not None:
            return quoted[1]
        if _SURROGATES.search(cell) is None:
            return cell
        self.is_damaged = True
        text = cell.encode(self._encoding, "surrogateescape").decode(self._encoding, "replace")
        return cut(f"单元格 {column_letters(place + 1)}{number}", text)


_TOO_LONG = "一格太长；查看引号是否配对，行末有没有换行"


def _of_csv(error: csv.Error) -> str:
    if "field larger" in str(error):
        return _TOO_LONG
    return "引号的后面只能是分隔符；格里的引号写成两个"


def _too_wide(line: int, width: int) -> str:
    return (
        f"第{line}行有 {width} 列，超过上限 {MOST_COLUMNS} 列：看看换行是否丢了，"
        "多余的列删去，再导入"
    )


def _unpaired(line: int) -> str:
    return f"第{line}行的引号没有配对，它后面的行都读成了一格：补上引号或删去它，再导入"
