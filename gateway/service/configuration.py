"""The reference of the configuration 配置参考, made of the models of its settings.

`python -m gateway.service.configuration` writes `deploy/CONFIGURATION.md`; a test compares it.
"""

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from connectors import CONNECTORS
from gateway.config.settings import Settings
from schemas.codes import RecordKind
from schemas.destination import Destination

_HEAD = """# Configuration

Generated from the models of the settings by `python -m gateway.service.configuration`; do not edit.
`gateway.example.yaml` shows the same by example.

A key within another stands in YAML below it. As an environment variable it is
`CREDIT_GATEWAY_HTTP__PORT` for `http.port`; lists and objects are written as JSON. A duration is
written as ISO 8601 has it (`PT30S`, `P2D`), a time of day as `"02:30"` in Beijing time. A secret
stands in the file only as `{env: NAME}` or `{file: PATH}`.
"""
_SIMPLE: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    Decimal: "number",
    bool: "true or false",
    date: "date",
    time: "time of day",
    timedelta: "duration",
    Path: "path",
    SecretStr: "secret",
    Any: "anything",
    NoneType: "null",
    RecordKind: "kind of record",
}


def reference(example: str) -> str:
    """Return the reference as Markdown: one section for each model, in the order of first use.

    `example` is the text of `gateway.example.yaml`.
    """
    parts = [_HEAD]
    for title, model in _sections():
        parts.append(f"## {title}\n\n{inspect.cleandoc(model.__doc__ or '')}\n")
        comments = _comments(model)
        rows = ["| key | type | default | what it is |", "| --- | --- | --- | --- |"]
        rows += [
            f"| `{name}` | {_words(field.annotation)}{_bounds(field)} | {_default(field)} |"
            f" {_meaning(name, field, comments.get(name, ''), example)} |"
            for name, field in model.model_fields.items()
        ]
        parts.append("\n".join(rows) + "\n")
    return "\n".join(parts)


def _sections() -> Iterator[tuple[str, type[BaseModel]]]:
    seen: set[type[BaseModel]] = set()
    yield from _inner("the file", Settings, seen)
    yield from _inner("destinations", Destination, seen)
    for name, connector in CONNECTORS.items():
        if name != "memory":  # for tests and demonstrations
            yield from _inner(f"destinations: settings of `{name}`", connector.settings, seen)


def _inner(
    title: str, model: type[BaseModel], seen: set[type[BaseModel]]
) -> Iterator[tuple[str, type[BaseModel]]]:
    if model in seen:
        return
    seen.add(model)
    yield title, model
    for name, field in model.model_fields.items():
        for inner in _models_in(field.annotation):
            yield from _inner(
                f"{title}: `{name}`" if title != "the file" else f"`{name}`", inner, seen
            )


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _words(annotation: Any) -> str:
    """Return a type in words."""
    if annotation in _SIMPLE:
        return _SIMPLE[annotation]
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " · ".join(f"`{one.value}`" for one in annotation)
    return _compound(get_origin(annotation), get_args(annotation))


def _compound(origin: Any, parts: tuple[Any, ...]) -> str:
    """Return a type that is made of others in words."""
    if origin is Annotated:
        words = _words(parts[0])
    elif origin is Literal:
        words = " · ".join(f"`{one}`" for one in parts)
    elif origin in {Union, UnionType}:
        words = " or ".join(_words(part) for part in parts)
    elif origin in {tuple, list, frozenset, set}:
        words = f"list of {_words(parts[0])}"
    elif origin is not None and issubclass(origin, Mapping):
        words = f"{_words(parts[0])} → {_words(parts[1])}"
    else:
        words = "as below"
    return words


def _bounds(field: FieldInfo) -> str:
    """Return what a number or a length must be."""
    signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
    found = [
        f"{sign} {value}"
        for one in field.metadata
        for name, sign in signs.items()
        if (value := getattr(one, name, None)) is not None and not isinstance(value, timedelta)
    ]
    return f", {', '.join(found)}" if found else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = (
        field.default
        if field.default is not PydanticUndefined
        else field.get_default(call_default_factory=True, validated_data={})
    )
    return _shown(value)


def _shown(value: Any) -> str:
    match value:
        case None:
            return "null"
        case BaseModel():
            return "as below"
        case timedelta():
            return f"`{_duration(value)}`"
        case tuple() | list() | frozenset() | set() | dict():
            if not value or any(isinstance(one, BaseModel) for one in value):
                return "empty" if not value else "as below"
            return "`" + ", ".join(sorted(str(getattr(one, "value", one)) for one in value)) + "`"
        case _:
            return f"`{getattr(value, 'value', value)}`"


def _duration(span: timedelta) -> str:
    seconds = int(span.total_seconds())
    if seconds and seconds % 86_400 == 0:
        return f"P{seconds // 86_400}D"
    if seconds and seconds % 3600 == 0:
        return f"PT{seconds // 3600}H"
    return f"PT{seconds}S"


def _meaning(name: str, field: FieldInfo, comment: str, example: str) -> str:
    """Return what the model says of a field, else what the example says beside its only line."""
    words = "; ".join(one for one in (comment, field.title or "") if one)
    if not words:
        shown = re.findall(rf"^[\s#-]*{name}:(.*)$", example, re.MULTILINE)
        beside = [line.split("#", 1)[1].strip() for line in shown if "#" in line]
        words = beside[0] if len(shown) == len(beside) == 1 else ""
    return words.replace("|", "\\|")


def _comments(model: type[BaseModel]) -> dict[str, str]:
    """Return the `#:` comments of a model's fields, those of its parents too."""
    found: dict[str, str] = {}
    for one in reversed(model.__mro__):
        if issubclass(one, BaseModel) and one is not BaseModel and one.__module__ != "pydantic":
            try:
                source = inspect.getsource(one)
            except OSError:
                continue
            found |= _of_source(source)
    return found


def _of_source(source: str) -> dict[str, str]:
    lines = inspect.cleandoc("\n" + source).splitlines()
    tree = ast.parse("\n".join(lines))
    found = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.AnnAssign) or not isinstance(node.target, ast.Name):
            continue
        above: list[str] = []
        place = node.lineno - 2
        while place >= 0 and (line := lines[place].strip()).startswith("#:"):
            above.insert(0, line.removeprefix("#:").strip())
            place -= 1
        beside = re.search(r"#:\s*(.*)$", lines[(node.end_lineno or node.lineno) - 1])
        words = " ".join([*above, beside.group(1) if beside else ""]).strip()
        if words:
            found[node.target.id] = words
    return found


def main() -> None:
    """Write the reference."""
    example = Path("gateway.example.yaml").read_text(encoding="utf-8")
    Path("deploy/CONFIGURATION.md").write_text(reference(example), encoding="utf-8")


if __name__ == "__main__":
    main()
