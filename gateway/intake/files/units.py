"""A unit beside a table 金额单位: 单位：元 above or below it, or （元） below a column's name."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway.check.amount_units import (
    LONGEST,
    WAN,
    compact,
    lacks_unit,
    with_unit,
)
from gateway.intake.files.header import Header
from schemas.cell import unclear
from schemas.column_names import UNIT, name_key, plain_unit, unit_in_name
from schemas.columns import ColumnType, columns_of
from schemas.kinds import KINDS

#: 填报单位 and 主管单位 are agencies.
_NO_AGENCY = "(?<![报制送填管设收测办建施])"
#: The unit of a whole table; 填报单位 is no such unit, and 元宝山 no 元.
_OF_THE_TABLE = re.compile(
    rf"(?:{_NO_AGENCY}单位(?:为|是)?[:\- —]*|金额[:(]"
    r"|(?<![报制送填管设收测办建施]单位):|[以按(,;、]|均为)"
    rf" ?\(?(?:人民币|RMB|CNY|[¥$])?[(:]? ?{UNIT}(?:整|人民币)?"
    r"(?=$|[^\u4e00-\u9fff/]|/人民币|为单位|计|填|制表|第\d)"
)
#: A unit that is not clear: 单位：件/元; of a price, such as 元/吨, it is none of amounts.
_UNSURE = re.compile(rf"{_NO_AGENCY}单位.*[元圆](?![\u4e00-\u9fff/])")
#: The unit of a column, in a cell below its name.
_OF_A_COLUMN = re.compile(
    rf"\(?(?:请?填写?)?(?:单位:?)?(?:人民币|RMB|CNY|[¥$])?{UNIT}(?:整|/?人民币)?\)?"
)
#: A cell beside the names that says nothing else.
_BESIDE_THE_NAMES = re.compile(r"\(?(?:金额|货币|计量)?单位")
#: A cell that says what stands in the cell behind it, and a column of units.
_UNIT_FOLLOWS = re.compile(r"\(?(?:金额|货币|计量|罚款)?单位:?\)?")
#: Others with 单位 in their names may be of agencies: only a cell that is a unit says one.
_OF_UNITS, _MAYBE_OF_UNITS = re.compile("金额(?:计量)?单位|^(?:货币|计量|罚款)单位$"), "单位"
#: What a column of units calls the amounts that it is of.
_WORDS = {"CF_NR_FK": "罚款", "CF_NR_WFFF": "没收"}
#: Words of what is said of one column only.
_OF_A_CONTENT = re.compile("处罚内容|许可内容")
_OF_A_PART = re.compile(f"[栏列]|{_OF_A_CONTENT.pattern}")
#: A note, which stands below its table.
_NOTE = re.compile("注|备注|说明")
#: A sentence about the rows above it; 单位：元 alone may be that of rows below it.
_SENTENCE = re.compile(
    r"(?!\(?以下)(?:\W?(?:填[表报写]|表格)?(?:注|备注|说明)|.*(?:填[写报]|为单位|均为|单位[为是]|元计))"
)
#: Characters of a note below a table that may say a unit.
_LONGEST_NOTE = 400
#: Rows below the header in which a unit may stand.
ROWS_BELOW = 2


class Units:
    """The units of the amounts of a table: those of the names, or what stands beside the table."""

    def __init__(
        self,
        header: Header,
        above: Iterable[Sequence[Any]],
        notes: Iterable[Sequence[Any]] = (),
        before: "Units | None" = None,
    ) -> None:
        """Read the unit in the rows above a header; the nearest one counts.

        `before` are those of the header before it in a sheet, which hold for columns of which
        nothing says another unit. `notes` stand below a table, perhaps another one: they convert
        nothing, and amounts of which they say another unit are unclear.
        """
        columns = columns_of(KINDS[header.kind].model) if header.kind else ()
        amounts = {one.wire for one in columns if one.type is ColumnType.AMOUNT}
        self._places = {at: name for at, name in enumerate(header.names) if name in amounts}
        named = [(name, one) for at, name in self._places.items() for one in _units_of(header, at)]
        above = list(above)
        said = [one for one in _said([*above, _beside(header)]) if not _NOTE.match(one.text)]
        #: The units that names say themselves, or the cells right below them.
        self._own = dict(reversed(named))
        earlier = _Earlier() if before is None else before.left_for(self._unsaid, said)
        self._own |= earlier.own
        #: Columns of the sender's own in which each row says its unit.
        self._unit_columns = [one for one in header.unknown if _MAYBE_OF_UNITS in name_key(one)]
        #: Columns whose amounts are not in the unit of the standard, with their units.
        self.other = {name: unit for name, unit in self._own.items() if unit != WAN}
        #: Columns whose unit is not clear, with what is said of it.
        self.unclear: dict[str, str] = {}
        self._differ(header, named)
        last = said[-1] if said else _Said("", earlier.unit)
        #: The unit of the table; None if nothing says it for sure.
        self.unit = last.unit
        self._take(last)
        self._doubt(said, [*_said(notes, _LONGEST_NOTE), *_said(above)])
        self.unclear |= earlier.unclear
        self._has_records = False

    def left_for(self, names: Sequence[str], said: Sequence["_Said"]) -> "_Earlier":
        """Return what holds of these units for columns of the next header that say none.

        A unit between two tables counts more; one between two rows of one header does not.
        """
        if self._has_records and said and said[-1].unit:
            return _Earlier()
        own = {name: self._own[name] for name in names if name in self._own}
        unclear = {name: self.unclear[name] for name in names if name in self.unclear}
        return _Earlier(self.unit, own, unclear)

    def _doubt(self, said: Sequence["_Said"], notes: Sequence["_Said"]) -> None:
        """Leave columns unclear of which something is said that is not clear, or another unit."""
        doubts = [*said[-1:], *notes]
        doubt = next((one.text for one in doubts if one.unit != WAN), None)
        if self.unit is None and doubt is not None:
            self.unclear |= dict.fromkeys(self._unsaid, doubt)
        for note in doubts[::-1]:
            if _SENTENCE.match(note.text):
                self._contradict(note)

    def _differ(self, header: Header, said: Iterable[tuple[str, str]]) -> None:
        """Leave a column unclear whose names say different units: it stands twice, or has two."""
        silent = {name for at, name in self._places.items() if not _units_of(header, at)}
        for name in self._own:
            units = {unit for one, unit in said if one == name}
            if name in silent:
                units.add("（没有写）")
            if len(units) > 1:
                self.unclear[name] = "、".join(sorted(units))

    @property
    def _unsaid(self) -> list[str]:
        """The columns whose names say no unit."""
        return [name for name in self._places.values() if name not in self._own]

    def _take(self, said: "_Said") -> None:
        """Read amounts in a unit that is said of the table; names that say another one conflict."""
        if said.unit is None:
            return
        self.unit = said.unit
        for name in self._unsaid:
            self.unclear.pop(name, None)
            self.other.pop(name, None)
            if said.unit != WAN:
                self.other[name] = said.unit
        self._conflict(said.unit, said.text, self._own)

    def _conflict(self, unit: str, text: str, names: Iterable[str]) -> None:
        """Leave columns unclear whose names say another unit than the table."""
        self.unclear |= {name: text for name in names if self._own.get(name, unit) != unit}

    def _contradict(self, note: "_Said") -> None:
        """Leave columns unclear whose unit is none of those that a note says of amounts."""
        if note.units and not _OF_A_CONTENT.search(note.text):
            known = dict.fromkeys(self._unsaid, self.unit) | self._own
            wrong = (name for name, unit in known.items() if unit and unit not in note.units)
            self.unclear |= dict.fromkeys(wrong, note.text)

    def fill(self, row: dict[str, Any]) -> None:
        """Give the amounts of a row their unit, or say that nobody knows it."""
        self._has_records = True
        if self._unit_columns:
            self._fill_by_row(row)
        for name, said in self.unclear.items():
            if name in row and lacks_unit(row[name]):
                row[name] = unclear(row[name], said)
        for name, unit in self.other.items():
            if name in row:
                row[name] = with_unit(row[name], unit)

    def _fill_by_row(self, row: dict[str, Any]) -> None:
        """Give the amounts the unit that their row says in a column of its own."""
        for name in self._places.values():
            for column in _nearest(self._unit_columns, name):
                if name in row and lacks_unit(row[name]):
                    row[name] = self._by_row(name, row[name], column, row.get(column, ""))

    def _by_row(self, name: str, value: Any, column: str, said: Any) -> Any:
        """Return an amount with the unit that a column of units says, or an unclear one."""
        text = compact(said)
        found = _OF_A_COLUMN.fullmatch(text)
        is_silent = not text and name in self._own
        if is_silent or (found is None and not _OF_UNITS.search(name_key(column))):
            return value
        unit = None if found is None else plain_unit(found[1])
        if unit is None or self._own.get(name, unit) != unit:
            return unclear(value, f"{column}：{text or '（空）'}")
        return with_unit(value, unit)

    def below(self, cells: Sequence[Any]) -> None:
        """Read the units in a row right below the header, which count more than one above it."""
        self.between([cell for cell in cells if _BESIDE_THE_NAMES.match(compact(cell))])
        for place, name in self._places.items():
            text = compact(cells[place]) if place < len(cells) else ""
            found = _OF_A_COLUMN.fullmatch(text) or _OF_THE_TABLE.search(text)
            if not found:
                continue
            unit = plain_unit(found[1])
            if name in self._own:
                self._conflict(unit, text, [name])
                continue
            self._own[name] = unit
            self.unclear.pop(name, None)
            self.other.pop(name, None)
            if unit != WAN:
                self.other[name] = unit

    def between(self, cells: Sequence[Any]) -> None:
        """Read the unit of the rows from here on, if a row between records says one."""
        for said in _said([cells]):
            if not _NOTE.match(said.text):
                self._take(said)


def _nearest(columns: Sequence[str], wire: str) -> Sequence[str]:
    """Return the columns of units that name an amount, as 没收金额单位 does; else all of them."""
    word = _WORDS.get(wire)
    return [one for one in columns if word and word in one] or columns


def _units_of(header: Header, place: int) -> list[str]:
    """Return the units that the names of a column say, in both rows of a header."""
    return [unit for text in header.texts_at(place) if (unit := unit_in_name(text))]


def _beside(header: Header) -> list[str]:
    """Return the cells in the row of the names that are no name, but say the unit."""
    return [text for text in header.lower if _BESIDE_THE_NAMES.match(compact(text))]


class _Earlier(NamedTuple):
    """What holds of the units of the header before: of the table, and by column."""

    unit: str | None = None
    own: Mapping[str, str] = MappingProxyType({})
    unclear: Mapping[str, str] = MappingProxyType({})


class _Said(NamedTuple):
    """A cell that says a unit; None if it says two, or that of one column only."""

    text: str
    unit: str | None
    units: frozenset[str] = frozenset()  #: all that it names


def _said(rows: Iterable[Sequence[Any]], longest: int = LONGEST) -> list[_Said]:
    found = []
    for text in chain.from_iterable(_texts(row, longest) for row in rows):
        units = set(map(plain_unit, _OF_THE_TABLE.findall(text)))
        if units:
            clear = len(units) == 1 and not _OF_A_PART.search(text)
            found.append(_Said(text[:LONGEST], min(units) if clear else None, frozenset(units)))
        elif _UNSURE.search(text):
            found.append(_Said(text, None))
    return found


def _texts(cells: Sequence[Any], longest: int) -> Iterator[str]:
    """Yield the texts of a row; 金额单位 and the cell behind it are one."""
    texts = [compact(cell, longest) for cell in cells if type(cell) is str and cell]
    for text, following in pairwise([*texts, ""]):
        is_name = _UNIT_FOLLOWS.fullmatch(text) and _OF_A_COLUMN.fullmatch(following)
        yield f"{text.rstrip(':')}:{following}" if is_name else text


def told(units: Mapping[str, str], header: Header | None) -> Iterator[str]:
    """Yield what is told of the units that are not those of the standard, by what says them."""
    columns = columns_of(KINDS[header.kind].model) if header and header.kind else ()
    titles = {one.wire: one.title.replace("（万元）", "") for one in columns}
    for unit in dict.fromkeys(units.values()):
        names = [name for name, other in units.items() if other == unit]
        by_name = [name for name in names if header and _says(header, name, unit)]
        for what, found in (("列名", by_name), ("表里", [n for n in names if n not in by_name])):
            if found:
                which = "、".join(f"“{titles.get(name, name)}”" for name in found)
                yield f"{what}写着单位是{unit}：{which}列没有写单位的，按{unit}读"


def _says(header: Header, name: str, unit: str) -> bool:
    """Whether a name of a column says a unit itself."""
    return name in header.names and unit in _units_of(header, header.names.index(name))
