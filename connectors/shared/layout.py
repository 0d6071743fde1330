"""How a platform wants its rows: its own names of columns, fixed values, statuses [B]."""

from collections.abc import Container, Mapping
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field, StringConstraints

from schemas.base import Schema
from schemas.codes import Verb
from schemas.delivery import Item
from schemas.destination import PERSONS
from schemas.kinds import standard_column
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


class RowLayout(Schema):
    """The columns of a platform's rows, of one record kind."""

    columns: dict[SentColumn, Name] = Field(default={}, title="标准列名与平台列名，不写的同名")
    left_out: frozenset[SentColumn] = Field(default=frozenset(), title="不写入的标准列")
    masked: frozenset[SentColumn] = Field(default=frozenset(), title="证件号码只留头尾的标准列")
    words: dict[SentColumn, dict[str, str]] = Field(
        default={}, title="平台代码表：标准列 → 本方写法 → 平台写法"
    )
    constants: dict[str, str] = Field(default={}, title="固定值的列，如 datasource")

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
        """Return what an item has, and the fixed values, by the platform's names."""
        given = {self.theirs(wire): value for wire, value in self.own(item).items()}
        return given | self.constants

    def ours(self, columns: Mapping[str, Any]) -> dict[str, Any]:
        """Return columns that the platform shows by the standard's names, in our words."""
        names = {theirs: wire for wire, theirs in self.columns.items()}
        shown = {names.get(name, name): value for name, value in columns.items()}
        for wire, words in self.words.items():
            back = {theirs: ours for ours, theirs in words.items()}
            if isinstance(value := shown.get(wire), str):
                shown[wire] = "、".join(back.get(one, one) for one in value.split("、"))
        return shown

    def _told(self, wire: str, value: Any) -> Any:
        words = self.words.get(wire)
        if words is not None:
            several = isinstance(value, list)
            value = [words.get(one, one) for one in value] if several else words.get(value, value)
        return mask_identity(str(value)) if wire in self.masked else value


class Layout(RowLayout):
    """The columns of rows that say themselves what has become of a decision."""

    status_column: Name | None = Field(default=None, title="当前状态列")
    statuses: dict[Verb, str] = Field(default=_STATUSES, title="动作与当前状态的对应")


def text_of(value: Any) -> str:
    """Return a value of an item as text; a list and a yes or no as JSON."""
    if isinstance(value, str):
        return value
    return orjson.dumps(value).decode() if isinstance(value, (list, dict, bool)) else str(value)
