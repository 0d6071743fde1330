"""Says in a person's words what pydantic found, and where: rule set, table, item, key."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from scoring.errors import RuleSetError

Model = TypeVar("Model", bound=BaseModel)


def read(
    model: type[Model],
    data: Mapping[str, object],
    name: str,
    problems_of: Callable[[Model], Iterable[str]] = lambda _: (),
) -> Model:
    """The parsed data as a model without problems; raises RuleSetError, a line for each fault."""
    try:
        found = model.model_validate(data)
    except ValidationError as error:
        raise RuleSetError("\n".join(explain(name, data, error))) from error
    problems = [f"{name}：{problem}" for problem in problems_of(found)]
    if problems:
        raise RuleSetError("\n".join(problems))
    return found


def explain(name: str, data: object, error: ValidationError) -> list[str]:
    """One line for each fault, naming the culprit."""
    return [f"{name}：{_where(data, fault['loc'])}：{_words(fault)}" for fault in error.errors()]


def first_fault(error: ValidationError) -> str:
    """The first fault of an input line: its place and what it is, such as `facts.0.id: …`."""
    fault = error.errors()[0]
    where = ".".join(map(str, fault["loc"]))
    return f"{where}: {_words(fault)}" if where else _words(fault)


def _words(fault: ErrorDetails) -> str:
    """What pydantic found, and the fix; its own words for what nobody here can meet."""
    kind, context = fault["type"], fault.get("ctx", {})
    words = _WORDS.get(kind) or _WORDS.get(kind.partition("_")[0])
    if words is None:
        return fault["msg"]
    return words.format_map(context).replace(" or ", "、").replace("', '", "'、'")


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
    "finite_number": "应为有限的数",
    "json": "不是有效的 JSON：{error}",
    "int": "应为整数",
    "bool": "应为 true 或 false",
    "date": "应为日期；写成 2026-01-01",
    "tuple": "应为列表；写成 [ … ]",
    "dict": "应为“键: 值”",
    "model": "应为“键: 值”",
    "too_short": "至少要有 {min_length} 项",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
}


def _where(data: object, path: Sequence[int | str]) -> str:
    words = []
    for step in path:
        data = _below(data, step)
        words.append(_label(data) if isinstance(step, int) else step)
    return " ".join(words)


def _below(data: object, step: int | str) -> object:
    if isinstance(data, Mapping):
        return data.get(step)
    return data[step] if isinstance(data, Sequence) and isinstance(step, int) else None


def _label(data: object) -> str:
    """How a list entry is called: by its id, its grade or its text."""
    if isinstance(data, Mapping):
        return next((str(data[key]) for key in ("id", "grade", "name", "text") if key in data), "?")
    return str(data)
