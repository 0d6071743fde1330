"""The shipped and configured policies on measures and publicity, each with its cases."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.resources.abc import Traversable
from typing import Any, Literal, TypeVar

from gateway.config.errors import BadConfiguration
from gateway.config.settings import ScoringSettings
from gateway.config.yaml_text import parse_yaml
from gateway.rules.files import read_text, sources
from scoring.cases.policy_cases import (
    MeasureCase,
    MeasureCases,
    PublicityCase,
    PublicityCases,
    run_measure_case,
    run_publicity_case,
    uncovered_measures,
    uncovered_publicity,
)
from scoring.consequences.measures import MeasurePolicy
from scoring.consequences.publicity import PublicityPolicy, timeline_problems
from scoring.errors import RuleSetError

Policy = TypeVar("Policy", MeasurePolicy, PublicityPolicy)
Cases = TypeVar("Cases", MeasureCases, PublicityCases)


@dataclass(frozen=True, slots=True)
class CasesRun:
    """The result of running the cases of one policy."""

    kind: Literal["measures", "publicity"]
    name: str
    title: str
    cases: int
    mismatches: list[str]


class Policybook:
    """Every policy by name, read at first use; one with uncovered entries is refused."""

    def __init__(self, settings: ScoringSettings) -> None:
        self.settings = settings

    @cached_property
    def measures(self) -> Mapping[str, tuple[MeasurePolicy, tuple[MeasureCase, ...]]]:
        """Measure policies 监管措施 with their cases."""
        found = {}
        pairs = sources("measure_policies", self.settings.measure_folders, "measure_folders")
        for policy, cases in _read(pairs, MeasurePolicy.load, MeasureCases.load):
            _refuse(policy.name, uncovered_measures(policy, cases.cases))
            found[policy.name] = policy, cases.cases
        return found

    @cached_property
    def publicity(self) -> Mapping[str, tuple[PublicityPolicy, tuple[PublicityCase, ...]]]:
        """Publicity policies 公示规则 with their cases; refused if they leave a day out.

        One of a folder replaces the shipped one of its name.
        """
        found = {}
        pairs = sources("publicity_policies", self.settings.publicity_folders, "publicity_folders")
        for policy, cases in _read(pairs, PublicityPolicy.load, PublicityCases.load):
            _refuse(policy.name, uncovered_publicity(policy, cases.cases))
            found[policy.name] = policy, cases.cases
        problems = timeline_problems([policy for policy, _ in found.values()])
        if problems:
            raise RuleSetError("\n".join(problems))
        return found

    @property
    def regimes(self) -> tuple[PublicityPolicy, ...]:
        """The publicity policies; the decision date chooses one."""
        return tuple(policy for policy, _ in self.publicity.values())

    def run_cases(self) -> Iterator[CasesRun]:
        """Run every case of every policy."""
        for measure, cases in self.measures.values():
            wrong = [line for case in cases for line in run_measure_case(measure, case)]
            yield CasesRun("measures", measure.name, measure.title, len(cases), wrong)
        for regime, decisions in self.publicity.values():
            wrong = [line for case in decisions for line in run_publicity_case(self.regimes, case)]
            yield CasesRun("publicity", regime.name, regime.title, len(decisions), wrong)

    def measures_of(self, rule_set: str, names: Iterable[str]) -> tuple[MeasurePolicy, ...]:
        """Return the measure policies of these names for a rule set.

        Raises:
            BadConfiguration: there is no such policy, or it is for other rule sets.
        """
        chosen = []
        for name in names:
            if name not in self.measures:
                known = "、".join(self.measures)
                raise BadConfiguration(f"没有监管措施 {name}；现有：{known}")
            policy = self.measures[name][0]
            if rule_set not in policy.rule_sets:
                grades = "、".join(policy.rule_sets)
                raise BadConfiguration(f"监管措施 {name} 对应 {grades} 的等级，不对应 {rule_set}")
            chosen.append(policy)
        return tuple(chosen)


def _read(
    pairs: Iterable[tuple[str, tuple[Traversable, Traversable]]],
    load_policy: Callable[[Mapping[str, Any]], Policy],
    load_cases: Callable[[Mapping[str, Any]], Cases],
) -> Iterable[tuple[Policy, Cases]]:
    for name, (file, beside) in pairs:
        policy = load_policy(parse_yaml(read_text(file), file.name, RuleSetError))
        if policy.name != name:
            raise RuleSetError(f"{file.name} 里的 name 是 {policy.name}；文件名与 name 应相同")
        yield policy, load_cases(parse_yaml(read_text(beside), beside.name, RuleSetError))


def _refuse(name: str, missing: Sequence[str]) -> None:
    if missing:
        raise RuleSetError(f"{name}：没有用例：{'、'.join(missing)}")
