"""Measures 监管措施: what a grade leads to in a place, and who is told of a grade change."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import chain
from typing import Annotated, Literal

from pydantic import Field

from schemas.codes import SubjectKind
from scoring.consequences.change import DOWN, UP
from scoring.regulation.intervals import Terms
from scoring.regulation.reading import read
from scoring.regulation.terms import Text


class Occasion(StrEnum):
    """When a measure applies."""

    GRADE = "grade"  #: 等级存续期间: as long as the subject has the grade or is on the list
    DOWNGRADE = "downgrade"  #: 降级: once, on a change for the worse
    UPGRADE = "upgrade"  #: 升级或修复: once, on a change for the better
    PENALTY = "penalty"  #: 作出处罚: once, with each penalty decision


class Measure(Terms):
    """One measure 措施 or notice 告知, with its article."""

    id: Text
    title: Text
    occasion: Occasion = Occasion.GRADE
    grades: tuple[Text, ...] = ()  #: grades or lists 名单 that bring the measure
    by: Literal["live", "snapshot"] = "live"  #: live grade, or last published one
    kinds: Annotated[tuple[SubjectKind, ...], Field(min_length=1)]
    tell: tuple[Text, ...] = ()  #: who must be told of it 告知对象
    article: Text
    text: Text
    effective_from: date | None = None  #: if it differs from that of the policy
    effective_to: date | None = None  #: the last day
    note: Text | None = None  #: how a gap of the text is interpreted
    verified: bool = True


class MeasurePolicy(Terms):
    """One place's measures for the grades of one or more rule sets."""

    name: Text
    title: Text
    jurisdiction: Text
    document_number: Text | None
    rule_sets: Annotated[tuple[Text, ...], Field(min_length=1)]  #: rule sets that give the grades
    effective_from: date
    effective_to: date | None  #: the last day
    #: The last day of a plan 方案 that a place may go on with: its measures then say so.
    plan_until: date | None = None
    measures: Annotated[tuple[Measure, ...], Field(min_length=1)]

    @classmethod
    def load(cls, data: Mapping[str, object]) -> "MeasurePolicy":
        """Read a parsed policy; raises RuleSetError naming the policy and the faulty part."""
        name = str(data.get("name", "没有 name 的监管措施"))
        return read(cls, data, name, _problems)

    def in_force(self, measure: Measure, day: date) -> bool:
        """Return whether the measure is in force on that day."""
        begin = measure.effective_from or self.effective_from
        end = measure.effective_to or self.effective_to
        return begin <= day and (end is None or day <= end)


def _problems(policy: MeasurePolicy) -> list[str]:
    counts = Counter(measure.id for measure in policy.measures)
    problems = [f"措施 {id_}：出现 {n} 次；只留一个" for id_, n in counts.items() if n > 1]
    for measure in policy.measures:
        if bool(measure.grades) != (measure.occasion is Occasion.GRADE):
            problems.append(f"措施 {measure.id}：occasion 为 grade 时要写 grades，其他不写")
        begin = measure.effective_from or policy.effective_from
        end = measure.effective_to or policy.effective_to
        if begin < policy.effective_from or (end is not None and end < begin):
            problems.append(
                f"措施 {measure.id}：日期颠倒，或早于整个文件的 effective_from；改正日期"
            )
    return problems


@dataclass(frozen=True, slots=True)
class Applied:
    """A measure with the policy that it comes from."""

    policy: MeasurePolicy
    measure: Measure

    @property
    def source(self) -> str:
        """The document number (or title) and article 依据."""
        source = f"{self.policy.document_number or self.policy.title}{self.measure.article}"
        until = self.policy.plan_until
        return source if until is None else f"{source}，方案至{until.year}年"


@dataclass(frozen=True, slots=True)
class Shift:
    """The measures that begin and end with a change of grade, and the notices that are due."""

    begin: tuple[Applied, ...]
    end: tuple[Applied, ...]
    notices: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """The state of a subject that brings measures: live grade, published grade, lists 名单."""

    grade: str | None = None
    published: str | None = None
    listings: tuple[str, ...] = ()

    def has(self, measure: Measure) -> bool:
        """Return whether this state brings the measure."""
        grade = self.grade if measure.by == "live" else self.published
        return not {grade, *self.listings}.isdisjoint(measure.grades)


@dataclass(frozen=True, slots=True)
class StandingChange:
    """A change of what brings measures; `direction` is that of the live grade."""

    before: Standing
    after: Standing
    direction: str


def in_force(
    policies: Iterable[MeasurePolicy], standing: Standing, kind: SubjectKind, day: date
) -> tuple[Applied, ...]:
    """Return the measures that apply on a day to a subject with this standing."""
    return tuple(one for one in _of_day(policies, kind, day) if standing.has(one.measure))


def on_occasion(
    policies: Iterable[MeasurePolicy], occasion: Occasion, kind: SubjectKind, day: date
) -> tuple[Applied, ...]:
    """Return the measures that are due once on this occasion."""
    return tuple(one for one in _of_day(policies, kind, day) if one.measure.occasion is occasion)


def shift(
    policies: Iterable[MeasurePolicy], change: StandingChange, kind: SubjectKind, day: date
) -> Shift:
    """Return the measures that begin and end with a change of standing, and the notices."""
    policies = tuple(policies)
    before = in_force(policies, change.before, kind, day)
    after = in_force(policies, change.after, kind, day)
    occasion = {DOWN: Occasion.DOWNGRADE, UP: Occasion.UPGRADE}.get(change.direction)
    return Shift(
        tuple(one for one in after if one not in before),
        tuple(one for one in before if one not in after),
        on_occasion(policies, occasion, kind, day) if occasion else (),
    )


def _of_day(policies: Iterable[MeasurePolicy], kind: SubjectKind, day: date) -> Iterable[Applied]:
    return chain.from_iterable(
        (
            Applied(policy, measure)
            for measure in policy.measures
            if kind in measure.kinds and policy.in_force(measure, day)
        )
        for policy in policies
    )
