"""Records above the row of names: sorting a table with its header puts them there."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from gateway.check.dates import parse_date
from gateway.intake.files.header import Header, is_blank
from gateway.intake.files.header_cells import name_of, text_of
from gateway.intake.files.no_record import TEMPLATE, is_example, is_stamp
from schemas.codes import SubjectCategory
from schemas.column_names import ColumnNames
from schemas.identifiers import document_number_key

Row = tuple[int, Sequence[Any]]

#: A text that is a code or an identity number, an older one too.
_CODE = re.compile(r"[0-9A-Z]{17}[0-9X]|[0-9A-Z]{18}|[0-9]{15}", re.ASCII)
#: A text that is a document number and nothing else: a title may have one within it.
_NUMBER = re.compile(r"[^〔〕\d]{1,20}〔\d{4}〕[^〔〕\d]{0,8}[\d-]+[^〔〕\d]{0,8}号")
_CATEGORIES = frozenset(SubjectCategory)
#: What names the cell behind it, such as 填报日期.
_LABEL = re.compile(r"(?:日期|时间|代码|文号|编号|号码|证号|年度|月份|电话)[:：]?$|[:：]$")
_LONGEST_LABEL, _LONGEST_MARK = 24, 60
#: Filled cells of a record with a code or a number, and of one with nothing but a day, at least.
_LEAST, _LEAST_WITH_A_DAY = 3, 5
#: With so many known columns a row may be the names of another table.
_NAMES_OF_A_TABLE = 2


def records_above(rows: Iterable[Row], header: Header, names: ColumnNames) -> list[int]:
    """Return the numbers of rows above a header that look like records.

    They have a code, a document number, a day or a category as records have; what the cell before
    names, as in 填报日期, and titles are none. Or they stand below names that are not read.
    """
    found: list[int] = []
    below_names = False
    for number, cells in rows:
        if number >= header.row:
            break
        texts = [_text(cell) for cell in cells if not is_blank(text_of(cell))]
        if _is_record(texts, names) or (below_names and _is_row(texts)):
            found.append(number)
        known = {name for cell in cells if (name := name_of(cell)) and names.knows(name)}
        below_names = below_names or len(known) >= _NAMES_OF_A_TABLE
    return found


def told(header: Header, rows: Sequence[int]) -> str:
    """Return in Chinese that a table is not read for its records above the header, and the fix."""
    named = "、".join(map(str, rows))
    return (
        f"第{named}行在表头（第{header.row}行）的上面，却像是记录，整张表没有读："
        "把表头移到第一行（不是记录的删去），再导入"
    )


def _text(cell: Any) -> str:
    if type(cell) is dict and "date" in cell:
        return str(cell["date"])
    if type(cell) is float and cell % 1 == 0:
        return str(int(cell))
    return str(text_of(cell))


def _is_record(texts: Sequence[str], names: ColumnNames) -> bool:
    if not texts or is_example(texts[0]):
        return False
    marks = set(_marks(texts, names))
    if len(marks) > 1:
        return True
    if marks == {"day"}:
        is_told = any(TEMPLATE.search(text) for text in texts)
        return len(texts) >= _LEAST_WITH_A_DAY and not is_told
    if len(texts) >= _LEAST or not marks:
        return bool(marks)
    return len(texts) > 1 and not any(map(is_stamp, texts))


def _is_row(texts: Sequence[str]) -> bool:
    """Whether cells below names that are not read may be a record: they are no hints."""
    return len(texts) > 1 and not any(TEMPLATE.search(text) for text in texts)


def _marks(texts: Sequence[str], names: ColumnNames) -> Iterator[str]:
    """Yield what the cells of a row have that records have, without cells that are named."""
    before = ""
    for text in texts:
        is_named = len(before) <= _LONGEST_LABEL and _LABEL.search(before.strip())
        if not is_named and not (before and names.knows(before)) and (mark := _mark(text)):
            yield mark
        before = text


def _mark(text: str) -> str | None:
    if len(text) > _LONGEST_MARK:
        return None
    key = document_number_key(text)
    if text in _CATEGORIES:
        return "category"
    if _CODE.fullmatch(key) and any(map(str.isdigit, key)):
        return "code"
    if _NUMBER.fullmatch(key):
        return "number"
    return "day" if any(map(str.isdigit, text)) and parse_date(text.strip()) else None
