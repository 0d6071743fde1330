"""A unit beside a table 金额单位: 单位：元 above or below it, or （元） below a column's name."""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from gateway.intake.files.header import Header
from schemas.columns import ColumnType, columns_of
from schemas.identifiers import half_width, note_sign, visible
from schemas.kinds import KINDS

#: The unit of a whole table; 填报单位 is no such unit, and 元宝山 no 元.
_OF_THE_TABLE = re.compile(
    r"(?:(?<![报制送填管设收])单位(?:为|是)?:?|金额:)\(?(?:人民币)?[(:]?((?:[十百千]?[万亿]|[十百千])?元)(?:整|人民币)?(?=$|[),;。、/])"
)
#: The unit of a column, in a cell below its name.
_OF_A_COLUMN = re.compile(r"\(?(?:单位:?)?(?:人民币)?((?:[十百千]?[万亿]|[十百千])?元)\)?")
#: The unit of the standard.
_WAN = "万元"
#: Characters of a cell that may be a unit.
_LONGEST = 60
#: Rows below the header in which a unit may stand.
ROWS_BELOW = 2
#: Units that are not read in an amount, in 元.
_YUAN = {"百元": 100, "千元": 1000, "十万元": 10**5, "百万元": 10**6, "千万元": 10**7}
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?", re.ASCII)
#: A unit that an amount has itself.
_HAS_UNIT = re.compile("[元万亿千百]")


class Units:
    """The units of the amounts of a table, where they stand beside it and not in a name."""

    def __init__(self, header: Header, above: Iterable[Sequence[Any]], before: str | None) -> None:
        """Read the unit in the rows above a header; the nearest one counts.

        `before` is that of the table before it in a sheet, or of a note at its end.
        """
        columns = columns_of(KINDS[header.kind].model) if header.kind else ()
        amounts = {one.wire for one in columns if one.type is ColumnType.AMOUNT}
        self._places = {
            place: name
            for place, name in enumerate(header.names)
            if name in amounts and _WAN not in header.text(place)
        }
        self.unit = unit_in(above) or before or _WAN
        #: Columns whose amounts are not in the unit of the standard, with their units.
        self.other: dict[str, str] = {}
        if self.unit != _WAN:
            self.other = dict.fromkeys(self._places.values(), self.unit)

    def below(self, cells: Sequence[Any]) -> None:
        """Read the units in a row below the header, which count more than one above it."""
        for place, name in self._places.items():
            said = _OF_A_COLUMN.fullmatch(_compact(cells[place])) if place < len(cells) else None
            if said and said[1] == _WAN:
                self.other.pop(name, None)
            elif said:
                self.other[name] = said[1]


def with_unit(value: Any, unit: str) -> Any:
    """Return an amount with the unit of its table, unless it has one."""
    text = visible(half_width(value)).strip().lstrip("¥￥") if isinstance(value, str) else ""
    if not any(map(str.isdecimal, text)) or _HAS_UNIT.search(text) or note_sign(value):
        return value
    if unit in _YUAN and _NUMBER.fullmatch(text):
        return f"{Decimal(text.replace(',', '')) * _YUAN[unit]:f}元"
    return f"{text}{unit}"


def unit_in(rows: Iterable[Sequence[Any]]) -> str | None:
    """Return the unit of a table that the last one of these rows with a unit says, if one does."""
    found = [said[1] for cells in rows for said in map(_of_the_table, cells) if said]
    return found[-1] if found else None


def _of_the_table(cell: Any) -> re.Match[str] | None:
    return _OF_THE_TABLE.search(_compact(cell)) if type(cell) is str else None


def _compact(cell: Any) -> str:
    """Return the start of a text in one width, without blanks."""
    return "".join(half_width(str(cell)[: 4 * _LONGEST]).split())[:_LONGEST]


def told(units: dict[str, str]) -> Iterator[str]:
    """Yield what is told of the units that stand beside a table."""
    for unit in dict.fromkeys(units.values()):
        columns = "、".join(name for name, other in units.items() if other == unit)
        yield f"表里写着单位是{unit}：{columns} 列没有写单位的，按{unit}读"
