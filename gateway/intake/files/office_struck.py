"""Struck-out text 删除线 in Office workbooks, which their reader gives like any other.

A clerk strikes out what does not hold any more: it is neither data nor nothing.
"""

import xml.parsers.expat
import zipfile
from collections.abc import Iterator, Mapping
from xml.etree.ElementTree import Element

#: What a part has in which text may be struck out.
MARK = b"strike"
#: What a cell with struck-out text is told as.
STRUCK_OUT = {"struck": 1}
_OFF = frozenset({"0", "false", "off"})
_BLOCK = 1 << 20


class Struck:
    """The format of a cell that is struck out as a whole."""


STRUCK = Struck()


def struck_styles(styles: Element) -> dict[str, Struck]:
    """Return the numbers of the styles whose font is struck out."""
    fonts = [font.find("{*}strike") for font in styles.iterfind("{*}fonts/{*}font")]
    struck = {str(n) for n, one in enumerate(fonts) if one is not None and is_on(one.attrib)}
    uses = enumerate(styles.iterfind("{*}cellXfs/{*}xf"))
    return {str(n): STRUCK for n, use in uses if use.get("fontId") in struck}


def is_on(attributes: Mapping[str, str]) -> bool:
    """Whether an element that may say that it is off is on."""
    return attributes.get("val", "1") not in _OFF


def struck_strings(archive: zipfile.ZipFile, part: str | None) -> frozenset[str]:
    """Return the numbers of the shared texts of which a part is struck out."""
    if part is None or not any(MARK in block for block in _blocks(archive, part)):
        return frozenset()
    parser, seen = xml.parsers.expat.ParserCreate(), _Strings()
    parser.StartElementHandler = seen.start
    for block in _blocks(archive, part):
        parser.Parse(block[len(MARK) :])
    return frozenset(seen.struck)


def _blocks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part unpacked, block by block, each behind the end of the one before."""
    before = b" " * len(MARK)
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            yield before + block
            before = block[-len(MARK) :].rjust(len(MARK))


class _Strings:
    """The shared texts that the parser has seen."""

    def __init__(self) -> None:
        self.struck: set[str] = set()
        self._number = -1

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        name = name.rpartition(":")[2]
        if name == "si":
            self._number += 1
        elif name == "strike" and is_on(attributes):
            self.struck.add(str(self._number))
