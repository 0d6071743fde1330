"""How a platform wants its rows: its own names of columns, fixed values, statuses [B]."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field, StringConstraints

from connectors.shared import standard
from connectors.shared.amounts import in_unit, in_wan
from schemas.base import Schema
from schemas.codes import RecordKind, Verb
from schemas.delivery import Item
from schemas.destination import PERSONS
from schemas.identifiers import masked
from schemas.kinds import KINDS, standard_column
from schemas.masking import mask_identity
from schemas.messages import GradeChanged

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
#: 当前状态 of the national layout: 0 in force, 1 revoked; 2 repaired on platforms that know it.
_STATUSES = {
    Verb.NEW: "0",
    Verb.CORRECT: "0",
    Verb.WITHDRAW: "1",
    Verb.REPAIR: "2",
    Verb.REVIVE: "0",
}


def _sent(name: str) -> str:
    return name if name in GradeChanged.model_fields else standard_column(name)


#: A column that items have: of the standard, or of a grade change.
SentColumn = Annotated[str, AfterValidator(_sent)]


def table_of(tables: Container[str], item: Item) -> str:
    """Return the key of the table of an item: natural persons may have one of their own."""
    own = f"{item.record_kind}/{PERSONS}"
    return own if item.person and own in tables else item.record_kind


def kind_of(table: str) -> str:
    """Return the record kind of the key of a table."""
    return table.partition("/")[0]


def shown_as_ours(
    tables: Mapping[str, "RowLayout"], kind: str, columns: Mapping[str, Any]
) -> dict[str, Any]:
    """Return columns that a platform shows of a kind by the standard's names, in our words.

    A shown row does not say whether it is of a natural person. Where these have a layout of their
    own, the one that knows more of its columns counts; of two that know as many, what both say.
    """
    plain, persons = tables.get(kind, RowLayout()), tables.get(f"{kind}/{PERSONS}")
    if persons is None:
        return plain.ours(columns)
    known = standard.titles(kind).keys()
    more = plain.known(columns, known) - persons.known(columns, known)
    if more:
        return (plain if more > 0 else persons).ours(columns)
    apart = persons.ours(columns)
    return {name: one for name, one in plain.ours(columns).items() if apart.get(name) == one}


class RowLayout(Schema):
    """The columns of a platform's rows, of one record kind."""

    columns: dict[SentColumn, Name] = Field(default={}, title="标准列名与平台列名，不写的同名")
    left_out: frozenset[SentColumn] = Field(default=frozenset(), title="不写入的标准列")
    masked: frozenset[SentColumn] = Field(default=frozenset(), title="证件号码只留头尾的标准列")
    words: dict[SentColumn, dict[str, str]] = Field(
        default={}, title="平台代码表：标准列 → 本方写法 → 平台写法"
    )
    constants: dict[str, str] = Field(default={}, title="固定值的列，如 datasource")

    def beside(self) -> Iterator[tuple[str, str]]:
        """Yield the columns that are written beside those of the standard, with their settings."""
        for name in self.constants:
            yield f"constants.{name}", name

    def theirs(self, wire: str) -> str:
        """Return the platform's name of a standard column."""
        return self.columns.get(wire, wire)

    def own(self, item: Item) -> dict[str, Any]:
        """Return what is sent of an item by the standard's names, in the platform's words."""
        return {
            wire: self._told(wire, value)
            for wire, value in item.columns.items()
            if wire not in self.left_out and value is not None
        }

    def values(self, item: Item) -> dict[str, Any]:
        """Return what an item has, and the fixed values, by the platform's names.

        An amount is in the unit that the platform's name of its column says.
        """
        given = {
            (theirs := self.theirs(wire)): in_unit(wire, value, theirs)
            for wire, value in self.own(item).items()
        }
        return given | self.constants

    def number(self, item: Item) -> str | None:
        """Return the document number of an item as its column has it; None if it is left out."""
        if item.document_number is None or item.record_kind not in KINDS:
            return item.document_number
        wire = KINDS[RecordKind(item.record_kind)].number_column
        return None if wire in self.left_out else str(self._told(wire, item.document_number))

    def ours(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Return columns that the platform shows by the standard's names, in our words.

        What cannot be told is not among them: the digits behind a mask, and a word of the platform
        that stands for several of ours. Nor are fixed values, which are of no record.
        """
        names = self._wires()
        shown = {}
        for name, value in columns.items():
            wire = names.get(name, name)
            ours = self._read(wire, in_wan(wire, value, name))
            if ours is not None and wire not in self.masked and name not in self.constants:
                shown[wire] = ours
        return shown

    def known(self, columns: Iterable[str], wires: Container[str]) -> int:
        """Return how many columns of the platform it knows."""
        names = self._wires()
        mapped = self.columns.keys() | self.left_out
        return sum(
            name in names or name in self.constants or (name in wires and name not in mapped)
            for name in columns
        )

    def _wires(self) -> dict[str, str]:
        return {theirs: wire for wire, theirs in self.columns.items()}

    def _told(self, wire: str, value: Any) -> Any:
        words = self.words.get(wire)
        if words is not None:
            value = _translated(wire, value, words)
        if wire in self.masked:
            return mask_identity(str(value))
        is_text = self.masked and wire not in standard.identifiers()
        return _without_numbers(value) if is_text else value

    def _read(self, wire: str, value: Any) -> Any:
        """Return a value in our words; None if it may be one of several."""
        words = self.words.get(wire)
        if words is None or not isinstance(value, str) or not any(words.values()):
            return value
        if wire not in standard.lists():
            meant = _meant(wire, value, words) or [value]
            return meant[0] if len(meant) == 1 else None
        longest = "|".join(map(re.escape, sorted(filter(None, words.values()), key=len)[::-1]))
        found = re.compile(rf"(?<![^{_BETWEEN}])(?:{longest})(?![^{_BETWEEN}])")
        if any(len(_meant(wire, one, words)) > 1 for one in found.findall(value)):
            return None
        return found.sub(lambda one: _meant(wire, one[0], words)[0], value)


#: What may stand between several codes that a platform shows.
_BETWEEN = "、，,；;"


def _translated(wire: str, value: Any, words: Mapping[str, str]) -> Any:
    """Return a value in the platform's words: each of several codes by itself."""
    if isinstance(value, list):
        return [words.get(one, one) for one in value]
    if not isinstance(value, str) or wire not in standard.lists() or value in words:
        return words.get(value, value) if isinstance(value, str) else value
    return "、".join(words.get(one, one) for one in value.split("、"))


def _meant(wire: str, theirs: str, words: Mapping[str, str]) -> list[str]:
    """Return which words of ours are this one of the platform."""
    found = [ours for ours, word in words.items() if word == theirs]
    is_ours = theirs not in words and theirs in standard.codes().get(wire, ())
    return [*found, theirs] if is_ours else found


def _without_numbers(value: Any) -> Any:
    """Return a value without the identity numbers in its texts."""
    if isinstance(value, list):
        return [_without_numbers(one) for one in value]
    return masked(value) if isinstance(value, str) else value


class Layout(RowLayout):
    """The columns of rows that say themselves what has become of a decision."""

    status_column: Name | None = Field(default=None, title="当前状态列")
    statuses: dict[Verb, str] = Field(default=_STATUSES, title="动作与当前状态的对应")

    def beside(self) -> Iterator[tuple[str, str]]:
        """Yield the fixed columns, and that of the status."""
        yield from super().beside()
        if self.status_column is not None:
            yield "status_column", self.status_column


def text_of(value: Any) -> str:
    """Return a value of an item as text; a list and a yes or no as JSON."""
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode() if isinstance(value, (list, dict, bool)) else str(value)
