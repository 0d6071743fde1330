"""Records above the row of names: sorting a table with its header puts them there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.check.dates import parse_date
from gateway.intake.files.header import Header, is_blank
from gateway.intake.files.header_cells import name_of, text_of
from gateway.intake.files.header_columns import marks_of
from gateway.intake.files.no_record import TEMPLATE, is_example, is_numbering, is_stamp
from schemas.column_names import ColumnNames
from schemas.identifiers import document_number_key

Row = tuple[int, Sequence[Any]]

#: A text that is a code or an identity number, an older one too; codes of agencies begin with 11
#: and those of their institutions with 12, and stand in the head of a report.
_CODE = re.compile(r"(?!1[12])[0-9A-Z]{17}[0-9X]|(?!1[12])[0-9A-Z]{18}|[0-9]{15}", re.ASCII)
_IDENTITY = re.compile(r"[0-9]{6}(?:19|20)[0-9]{9}[0-9X]", re.ASCII)
#: A text that is a document number and nothing else: a title may have one within it.
_NUMBER = re.compile(
    r"[^〔〕\d]{1,20}〔\d{4}〕[^〔〕\d]{0,8}[\d-]+[^〔〕\d]{0,8}号?"
    r"|(?=.*[罚许审批证决])[\u4e00-\u9fff]{2,20}[\d-]{3,20}(?:第?[\d-]+)?号?"
)
#: A number of a letter or notice, such as 发改办财金〔2018〕790号, and none of a decision.
_OF_A_LETTER = re.compile(r"(?!.*[罚许审批证决]).*(?:[办文函]|发改|通知)")
#: What names the cell behind it, such as 填报日期.
_LABEL = re.compile(r"(?:日期|时间|代码|文号|编号|号码|证号|年度|月份|电话)[:：]?$|[:：]$")
#: What names a group of columns, or the cell behind it, in a head.
_OF_A_HEAD = re.compile(
    r"(?:[人证类]|单位|机关|方式|名称|类别|对象|区间|版本|版次|签发|信息|情况|内容|要素|事项|依据|文件)[:：]?$"
    r"|^.{0,12}[:：]"
)
#: The first characters of an example, and what stands in one for a name or for digits.
_EXAMPLE = re.compile(r"[（(【\[]?(?:填写)?(?:样例|示例|范例|举例)[）)】\]:：]|某某")
_CROSSES = re.compile("[X×]{2,}|〕[X×*]+号")
_LONGEST_LABEL, _LONGEST_HINT, _LONGEST_MARK = 24, 24, 60
#: Filled cells of a record with a code or a number, and of one with nothing but a day, at least.
_LEAST, _LEAST_WITH_A_DAY = 3, 5
#: Filled cells of a row that is told, since it may be a record, at least.
_LEAST_TOLD = 4
#: With so many known columns a row may be the names of another table.
_NAMES_OF_A_TABLE = 2


class Above(NamedTuple):
    """The numbers of rows above a header: those that are records, and others that may be some."""

    records: list[int]
    others: list[int]


def rows_above(rows: Iterable[Row], header: Header, names: ColumnNames) -> Above:
    """Return the rows above a header that look like records, and those to be told.

    A record has a code, a document number or a day where the header has their columns; the cells of
    a head stand anywhere, or behind a cell that names them. Or it stands below names that are not
    read.
    """
    found = Above([], [])
    below_names = False
    for number, cells in rows:
        if number >= header.row:
            break
        row = _Row(cells, header, names)
        if row.is_record or (below_names and row.is_below_names):
            found.records.append(number)
        elif row.is_told and not (header.upper and number == header.row - 1):
            found.others.append(number)
        below_names = below_names or row.has_names
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


class _Row:
    """A row above a header: its texts by their places, and what they are."""

    def __init__(self, cells: Sequence[Any], header: Header, names: ColumnNames) -> None:
        filled = {at: _text(cell) for at, cell in enumerate(cells) if not is_blank(text_of(cell))}
        self._names = names
        self._texts = list(dict.fromkeys(filled.values()))  # a merged cell is one
        self._meant = dict(enumerate(header.names))
        self._marks = _marks(filled, header, names)
        self._known = {name for cell in cells if (name := name_of(cell)) and names.knows(name)}
        self._is_numbering = is_numbering(cells)
        keys = marks_of(header.kind)
        self._in_keys = [text for at, text in filled.items() if self._meant.get(at) in keys]

    @property
    def is_record(self) -> bool:
        """Whether a row has what a record has, in its places."""
        count = len(self._texts)
        if not self._marks or self._is_model:
            return False
        if self._marks == {"day"}:
            return count >= _LEAST_WITH_A_DAY
        return count >= _LEAST or (count > 1 and not any(map(is_stamp, self._texts)))

    @property
    def is_below_names(self) -> bool:
        """Whether a row below names that are not read may be a record: it is no hint or name."""
        is_hint = any(TEMPLATE.search(text) for text in self._texts)
        return len(self._texts) > 1 and not is_hint and not self.has_names

    @property
    def has_names(self) -> bool:
        """Whether most of a row are names of columns."""
        count = len(self._known)
        return count >= _NAMES_OF_A_TABLE and count * 2 >= len(self._texts)

    @property
    def is_told(self) -> bool:
        """Whether a row may be a record all the same, or an example: its cells are no labels."""
        count = len(self._texts)
        if count < _LEAST_TOLD or self._is_numbering:
            return False
        labels = sum(map(self._is_label, self._texts))
        return labels * 2 + 1 < count

    @property
    def _is_model(self) -> bool:
        """Whether a row shows or says how to fill in the others."""
        if is_example(self._texts[0]) or any(map(_EXAMPLE.match, self._texts)):
            return True
        if "number" not in self._marks and any(map(_CROSSES.search, self._in_keys)):
            return True
        hints = [text for text in self._texts if len(text) <= _LONGEST_HINT]
        found = [text for text in hints if TEMPLATE.search(text)]
        return len(found) > 1 or any(text in self._in_keys for text in found)

    def _is_label(self, text: str) -> bool:
        if len(text) > _LONGEST_LABEL:
            return False
        is_name = self._names.knows(text) or TEMPLATE.search(text) is not None
        return is_name or (_LABEL.search(text) or _OF_A_HEAD.search(text)) is not None


def _marks(filled: Mapping[int, str], header: Header, names: ColumnNames) -> set[str]:
    """Return what cells have in its place that records have, without cells that are named."""
    wanted, before = marks_of(header.kind), ""
    found: set[str] = set()
    for at, text in filled.items():
        mark = wanted.get(header.names[at]) if at < len(header.names) else None
        is_label = len(before) <= _LONGEST_LABEL and _LABEL.search(before.strip()) is not None
        if mark and not is_label and not (before and names.knows(before)) and _is(mark, text):
            found.add(mark)
        before = text
    return found


def _is(mark: str, text: str) -> bool:
    """Whether a text is a code, a number or a day."""
    if len(text) > _LONGEST_MARK:
        return False
    key = document_number_key(text)
    if mark == "code":
        is_code = _CODE.fullmatch(key) or _IDENTITY.fullmatch(key)
        return is_code is not None and any(map(str.isdigit, key))
    if mark == "number":
        return _NUMBER.fullmatch(key) is not None and _OF_A_LETTER.match(key) is None
    return any(map(str.isdigit, text)) and parse_date(text.strip()) is not None
