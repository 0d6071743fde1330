"""A platform's template 模板: its sheets, the row of its column names, and where rows begin."""

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from posixpath import dirname, join, normpath
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring, iterparse

from connectors.shared.layout import Layout
from schemas.codes import RecordKind
from schemas.column_names import name_key, standard_names
from schemas.faults import of_system
from schemas.kinds import KINDS
from schemas.messages import GradeChanged

#: Bytes of a template, packed and unpacked.
_LARGEST, _LARGEST_UNPACKED = 20 * 2**20, 200 * 2**20
#: The row of column names is looked for among so many, and has so many known names.
_SEARCHED, _FEWEST = 30, 2
#: Rows and columns of a sheet of Excel.
LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
_MAIN = "{*}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
SAVE_ANEW = "用表格软件打开，另存为“Excel 工作簿 (*.xlsx)”"


@dataclass(frozen=True, slots=True)
class WorkbookFile:
    """The parts of a template as they stand in its zip, and its sheets: name → part."""

    parts: Mapping[zipfile.ZipInfo, bytes]
    sheets: Mapping[str, str]
    texts: tuple[str, ...]  #: the shared ones
    styles: str  #: the part

    def part(self, name: str) -> bytes:
        """Return the bytes of a part."""
        return next(content for info, content in self.parts.items() if info.filename == name)

    def tables_of(self, sheet: str) -> list[str]:
        """Return the parts of the tables of a sheet."""
        named = {info.filename: content for info, content in self.parts.items()}
        if (relations := _relations_of(sheet)) not in named:
            return []
        sorts = {one.get("Id"): str(one.get("Type")) for one in fromstring(named[relations])}
        found = _relations(named, sheet)
        return [part for id_, part in found.items() if sorts[id_].endswith("/table")]


def open_template(path: str) -> WorkbookFile:
    """Read a template; raises ValueError with the setting and the fix."""
    try:
        packed = Path(path).read_bytes()
    except OSError as error:
        raise ValueError(f"template：{path} {of_system(error)}") from None
    if len(packed) > _LARGEST:
        raise ValueError(f"template：{path} 超过 {_LARGEST // 2**20} MB；换平台原来的模板")
    try:
        return _workbook_file(packed)
    except (zipfile.BadZipFile, KeyError, StopIteration, ParseError, DefusedXmlException):
        raise ValueError(f"template：{path} 不是 xlsx 工作簿；{SAVE_ANEW}") from None
    except (NotImplementedError, RuntimeError, EOFError):  # packed in a way that zipfile cannot
        raise ValueError(f"template：{path} 打不开；{SAVE_ANEW}") from None


def _workbook_file(packed: bytes) -> WorkbookFile:
    with zipfile.ZipFile(BytesIO(packed)) as archive:
        infos = archive.infolist()
        if sum(info.file_size for info in infos) > _LARGEST_UNPACKED:
            raise zipfile.BadZipFile
        parts = {info: archive.read(info) for info in infos}
    named = {info.filename: content for info, content in parts.items()}
    book = _target(named, "", "officeDocument")
    targets = _relations(named, book)
    sheets = {
        str(one.get("name")): targets[str(one.get(_RELATION))]
        for one in fromstring(named[book]).iterfind(f"{_MAIN}sheets/{_MAIN}sheet")
        if targets[str(one.get(_RELATION))] in named
    }
    if not sheets:
        raise KeyError("sheets")
    texts = next((named[t] for t in targets.values() if t.endswith("sharedStrings.xml")), None)
    shared = () if texts is None else tuple(map(_text, fromstring(texts)))
    return WorkbookFile(parts, sheets, shared, _target(named, book, "styles"))


def _target(parts: Mapping[str, bytes], of: str, sort: str) -> str:
    root = fromstring(parts[_relations_of(of)])
    found = next(one for one in root if str(one.get("Type")).rpartition("/")[2] == sort)
    return _resolved(of, str(found.get("Target")))


