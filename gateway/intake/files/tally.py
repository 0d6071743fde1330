"""What check said of the items of a file, counted: one screen for a person, one object else."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from gateway.check.changes import Change, changes
from gateway.check.checked import Checked
from gateway.record.result import Result
from gateway.titles import CHANGES, EXCLUSIONS, VERDICTS
from schemas.codes import Verb
from schemas.problem import Problem, Rule
from schemas.verdict import Exclusion, Verdict

#: Groups that are shown, and places that are named in each.
_SHOWN, _NAMED = 15, 5


@dataclass(slots=True)
class Group:
    """Problems of one column by one rule, with the first of them."""

    first: Problem
    places: list[str] = field(default_factory=list)
    count: int = 0
    differ: bool = False  #: whether its messages differ, by the values in them

    def words(self) -> str:
        """Return one line for a person."""
        where = "、".join(self.places) + ("等" if self.count > len(self.places) else "")
        such = "，如" if self.differ else ""
        return f"  {self.count} 条{such}：{self.first.message}（{where}）。{self.first.fix}"

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {**self.first.model_dump(), "count": self.count, "places": self.places}


class FileTally:
    """Counts of verdicts, problems by kind, warnings, and changed values."""

    def __init__(self, placeholders: Collection[str]) -> None:
        self._placeholders = placeholders
        self.verdicts: Counter[Verdict] = Counter()
        self.excluded: Counter[Exclusion] = Counter()
        self.repeats = self.withdrawals = 0
        self._problems: dict[tuple[str, Rule], Group] = {}
        self._warnings: dict[tuple[str, Rule], Group] = {}
        self._changes: Counter[Change] = Counter()

    def add(self, place: str, checked: Checked, result: Result | None = None) -> None:
        """Count one item, and what became of it."""
        self.verdicts[checked.verdict] += 1
        if checked.excluded is not None:
            self.excluded[checked.excluded] += 1
        self.repeats += result is not None and result.repeat
        self.withdrawals += checked.verb is Verb.WITHDRAW
        self._changes.update(changes(checked, self._placeholders))
        _group(self._problems, place, checked.problems)
        _group(self._warnings, place, checked.warnings)

    @property
    def faulty(self) -> bool:
        """Whether an item has problems."""
        return bool(self.verdicts.keys() - {Verdict.OK})

    def total_line(self, what: str = "共") -> str:
        """Return the counts in one line, which ends with the repeats if there are any."""
        counts = "，".join(f"{VERDICTS[verdict]} {self.verdicts[verdict]}" for verdict in Verdict)
        withdrawals = f"，其中撤回 {self.withdrawals}" if self.withdrawals else ""
        return f"{what} {self.verdicts.total()} 条：{counts}{self._excluded()}{withdrawals}"

    def _excluded(self) -> str:
        """Return how many are recorded and not reported, with the reasons."""
        if not self.excluded:
            return ""
        reasons = "，".join(f"{EXCLUSIONS[reason]} {n}" for reason, n in self.excluded.items())
        return f"，其中不予报送 {self.excluded.total()}（{reasons}）"

    def words(self) -> list[str]:
        """Return problems, warnings and changes for a person, line by line."""
        lines = [*_lines("问题：", self._problems), *_lines("提示（不影响接收）：", self._warnings)]
        if self._changes:
            said = "，".join(f"{CHANGES[change]} {n} 处" for change, n in self._changes.items())
            lines.append(f"整理过的值：{said}")
        return lines

    def as_json(self) -> dict[str, Any]:
        """Return everything for programs."""
        return {
            "total": self.verdicts.total(),
            **{verdict.value: self.verdicts[verdict] for verdict in Verdict},
            "excluded": {reason.value: count for reason, count in self.excluded.items()},
            "repeats": self.repeats,
            "withdrawals": self.withdrawals,
            "problems": [group.as_json() for group in self._problems.values()],
            "warnings": [group.as_json() for group in self._warnings.values()],
            "changes": {change.value: count for change, count in self._changes.items()},
        }


def _group(
    groups: dict[tuple[str, Rule], Group], place: str, problems: Collection[Problem]
) -> None:
    for problem in problems:
        group = groups.setdefault((problem.field, problem.rule), Group(problem))
        group.count += 1
        group.differ |= problem.message != group.first.message
        if len(group.places) < _NAMED:
            group.places.append(place)


def _lines(title: str, groups: dict[tuple[str, Rule], Group]) -> list[str]:
    if not groups:
        return []
    largest = sorted(groups.values(), key=lambda group: -group.count)
    more = [f"  另有 {len(largest) - _SHOWN} 类"] if len(largest) > _SHOWN else []
    return [title, *(group.words() for group in largest[:_SHOWN]), *more]
