"""Whether a row has more of the decision above it 一个决定写成了几行."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.check.amounts import read_amount
from gateway.check.penalty_kinds import is_penalty_kind, split_kinds
from gateway.intake.files.header import Header
from gateway.intake.files.header_columns import amounts_of, columns_named
from gateway.intake.files.no_record import identifies, is_end, is_stamp, is_sum
from schemas.cell import is_cell
from schemas.identifiers import half_width

#: Words of what a decision says: a cell with one of them is no label, whatever else is in it.
_ACT = re.compile(
    "罚|没收|责令|吊销|暂扣|警告|批评|停产|停业|拘留|限制|禁止|准予|变更|注销|延续|许可|未|违|超|无证"
    "|擅自|不|第[一二三四五六七八九十百零〇0-9]+条"
)
#: Labels of groups, pages and footers, which programs and people write into any column.
_LABEL = re.compile(
    r"(?:[(]?[一二三四五六七八九十]+[)]|[一二三四五六七八九十]+[、.])\D{0,12}$"
    r"|第\d+页|以[上下](?:数据|为|是|空白|无|单位|均)|(?:数据)?截[至止]"
)
_LONGEST_LABEL, _LONGEST_AMOUNT = 24, 64


class Below(NamedTuple):
    """A row below a record, by name and as it stands, and the row that comes after it, if any."""

    number: int
    row: Mapping[str, Any]
    cells: Sequence[Any]
    after: Mapping[str, Any]


def is_part(header: Header, above: Mapping[str, Any], below: Below) -> bool:
    """Whether a row without a name, number, code and day has more of the decision above it.

    That is another kind, content, fact or basis, or an amount between two decisions. Below the last
    one an amount is a sum. What stands in the row above as well, or again in a row below that is no
    record either, was filled in by a template or by dragging. Where a label cannot be told from a
    part, it is one: half of a decision must never go out.
    """
    row = below.row
    if header.kind is None or header.spread.isdisjoint(row) or not header.keys.isdisjoint(row):
        return False
    if any(map(is_cell, row.values())) or identifies(header.kind, row):
        return False
    named = row.keys() - header.silent
    goes_on = identifies(header.kind, below.after)
    if any(map(_is_label, row.values())) or (not goes_on and _same(row, below.after, named)):
        return False
    more = [name for name in header.spread & named if _is_more(header, name, row[name], above)]
    return bool(more) and (goes_on or not all(_is_amount(row[name]) for name in more))


def _is_label(cell: Any) -> bool:
    """Whether a cell says that its row is a sum, a group, a page or a footer."""
    if type(cell) is not str or len(cell) > 2 * _LONGEST_LABEL:
        return False
    text = "".join(half_width(cell).split())
    if len(text) > _LONGEST_LABEL:
        return False
    if is_sum(text) or is_end(text):
        return True
    return _LABEL.match(text) is not None and not _ACT.search(text)


def _same(row: Mapping[str, Any], after: Mapping[str, Any], named: set[str]) -> bool:
    return all(row[name] == after.get(name) for name in named)


def _is_amount(cell: str) -> bool:
    return len(cell) <= _LONGEST_AMOUNT and read_amount(cell).wan is not None


def _is_more(header: Header, name: str, cell: Any, above: Mapping[str, Any]) -> bool:
    """Whether a cell says something that the record above does not say."""
    if type(cell) is not str:
        return False
    if name in amounts_of(header.kind):
        return not _is_amount(cell) or read_amount(cell).wan != 0
    if cell == above.get(name):
        return False
    if name in columns_named(header.kind, ("penalty_kinds",)):
        return all(map(is_penalty_kind, split_kinds((cell,))))
    return _ACT.search(cell) is not None or not is_stamp(cell)
