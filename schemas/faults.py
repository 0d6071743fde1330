"""Turn pydantic's errors into Chinese sentences with their place."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails


def faults(error: ValidationError) -> list[str]:
    """Return each error with its place, as `facts.0.id：没有写；补上`, without the given value."""
    return [placed(fault) for fault in error.errors(include_input=False, include_url=False)]


def placed(fault: ErrorDetails) -> str:
    """Return one error with its place."""
    where = ".".join(map(str, fault["loc"]))
    return f"{where}：{words(fault)}" if where else words(fault)


def words(fault: ErrorDetails) -> str:
    """Return what is wrong and the fix; pydantic's own words for types that do not occur here."""
    kind, context = fault["type"], fault.get("ctx", {})
    said = _WORDS.get(kind) or _WORDS.get(kind.partition("_")[0])
    if said is None:
        return fault["msg"]
    return said.format_map(context).replace(" or ", "、").replace("', '", "'、'")


#: By pydantic's type of error, else by the first word of it.
_WORDS = {
    "missing": "没有写；补上",
    "extra_forbidden": "不认识的键；改正键名或删去",
    "value_error": "{error}",
    "enum": "不认识的值；应为 {expected}",
    "literal_error": "不认识的值；应为 {expected}",
    "string": "应为文字；加引号",
    "string_too_short": "是空的；填写",
    "string_pattern_mismatch": "写法不对；应合 {pattern}",
    "decimal": '应为数；写成文字，如 "0.5"',
    "decimal_max_digits": "最多 {max_digits} 位数字",
    "decimal_max_places": "小数最多 {decimal_places} 位",
    "decimal_whole_digits": "整数部分最多 {whole_digits} 位",
    "finite": "应为有限的数",
    "json": "不是有效的 JSON：{error}",
    "int": "应为整数",
    "bool": "应为 true 或 false",
    "date": "应为日期；写成 2026-01-01",
    "time": "应为时刻或时长；时刻写成 09:00，时长写成 PT30S 或秒数",
    "tuple": "应为列表；写成 [ … ]",
    "list": "应为列表；写成 [ … ]",
    "frozen": "应为列表；写成 [ … ]",
    "path": "应为路径",
    "float": "应为数",
    "dict": "应为“键: 值”",
    "mapping": "应为“键: 值”",
    "model": "应为“键: 值”",
    "too_short": "至少要有 {min_length} 项",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
}
