"""What the reader of workbooks does not give, from the XML of Office workbooks.

It is used in the process that reads a workbook, within its bounds of memory and time.
"""

import posixpath
import re
import xml.parsers.expat
import zipfile
from collections.abc import Iterator, Mapping, Set
from typing import Any, NamedTuple
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from gateway.intake.files.address import column_number
from gateway.intake.files.number_format import Dateless, NumberFormat, ShownOtherwise, format_of
from gateway.intake.files.office_struck import (
    MARK,
    STRUCK_OUT,
    Struck,
    is_on,
    struck_styles,
)

BLOCK = 1 << 20
#: Where a package says what its parts are.
PACKAGE = "_rels/.rels"
#: The attribute of a sheet that names its part; Strict workbooks have another namespace.
RELATION = "}id"
#: What a part has in which there may be an error or a formula; sometimes wrongly so.
FORMULAS = (b"<f", b":f>")
ODD = (b't="e"', b"t='e'", MARK, *FORMULAS)
STYLE = re.compile(rb"""\ss=["'](\d+)["']""")

Address = tuple[int, int]
Format = NumberFormat | Dateless | Struck
#: By the number of the style, those that show something else than a number or a day.
Formats = Mapping[str, Format]
#: What a cell shows that the reader gives as a number: nobody can tell here.
SHOWN_OTHERWISE = {"shown": 1}


class OfficeBook(NamedTuple):
    """The sheets of a workbook by name, its styles and shared texts, and whether it is calculated.

    `recalculated`: its formulas are to be calculated when it is opened.
    """

    sheets: dict[str, str]
    styles: str
    strings: str | None
    recalculated: bool


def book_of(archive: zipfile.ZipFile) -> OfficeBook:
    """Return the parts of a workbook; none if the package is another one."""
    names = {name.lower(): name for name in archive.namelist()}
    try:
        _, main = next(iter(related(archive, names, "", "/officeDocument").items()))
        book = fromstring(archive.read(main))
        sheets = related(archive, names, main, "/worksheet")
        styles = related(archive, names, main, "/styles")
        strings = related(archive, names, main, "/sharedStrings")
    except (StopIteration, KeyError, ParseError, DefusedXmlException):
        return OfficeBook({}, "", None, recalculated=False)
    found = {}
    for sheet in book.iterfind(".//{*}sheet"):
        link = next((value for name, value in sheet.items() if name.endswith(RELATION)), "")
        found[sheet.get("name", "")] = sheets.get(link, "")
    calculation = book.find("{*}calcPr")
    recalculated = calculation is not None and calculation.get("fullCalcOnLoad") in {"1", "true"}
    parts = {name: part for name, part in found.items() if part}
    style, texts = (next(iter(one.values()), None) for one in (styles, strings))
    return OfficeBook(parts, style or "", texts, recalculated)


def related(
    archive: zipfile.ZipFile, names: Mapping[str, str], part: str, type_: str
) -> dict[str, str]:
    """Return the parts of a type that a part refers to, by their ids; `names` by lower case."""
    folder, _, own = part.rpartition("/")
    place = f"{folder}/_rels/{own}.rels" if part else PACKAGE
    links = fromstring(archive.read(names[place.lstrip("/").lower()]))
    found = {}
    for link in links:
        target = posixpath.normpath(posixpath.join("/", folder, link.get("Target", "")))[1:]
        if link.get("Type", "").endswith(type_) and target.lower() in names:
            found[link.get("Id", "")] = names[target.lower()]
    return found


def formats_of(archive: zipfile.ZipFile, part: str) -> Formats:
    """Return the styles that show something else than a number or a day."""
    try:
        styles = fromstring(archive.read(part))
    except (KeyError, ParseError, DefusedXmlException):
        return {}
    own = styles.iterfind("{*}numFmts/{*}numFmt")
    codes = {one.get("numFmtId", ""): one.get("formatCode", "") for one in own}
    uses = [one.get("numFmtId", "0") for one in styles.iterfind("{*}cellXfs/{*}xf")]
    known = {key: format_of(int(key), codes.get(key)) for key in set(uses) if key.isdecimal()}
    formats = {str(n): read for n, key in enumerate(uses) if (read := known.get(key)) is not None}
    return formats | struck_styles(styles)


