"""Grades computed elsewhere 外部评定等级, beside our own."""

from collections.abc import Iterable
from datetime import date

from gateway.rules.rulebook import Rulebook
from gateway.score.grade_change import EXTERNAL, RECEIVED, UNCHANGED
from gateway.score.scorer import Scored
from gateway.store.score.grade_changes import LastGrade
from schemas.credit import GradeChange
from schemas.event import ReceivedGrade
from scoring.consequences.change import GONE, SUSPENDED
from scoring.facts import Facts

_WITHDRAWN = "外部评定的等级已撤回"
_NOT_TAKEN = "外部评定的等级不再采用"


def in_force(
    grades: Iterable[ReceivedGrade], own: Scored, day: date, rulebook: Rulebook
) -> ReceivedGrade | None:
    """Return the first of these grades that replaces our own result on a day.

    One by another rule set than the subject's hides no other. Who does not take part has none.
    """
    subject = own.subject
    if own.assessment.not_evaluated in GONE:
        return None
    for grade in grades:
        if rulebook.takes_grade(grade.rule_set, subject.kind, subject.id, day):
            return grade
    return None


def is_recorded(grade: ReceivedGrade, last: LastGrade | None) -> bool:
    """Whether the last recorded grade is this one; another rule set may have the same letter."""
    if last is None or last.cause != RECEIVED:
        return False
    return (last.grade, last.rule_set) == (grade.grade, grade.rule_set)


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


def our_own_again(previous: str | None, scored: Scored, *, withdrawn: bool) -> GradeChange:
    """Return the change from a grade that was computed elsewhere to our own, or to none.

    It was `withdrawn`, or the subject's rule set does not take it. The change is told even if the
    grade stays: from now on it is ours.
    """
    reason = _WITHDRAWN if withdrawn else _NOT_TAKEN
    if scored.change is not None:
        change = scored.change
        reasons = (reason, *change.reasons)
        return GradeChange(change.from_grade, change.to_grade, change.direction, reasons)
    result = scored.assessment
    grade = None if result.not_evaluated is not None else result.grade
    direction = UNCHANGED if grade == previous else SUSPENDED if grade is None else EXTERNAL
    return GradeChange(previous, grade, direction, (reason,))
