"""Rule sets, policies and cases read from YAML; what is wrong is told by table, item and key."""

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
    """How a list entry is called: by its id, its grade or its text."""
    if isinstance(data, Mapping):
        return next((str(data[key]) for key in ("id", "grade", "name", "text") if key in data), "?")
    return str(data)
