"""Read the fields of messages as tables have them, or say what is wrong with them (pure)."""

from collections.abc import Container, Mapping
from datetime import date
from typing import Any

import orjson

from gateway.check.dates import parse_date, why_no_date
from gateway.check.rows import WRITTEN_BY_US
from gateway.check.values import NUMBER_OF_A_NAME, fault_in, lost_digits
from schemas.cell import is_empty
from schemas.codes import RecordKind
from schemas.columns import fields_with
from schemas.kinds import KINDS
from schemas.problem import Problem, Rule


def fields_of(
    kind: RecordKind, row: Mapping[str, Any], placeholders: Container[object]
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the fields of a message that have a value, and the problems of the others.

    A day is read as in decisions; what has a problem is left out of the fields.
    """
    model = KINDS[kind].model
    names, days = fields_with(model, str), fields_with(model, date)
    in_tables = kind is RecordKind.PARTICIPANT  # others come from programs: "" is a mistake there
    fields: dict[str, Any] = {}
    problems = []
    for name, given in row.items():
        value = _unfolded(given)
        if name in WRITTEN_BY_US or (is_empty(value, placeholders) and (value or in_tables)):
            continue
        wrong = fault_in(value)
        if wrong is None and name in names and lost_digits(value):
            wrong = NUMBER_OF_A_NAME
        if wrong is None and name in days and isinstance(value, str):
            day = parse_date(value.strip())
            value = day and day.isoformat()
            wrong = None if day else (Rule.FORMAT, *why_no_date(given))
        if wrong is None:
            fields[name] = value
        else:
            rule, words, fix = wrong
            said = f"{title_of(kind, name) or name}：{words}"
            problems.append(Problem(field=name, rule=rule, message=said, fix=fix))
    return fields, problems


def title_of(kind: RecordKind, name: str) -> str | None:
    """Return the Chinese name of a field."""
    field = KINDS[kind].model.model_fields.get(name)
    return field.title if field else None


def _unfolded(value: Any) -> Any:
    """Return a list or object from a cell of the problem workbook, which has them as JSON."""
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return orjson.loads(value)
        except ValueError:
            return value
    return value
