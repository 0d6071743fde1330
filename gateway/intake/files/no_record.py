"""Why a row of a table is no record 不是记录: notes, sums, numbers of columns, empty columns."""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import filterfalse
from typing import Any

from gateway.check.dates import parse_date
from gateway.check.values import ERRORS
from gateway.intake.files.header import Header, is_blank
from gateway.intake.files.header_columns import columns_named, prefilled
from schemas.cell import is_cell, is_struck
from schemas.codes import RecordKind, SubjectCategory
from schemas.columns import ColumnType, columns_of
from schemas.identifiers import fold_once
from schemas.kinds import KINDS

#: Words of templates: hints under the header, notes and signatures at the end.
TEMPLATE = re.compile(
    r"必填|选填|必录|填写|填报|填表|表格说明|说明[:：]|^说明|^备注[:：]|^注[:：\d]|格式|示例|请勿|下拉"
    r"|字以内|\d+位|位代码|YYYY|yyyy|多个用|隔开|单位[:：]|合计|小计|总计|制表|审核人|负责人|联系电话"
    r"|联系人|以下空白|以下无|^[（(]?盖章|经办人|复核|签字|^第\d+页|共\d+页|数据来源[:：]|一式|截止日期[:：]"
)
_CELLS_OF_A_NOTE = 2
_NOTES = "填报说明或表尾文字"
#: Why a row with so few cells is no record.
FEW = "只有一两格，没有代码、文号和日期"
_LONGEST_RUNNING_NUMBER = 8
#: Characters of the first cell that are looked at, and of a cell that numbers a column.
_LONGEST_FIRST, _LONGEST_NUMBERING = 400, 4
#: Columns that are numbered, at least.
_LEAST_NUMBERED = 6
#: Rows below the header in which the columns may be numbered.
_ROWS_OF_NUMBERING = 3
_CATEGORIES = frozenset(SubjectCategory)
#: The first cell of a row that shows how to fill in the others.
_EXAMPLE = re.compile(r"(填写|填报)?(示例|样例|例子|范例|例)(?:[:：].*|\d*)")
#: The first cell of a sum or of a footer.
_AT_THE_END = re.compile(
    r"[合小总共累]计(?:[（(][^（）()]*[）)])?[:：]?$"
    r"|(?:填报|制表|审核|填表|经办|报送|汇总|负责|复核|联系|统计|校对|单位负责)(?:单位|日期|时间|人|电话)[:：]"
)
#: How a note below a table begins.
_NOTE_BEGINS = re.compile(
    r"(?:填报|填表|填写)?(?:说明|备注|注)\d*[:：]|[（(]?(?:公|盖)章[）)]?$|数据来源[:：]|以下空白|联系(?:人|电话)"
)
#: The first characters of an example, a sum or a footer.
_STARTS = frozenset("填示样例范合小总共累制审经报汇负复联统校单")
#: Sums that programs and people write into any column, such as 分类汇总 of a spreadsheet: words
#: without a comma and without digits, or how many there are.
_SUM = re.compile(
    r"[^，,；;。、\d]*(?:汇总|计数|平均值|总额|总金额|[合小总共累]计)[:：]?$"
    r"|(?:罚没)?(?:合计|总计|共计|小计|累计|共)[:：]?\d+[件条份户起家宗](?:企业|单位|案件)?$"
    r"|(?:罚没)?(?:合计|总计|共计|小计|累计)[:：]?[\d.,]+(?:亿|万)?[元圆]?$"
)
_LONGEST_SUM = 24
#: The end of the name of an authority, which stands below a table as its stamp 落款.
_STAMP = re.compile(r"(?:局|厅|部|委员会|委|支队|大队|政府|办公室|中心)(?:[（(][^（）()]*[）)])?$")
_LONGEST_STAMP = 40
#: Cells that a template has filled in, at most.
_CELLS_OF_A_TEMPLATE = 9
#: What a formula over empty cells gives.
_NOTHING = ERRORS | {"0"}
#: A text that may be a code: letters and digits only, with at least as many as the shortest has.
_CODE = re.compile(r"[0-9A-Za-z-]{8,}")


