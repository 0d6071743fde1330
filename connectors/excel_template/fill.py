"""Write rows into a template; whatever else stands in it stays as it is, byte for byte.

The XML of the sheet is changed as text: a library that reads and writes a whole workbook loses what
it does not know, such as drop-down lists of another sheet, pictures and macros. Every value is a
text in a cell of the format text: nothing becomes a formula, and no digit of a code is lost.
"""

import re
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from xml.sax.saxutils import escape

from xlsxwriter.utility import xl_col_to_name

from connectors.excel_template.tables import grown
from connectors.excel_template.template import TemplateSheet, WorkbookFile

#: Excel's number of the format text, and the most characters of a cell.
_TEXT_FORMAT = 49
_CELL_LIMIT = 32_767
_DATA = re.compile(r"<((?:\w+:)?)sheetData\b[^>]*?(?:/>|>(.*?)</\1sheetData>)", re.DOTALL)
_ROW = re.compile(r"<(?:\w+:)?row\b([^>]*?)(?:/>|>.*?</(?:\w+:)?row>)", re.DOTALL)
_NUMBER = re.compile(r'\br="(\d+)"')
_DIMENSION = re.compile(r'(<(?:\w+:)?dimension\b[^>]*?\bref=")([^"]*)(")')
_FORMATS = re.compile(r"<((?:\w+:)?)cellXfs\b[^>]*>(.*?)</\1cellXfs>", re.DOTALL)
_FORMAT = re.compile(r"<(?:\w+:)?xf\b[^>]*?(?:/>|>.*?</(?:\w+:)?xf>)", re.DOTALL)
#: Characters that XML 1.0 does not have.
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")

Row = Mapping[int, str]  #: column → text


class Unfillable(ValueError):
    """The XML of the template is written in a way that we do not change."""


def fill(file: WorkbookFile, rows: Sequence[tuple[TemplateSheet, Sequence[Row]]]) -> bytes:
    """Return the workbook with the rows of each sheet; the same input gives the same bytes."""
    styles = _Styles(_decoded(file.part(file.styles)))
    changed = {sheet.part: _sheet(sheet, some, styles).encode() for sheet, some in rows}
    changed[file.styles] = styles.xml().encode()
    for sheet, some in rows:
        for part, xml in grown(sheet, sheet.first_row + len(some) - 1, _decoded).items():
            if xml is None:
                raise Unfillable
            changed[part] = xml.encode()
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, content in file.parts.items():
            archive.writestr(info, changed.get(info.filename, content), zipfile.ZIP_DEFLATED)
    return target.getvalue()


def _decoded(part: bytes) -> str:
    try:
        return part.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unfillable from None


class _Styles:
    """The formats of cells; those for texts are added as they are needed."""

    def __init__(self, xml: str) -> None:
        found = _FORMATS.search(xml)
        if found is None:
            raise Unfillable
        self._xml, self._found = xml, found
        self._formats = _FORMAT.findall(found[2])
        self._texts: dict[int, int] = {}

    def text(self, base: int) -> int:
        """Return the number of the format that looks like `base` and takes texts."""
        if base not in self._texts:
            like = self._formats[base] if base < len(self._formats) else self._formats[0]
            bare = re.sub(r'\s(?:numFmtId|applyNumberFormat)="[^"]*"', "", like)
            number = f' numFmtId="{_TEXT_FORMAT}" applyNumberFormat="1"'
            self._texts[base] = len(self._formats)
            self._formats.append(re.sub(r"^(<(?:\w+:)?xf)", rf"\1{number}", bare))
        return self._texts[base]

    def xml(self) -> str:
        """Return the part with the formats that were added."""
        prefix = self._found[1]
        inner = "".join(self._formats)
        formats = f'<{prefix}cellXfs count="{len(self._formats)}">{inner}</{prefix}cellXfs>'
        return self._xml[: self._found.start()] + formats + self._xml[self._found.end() :]


def _sheet(sheet: TemplateSheet, rows: Sequence[Row], styles: _Styles) -> str:
    xml = _decoded(sheet.file.part(sheet.part))
    found = _DATA.search(xml)
    if found is None:
        raise Unfillable
    prefix, inner = found[1], found[2] or ""
    kept, seen, attributes, number = [], list[int](), dict[int, str](), 0
    for row in _ROW.finditer(inner):
        said = _NUMBER.search(row[1])
        number = int(said[1]) if said else number + 1
        seen.append(number)
        if number < sheet.first_row:
            kept.append(row[0])
        else:
            attributes[number] = _NUMBER.sub("", row[1]).strip()
    if seen != list(sheet.rows):
        raise Unfillable
    made = [
        _row(sheet, sheet.first_row + place, row, styles, prefix, attributes)
        for place, row in enumerate(rows)
    ]
    data = f"<{prefix}sheetData>{''.join(kept + made)}</{prefix}sheetData>"
    xml = xml[: found.start()] + data + xml[found.end() :]
    return _DIMENSION.sub(lambda said: f"{said[1]}{_extent(sheet, len(rows))}{said[3]}", xml)


def _row(
    sheet: TemplateSheet,
    number: int,
    row: Row,
    styles: _Styles,
    prefix: str,
    attributes: Mapping[int, str],
) -> str:
    old = sheet.rows.get(number, {})
    cells = []
    for column in sorted({*sheet.header, *row, *old}):
        place = f'r="{xl_col_to_name(column - 1)}{number}"'
        if column not in sheet.header and column not in row:
            cells.append(f'<{prefix}c {place} s="{old[column].style}"/>')
            continue
        style = styles.text(sheet.style_of(column))
        text = _NO_XML.sub("", row.get(column, ""))[:_CELL_LIMIT]
        if text:
            said = f'<{prefix}is><{prefix}t xml:space="preserve">{escape(text)}</{prefix}t>'
            cells.append(
                f'<{prefix}c {place} s="{style}" t="inlineStr">{said}</{prefix}is></{prefix}c>'
            )
        else:
            cells.append(f'<{prefix}c {place} s="{style}"/>')
    # A row has the height of the first one to fill, if the template says one.
    kept = attributes.get(number, attributes.get(sheet.first_row, ""))
    return f'<{prefix}row r="{number}" {kept}>{"".join(cells)}</{prefix}row>'


def _extent(sheet: TemplateSheet, count: int) -> str:
    """Return the range of the cells that are written."""
    above = [number for number in sheet.rows if number < sheet.first_row]
    last_row = max([*above, sheet.first_row + count - 1])
    columns = [column for cells in sheet.rows.values() for column in cells] or [1]
    return f"A1:{xl_col_to_name(max([*columns, *sheet.header]) - 1)}{last_row}"
