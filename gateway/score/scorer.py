"""The score step 评分: facts in the store give an assessment and a grade change.

The store keeps the short result and the digest of the whole trace. Texts and articles are in the
rule set, whose text is stored by hash, so that the whole trace can be computed again exactly.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from typing import Any, NamedTuple

from gateway.config.settings import RuleSetBinding
from gateway.rules.policybook import Policybook
from gateway.rules.rulebook import Rulebook
from gateway.score.grade_change import EXTERNAL, NO_MEASURES, UNCHANGED, named
from gateway.score.stored_result import again, without_result
from gateway.telemetry.log import LogEvent, logger
from schemas.codes import SubjectKind
from schemas.credit import Assessment, GradeChange, NotEvaluated
from scoring.consequences.change import compare, direction
from scoring.consequences.measures import MeasurePolicy, StandingChange, shift
from scoring.facts import Fact, Facts

#: Changes of standing at most of which the measures are kept at hand, by binding, kind and day.
MEMORY = 4096


class Scored(NamedTuple):
    """An assessment, and the grade change that follows from it, if any."""

    subject: Facts
    assessment: Assessment
    change: GradeChange | None
    public: bool = True  #: False: the rule set does not publish such results


class Scorer:
    """Score subjects by the rulebook; an engine error is a result, not an exception."""

    def __init__(self, rulebook: Rulebook, policybook: Policybook) -> None:
        self.rulebook = rulebook
        self._policies = {
            binding: policybook.measures_of(binding.rule_set, binding.measures)
            for binding in rulebook.settings.bindings
        }
        self._moved = lru_cache(MEMORY)(self._move)

    def policies(self, kind: SubjectKind, code: str) -> tuple[MeasurePolicy, ...]:
        """Return the measure policies for the grades of this subject."""
        binding = self.rulebook.binding(kind, code)
        return self._policies[binding] if binding is not None else ()

    def direction(
        self, previous: str | None, grade: str, kind: SubjectKind, code: str, day: date
    ) -> str:
        """Return whether a received grade is better or worse, if our bands rank both grades."""
        if previous == grade:
            return UNCHANGED
        rule_set = self.rulebook.choose(kind, code, day)
        ranked = [] if rule_set is None else rule_set.grades(kind)
        if previous is not None and not {previous, grade} <= set(ranked):
            return EXTERNAL
        return direction(previous, grade, ranked)

    def measures(
        self, change: StandingChange, kind: SubjectKind, code: str, day: date
    ) -> dict[str, Any]:
        """Return the measures that begin and end with a change of standing, and its notices."""
        binding = self.rulebook.binding(kind, code)
        if binding is None or not self._policies[binding]:
            return NO_MEASURES
        return self._moved(binding, change, kind, day)

    def _move(
        self, binding: RuleSetBinding, change: StandingChange, kind: SubjectKind, day: date
    ) -> dict[str, Any]:
        moved = shift(self._policies[binding], change, kind, day)
        return {
            "measures_begin": [named(one) for one in moved.begin],
            "measures_end": [named(one) for one in moved.end],
            "notices": [named(one) for one in moved.notices],
        }

    def score(
        self,
        code: str,
        *,
        person: bool,
        criminal_suspect: bool,
        facts: Sequence[Fact] | None,
        previous: str | None,
        as_of: date,
    ) -> Scored:
        """Assess one subject and compare it with the last recorded grade.

        `facts` is None if a fact of it cannot be read: it is not evaluated then.
        """
        subject = self.rulebook.subject(
            code, facts or (), as_of, person=person, criminal_suspect=criminal_suspect
        )
        rule_set = self.rulebook.choose(subject.kind, code, as_of)
        if rule_set is None:
            return Scored(subject, again(subject, None, as_of), None)
        if facts is None:
            return _failed(subject, as_of)
        try:
            assessment = again(subject, rule_set, as_of)
            change = compare(previous, assessment, rule_set)
            table = rule_set.table(subject.kind)
            return Scored(subject, assessment, change, table is None or table.public)
        except Exception:  # noqa: BLE001  scoring never delays reporting (ARCHITECTURE.md)
            logger.exception(LogEvent.ENGINE_FAILED, extra={"rule_set": rule_set.name})
            return _failed(subject, as_of)


def _failed(subject: Facts, as_of: date) -> Scored:
    return Scored(subject, without_result(subject.id, as_of, NotEvaluated.ENGINE_ERROR), None)


#: Without a grade by the law or the rule set, and nobody's fault.
_EXPECTED = frozenset(
    {
        NotEvaluated.CRIMINAL_SUSPECT.value,
        NotEvaluated.NO_TARIFF.value,
        NotEvaluated.NOT_PARTICIPANT.value,
        NotEvaluated.BRANCH.value,
    }
)


def alerts(scored: Iterable[Scored], rulebook: Rulebook) -> list[Scored]:
    """Return results without a grade that somebody should look at."""
    return [
        one
        for one in scored
        if one.assessment.not_evaluated
        and one.assessment.not_evaluated not in _EXPECTED
        and not (
            one.assessment.not_evaluated == NotEvaluated.NO_RULE_SET
            and rulebook.expects_none(one.assessment.id)
        )
    ]
