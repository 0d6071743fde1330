"""Whether a row has more of the decision above it 一个决定写成了几行."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from gateway.check.amounts import read_amount
from gateway.check.values import is_penalty_kind, split_kinds
from gateway.intake.files.header import Header
from gateway.intake.files.header_columns import amounts_of, columns_named
from gateway.intake.files.no_record import FEW, TEMPLATE, identifies, is_stamp, no_record
from schemas.cell import is_cell
from schemas.identifiers import half_width

#: Labels of sums, groups and footers, which programs and people write into any column.
_LABEL = re.compile(
    r"(?:[合小总共累]计|汇总|计数|平均值|总额|总数|总计数)(?:\d+[件条份户起])?[:：]?$|共计\d"
    r"|^第\d+页|^以[上下]|截[至止]"
    r"|^(?:[（(]?[一二三四五六七八九十]+[)）]|[一二三四五六七八九十]+[、.．])"
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
    one an amount is a sum. What stands in the row above as well, or again in the row after, was
    filled in by a template or by dragging.
    """
    row = below.row
    if header.kind is None or header.spread.isdisjoint(row) or not header.keys.isdisjoint(row):
        return False
    if any(map(is_cell, row.values())) or identifies(header.kind, row):
        return False
    named = row.keys() - header.silent
    if any(map(_is_label, row.values())) or _same(row, below.after, named):
        return False
    more = [name for name in header.spread & named if _is_more(header, name, row[name], above)]
    if not more or (
        all(_is_amount(row[name]) for name in more) and not identifies(header.kind, below.after)
    ):
        return False
    return no_record(header, below.number, row, below.cells) in {None, FEW}


def _is_label(cell: Any) -> bool:
    if type(cell) is not str or len(cell) > 2 * _LONGEST_LABEL:
        return False
    text = "".join(half_width(cell).split())
    return len(text) <= _LONGEST_LABEL and _LABEL.search(text) is not None


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
    return not TEMPLATE.search(cell) and not is_stamp(cell)
