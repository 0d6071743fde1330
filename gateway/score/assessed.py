"""What assessing gives: assessments and grade changes, as they are written and counted."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from gateway.rules.rulebook import Rulebook
from gateway.score.scorer import Scored, alerts
from gateway.score.stored_result import short
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.credit import GradeChange
from schemas.known import Subject


class Assessed(NamedTuple):
    """One assessed subject and the ids of its facts."""

    subject: Subject
    scored: Scored
    fact_ids: list[int]


class NewGrade(NamedTuple):
    """A grade change to write; `assessed`: it comes from our own assessment."""

    subject_id: int
    change: GradeChange
    body: bytes
    assessed: bool


def assessment_row(id_: int, assessed: Assessed, now: datetime) -> tuple[Any, ...]:
    """Return the columns of an assessment, as `add_assessments` takes them."""
    subject, scored, fact_ids = assessed
    result = scored.assessment
    return (
        id_,
        subject.id,
        scored.subject.kind.value,
        subject.criminal_suspect,
        result.rule_set.version if result.rule_set else None,
        result.as_of,
        fact_ids,
        result.grade,
        result.not_evaluated,
        result.changes_on,
        short(result, scored.subject).decode(),
        now,
    )


def count(
    assessed: Sequence[Assessed], changes: Sequence[NewGrade], rulebook: Rulebook, metrics: Metrics
) -> None:
    """Count the results in the metrics, and log those that need an alert."""
    scored = [one.scored for one in assessed]
    used = [one.assessment.rule_set for one in scored]
    for name, number in Counter(ref.name if ref else "none" for ref in used).items():
        metrics.assessments.labels(name).inc(number)
    for direction, number in Counter(one.change.direction for one in changes).items():
        metrics.grade_changes.labels(direction).inc(number)
    wrong = alerts(scored, rulebook)
    reasons = Counter(str(one.assessment.not_evaluated).partition(":")[0] for one in wrong)
    for reason, number in reasons.items():
        metrics.not_evaluated.labels(reason).inc(number)
        logger.warning(LogEvent.NOT_EVALUATED, extra={"reason": reason, "count": number})
