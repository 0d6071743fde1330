"""The unit of an amount 金额单位: in the name of its column, and put behind its value (pure)."""

import re
from collections.abc import Container, Mapping
from decimal import Decimal
from typing import Any

from gateway.check.amounts import number_in, read_amount
from schemas.cell import conflict
from schemas.column_names import unit_in_name
from schemas.columns import ColumnType, columns_of
from schemas.identifiers import half_width, note_sign, visible
from schemas.kinds import KINDS

#: The unit of the standard.
WAN = "万元"
#: Characters of a cell that may be a unit.
LONGEST = 60
#: Units that are not read in an amount, in 元.
_YUAN = {"百元": 100, "千元": 1000, "十万元": 10**5, "百万元": 10**6, "千万元": 10**7}
#: Blanks within 单 位 and around signs.
_AROUND = re.compile(r" ?([:(),;/]) ?|(?<=单) (?=位)")
#: Brackets and quotation marks in which people put a unit.
_BRACKETS = str.maketrans(
    dict.fromkeys("[{<【〔〖《〈「‹“‘", "(") | dict.fromkeys("]}>】〕〗》〉」›”’", ")")
)
#: A unit that an amount has itself.
_HAS_UNIT = re.compile("[元万亿千百]")


@KINDS.cached
def _amounts() -> frozenset[str]:
    """Return the columns of amounts of all kinds."""
    return frozenset(
        column.wire
        for kind in KINDS.reported
        for column in columns_of(KINDS[kind].model)
        if column.type is ColumnType.AMOUNT
    )


def is_in_another_unit(name: str, wire: str | None) -> bool:
    """Whether the name of a column of amounts says another unit than that of the standard."""
    return wire in _amounts() and unit_in_name(name) not in {None, WAN}


def is_beside_the_standard(name: str, row: Container[str], wires: Mapping[str, str | None]) -> bool:
    """Whether a row has an amount in the unit of the standard beside this one in another unit."""
    wire = wires[name]
    if wire is None or not is_in_another_unit(name, wire):
        return False
    others = (one for one, other in wires.items() if other == wire)
    return wire in row or not all(is_in_another_unit(one, wire) for one in others)


def beside_another_unit(wire: str, kept: Any, name: str, value: Any) -> Any:
    """Return the amount of the standard's column, or a conflict with that of one beside it."""
    if is_in_another_unit(name, wire) and contradict(kept, value):
        return conflict({wire: kept, name: value})
    return kept


def in_unit_of_name(name: str, wire: str, value: Any) -> Any:
    """Return an amount in the unit that the name of its column says, such as 罚款金额（元）."""
    if not _may_be_amount(value):
        return value
    unit = unit_in_name(name) if is_in_another_unit(name, wire) else None
    return value if unit is None else with_unit(str(value), unit)


def contradict(one: Any, other: Any) -> bool:
    """Whether two values of one column are amounts, and not the same one; 20000元 is 2."""
    texts = [str(value) for value in (one, other) if _may_be_amount(value)]
    amounts = [read_amount(text).wan for text in texts if len(text) <= LONGEST]
    return len(amounts) > 1 and None not in amounts and amounts[0] != amounts[1]


def _may_be_amount(value: Any) -> bool:
    return isinstance(value, str | int | float | Decimal) and not isinstance(value, bool)


def with_unit(value: Any, unit: str) -> Any:
    """Return an amount with the unit of its table, unless it has one."""
    if not lacks_unit(value):
        return value
    text = _plain(value)
    number = number_in(text) if unit in _YUAN else None
    return f"{text}{unit}" if number is None else f"{number * _YUAN[unit]:f}元"


def lacks_unit(value: Any) -> bool:
    """Whether a value may be an amount and says no unit itself."""
    text = _plain(value) if isinstance(value, str) else ""
    return any(map(str.isdecimal, text)) and not (_HAS_UNIT.search(text) or note_sign(value))


def _plain(value: str) -> str:
    return visible(half_width(value)).strip().lstrip("¥￥")


def compact(cell: Any, longest: int = LONGEST) -> str:
    """Return the start of a text in one width, with single blanks, and none around signs.

    All brackets are round ones.
    """
    text = " ".join(half_width(str(cell)[: 4 * longest]).split())
    return _AROUND.sub(r"\1", text.translate(_BRACKETS))[:longest]
