"""Rows and columns of a sheet that nobody sees, since they are filtered, folded or hidden.

They are read all the same: a clerk is told which, for last month's rows often lie there.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator
from typing import NamedTuple

#: First and last row, or column, of those that lie side by side.
Span = tuple[int, int]
#: Spans that are told at most.
_MOST = 100_000
_BLOCK = 1 << 20
#: What a part has in which a row or a column may be hidden, or have no height or width; each is
#: looked for by its name first, which most parts have not.
_MARKS = {
    f"{name}=".encode(): [f"{name}={quote}{value}".encode() for value in values for quote in "\"'"]
    for name, values in (("hidden", ("1", "true")), (" ht", "0"), (" width", "0"))
}
_TAG = re.compile(rb"<(?:[\w.-]+:)?(row|col)\s([^<>]*)>")
_ATTRIBUTE = re.compile(rb"""(\w+)\s*=\s*["']([^"']*)["']""")
_YES = frozenset({b"1", b"true"})


class Hidden(NamedTuple):
    """The hidden rows and columns of a sheet, from 1, in their order."""

    rows: tuple[Span, ...] = ()
    columns: tuple[Span, ...] = ()


NOTHING_HIDDEN = Hidden()


def may_have_hidden(block: bytes) -> bool:
    """Whether a row or a column in a block of a part may be hidden."""
    return any(
        name in block and any(mark in block for mark in marks) for name, marks in _MARKS.items()
    )


def hidden_in(archive: zipfile.ZipFile, part: str) -> Hidden:
    """Return what is hidden in a sheet of an Office workbook, whose part may have it."""
    rows: list[int] = []
    columns: list[Span] = []
    number = 0
    for name, attributes in _tags(archive, part):
        if name == b"row":
            number = _whole(attributes.get(b"r"), number + 1)
            if _is_hidden(attributes, b"ht"):
                rows.append(number)
        elif _is_hidden(attributes, b"width"):
            first = _whole(attributes.get(b"min"), 1)
            columns.append((first, _whole(attributes.get(b"max"), first)))
    return Hidden(joined((row, row) for row in rows), joined(sorted(columns)))


def joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Return spans in their order with those joined that follow each other, a bounded number."""
    found: list[Span] = []
    for first, last in spans:
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(last, found[-1][1])
        elif len(found) < _MOST:
            found.append((first, last))
    return tuple(found)


def _tags(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[bytes, dict[bytes, bytes]]]:
    """Yield the rows and columns of a part, with their attributes."""
    rest = b""
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            text = rest + block
            for tag in _TAG.finditer(text):
                yield tag[1], dict(_ATTRIBUTE.findall(tag[2]))
            rest = text[text.rfind(b"<") :] if text.rfind(b"<") > text.rfind(b">") else b""


def _is_hidden(attributes: dict[bytes, bytes], size: bytes) -> bool:
    """Whether a row or a column is hidden, or has no size."""
    if attributes.get(b"hidden") in _YES:
        return True
    given = attributes.get(size, b"")
    return given.startswith(b"0") and not given.strip(b"0.")


def _whole(text: bytes | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdigit() else otherwise
