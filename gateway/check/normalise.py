"""Turn raw bytes into a candidate row (pure): unwrap the envelope, rename old columns."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway.check.amount_units import (
    beside_another_unit,
    in_unit_of_name,
    is_beside_the_standard,
    is_in_another_unit,
)
from gateway.check.decoding import MAX_KEY_LENGTH, MAX_KEYS, bytes_problem, parsed
from gateway.check.envelopes import NOT_SENT, opened
from gateway.check.raw import START_BYTES, Raw
from gateway.check.rows import WRITTEN_BY_US, words_that_are_codes
from schemas.cell import conflict, is_empty, say_the_same, settled
from schemas.codes import RecordKind
from schemas.column_names import ColumnNames, name_key, standard_names
from schemas.input_rules import Deletes, InputRules
from schemas.kinds import KINDS
from schemas.legacy import to_2018
from schemas.problem import Problem, Rule

#: CloudEvents 1.0: if both names are present, the row is in `data`.
_ENVELOPE = frozenset({"specversion", "data"})
#: The column of the problem workbook with an item that could not be parsed, and those beside it.
_RAW = "原文"
#: With so many known titles a row is of their kind.
_ENOUGH = 3
_REMARK = "BZ"
_OURS = WRITTEN_BY_US | {_RAW}
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Candidate(NamedTuple):
    """A decoded row in 2018 columns, with its kind, and what a CloudEvent has beside it.

    `given` is the row before old columns became those of 2018.
    """

    kind: RecordKind
    row: Mapping[str, Any]
    given: Mapping[str, Any]
    beside: Mapping[str, Any] = _NOTHING


def _kind(name: object) -> RecordKind | None:
    try:
        return RecordKind(str(name))
    except ValueError:
        return None


def _too_large(size: int, most: int) -> Problem:
    return Problem(
        field="",
        rule=Rule.SIZE,
        message=f"这条记录有{size}字节，超过上限{most}字节；只留开头{START_BYTES}字节，全文在来源处",
        fix="去掉多余的内容或分成几条，由来源重新发送；上限是配置的 input.max_record_bytes",
    )


@KINDS.cached
def _unknown_kind() -> Problem:
    return Problem(
        field="kind",
        rule=Rule.KIND,
        message=f"不知道这是{'、'.join(kind.title for kind in KINDS.values())}中的哪一种",
        fix=f"在 kind 字段写明 {'、'.join(KINDS)} 之一",
    )


def _is_own(name: str, wire: str) -> bool:
    """Whether a name is a column of the sender's own: 备注 beside BZ."""
    return wire == _REMARK and name_key(name) != name_key(wire)


