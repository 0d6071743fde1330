"""Decode the bytes of an item (pure): its JSON value, or the problem that makes them unreadable."""

import json
import re
from decimal import Decimal
from typing import Any, NoReturn

import msgspec

from schemas.cell import conflict, say_the_same
from schemas.faults import of_json
from schemas.problem import Problem, Rule

#: A JSON escape that may be one half of a surrogate pair.
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
#: The most levels of nesting in an item.
MAX_DEPTH = 64
#: The most fields of a record, and the longest name of one; the standard has some forty.
MAX_KEYS, MAX_KEY_LENGTH = 500, 128
#: The most values of an item, in all of its objects: each takes a hundred bytes and more.
MAX_VALUES = 100_000


def parsed(body: bytes) -> Any:
    """Return the JSON value of the bytes, or the problem that makes them unreadable."""
    unread = _unread(body)
    if unread is not None:
        return unread
    try:
        row = _decoded(body)
    except UnicodeDecodeError:
        return bytes_problem("内容不是有效的 UTF-8 编码", "以 UTF-8 编码重新导出")
    except (ValueError, ArithmeticError, RecursionError) as error:
        return bytes_problem(
            f"内容不是有效的 JSON：{of_json(error)}", "检查引号、逗号和括号后重新发送"
        )
    if b"\\" in body and _SURROGATE.search(body) and _has_lone_surrogate(row):
        return _unstorable("内容含有不成对的代理字符（半个字符）")
    if (b"[" in body or body.find(b"{", 1) > 0) and _depth(row) > MAX_DEPTH:
        return bytes_problem(f"内容嵌套超过{MAX_DEPTH}层", "把内容写成一层的字段")
    return row


def _unread(body: bytes) -> Problem | None:
    """Return why bytes are not even decoded."""
    if b"\x00" in body or (b"\\" in body and b"\\u0000" in body):
        return _unstorable("内容含有空字符（看不见）")
    if len(body) > MAX_VALUES and sum(map(body.count, _BEFORE_A_VALUE)) > MAX_VALUES:
        words = f"内容多于{MAX_VALUES}个值，不是一条记录"
        return bytes_problem(words, "一条记录写成一个 JSON 对象；检查列表的括号是否配对")
    return None


def _decoded(body: bytes) -> Any:
    """Decode JSON with the fast decoder; if it fails, the slow one gives the error message."""
    try:
        row = _QUICK.decode(body)
    except (msgspec.DecodeError, ValueError, ArithmeticError, RecursionError):
        return _DECODER.decode(body.decode("utf-8-sig"))
    if not isinstance(row, dict) or body.count(b":") == len(row):
        return row  # each colon stands behind another name
    if body.count(b'":') == len(row) and not _APART.search(body):
        return row
    if len(_NAMES.findall(body)) == _names_in(row):
        return row
    return _TWICE.decode(body.decode("utf-8-sig"))


def bytes_problem(message: str, fix: str) -> Problem:
    """Return a problem of the item as a whole."""
    return Problem(field="", rule=Rule.BYTES, message=message, fix=fix)


def _unstorable(message: str) -> Problem:
    return Problem(field="", rule=Rule.STORABLE, message=message, fix="删去该字符后重新发送")


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
