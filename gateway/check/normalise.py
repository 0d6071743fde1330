"""Turn raw bytes into a candidate row (pure): decode, unwrap the envelope, rename old columns."""

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import msgspec

from gateway.check.amount_units import (
    beside_another_unit,
    in_unit_of_name,
    is_beside_the_standard,
    is_in_another_unit,
)
from gateway.check.envelopes import opened
from gateway.check.raw import START_BYTES, Raw
from gateway.check.rows import WRITTEN_BY_US
from schemas.cell import conflict, is_empty, say_the_same, settled
from schemas.codes import RecordKind
from schemas.column_names import STANDARD_NAMES, ColumnNames, name_key
from schemas.faults import of_json
from schemas.input_rules import Deletes, InputRules
from schemas.kinds import KINDS, kind_of_columns
from schemas.legacy import to_2018
from schemas.problem import Problem, Rule

#: A JSON escape that may be one half of a surrogate pair.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
#: The most levels of nesting in an item.
MAX_DEPTH = 64
#: The most fields of a record, and the longest name of one; the standard has some forty.
MAX_KEYS, MAX_KEY_LENGTH = 500, 128
#: The most values of an item, in all of its objects: each takes a hundred bytes and more.
MAX_VALUES = 100_000
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


def _parsed(body: bytes) -> Any:
    """Return the JSON value of the bytes, or the problem that makes them unreadable."""
    unread = _unread(body)
    if unread is not None:
        return unread
    try:
        row = _decoded(body)
    except UnicodeDecodeError:
        return _bytes_problem("内容不是有效的 UTF-8 编码", "以 UTF-8 编码重新导出")
    except (ValueError, ArithmeticError, RecursionError) as error:
        return _bytes_problem(
            f"内容不是有效的 JSON：{of_json(error)}", "检查引号、逗号和括号后重新发送"
        )
    if b"\\u" in body and _SURROGATE.search(body) and _has_lone_surrogate(row):
        return _unstorable("内容含有不成对的代理字符（半个字符）")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _depth(row) > MAX_DEPTH:
        return _bytes_problem(f"内容嵌套超过{MAX_DEPTH}层", "把内容写成一层的字段")
    return row


def _unread(body: bytes) -> Problem | None:
    """Return why bytes are not even decoded."""
    if b"\x00" in body or b"\\u0000" in body:
        return _unstorable("内容含有空字符（看不见）")
    if len(body) > MAX_VALUES and sum(map(body.count, _BEFORE_A_VALUE)) > MAX_VALUES:
        words = f"内容多于{MAX_VALUES}个值，不是一条记录"
        return _bytes_problem(words, "一条记录写成一个 JSON 对象；检查列表的括号是否配对")
    return None


def _decoded(body: bytes) -> Any:
    """Decode JSON with the fast decoder; if it fails, the slow one gives the error message."""
    try:
        row = _QUICK.decode(body)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        return _DECODER.decode(body.decode("utf-8-sig"))
    if not isinstance(row, dict) or (body.count(b'":') == len(row) and not _APART.search(body)):
        return row
    if len(_NAMES.findall(body)) == _names_in(row):
        return row
    return _TWICE.decode(body.decode("utf-8-sig"))


def _kind(name: object) -> RecordKind | None:
    try:
        return RecordKind(str(name))
    except ValueError:
        return None


def _depth(value: object) -> int:
    """Return the levels of nesting; JSON writers, PostgreSQL's too, fail at a few hundred."""
    depth, level = 0, [value]
    while level:
        nested = [one for one in level if isinstance(one, dict | list)]
        level = [x for one in nested for x in (one.values() if isinstance(one, dict) else one)]
        depth += bool(nested)
    return depth


