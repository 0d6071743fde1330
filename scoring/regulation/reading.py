"""Read rule sets, policies and cases from parsed YAML; errors name the table, item and key."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from schemas.faults import words
from scoring.errors import RuleSetError

Model = TypeVar("Model", bound=BaseModel)


def read(
    model: type[Model],
    data: Mapping[str, object],
    name: str,
    problems_of: Callable[[Model], Iterable[str]] = lambda _: (),
) -> Model:
    """Return the parsed data as a checked model; raises RuleSetError with one line per fault."""
    try:
        found = model.model_validate(data)
    except ValidationError as error:
        raise RuleSetError("\n".join(explain(name, data, error))) from error
    problems = [f"{name}：{problem}" for problem in problems_of(found)]
    if problems:
        raise RuleSetError("\n".join(problems))
    return found


def explain(name: str, data: object, error: ValidationError) -> list[str]:
    """Return one line for each fault, naming the faulty entry."""
    return [f"{name}：{_where(data, fault['loc'])}：{words(fault)}" for fault in error.errors()]


def _where(data: object, path: Sequence[int | str]) -> str:
    steps = []
    for step in path:
        data = _below(data, step)
        steps.append(_label(data) if isinstance(step, int) else step)
    return " ".join(steps)


def _below(data: object, step: int | str) -> object:
    if isinstance(data, Mapping):
        return data.get(step)
    return data[step] if isinstance(data, Sequence) and isinstance(step, int) else None


def _label(data: object) -> str:
    """Return the name of a list entry in messages: its id, grade, name or text."""
    if isinstance(data, Mapping):
        return next((str(data[key]) for key in ("id", "grade", "name", "text") if key in data), "?")
    return str(data)
