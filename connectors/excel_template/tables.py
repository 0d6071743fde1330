"""The tables of Excel 表格 in a sheet: one that has the rows grows with them."""

import re
from collections.abc import Callable
from typing import NamedTuple
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.excel_template.template import SAVE_ANEW, TemplateSheet, rows_of

#: The range of a table and of its filter, up to its last row.
_RANGE = re.compile(r'(<(?:\w+:)?(table|autoFilter)\b[^>]*?\sref="[A-Z]+\d+:[A-Z]+)(\d+)(")')


class TableOfExcel(NamedTuple):
    """A table: its part, its range, and how many rows of totals it ends with."""

    part: str
    range: str
    totals: int

    @property
    def first_row(self) -> int:
        """The row of its names."""
        return rows_of(self.range)[0]

    @property
    def last_row(self) -> int:
        """Its last row."""
        return rows_of(self.range)[1]

    def holds(self, row: int) -> bool:
        """Whether a row that is filled in is one of the table, or comes right behind it."""
        return self.first_row < row <= self.last_row + 1


def tables_of(sheet: TemplateSheet) -> list[TableOfExcel]:
    """Return the tables of a sheet; raises ValueError if one cannot be read."""
    try:
        return [_read(sheet, part) for part in sheet.file.tables_of(sheet.part)]
    except (ParseError, DefusedXmlException, KeyError, StopIteration, ValueError):
        raise ValueError(f"template：工作表“{sheet.name}”的表格读不出来；{SAVE_ANEW}") from None


def _read(sheet: TemplateSheet, part: str) -> TableOfExcel:
    root = fromstring(sheet.file.part(part))
    totals = int(root.get("totalsRowCount", "0"))
    return TableOfExcel(part, str(root.get("ref")), totals)


def grown(
    sheet: TemplateSheet, last_row: int, decoded: Callable[[bytes], str]
) -> dict[str, str | None]:
    """Return the tables that must grow to a row, by part; None of one that cannot be changed."""
    found: dict[str, str | None] = {}
    for table in tables_of(sheet):
        if table.holds(sheet.first_row) and table.last_row < last_row:
            xml = decoded(sheet.file.part(table.part))
            changed = _RANGE.sub(rf"\g<1>{last_row}\g<4>", xml)
            found[table.part] = None if changed == xml else changed
    return found
