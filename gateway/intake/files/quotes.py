"""Whether the quotation marks in a text table are those of CSV, or stand for themselves."""

import csv
from collections.abc import Iterable

QUOTE = '"'
#: How a writer of CSV marks a quote within a cell, or another program does.
_MARKED = ('""', '\\"')
#: What the reader says of a quote that ends a cell, with more of the cell behind it.
_GOES_ON = "expected after"
#: Columns in which whole cells stand in quotes, at most, if the quotes are a part of the text.
#: With tabs few writers quote; with commas a cell in quotes is one of CSV.
_WRAPPED = {"\t": 1}


def are_of_csv(lines: Iterable[str], separator: str) -> bool:
    """Whether a separator or a line end follows each quote that ends a cell.

    A quote without an end may be one of CSV: the reader of the rows tells of it.
    """
    try:
        for _ in csv.reader(lines, delimiter=separator, strict=True):
            pass
    except csv.Error as error:
        return _GOES_ON not in str(error)
    return True


def are_text(lines: Iterable[str], separator: str, header: int) -> bool:
    """Whether the quotes may be read as they stand: no cell and no name of a column needs them.

    Each line with quotes has the cells of the header line, so that none of them holds a separator
    or a line break, and none of its quotes is marked as one.
    """
    width, wrapped = 0, set[int]()
    for number, line in enumerate(lines, 1):
        if QUOTE not in line and number != header:
            continue
        text = line.rstrip("\r\n")
        cells = text.split(separator)
        if number == header:
            width = len(cells)
        if _needs_quotes(text, cells, number - header, width):
            return False
        wrapped.update(place for place, cell in enumerate(cells) if _is_wrapped(cell))
    return len(wrapped) <= _WRAPPED.get(separator, 0)


def _needs_quotes(text: str, cells: list[str], below: int, width: int) -> bool:
    if below < 0:  # a title is no row of the table, but may go on in the next line
        return text.count(QUOTE) % 2 == 1
    if below == 0:
        return QUOTE in text
    return len(cells) < width or any(cells[width:]) or any(mark in text for mark in _MARKED)


def _is_wrapped(cell: str) -> bool:
    return len(cell) > 1 and cell[0] == cell[-1] == QUOTE
