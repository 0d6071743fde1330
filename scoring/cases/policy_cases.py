"""Cases 用例 of measure and publicity policies, and the check that they cover the policy."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Self

from pydantic import Field

from schemas.base import Wanyuan
from schemas.codes import SubjectKind
from scoring.consequences.measures import (
    Applied,
    MeasurePolicy,
    Occasion,
    Standing,
    StandingChange,
    in_force,
    on_occasion,
    shift,
)
from scoring.consequences.publicity import (
    Penalised,
    PublicityPolicy,
    Published,
    Severity,
    publicity,
)
from scoring.regulation.intervals import Terms
from scoring.regulation.reading import read
from scoring.regulation.terms import Text

ONE_DAY = timedelta(days=1)


class _Cases(Terms):
    """Base of a file of cases; it names its policy."""

    policy: Text

    @classmethod
    def load(cls, data: Mapping[str, object]) -> Self:
        """Read parsed cases; raises RuleSetError naming the file and the case."""
        return read(cls, data, f"{data.get('policy')} 的用例")


class ChangeOfCase(Terms):
    """A change of standing in a case; the published grade and the lists stay without a word."""

    from_grade: Text | None = Field(alias="from")
    to_grade: Text | None = Field(alias="to")
    direction: Text
    published: Text | None = None  #: the new published grade
    listings: tuple[Text, ...] | None = None  #: the new lists


class MeasureCase(Terms):
    """One subject on a day, tested by its standing, by a change of grade or by an occasion."""

    name: Text
    kind: SubjectKind = SubjectKind.ENTERPRISE
    on: date
    grade: Text | None = None
    published: Text | None = None
    listings: tuple[Text, ...] = ()
    change: ChangeOfCase | None = None
    occasion: Occasion | None = None
    expect: tuple[Text, ...] = ()  #: measures that apply, or are due on the occasion
    begin: tuple[Text, ...] = ()
    end: tuple[Text, ...] = ()
    notices: tuple[Text, ...] = ()


class MeasureCases(_Cases):
    """All cases of one measure policy."""

    cases: tuple[MeasureCase, ...]


def run_measure_case(policy: MeasurePolicy, case: MeasureCase) -> list[str]:
    """Return the mismatches of a case; empty if it passes."""
    if case.change is not None:
        change = case.change
        before = Standing(change.from_grade, case.published, case.listings)
        after = replace(before, grade=change.to_grade)
        if change.published is not None:
            after = replace(after, published=change.published)
        if change.listings is not None:
            after = replace(after, listings=change.listings)
        moved = shift([policy], StandingChange(before, after, change.direction), case.kind, case.on)
        found = {
            "begin": _ids(moved.begin),
            "end": _ids(moved.end),
            "notices": _ids(moved.notices),
        }
    elif case.occasion is not None:
        found = {"expect": _ids(on_occasion([policy], case.occasion, case.kind, case.on))}
    else:
        standing = Standing(case.grade, case.published, case.listings)
        found = {"expect": _ids(in_force([policy], standing, case.kind, case.on))}
    return [
        f"{case.name}：{name} 应为 {getattr(case, name)}，实为 {got}"
        for name, got in found.items()
        if getattr(case, name) != got
    ]


def uncovered_measures(policy: MeasurePolicy, cases: Iterable[MeasureCase]) -> list[str]:
    """Return the measures that no case expects, and the date edges without a case on a side."""
    cases = tuple(cases)
    expected = {id_ for case in cases for id_ in (*case.expect, *case.begin, *case.notices)}
    missing = [measure.id for measure in policy.measures if measure.id not in expected]
    ends = {policy.effective_from, *(m.effective_from for m in policy.measures)}
    lasts = {policy.effective_to, *(m.effective_to for m in policy.measures)}
    return missing + _uncovered_days(ends, lasts, {case.on for case in cases})


class PublicityCase(Terms):
    """One decision and its expected publicity."""

    name: Text
    decided_on: date
    penalties: tuple[Text, ...]
    fine_wan: Wanyuan | None = None
    sector: Text | None = None
    severity: Severity | None = None
    expect_severity: Severity
    published: Published
    at_least_until: date | None = None
    at_most_until: date | None = None
    exception: Text | None = None

    @property
    def decision(self) -> Penalised:
        """The decision as input of `publicity`."""
        fine = None if self.fine_wan is None else Decimal(self.fine_wan)
        return Penalised(self.decided_on, self.penalties, fine, self.sector, self.severity)


class PublicityCases(_Cases):
    """All cases of one publicity policy."""

    cases: tuple[PublicityCase, ...]


def run_publicity_case(policies: Sequence[PublicityPolicy], case: PublicityCase) -> list[str]:
    """Return the mismatches of a case under the regime of its date; empty if it passes."""
    found = publicity(policies, case.decision)
    if found is None:
        return [f"{case.name}：{case.decided_on} 没有公示规则"]
    got = {
        "expect_severity": found.severity,
        "published": found.published,
        "at_least_until": found.at_least_until,
        "at_most_until": found.at_most_until,
        "exception": found.exception,
    }
    return [
        f"{case.name}：{name} 应为 {getattr(case, name)}，实为 {value}"
        for name, value in got.items()
        if getattr(case, name) != value
    ]


def uncovered_publicity(policy: PublicityPolicy, cases: Iterable[PublicityCase]) -> list[str]:
    """Return the severities, exceptions and edge days of a policy that no case covers."""
    cases = tuple(cases)
    seen = {case.expect_severity for case in cases}
    missing = [f"severity {one}" for one in Severity if one not in seen]
    excepted = {case.exception for case in cases}
    exceptions = dict.fromkeys(one.id for term in policy.terms for one in term.unless)
    missing += [f"exception {id_}" for id_ in exceptions if id_ not in excepted]
    days = {case.decided_on for case in cases}
    edges = {policy.decided_from, policy.decided_to} - {None}
    return missing + [f"day {day}" for day in sorted(filter(None, edges)) if day not in days]


def _uncovered_days(
    firsts: Iterable[date | None], lasts: Iterable[date | None], days: set[date]
) -> list[str]:
    edges = [(first - ONE_DAY, first) for first in firsts if first is not None]
    edges += [(last, last + ONE_DAY) for last in lasts if last is not None]
    return [f"day {day}" for edge in sorted(edges) for day in edge if day not in days]


def _ids(applied: Iterable[Applied]) -> tuple[str, ...]:
    return tuple(one.measure.id for one in applied)