def _relations(parts: Mapping[str, bytes], of: str) -> dict[str, str]:
    root = fromstring(parts[_relations_of(of)])
    return {str(one.get("Id")): _resolved(of, str(one.get("Target"))) for one in root}


def _relations_of(part: str) -> str:
    return join(dirname(part), "_rels", f"{part.rpartition('/')[2]}.rels")


def _resolved(of: str, target: str) -> str:
    return normpath(target[1:] if target.startswith("/") else join(dirname(of), target))


def _text(holder: Element) -> str:
    """Return the text of a shared or inline string; its reading aids are no part of it."""
    runs = [*holder.iterfind(f"{_MAIN}t"), *holder.iterfind(f"{_MAIN}r/{_MAIN}t")]
    return "".join(one.text or "" for one in runs)


@dataclass(frozen=True, slots=True)
class TemplateCell:
    """A cell of the template: its text, its style, and whether a formula makes it."""

    text: str
    style: int
    is_formula: bool


@lru_cache(maxsize=1024)
def _cell(text: str, style: int, is_formula: bool) -> TemplateCell:
    """Return a cell; the many that say nothing are one and the same."""
    return TemplateCell(text, style, is_formula)


@dataclass(slots=True)
class TemplateSheet:
    """One sheet; after `find` it has the columns by our names, and the first row to fill."""

    file: WorkbookFile
    where: str  #: the setting, for messages
    wanted: str | None
    name: str = ""
    part: str = ""
    rows: dict[int, dict[int, TemplateCell]] = field(default_factory=dict)
    merged: list[str] = field(default_factory=list)  #: ranges of cells that are one
    styles: list[tuple[int, int, int]] = field(default_factory=list)  #: first, last column, style
    header: dict[int, str] = field(default_factory=dict)
    columns: dict[str, int] = field(default_factory=dict)  #: standard or fixed name → column
    first_row: int = 0

    def __post_init__(self) -> None:
        """Read the sheet; raises ValueError if there is none of this name."""
        sheets = self.file.sheets
        self.name = next(iter(sheets)) if self.wanted is None else self.wanted
        if self.name not in sheets:
            known = "、".join(sheets)
            raise ValueError(f"{self.where}.sheet：模板没有工作表“{self.name}”；有：{known}")
        self.part = sheets[self.name]
        try:
            self._read()
        except (ParseError, DefusedXmlException, ValueError):  # also numbers that are none
            raise ValueError(f"template：工作表“{self.name}”读不出来；{SAVE_ANEW}") from None

    def _read(self) -> None:
        """Read the rows one by one: a template may have a format for each of 100,000."""
        number = 0
        for _, one in iterparse(BytesIO(self.file.part(self.part))):
            name = one.tag.rpartition("}")[2]
            if name == "col":
                span = int(one.get("min", 1)), int(one.get("max", 1))
                self.styles.append((*span, int(one.get("style", 0))))
            elif name == "row":
                before, number = number, int(one.get("r", number + 1))
                if not before < number <= LAST_ROW:
                    raise ValueError(number)
                self.rows[number] = self._cells(one)
                one.clear()
            elif name == "mergeCell":
                self.merged.append(str(one.get("ref")))

    def _cells(self, row: Element) -> dict[int, TemplateCell]:
        cells: dict[int, TemplateCell] = {}
        column = 0
        for one in row.iterfind(f"{_MAIN}c"):
            place = one.get("r")
            column = column_of(place) if place else column + 1
            if not 0 < column <= _LAST_COLUMN:
                raise ValueError(column)
            formula = one.find(f"{_MAIN}f") is not None
            cells[column] = _cell(self._said(one), int(one.get("s", 0)), formula)
        return cells

    def _said(self, cell: Element) -> str:
        held = cell.find(f"{_MAIN}is")
        if held is not None:
            return _text(held)
        value = cell.findtext(f"{_MAIN}v") or ""
        if cell.get("t") == "s" and value.isdecimal() and int(value) < len(self.file.texts):
            return self.file.texts[int(value)]
        return value

    def find(self, kind: str, layout: Layout, header_row: int | None, first: int | None) -> None:
        """Find the columns and the first row to fill; raises ValueError with setting and fix."""
        candidates = [header_row] if header_row else [n for n in self.rows if n <= _SEARCHED]
        found = {row: self._known(kind, layout, row) for row in candidates}
        row = max(found, key=lambda one: (len(found[one]), -one), default=0)
        if row == 0 or len(found[row]) < _FEWEST:
            said = f"第 {header_row} 行" if header_row else f"前 {_SEARCHED} 行"
            raise ValueError(
                f"{self.where}.header_row：工作表“{self.name}”的{said}里找不到认识的列名；"
                "写对行号，名字与标准不同的列写在 columns 里"
            )
        self.columns = found[row]
        self.header = {at: cell.text.strip() for at, cell in self.rows[row].items() if cell.text}
        self._require(layout)
        last = max((n for n, cells in self.rows.items() if _has_text(cells)), default=row)
        joined = [end for start, end in map(rows_of, self.merged) if start <= last]
        self.first_row = first or max([last, *joined]) + 1
        if self.first_row <= row:
            raise ValueError(f"{self.where}.first_row：应在列名（第 {row} 行）之后")

    def _known(self, kind: str, layout: Layout, row: int) -> dict[str, int]:
        """Return our names of the columns in a row: as configured, else by the standard."""
        names = {at: cell.text for at, cell in self.rows.get(row, {}).items() if cell.text.strip()}
        by_key: dict[str, int] = {}
        for at, name in names.items():
            by_key.setdefault(name_key(name), at)
        mapped = {**layout.columns, **{name: name for name in layout.constants}}
        if layout.status_column is not None:
            mapped[layout.status_column] = layout.status_column
        found = {
            ours: by_key[name_key(theirs)]
            for ours, theirs in mapped.items()
            if name_key(theirs) in by_key
        }
        taken = set(found.values())
        for at, name in names.items():
            ours = _standard(kind, name)
            if ours and at not in taken and ours not in mapped and ours not in layout.left_out:
                found.setdefault(ours, at)
        return found

    def _require(self, layout: Layout) -> None:
        """Refuse a configured name that the template does not have."""
        given = [("columns", ours, theirs) for ours, theirs in layout.columns.items()]
        given += [("constants", name, name) for name in layout.constants]
        if layout.status_column is not None:
            given.append(("status_column", layout.status_column, layout.status_column))
        for setting, ours, theirs in given:
            if ours not in self.columns and ours not in layout.left_out:
                known = "、".join(self.header.values())
                raise ValueError(
                    f"{self.where}.{setting}：工作表“{self.name}”没有列“{theirs}”；有：{known}"
                )

    def style_of(self, column: int) -> int:
        """Return the style of the cells to fill in a column."""
        cell = self.rows.get(self.first_row, {}).get(column)
        if cell is not None:
            return cell.style
        return next((s for low, high, s in self.styles if low <= column <= high), 0)


def _standard(kind: str, name: str) -> str | None:
    if kind in KINDS:
        return standard_names().wire(RecordKind(kind), name)
    return name.strip() if name.strip() in GradeChanged.model_fields else None


def _has_text(cells: Mapping[int, TemplateCell]) -> bool:
    return any(cell.text.strip() for cell in cells.values())


_LETTERS = re.compile(r"[A-Z]+")
_NUMBERS = re.compile(r"\d+")


def rows_of(range_: str) -> tuple[int, int]:
    """Return the first and the last row of a range such as `A1:B3`; (0, 0) of what is none."""
    numbers = [int(one) for one in _NUMBERS.findall(range_)] or [0]
    return min(numbers), max(numbers)


def column_of(place: str) -> int:
    """Return the number of the column of a place such as `AB12`; A is 1."""
    number = 0
    for letter in (_LETTERS.match(place.upper()) or [""])[0]:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
