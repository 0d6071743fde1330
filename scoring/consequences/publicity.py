"""Publicity 公示: whether a penalty is published, from when, and until when (least and most).

The law of the decision date applies. One policy is one regime; the regimes leave no gap.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise

from schemas.codes import OTHER_PENALTY_PREFIX
from schemas.fines import with_fine
from schemas.orders import is_order
from scoring.dates import add_days, add_months
from scoring.errors import RuleSetError
from scoring.regulation.intervals import Interval, Terms
from scoring.regulation.reading import read
from scoring.regulation.terms import Months, Text


class Severity(StrEnum):
    """The severity 失信严重程度, mildest first."""

    MINOR = "minor"  #: 轻微
    ORDINARY = "ordinary"  #: 一般
    SERIOUS = "serious"  #: 严重


class Published(StrEnum):
    """Whether a decision is published."""

    YES = "yes"  #: 公示
    NO = "no"  #: 不予公示
    MAY = "may"  #: 可以不予公示: a person decides


@dataclass(frozen=True, slots=True)
class Penalised:
    """The input of publicity: a decision. If `severity` is None, the policy classifies it."""

    decided_on: date
    penalties: tuple[str, ...]
    fine_wan: Decimal | None = None
    sector: str | None = None  #: 领域
    severity: Severity | None = None


@lru_cache(maxsize=1024)
def _penalties(kinds: tuple[str, ...]) -> frozenset[str]:
    """Return the penalties by their own words: 其他-责令停产整治 is one, 责令改正 is none."""
    words = {kind.removeprefix(OTHER_PENALTY_PREFIX) for kind in kinds}
    return frozenset(word for word in words if not is_order(word))


class Circumstance(Terms):
    """A condition on a decision; every given field must hold."""

    only_penalties: tuple[Text, ...] = ()  #: the decision has no other penalties
    any_penalties: tuple[Text, ...] = ()
    fine: Interval | None = None  #: in 万元
    sectors: tuple[Text, ...] = ()

    def holds(self, decision: Penalised) -> bool:
        """Return whether the decision meets the condition."""
        words = _penalties(with_fine(decision.penalties, decision.fine_wan))
        if self.only_penalties and not (words and words <= frozenset(self.only_penalties)):
            return False
        if self.any_penalties and not words & frozenset(self.any_penalties):
            return False
        if self.sectors and decision.sector not in self.sectors:
            return False
        if self.fine is None:
            return True
        return decision.fine_wan is not None and self.fine.contains(decision.fine_wan)


class PublicitySpan(Terms):
    """Whether a decision is published, and for how many months; none if it is not published."""

    published: Published
    at_least_months: Months | None = None
    at_most_months: Months | None = None
    article: Text
    text: Text
    verified: bool = True


class PublicityException(PublicitySpan):
    """An exception 例外 to a term, with its own publication and months."""

    id: Text
    when: Circumstance


class Term(PublicitySpan):
    """The rule for one severity, unless an exception applies."""

    severity: Severity
    unless: tuple[PublicityException, ...] = ()


class SeverityClass(Terms):
    """A circumstance that gives a decision this severity; the most severe class applies."""

    severity: Severity
    when: Circumstance
    article: Text
    verified: bool = True


class PublicityPolicy(Terms):
    """One regime, for decisions between two days (both included)."""

    name: Text
    title: Text
    document_number: Text | None
    decided_from: date
    decided_to: date | None  #: the last day
    terms: tuple[Term, ...]
    classes: tuple[SeverityClass, ...] = ()
    otherwise: Severity  #: if no class applies
    notes: tuple[Text, ...] = ()

    @classmethod
    def load(cls, data: Mapping[str, object]) -> "PublicityPolicy":
        """Read a parsed policy; raises RuleSetError naming the policy and the faulty part."""
        name = str(data.get("name", "没有 name 的公示规则"))
        return read(cls, data, name, _problems)

    def severity(self, decision: Penalised) -> tuple[Severity, bool]:
        """Return the severity (as stated, else of the worst class) and whether it is verified."""
        if decision.severity is not None:
            return decision.severity, True
        order = list(Severity)
        classes = [one for one in self.classes if one.when.holds(decision)]
        worst = max(classes, key=lambda one: order.index(one.severity), default=None)
        return (self.otherwise, False) if worst is None else (worst.severity, worst.verified)


@dataclass(frozen=True, slots=True)
class Publicity:
    """The publicity of one decision.

    From `at_least_until` on the publication may end; from `at_most_until` on it must have ended.
    """

    policy: PublicityPolicy
    severity: Severity
    published: Published
    begins: date | None
    at_least_until: date | None
    at_most_until: date | None
    exception: str | None
    article: str
    text: str
    verified: bool


def publicity(policies: Iterable[PublicityPolicy], decision: Penalised) -> Publicity | None:
    """Return the publicity of a decision under the regime of its date, or None without a regime.

    Raises:
        RuleSetError: exceptions with different results apply; the message names them.
    """
    policy = next((one for one in policies if _covers(one, decision.decided_on)), None)
    if policy is None:
        return None
    severity, certain = policy.severity(decision)
    term = next(one for one in policy.terms if one.severity is severity)
    exception = _exception(policy, term, decision)
    span = exception or term
    day = decision.decided_on
    silent = span.published is Published.NO
    return Publicity(
        policy,
        severity,
        span.published,
        None if silent else day,
        _after(day, span.at_least_months),
        _after(day, span.at_most_months),
        exception.id if exception else None,
        span.article,
        span.text,
        span.verified and certain,
    )


def timeline_problems(policies: Sequence[PublicityPolicy]) -> list[str]:
    """Return gaps and overlaps between regimes; the last regime must have no end."""
    ordered = sorted(policies, key=lambda policy: policy.decided_from)
    problems = [
        f"{one.name} 与 {following.name}：decided_to 的次日应是后者的 decided_from；改正日期"
        for one, following in pairwise(ordered)
        if one.decided_to is None or one.decided_to + timedelta(days=1) != following.decided_from
    ]
    if ordered and ordered[-1].decided_to is not None:
        problems.append(f"{ordered[-1].name}：之后没有公示规则；decided_to 写 null 或补上后一个")
    return problems


def _exception(
    policy: PublicityPolicy, term: Term, decision: Penalised
) -> PublicityException | None:
    applying = [one for one in term.unless if one.when.holds(decision)]
    results = {(one.published, one.at_least_months, one.at_most_months) for one in applying}
    if len(results) > 1:
        names = "、".join(one.id for one in applying)
        raise RuleSetError(f"{policy.name}：例外 {names} 同时适用而结果不同；改正条件")
    return applying[0] if applying else None


def _covers(policy: PublicityPolicy, day: date) -> bool:
    return policy.decided_from <= day and (policy.decided_to is None or day <= policy.decided_to)


def _after(day: date, months: int | None) -> date | None:
    """Return the day after a period of months, whose first day does not count (民法典 201, 202)."""
    if not months:
        return None if months is None else day
    last = add_months(day, months)
    return None if last is None else add_days(last, 1)


def _problems(policy: PublicityPolicy) -> Iterable[str]:
    problems = []
    if policy.decided_to is not None and policy.decided_to < policy.decided_from:
        problems.append("decided_to 早于 decided_from；改正日期")
    counts = Counter(term.severity for term in policy.terms)
    problems += [
        f"severity {one}：terms 里有 {counts[one]} 条；应有且只有一条"
        for one in Severity
        if counts[one] != 1
    ]
    spans = [(term.severity.value, span) for term in policy.terms for span in (term, *term.unless)]
    for name, span in spans:
        low, high = span.at_least_months, span.at_most_months
        if (span.published is Published.NO) != (low is None and high is None):
            problems.append(f"severity {name}：公示的要写月数，published 为 no 的不写")
        if low is not None and high is not None and high < low:
            problems.append(f"severity {name}：at_most_months 小于 at_least_months；改正其中一个")
    return problems
