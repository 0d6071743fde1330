"""The score step 评分: facts as stored → assessment and grade change, and how they are kept.

Kept is the result in short and the digest of the whole trace: text and articles stand in the rule
set, whose text is kept by its hash, so `expand` gives the whole trace again, bit for bit.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec
import orjson

from gateway.log import LogEvent, logger
from gateway.policybook import Policybook
from gateway.rulebook import Rulebook
from schemas.codes import SubjectKind
from schemas.credit import Assessment, GradeChange, NotEvaluated
from scoring.consequences.change import compare, direction
from scoring.consequences.measures import Applied, MeasurePolicy, shift
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Site, plain
from scoring.regulation.ruleset import RuleSet

#: Cause of a grade change that came from outside; our own scoring does not touch such a grade.
RECEIVED = "received"
SCORED = "scored"
#: Cause of a grade change that a new text of the rules brought, not a new fact.
RULE_SET = "rule set"
#: Direction of a grade computed elsewhere that our bands do not rank.
EXTERNAL = "external"


class Scored(NamedTuple):
    """An assessment and what follows from it."""

    kind: SubjectKind
    assessment: Assessment
    change: GradeChange | None
    sites: tuple[Site, ...]
    public: bool = True  #: False: the rule set says that results like this are not published


class Scorer:
    """Scores subjects by the rulebook; an engine error is a result, never a failure."""

    def __init__(self, rulebook: Rulebook, policybook: Policybook) -> None:
        self.rulebook = rulebook
        self._policies = {
            binding: policybook.measures_of(binding.rule_set, binding.measures)
            for binding in rulebook.settings.bindings
        }
        self._moves: dict[tuple[object, ...], dict[str, Any]] = {}

    def policies(self, kind: SubjectKind, code: str) -> tuple[MeasurePolicy, ...]:
        """What says where this subject is what its grade leads to."""
        binding = self.rulebook.binding(kind, code)
        return self._policies[binding] if binding is not None else ()

    def direction(self, previous: str | None, grade: str, code: str, day: date) -> str:
        """Whether a grade computed elsewhere is better or worse, where our bands know both."""
        kind = self.rulebook.kind(code, person=False)
        rule_set = self.rulebook.choose(kind, code, day)
        ranked = [] if rule_set is None else rule_set.grades(kind)
        if previous is not None and not {previous, grade} <= set(ranked):
            return EXTERNAL
        return direction(previous, grade, ranked)

    def measures(
        self, change: GradeChange, kind: SubjectKind, code: str, day: date
    ) -> dict[str, Any]:
        """The measures that a grade change makes begin and end, and its notices, as published."""
        policies = self.policies(kind, code)
        if not policies:
            return _NO_MEASURES
        grades = (change.from_grade, change.to_grade, change.direction)
        key = (*grades, kind, day, *(policy.name for policy in policies))
        if key not in self._moves:
            moved = shift(policies, change, kind, day)
            self._moves[key] = {
                "measures_begin": [named(one) for one in moved.begin],
                "measures_end": [named(one) for one in moved.end],
                "notices": [named(one) for one in moved.notices],
            }
        return self._moves[key]

    def score(
        self,
        code: str,
        *,
        person: bool,
        criminal_suspect: bool,
        facts: Sequence[Fact],
        previous: str | None,
        as_of: date,
    ) -> Scored:
        """Assess one subject and compare with the last recorded grade."""
        kind = self.rulebook.kind(code, person=person)
        rule_set = self.rulebook.choose(kind, code, as_of)
        sites = self.rulebook.sites(code)
        subject = Facts(code, kind, tuple(facts), None, criminal_suspect, sites)
        if rule_set is None:
            return Scored(kind, _without(subject, as_of, NotEvaluated.NO_RULE_SET), None, sites)
        try:
            assessment = assess(subject, rule_set, as_of)
            change = compare(previous, assessment, rule_set)
            table = rule_set.table(kind)
            return Scored(kind, assessment, change, sites, table is None or table.public)
        except Exception:  # noqa: BLE001  scoring never delays reporting (DESIGN 5.12)
            logger.exception(LogEvent.ENGINE_FAILED, extra={"rule_set": rule_set.name})
            return Scored(kind, _without(subject, as_of, NotEvaluated.ENGINE_ERROR), None, sites)


def _without(subject: Facts, as_of: date, reason: NotEvaluated) -> Assessment:
    return Assessment(
        id=subject.id,
        as_of=as_of,
        rule_set=None,
        score=None,
        grade=None,
        veto=False,
        vetoes=(),
        deductions=(),
        unmapped=(),
        notes=(),
        not_evaluated=reason.value,
        changes_on=None,
    )


def short(assessment: Assessment, sites: Sequence[Site]) -> bytes:
    """The result as it is kept: what counted and how much, and the digest of the whole trace.

    The sites that the register had then are kept with it, to compute it again.
    """
    weights = {"sites": [[site.permit, plain(site.weight)] for site in sites]} if sites else {}
    return orjson.dumps(
        weights
        | {
            "score": assessment.score,
            "grade": assessment.grade,
            "veto": assessment.veto,
            "deductions": [[row.item, row.points, row.fact] for row in assessment.deductions],
            "not_evaluated": assessment.not_evaluated,
            "digest": digest(assessment),
        }
    )


_TRACE = msgspec.json.Encoder()


def digest(assessment: Assessment) -> str:
    """SHA-256 of the whole trace in JSON, by which a recomputed one is compared."""
    return hashlib.sha256(_TRACE.encode(assessment)).hexdigest()


def sites_of(result: Mapping[str, Any]) -> tuple[Site, ...]:
    """The sites that a kept result was computed with."""
    return tuple(Site(permit, Decimal(weight)) for permit, weight in result.get("sites", ()))


def again(subject: Facts, rule_set: RuleSet | None, as_of: date) -> Assessment:
    """A past assessment computed again from the facts and the rule set of then."""
    if rule_set is None:
        return _without(subject, as_of, NotEvaluated.NO_RULE_SET)
    return assess(subject, rule_set, as_of)


_NO_MEASURES: dict[str, Any] = {"measures_begin": [], "measures_end": [], "notices": []}


def named(applied: Applied) -> dict[str, Any]:
    """A measure as a grade change and an explanation name it."""
    measure = applied.measure
    return {
        "policy": applied.policy.name,
        "id": measure.id,
        "title": measure.title,
        "source": applied.source,
        "tell": measure.tell,
        "note": measure.note,
        "verified": measure.verified,
    }


def change_body(
    change: GradeChange,
    *,
    cause: str,
    score: str | None,
    rule_set: Mapping[str, str],
    effective_on: date,
    measures: Mapping[str, Any],
) -> bytes:
    """A grade change as kept: all that `GradeChanged` says besides number and subject."""
    return orjson.dumps(
        {
            "from_grade": change.from_grade,
            "to_grade": change.to_grade,
            "direction": change.direction,
            "cause": cause,
            "reasons": change.reasons,
            "score": score,
            "trial": rule_set["status"] == "draft",
            "rule_set": rule_set,
            "effective_on": effective_on,
            **measures,
        }
    )


def alerts(scored: Iterable[Scored], rulebook: Rulebook) -> list[Scored]:
    """The results that are our fault or our data's: neither suspicion nor a region not scored."""
    return [
        one
        for one in scored
        if one.assessment.not_evaluated
        and one.assessment.not_evaluated != NotEvaluated.CRIMINAL_SUSPECT
        and not (
            one.assessment.not_evaluated == NotEvaluated.NO_RULE_SET
            and rulebook.expects_none(one.assessment.id)
        )
    ]