class Normalising:
    """How items become candidate rows: names of columns, what a deleted row means, the size."""

    def __init__(
        self,
        names: ColumnNames | None = None,
        deletes: Deletes = Deletes.REFUSE,
        placeholders: frozenset[str] = frozenset(),
        most: int = InputRules().max_record_bytes,
    ) -> None:
        self._most = most
        self._names = names = names or standard_names()
        self._deletes = deletes
        self._empty = placeholders
        self._exact = {kind: names.exact(kind) for kind in KINDS}

    def __call__(self, raw: Raw) -> Candidate | Problem:
        """Return the row of an item, or the problem that makes it unreadable."""
        if raw.body is None:
            return bytes_problem("消息内容为空（墓碑消息）", "重新发送完整记录")
        if raw.size > self._most:
            return _too_large(raw.size, self._most)
        row = parsed(raw.body)
        if isinstance(row, str) and row.lstrip().startswith("{"):
            row = parsed(row.encode("utf-8", "surrogatepass"))  # encoded twice
        if type(row) is Problem:
            return row
        if raw.kind is not None and self._is_plain(raw.kind, row):
            return Candidate(raw.kind, to_2018(raw.kind, row, self._empty), row)
        return self._candidate(raw.kind, row)

    def _is_plain(self, kind: RecordKind, row: Any) -> bool:
        """Whether a row has columns of its kind only: nothing is to be opened or renamed."""
        if type(row) is not dict or not row.keys() <= self._exact[kind]:
            return False
        return dict not in map(type, row.values()) and NOT_SENT not in row.values()

    def _candidate(self, kind: RecordKind | None, row: Any) -> Candidate | Problem:
        if not isinstance(row, dict):
            return bytes_problem("记录应为 JSON 对象", '每条记录写成 {"字段": 值} 的形式')
        beside = _NOTHING
        if row.keys() >= _ENVELOPE:
            beside = {name: value for name, value in row.items() if name != "data"}
            kind = kind or _kind(str(row.get("type", "")).rpartition(".")[2])
            row = row["data"]
            if not isinstance(row, dict):
                return bytes_problem("CloudEvents 的 data 应为 JSON 对象", "检查 data 字段")
        inner = opened(row, self._deletes)
        return inner if isinstance(inner, Problem) else self._of_row(kind, inner, beside)

    def _of_row(
        self, kind: RecordKind | None, row: Mapping[str, Any], beside: Mapping[str, Any]
    ) -> Candidate | Problem:
        if _RAW in row and row.keys() <= _OURS:
            return self._raw(str(row[_RAW]), kind)
        kind = kind or _kind(row.get("kind")) or KINDS.of_columns(row) or self._by_titles(row)
        if kind is None:
            return _unknown_kind()
        if len(row) > MAX_KEYS or max(map(len, row), default=0) > MAX_KEY_LENGTH:
            words = f"字段多于{MAX_KEYS}个，或字段名长于{MAX_KEY_LENGTH}字"
            return bytes_problem(words, "每条记录一个对象，字段名用接口说明里的")
        if dict in map(type, row.values()):
            row = {name: settled(row[name], self._words(kind, name)) for name in row}
        given = self._renamed(kind, row)
        return Candidate(kind, to_2018(kind, given, self._empty), given, beside)

    def _by_titles(self, row: Mapping[str, Any]) -> RecordKind | None:
        """Return the kind of a row whose names are titles of columns."""
        kind = self._names.kind_of(map(str, row))
        return kind if kind and self._names.count(kind, map(str, row)) >= _ENOUGH else None

    def _renamed(self, kind: RecordKind, row: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the row with names in other spellings replaced; the same object if none is."""
        exact = self._exact[kind]
        if row.keys() <= exact:
            return row
        strange = [name for name in row if name not in exact]
        named = {name: self._names.wire(kind, name) for name in strange}
        if not any(named.values()):
            return row
        new = {name: value for name, value in row.items() if not named.get(name)}
        for name, wire in sorted(named.items(), key=lambda one: is_in_another_unit(*one)):
            if wire is None:
                continue
            value, kept = in_unit_of_name(name, wire, row[name]), new.get(wire)
            words = self._words(kind, wire)
            if is_empty(kept, words):
                new[wire] = value
            elif _is_own(name, wire) or is_beside_the_standard(name, row, named):
                new[name] = row[name]
                new[wire] = beside_another_unit(wire, kept, name, value)
            elif not is_empty(value, words) and not say_the_same(kept, value):
                new[wire] = conflict({wire: kept, name: value})
        return new

    def _words(self, kind: RecordKind, name: str) -> frozenset[str]:
        """Return the words that stand for nothing in a column, by its name in any spelling."""
        codes = words_that_are_codes(kind, self._empty)
        if not codes:
            return self._empty
        wire = name if name in codes else self._names.wire(kind, name)
        return self._empty - codes.get(wire or name, frozenset())

    def _raw(self, text: str, kind: RecordKind | None) -> Candidate | Problem:
        """Read an item that could not be parsed, from the workbook in which it was mended."""
        row = parsed(text.encode("utf-8", "surrogatepass"))
        return row if isinstance(row, Problem) else self._candidate(kind, row)