def blocks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield a part unpacked, block by block, each with the end of the one before."""
    before = b""
    with archive.open(part) as stream:
        while block := stream.read(BLOCK):
            yield before + block
            before = block[-16:]


def has_odd(block: bytes, formats: Formats) -> bool:
    """Whether a block may have an error, a formula, or a cell with one of these formats."""
    if any(mark in block for mark in ODD):  # several times as fast as one pattern
        return True
    return bool(formats) and not formats.keys().isdisjoint(
        style.decode() for style in set(STYLE.findall(block))
    )


def cells_of(
    archive: zipfile.ZipFile,
    part: str,
    formats: Formats,
    struck: Set[str] = frozenset(),
    *,
    recalculated: bool = False,
    has_formulas: bool = True,
) -> Iterator[tuple[Address, Any]]:
    """Yield ((row, column), value) of the cells with something in them.

    The value is the words of an error, {"formula": 1}, the text that a number is shown as,
    {"shown": 1} where that cannot be told, {"struck": 1} for struck-out text, `Dateless` where a
    day is not shown, or None for what the reader gives itself.
    """
    parser = xml.parsers.expat.ParserCreate()
    seen = Cell(formats, parser)
    seen.struck_strings = struck
    seen.recalculated, seen.has_formulas = recalculated, has_formulas
    with archive.open(part) as stream:
        while block := stream.read(BLOCK):
            parser.Parse(block)
            yield from seen.taken()


class Cell:
    """The cell that the parser is in, and those that it has left since they were taken."""

    def __init__(self, formats: Formats, parser: xml.parsers.expat.XMLParserType) -> None:
        self._parser = parser
        parser.StartElementHandler, parser.EndElementHandler = self.start, self.end
        parser.CharacterDataHandler = self.text
        self.recalculated = False
        self.has_formulas = True  #: any cell may have one
        self.struck_strings: Set[str] = frozenset()  #: shared texts with struck-out parts
        self._skips = False  #: the cell is what the reader gives itself
        self._formats = formats
        self._format: Format | None = None
        self._left: list[tuple[Address, Any]] = []
        self._row = self._column = 0
        self._type, self._formula, self._value, self._within = "", False, "", ""
        self._struck = False

    def taken(self) -> list[tuple[Address, Any]]:
        """Return the cells that the parser has left."""
        left, self._left = self._left, []
        return left

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Enter an element."""
        name = name.rpartition(":")[2]
        if name == "c":
            self._enter(attributes)
        elif name == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
        elif self._skips:
            return
        elif name in {"v", "t"}:
            self._within = name
        elif name == "f":
            self._formula = True
        elif name == "strike":
            self._struck = is_on(attributes)

    def _enter(self, attributes: dict[str, str]) -> None:
        """Enter a cell: most are what the reader gives itself, and nothing more is told of them."""
        self._type = attributes.get("t", "")
        self._format = self._formats.get(attributes.get("s", ""))
        address = attributes.get("r", "")
        skips = bool(address) and not self._may_be_odd()
        if skips is not self._skips:
            self._skips = skips
            self._parser.EndElementHandler = None if skips else self.end
            self._parser.CharacterDataHandler = None if skips else self.text
        if not skips:
            self._formula, self._value, self._struck = False, "", False
            self._row, self._column = self._address(address)

    def _may_be_odd(self) -> bool:
        if self.has_formulas or self._format is not None:
            return True
        shared = bool(self.struck_strings) and self._type == "s"
        return shared or self._type in {"e", "inlineStr"}

    def _address(self, text: str) -> Address:
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
        elif name == "c" and not self._skips and (self._value or self._formula):
            self._left.append(((self._row, self._column), self._odd()))

    def _is_struck(self) -> bool:
        shared = self._type == "s" and self._value in self.struck_strings
        return shared or self._struck or isinstance(self._format, Struck)

    def _odd(self) -> Any:
        return STRUCK_OUT if self._is_struck() else self._shown()

    def _shown(self) -> Any:
        if self._type == "e":
            return self._value
        unknown = self._type != "str" and self._value == ""
        if self._formula and (unknown or (self.recalculated and self._value == "0")):
            return {"formula": 1}
        if self._format is None or self._type not in {"", "n", "d"}:
            return None
        if isinstance(self._format, Dateless | Struck):
            return self._format
        try:
            return self._format.shown(self._value)
        except ShownOtherwise:
            return SHOWN_OTHERWISE
