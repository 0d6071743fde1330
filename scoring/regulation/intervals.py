"""Ranges whose ends are explicitly open or closed, and the check that they leave no gap."""

from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict


def no_float(value: object) -> object:
    """Raise ValueError for floats and booleans: the float 0.1 is not exactly a tenth."""
    if isinstance(value, float | bool):
        message = '数要写成文字，如 "0.5"'
        raise ValueError(message)  # noqa: TRY004 - pydantic makes findings of ValueError only
    return value


#: An exact number of a regulation: points, a score or 万元.
Exact = Annotated[Decimal, BeforeValidator(no_float)]

#: A cut on the number line: just before the value (0) or just after it (1).
Place = tuple[Decimal, int]


class Terms(BaseModel):
    """Base of every part of a rule set: frozen, and unknown keys are an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Interval(Terms):
    """A range of numbers; an end that is not given is infinite."""

    at_least: Exact | None = None
    above: Exact | None = None
    at_most: Exact | None = None
    below: Exact | None = None

    @cached_property
    def lower(self) -> Place | None:
        """The cut where the range begins; None: minus infinity."""
        if self.at_least is not None:
            return self.at_least, 0
        return None if self.above is None else (self.above, 1)

    @cached_property
    def upper(self) -> Place | None:
        """The cut after the end of the range; None: infinity."""
        if self.below is not None:
            return self.below, 0
        return None if self.at_most is None else (self.at_most, 1)

    def contains(self, value: Decimal) -> bool:
        """Return whether the value lies in the range."""
        if self.lower is not None and (value, 0) < self.lower:
            return False
        return self.upper is None or (value, 0) < self.upper

    def problem(self) -> str | None:
        """Return what is wrong with the ends of the range, or None."""
        if self.at_least is not None and self.above is not None:
            return "at_least 与 above 不能同写；删去一个"
        if self.at_most is not None and self.below is not None:
            return "at_most 与 below 不能同写；删去一个"
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            return "下限不低于上限；改正两端"
        return None


def cover_problems(ranges: Iterable[tuple[str, Interval]]) -> list[str]:
    """Return the gaps and overlaps of named ranges that must cover every number exactly once."""
    named = sorted(ranges, key=lambda pair: (pair[1].lower is not None, pair[1].lower or ()))
    problems = [f"{name}：{fault}" for name, part in named if (fault := part.problem())]
    if problems or not named:
        return problems or ["一段也没有；补写"]
    if named[0][1].lower is not None:
        problems.append(f"{named[0][0]} 以下有空档；补上一段或去掉下限")
    for (name, part), (next_name, following) in pairwise(named):
        fault = _meeting(part.upper, following.lower)
        if fault:
            problems.append(f"{name} 与 {next_name} 之间{fault}；改正两段的端点")
    if named[-1][1].upper is not None:
        problems.append(f"{named[-1][0]} 以上有空档；补上一段或去掉上限")
    return problems


def _meeting(end: Place | None, start: Place | None) -> str | None:
    if end is None or start is None or start < end:
        return "重叠"
    return "有空档" if start > end else None