def no_record(
    header: Header, number: int, row: Mapping[str, Any], cells: Sequence[Any]
) -> str | None:
    """Return why a row is no record, in Chinese; None if it is one."""
    if header.kind is None:
        return None if row else "只有表头以外的内容"
    if number <= header.row + _ROWS_OF_NUMBERING and is_numbering(cells):
        return "列的编号"
    first = str(next(filterfalse(is_blank, cells), "")).lstrip()
    told = _told_by(first, header.kind, row) if first[:1] in _STARTS else None
    if told is not None:
        return told
    if not KINDS[header.kind].reported:
        return None if _is_message(row) else _unidentified_message(header, row)
    without = _without_content(header, row) if _may_be_empty(row) else None
    if without is not None or identifies(header.kind, row):
        return without
    return _unidentified(header, row)


def _may_be_empty(row: Mapping[str, Any]) -> bool:
    """Whether nothing of a decision may be in a row: of nearly all rows the last cell tells."""
    if len(row) <= _CELLS_OF_A_TEMPLATE:
        return True
    last = next(reversed(row.values()))  # type: ignore[call-overload]  # a dict
    return type(last) is not str or last in _NOTHING


def _without_content(header: Header, row: Mapping[str, Any]) -> str | None:
    """Return what a row is that has cells, and nothing of a decision in them."""
    if _is_prefilled(header, row):
        return "只有序号和预填的内容"
    named = [cell for name, cell in row.items() if name not in header.silent]
    if named and all(map(is_struck, named)):
        return "整行划掉（删除线）"
    if named and all(type(cell) is str and cell.strip() in _NOTHING for cell in named):
        return "只有公式的空结果"
    is_note = 0 < len(named) <= _CELLS_OF_A_NOTE and header.keys.isdisjoint(row)
    return _NOTES if is_note and all(map(is_stamp, named)) else None


def _is_prefilled(header: Header, row: Mapping[str, Any]) -> bool:
    """Whether a row has only a running number and what a template has in its empty rows."""
    named = row.keys() - header.silent
    return bool(named) and not header.numbers.isdisjoint(row) and named <= prefilled(header.kind)


def _is_message(row: Mapping[str, Any]) -> bool:
    """Whether a row has a code, an identity number or a day, as events, grades and entries have."""
    texts = [fold_once(cell) for cell in row.values() if type(cell) is str]
    return any(_is_code(text) or parse_date(text) is not None for text in texts)


def _unidentified_message(header: Header, row: Mapping[str, Any]) -> str | None:
    """Return why a row is no message; a site may have nothing but a permit of its own."""
    if header.silent >= row.keys():
        return _silent(header, row) if row else "只有表头以外的内容"
    return _NOTES if _are_hints(row) else None


def is_example(first: str) -> bool:
    """Whether the first cell of a row says that the row shows how to fill in the others."""
    return _EXAMPLE.fullmatch("".join(first[:_LONGEST_FIRST].split())) is not None


def is_stamp(cell: Any) -> bool:
    """Whether a cell is a day or the name of an authority: both stand below a table 落款."""
    if type(cell) is not str or len(cell) > _LONGEST_STAMP:
        return False
    return parse_date(cell) is not None or _STAMP.search("".join(cell.split())) is not None


def is_sum(cell: Any) -> bool:
    """Whether a cell is the label of a sum."""
    if type(cell) is not str or len(cell) > 2 * _LONGEST_SUM:
        return False
    text = "".join(cell.split())
    return len(text) <= _LONGEST_SUM and _SUM.match(text) is not None


def is_end(text: str) -> bool:
    """Whether a text without blanks begins a note or a footer."""
    return _AT_THE_END.match(text) is not None or _NOTE_BEGINS.match(text) is not None


def _sums_in(row: Mapping[str, Any]) -> set[str]:
    return {name for name, cell in row.items() if is_sum(cell)}