def _has_lone_surrogate(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError:
        return True
    return False


def _names_in(value: Any) -> int:
    """Return how many names a value has, in all of its objects."""
    count, level = 0, [value]
    while level:
        one = level.pop()
        if isinstance(one, dict):
            count += len(one)
            level += one.values()
        elif isinstance(one, list):
            level += one
    return count


def _with_conflicts(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a name that stands in it twice with different values is a conflict."""
    row = dict(pairs)
    if len(row) == len(pairs):
        return row
    if len(pairs) > MAX_KEYS:
        raise ValueError(f"字段多于{MAX_KEYS}个，其中有重名的")
    given: dict[str, list[Any]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    for name, values in given.items():
        if any(not say_the_same(values[0], value) for value in values):
            row[name] = conflict(
                {f"第{place}个 {name}": value for place, value in enumerate(values, 1)}
            )
    return row


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} 不是数字")


#: A name in an object whose colon stands apart from it, or what looks like one in a text.
_APART = re.compile(rb'"[ \t\r\n]+:')
#: The end of a name, or what looks like one.
_NAMES = re.compile(rb'"\s*:')
#: What may stand before a value, and counts its values at the most.
_BEFORE_A_VALUE = (b"{", b"[", b",")
_QUICK = msgspec.json.Decoder(float_hook=Decimal)
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)
#: For objects that may have a name twice, of which the quick one keeps the last.
_TWICE = json.JSONDecoder(
    parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_with_conflicts
)


def _bytes_problem(message: str, fix: str) -> Problem:
    return Problem(field="", rule=Rule.BYTES, message=message, fix=fix)


def _unstorable(message: str) -> Problem:
    return Problem(field="", rule=Rule.STORABLE, message=message, fix="删去该字符后重新发送")


def _too_large(size: int, most: int) -> Problem:
    return Problem(
        field="",
        rule=Rule.SIZE,
        message=f"这条记录有{size}字节，超过上限{most}字节；只留开头{START_BYTES}字节，全文在来源处",
        fix="去掉多余的内容或分成几条，由来源重新发送；上限是配置的 input.max_record_bytes",
    )


_UNKNOWN_KIND = Problem(
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
        names: ColumnNames = STANDARD_NAMES,
        deletes: Deletes = Deletes.REFUSE,
        placeholders: frozenset[str] = frozenset(),
        most: int = InputRules().max_record_bytes,
    ) -> None:
        self._most = most
        self._names = names
        self._deletes = deletes
        self._empty = placeholders
        self._exact = {kind: names.exact(kind) for kind in KINDS}

    def __call__(self, raw: Raw) -> Candidate | Problem:
        """Return the row of an item, or the problem that makes it unreadable."""
        if raw.body is None:
            return _bytes_problem("消息内容为空（墓碑消息）", "重新发送完整记录")
        if raw.size > self._most:
            return _too_large(raw.size, self._most)
        row = _parsed(raw.body)
        if isinstance(row, str) and row.lstrip().startswith("{"):
            row = _parsed(row.encode("utf-8", "surrogatepass"))  # encoded twice
        return row if type(row) is Problem else self._candidate(raw.kind, row)

    def _candidate(self, kind: RecordKind | None, row: Any) -> Candidate | Problem:
        if not isinstance(row, dict):
            return _bytes_problem("记录应为 JSON 对象", '每条记录写成 {"字段": 值} 的形式')
        beside = _NOTHING
        if row.keys() >= _ENVELOPE:
            beside = {name: value for name, value in row.items() if name != "data"}
            kind = kind or _kind(str(row.get("type", "")).rpartition(".")[2])
            row = row["data"]
            if not isinstance(row, dict):
                return _bytes_problem("CloudEvents 的 data 应为 JSON 对象", "检查 data 字段")
        inner = opened(row, self._deletes)
        return inner if isinstance(inner, Problem) else self._of_row(kind, inner, beside)

    def _of_row(
        self, kind: RecordKind | None, row: Mapping[str, Any], beside: Mapping[str, Any]
    ) -> Candidate | Problem:
        if _RAW in row and row.keys() <= _OURS:
            return self._raw(str(row[_RAW]), kind)
        kind = kind or _kind(row.get("kind")) or kind_of_columns(row) or self._by_titles(row)
        if kind is None:
            return _UNKNOWN_KIND
        if len(row) > MAX_KEYS or max(map(len, row), default=0) > MAX_KEY_LENGTH:
            words = f"字段多于{MAX_KEYS}个，或字段名长于{MAX_KEY_LENGTH}字"
            return _bytes_problem(words, "每条记录一个对象，字段名用接口说明里的")
        if dict in map(type, row.values()):
            row = {name: settled(value, self._empty) for name, value in row.items()}
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
            if self._is_empty(kept):
                new[wire] = value
            elif _is_own(name, wire) or is_beside_the_standard(name, row, named):
                new[name] = row[name]
                new[wire] = beside_another_unit(wire, kept, name, value)
            elif not self._is_empty(value) and not say_the_same(kept, value):
                new[wire] = conflict({wire: kept, name: value})
        return new

    def _is_empty(self, value: object) -> bool:
        return is_empty(value, self._empty)

    def _raw(self, text: str, kind: RecordKind | None) -> Candidate | Problem:
        """Read an item that could not be parsed, from the workbook in which it was mended."""
        row = _parsed(text.encode("utf-8", "surrogatepass"))
        return row if isinstance(row, Problem) else self._candidate(kind, row)
