"""Assess subjects again, because their facts changed or time passed, and keep what came of it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.activation import refresh
from gateway.score import RECEIVED, SCORED, Scored, Scorer, change_body, short
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Ids
from gateway.store.record.facts import facts_of_subjects
from gateway.store.record.subjects import Subject
from gateway.store.score import assessments, grade_changes
from gateway.stored_facts import facts_of
from schemas.base import today
from schemas.credit import GradeChange
from schemas.event import ReceivedGrade

_NO_FACTS = b"[]"
#: Subjects scored between two awaits, so that heart-beats and deliveries go on.
SLICE = 150


class Rescoring:
    """Assess subjects from what is now known of them, and write what changed.

    Both the pipeline (facts changed) and the schedule (time passed) come here.
    """

    def __init__(
        self, scorer: Scorer, connection: Connection, now: datetime, cause: str = SCORED
    ) -> None:
        self.cause = cause
        self.scorer = scorer
        self.connection = connection
        self.now = now
        self.scored: dict[int, Scored] = {}
        self.changes: list[tuple[int, GradeChange, bytes, int | None]] = []
        self._last: dict[int, grade_changes.LastGrade] = {}
        self._fact_ids: dict[int, list[int]] = {}
        self._suspects: dict[int, bool] = {}
        self._kept: set[int] = set()
        self._assessment_ids: dict[int, int] = {}

    async def last(self, subject_ids: Sequence[int]) -> None:
        """Read the last recorded grades."""
        self._last = await grade_changes.last_grades(self.connection, subject_ids)

    async def score(self, subjects: Sequence[Subject], persons: set[str]) -> None:
        """Assess subjects over all their present facts, in slices between awaits."""
        if not subjects:
            return
        await refresh(self.connection, self.scorer.rulebook)
        bodies = await facts_of_subjects(self.connection, [s.id for s in subjects])
        for start in range(0, len(subjects), SLICE):
            self._score(subjects[start : start + SLICE], bodies, persons)
            await asyncio.sleep(0)

    def _score(
        self, subjects: Sequence[Subject], bodies: Mapping[int, bytes], persons: set[str]
    ) -> None:
        """Step by step, as `Checker.check_all` does."""
        day = today(self.now)
        known = [facts_of(bodies.get(subject.id, _NO_FACTS)) for subject in subjects]
        scored = [
            self.scorer.score(
                subject.code,
                person=subject.code in persons,
                criminal_suspect=subject.criminal_suspect,
                facts=facts,
                previous=last.grade if (last := self._last.get(subject.id)) else None,
                as_of=day,
            )
            for subject, facts in zip(subjects, known, strict=True)
        ]
        for subject, facts, one in zip(subjects, known, scored, strict=True):
            self._fact_ids[subject.id] = [int(fact.id) for fact in facts]
            self._note(subject, one, subject.code in persons)

    def _note(self, subject: Subject, scored: Scored, person: bool) -> None:
        last = self._last.get(subject.id)
        self.scored[subject.id] = scored
        if person or not scored.public:
            self._kept.add(subject.id)
        self._suspects[subject.id] = subject.criminal_suspect
        if scored.change is not None and not (last and last.cause == RECEIVED):
            body = self._scored_body(scored, scored.change)
            self.changes.append((subject.id, scored.change, body, subject.id))
            grade = scored.change.to_grade
            self._last[subject.id] = grade_changes.LastGrade(grade, self.cause)

    def _scored_body(self, scored: Scored, change: GradeChange) -> bytes:
        assessment = scored.assessment
        ref = assessment.rule_set
        if ref is None:
            raise TypeError(assessment.not_evaluated)
        return change_body(
            change,
            cause=self.cause,
            score=assessment.score,
            rule_set={"name": ref.name, "version": ref.version, "status": ref.status},
            effective_on=assessment.as_of,
            measures=self.scorer.measures(change, scored.kind, assessment.id, assessment.as_of),
        )

    def receive(self, grades: Sequence[tuple[int, ReceivedGrade]]) -> None:
        """Grades computed elsewhere go the same way from here on, and win over our own."""
        for subject_id, grade in grades:
            code = grade.subject_code
            last = self._last.get(subject_id)
            previous = last.grade if last else None
            effective_on = grade.effective_on.isoformat()
            if (
                last is not None
                and last.cause == RECEIVED
                and (previous == grade.grade or effective_on < last.effective_on)
            ):
                continue
            direction = self.scorer.direction(previous, grade.grade, code, grade.effective_on)
            reason = f"{grade.issued_by}评定"
            change = GradeChange(previous, grade.grade, direction, (reason,))
            body = change_body(
                change,
                cause=RECEIVED,
                score=None if grade.score is None else format(grade.score, "f"),
                rule_set={"name": grade.rule_set, "version": "", "status": "external"},
                effective_on=grade.effective_on,
                measures=self.scorer.measures(
                    change, self.scorer.rulebook.kind(code, person=False), code, grade.effective_on
                ),
            )
            self.changes.append((subject_id, change, body, None))
            self._last[subject_id] = grade_changes.LastGrade(grade.grade, RECEIVED, effective_on)

    async def write(self) -> list[tuple[int, int]]:
        """Write assessments and grade changes; gives (grade change id, subject id) to be told.

        Of natural persons, and where the rule set does not publish, nobody is told.
        """
        ids = await Ids.reserve(self.connection, len(self.scored) + len(self.changes))
        rows = [self._assessment_row(ids.take(), *item) for item in self.scored.items()]
        await assessments.add_assessments(self.connection, rows)
        written = []
        for subject_id, change, body, scored_subject in self.changes:
            assessment_id = self._assessment_ids[scored_subject] if scored_subject else None
            written.append(
                (
                    ids.take(),
                    subject_id,
                    assessment_id,
                    change.from_grade,
                    change.to_grade,
                    body.decode(),
                    self.now,
                )
            )
        await grade_changes.add_grade_changes(self.connection, written)
        return [(row[0], row[1]) for row in written if row[1] not in self._kept]

    def _assessment_row(self, id_: int, subject_id: int, scored: Scored) -> tuple[Any, ...]:
        self._assessment_ids[subject_id] = id_
        result_ = scored.assessment
        return (
            id_,
            subject_id,
            scored.kind.value,
            self._suspects[subject_id],
            result_.rule_set.version if result_.rule_set else None,
            result_.as_of,
            self._fact_ids[subject_id],
            result_.grade,
            result_.not_evaluated,
            result_.changes_on,
            short(result_, scored.sites).decode(),
            self.now,
        )
