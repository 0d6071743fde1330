"""Grades computed elsewhere 外部评定等级, beside our own."""

from datetime import date

from gateway.rules.rulebook import Rulebook
from gateway.score.grade_change import EXTERNAL, RECEIVED, UNCHANGED
from gateway.score.scorer import Scored
from gateway.store.score.grade_changes import LastGrade
from schemas.credit import GradeChange
from scoring.consequences.change import SUSPENDED
from scoring.facts import Facts

_WITHDRAWN = "外部评定的等级已撤回"


def is_from_elsewhere(
    last: LastGrade | None, subject: Facts, day: date, rulebook: Rulebook
) -> bool:
    """Whether the last grade was computed elsewhere and replaces our own on a day.

    One of a rule set that is not the subject's silences nothing, whatever was taken before.
    """
    if last is None or last.cause != RECEIVED:
        return False
    return rulebook.takes_grade(last.rule_set, subject.kind, subject.id, day)


def from_elsewhere(rule_set: str) -> dict[str, str]:
    """Return the rule set of a grade computed elsewhere, as grade changes show it."""
    return {"name": rule_set, "version": "", "status": "external"}


def withdrawn(previous: str | None, scored: Scored) -> GradeChange:
    """Return the change from a withdrawn grade to our own, or to none if we have none.

    It is told even if the grade stays: from now on it is ours.
    """
    if scored.change is not None:
        change = scored.change
        reasons = (_WITHDRAWN, *change.reasons)
        return GradeChange(change.from_grade, change.to_grade, change.direction, reasons)
    result = scored.assessment
    grade = None if result.not_evaluated is not None else result.grade
    direction = UNCHANGED if grade == previous else SUSPENDED if grade is None else EXTERNAL
    return GradeChange(previous, grade, direction, (_WITHDRAWN,))