def _told_by(first: str, kind: RecordKind, row: Mapping[str, Any]) -> str | None:
    """Return what the first cell of a row says that it is, if that is no record."""
    compact = "".join(first[:_LONGEST_FIRST].split())
    if _EXAMPLE.fullmatch(compact):
        return "填写示例"
    return "合计或表尾文字" if _AT_THE_END.match(compact) and not _has_code(kind, row) else None


def _unidentified(header: Header, row: Mapping[str, Any]) -> str | None:
    if header.silent >= row.keys():
        return _silent(header, row)
    if any(map(is_cell, row.values())):
        return None
    if any(map(is_sum, row.values())) and not header.keys.intersection(row) - _sums_in(row):
        return "合计或表尾文字"
    if _are_hints(row):
        return _NOTES
    return FEW if len(row) <= _CELLS_OF_A_NOTE else None


def _are_hints(row: Mapping[str, Any]) -> bool:
    """Whether at least half of the cells of a row are words of a template."""
    hints = sum(TEMPLATE.search(str(cell)) is not None for cell in row.values())
    return hints * 2 >= len(row)


def _silent(header: Header, row: Mapping[str, Any]) -> str:
    if not header.numbers >= row.keys():
        return "认识的列都是空的"
    texts = "".join(map(str, row.values()))
    return _NOTES if len(texts) > _LONGEST_RUNNING_NUMBER else "只有序号"


def is_numbering(cells: Sequence[Any]) -> bool:
    """Whether a row numbers the columns: 1, 2, 3 or 甲, 乙, (1), or the same word in each."""
    texts = [str(cell).strip() for cell in cells if not is_blank(cell)]
    return len(texts) >= _LEAST_NUMBERED and all(len(text) <= _LONGEST_NUMBERING for text in texts)


def _has_code(kind: RecordKind, row: Mapping[str, Any]) -> bool:
    if not KINDS[kind].reported:
        return any(_is_code(fold_once(cell)) for cell in row.values() if type(cell) is str)
    codes = (row.get(wire) for wire, type_ in _identifying(kind)[1] if type_ in _CODES)
    return any(_is_code(fold_once(cell)) for cell in codes if isinstance(cell, str))


def identifies(kind: RecordKind, row: Mapping[str, Any]) -> bool:
    """Whether a row has a code, a document number, a day or a category, as records have.

    An amount alone is that of a sum.
    """
    category, identifying = _identifying(kind)
    named = row.get(category)
    if type(named) is str and named in _CATEGORIES:
        return True
    for wire, type_ in identifying:
        cell = row.get(wire)
        if cell is not None and _says_something(type_, cell):
            return True
    return False


@KINDS.cached
def _identifying(kind: RecordKind) -> tuple[str, tuple[tuple[str, ColumnType], ...]]:
    """Return the column of the category, and those by which a record is known; codes first."""
    number = KINDS[kind].number_column
    columns = [c for c in columns_of(KINDS[kind].model) if c.type in _SAYING or c.wire == number]
    order = [*_SAYING, ColumnType.TEXT]
    types = {c.wire: c.type if c.type in _SAYING else ColumnType.TEXT for c in columns}
    category = "".join(columns_named(kind, ("subject_category",)))
    return category, tuple(sorted(types.items(), key=lambda one: order.index(one[1])))


def _says_something(type_: ColumnType, cell: Any) -> bool:
    if not isinstance(cell, str):
        return type_ is not ColumnType.TEXT
    if type_ is not ColumnType.TEXT:
        return _SAYING[type_](fold_once(cell))
    return any(map(str.isdigit, cell)) and not TEMPLATE.search(cell)


def _is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None


_CODES = (ColumnType.CREDIT_CODE, ColumnType.IDENTITY)
_SAYING: dict[ColumnType, Callable[[str], bool]] = {
    ColumnType.CREDIT_CODE: _is_code,
    ColumnType.IDENTITY: _is_code,
    ColumnType.DATE: lambda text: parse_date(text) is not None,
}
