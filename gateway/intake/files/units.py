"""A unit beside a table 金额单位: 单位：元 above or below it, or （元） below a column's name."""

import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from gateway.intake.files.header import Header
from schemas.cell import unclear
from schemas.columns import ColumnType, columns_of
from schemas.identifiers import half_width, note_sign, visible
from schemas.kinds import KINDS

#: The unit of a whole table; 填报单位 is no such unit, and 元宝山 no 元.
_OF_THE_TABLE = re.compile(
    r"(?:(?<![报制送填管设收])单位(?:为|是)?:?|金额:)\(?(?:人民币)?[(:]?((?:[十百千]?[万亿]|[十百千])?元)(?:整|人民币)?(?=$|[),;。、/])"
)
#: The unit of a column, in a cell below its name.
_OF_A_COLUMN = re.compile(r"\(?(?:单位:?)?(?:人民币)?((?:[十百千]?[万亿]|[十百千])?元)\)?")
#: Words of what is said of one column only.
_OF_A_PART = re.compile("[栏列]|处罚内容|许可内容")
#: A note, which stands below its table.
_NOTE = re.compile("注|备注|说明")
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

    def __init__(
        self,
        header: Header,
        above: Iterable[Sequence[Any]],
        notes: Iterable[Sequence[Any]] = (),
        before: str | None = None,
    ) -> None:
        """Read the unit in the rows above a header; the nearest one counts.

        `before` is that of the table before it in a sheet. `notes` stand below a table, perhaps
        another one: where nothing else says the unit, another one in them leaves it unclear.
        """
        columns = columns_of(KINDS[header.kind].model) if header.kind else ()
        amounts = {one.wire for one in columns if one.type is ColumnType.AMOUNT}
        self._places = {
            place: name
            for place, name in enumerate(header.names)
            if name in amounts and _WAN not in header.text(place)
        }
        said = [one for one in _said(above) if not _NOTE.match(one.text)]
        last = said[-1] if said else _Said("", before)
        doubts = [] if last.unit else [*said[-1:], *_said(notes), *_said(above)]
        #: The unit of the table; None if nothing says it for sure.
        self.unit = last.unit
        #: Columns whose amounts are not in the unit of the standard, with their units.
        self.other: dict[str, str] = {}
        #: Columns whose unit is not clear, with what is said of it.
        self.unclear: dict[str, str] = {}
        if self.unit and self.unit != _WAN:
            self.other = dict.fromkeys(self._places.values(), self.unit)
        doubt = next((one.text for one in doubts if one.unit != _WAN), None)
        if doubt is not None:
            self.unclear = dict.fromkeys(self._places.values(), doubt)

    def fill(self, row: dict[str, Any]) -> None:
        """Give the amounts of a row their unit, or say that nobody knows it."""
        for name, unit in self.other.items():
            if name in row:
                row[name] = with_unit(row[name], unit)
        for name, said in self.unclear.items():
            if name in row and _lacks_unit(row[name]):
                row[name] = unclear(row[name], said)

    def below(self, cells: Sequence[Any]) -> None:
        """Read the units in a row below the header, which count more than one above it."""
        for place, name in self._places.items():
            said = _OF_A_COLUMN.fullmatch(_compact(cells[place])) if place < len(cells) else None
            if said:
                self.unclear.pop(name, None)
            if said and said[1] == _WAN:
                self.other.pop(name, None)
            elif said:
                self.other[name] = said[1]


def with_unit(value: Any, unit: str) -> Any:
    """Return an amount with the unit of its table, unless it has one."""
    if not _lacks_unit(value):
        return value
    text = _plain(value)
    if unit in _YUAN and _NUMBER.fullmatch(text):
        return f"{Decimal(text.replace(',', '')) * _YUAN[unit]:f}元"
    return f"{text}{unit}"


def _lacks_unit(value: Any) -> bool:
    """Whether a value may be an amount and says no unit itself."""
    text = _plain(value) if isinstance(value, str) else ""
    return any(map(str.isdecimal, text)) and not (_HAS_UNIT.search(text) or note_sign(value))


def _plain(value: str) -> str:
    return visible(half_width(value)).strip().lstrip("¥￥")


class _Said(NamedTuple):
    """A cell that says a unit; None if it says two, or that of one column only."""

    text: str
    unit: str | None


def _said(rows: Iterable[Sequence[Any]]) -> list[_Said]:
    found = []
    for text in (_compact(cell) for cells in rows for cell in cells if type(cell) is str):
        units = set(_OF_THE_TABLE.findall(text))
        if units:
            clear = len(units) == 1 and not _OF_A_PART.search(text)
            found.append(_Said(text, units.pop() if clear else None))
    return found


def _compact(cell: Any) -> str:
    """Return the start of a text in one width, without blanks."""
    return "".join(half_width(str(cell)[: 4 * _LONGEST]).split())[:_LONGEST]


def told(units: dict[str, str]) -> Iterator[str]:
    """Yield what is told of the units that stand beside a table."""
    for unit in dict.fromkeys(units.values()):
        columns = "、".join(name for name, other in units.items() if other == unit)
        yield f"表里写着单位是{unit}：{columns} 列没有写单位的，按{unit}读"
