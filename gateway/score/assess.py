"""Assess subjects whose facts changed or whose time has come, and store the results."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import pydantic

from gateway.config.keys import is_person
from gateway.rules.activation import refresh
from gateway.score.assessed import Assessed, NewGrade, assessment_row, count
from gateway.score.authority_aliases import renew_departments
from gateway.score.grade_change import (
    EXTERNAL,
    RECEIVED,
    SCORED,
    change_body,
    standing,
    standing_change,
)
from gateway.score.received import (
    from_elsewhere,
    in_force,
    is_from_elsewhere,
    is_recorded,
    our_own_again,
)
from gateway.score.scorer import Scored, Scorer
from gateway.score.stored_result import facts_of, without_result
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Ids
from gateway.store.record.facts import facts_of_subjects
from gateway.store.score import assessments, grade_changes
from gateway.store.score.activations import share_scoring
from gateway.store.score.grade_changes import LastGrade
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.credit import GradeChange, NotEvaluated
from schemas.event import ReceivedGrade
from schemas.known import Subject
from scoring.consequences.change import GONE
from scoring.consequences.measures import StandingChange
from scoring.facts import Fact, Facts

_NO_FACTS = b"[]"
#: Subjects scored between two awaits, so that heartbeats and deliveries go on.
SLICE = 150


def _read_facts(bodies: bytes) -> list[Fact] | None:
    """Return the facts of a subject; None if this program cannot read one of them."""
    try:
        return facts_of(bodies)
    except msgspec.ValidationError:
        logger.exception(LogEvent.ENGINE_FAILED)
        return None


def _read_grades(bodies: Iterable[Mapping[str, Any]]) -> list[ReceivedGrade]:
    """Return the received grades that this program can read."""
    found = []
    for body in bodies:
        try:
            found.append(ReceivedGrade.model_validate(body))
        except pydantic.ValidationError:
            logger.exception(LogEvent.ENGINE_FAILED)
    return found


class Assessing:
    """Assess subjects by their present facts, then write the results and count them.

    The pipeline (facts changed) and the schedule (time passed, rules changed) use it. The caller
    owns the transaction and has locked the subjects. Call `last` and `standing`, then `score` and
    `receive`, then `write`.
    """

    def __init__(
        self,
        scorer: Scorer,
        connection: Connection,
        now: datetime,
        metrics: Metrics,
        cause: str = SCORED,
    ) -> None:
        self.scorer = scorer
        self.connection = connection
        self.now = now
        self.metrics = metrics
        self.cause = cause
        self.assessed: list[Assessed] = []
        self.changes: list[NewGrade] = []
        self._last: dict[int, LastGrade] = {}
        self._received: dict[int, tuple[Facts, ReceivedGrade]] = {}  #: to record
        #: Whose last grade was computed elsewhere and stands no more: score them.
        self.ungraded: set[int] = set()
        self._untold: set[int] = set()
        self._day = scorer.rulebook.scoring_day(now)

    async def last(self, subject_ids: Sequence[int]) -> None:
        """Read the last recorded grade of these subjects."""
        self._last = await grade_changes.last_grades(self.connection, subject_ids)

    async def standing(self, subjects: Sequence[Subject]) -> bool:
        """Compare the last grades of subjects with the grades that were computed elsewhere.

        Returns whether one is to be recorded, or stands no more; see `ungraded`.
        """
        if not subjects:
            return False
        ids = [subject.id for subject in subjects]
        received = await grade_changes.received_grades(self.connection, ids)
        last = ((id_, self._last.get(id_)) for id_ in ids)
        concerned = received.keys() | {id_ for id_, one in last if one and one.cause == RECEIVED}
        if concerned:
            chosen = [subject for subject in subjects if subject.id in concerned]
            await self._compare(chosen, received)
        return bool(self._received or self.ungraded)

    async def _compare(
        self, subjects: Sequence[Subject], received: Mapping[int, Sequence[Mapping[str, Any]]]
    ) -> None:
        await self._by_text_in_force()
        bodies = await facts_of_subjects(self.connection, [subject.id for subject in subjects])
        rulebook, day = self.scorer.rulebook, self._day
        not_taken: Counter[str] = Counter()
        for subject in subjects:
            own = self._own(subject, _read_facts(bodies.get(subject.id, _NO_FACTS)))
            grades, last = _read_grades(received.get(subject.id, ())), self._last.get(subject.id)
            grade = in_force(grades, own, day, rulebook)
            if grade is None:
                not_taken.update(one.rule_set for one in grades)
            if grade is not None and not is_recorded(grade, last):
                self._received[subject.id] = own.subject, grade
            elif grade is None and last is not None and last.cause == RECEIVED:
                self.ungraded.add(subject.id)
        for rule_set, times in not_taken.items():
            extra = {"rule_set": rule_set, "count": times}
            logger.warning(LogEvent.GRADE_NOT_TAKEN, extra=extra)

    async def _by_text_in_force(self) -> None:
        await share_scoring(self.connection)
        await refresh(self.connection, self.scorer.rulebook)
        self._day = self.scorer.rulebook.scoring_day(self.now)

    async def score(self, subjects: Sequence[Subject]) -> None:
        """Assess subjects by all their present facts, in slices between awaits."""
        if not subjects:
            return
        await self._by_text_in_force()
        ids = [subject.id for subject in subjects]
        bodies = await facts_of_subjects(self.connection, ids)
        if await renew_departments(self.connection, bodies, self.now):
            bodies = await facts_of_subjects(self.connection, ids)
        for start in range(0, len(subjects), SLICE):
            self._score(subjects[start : start + SLICE], bodies)
            await asyncio.sleep(0)

    def _score(self, subjects: Sequence[Subject], bodies: Mapping[int, bytes]) -> None:
        """Assess a slice, step by step over all its subjects, as `Checker.check_all` does."""
        known = [_read_facts(bodies.get(subject.id, _NO_FACTS)) for subject in subjects]
        scored = [self._own(subject, facts) for subject, facts in zip(subjects, known, strict=True)]
        for subject, facts, one in zip(subjects, known, scored, strict=True):
            scored_ = self._noted(subject, one)
            self.assessed.append(Assessed(subject, scored_, [int(fact.id) for fact in facts or ()]))
            if is_person(subject.code) or not one.public:
                self._untold.add(subject.id)

    def _own(self, subject: Subject, facts: list[Fact] | None) -> Scored:
        last = self._last.get(subject.id)
        return self.scorer.score(
            subject.code,
            person=is_person(subject.code),
            criminal_suspect=subject.criminal_suspect,
            facts=facts,
            previous=last.grade if last else None,
            as_of=self._day,
        )

    def _noted(self, subject: Subject, scored: Scored) -> Scored:
        """Note a grade change; if that fails, the subject is not evaluated, with an alert."""
        try:
            self._note_change(subject, scored)
        except Exception:  # noqa: BLE001  one subject never stops the others
            logger.exception(LogEvent.ENGINE_FAILED)
            reason = NotEvaluated.ENGINE_ERROR
            nothing = without_result(subject.code, self._day, reason)
            return scored._replace(assessment=nothing, change=None)
        return scored

    def _note_change(self, subject: Subject, scored: Scored) -> None:
        if subject.id in self._received:  # what is told is the grade that replaces our own
            return
        last, change = self._last.get(subject.id), scored.change
        if change is None and (last is None or last.cause != RECEIVED):
            return
        elsewhere = is_from_elsewhere(last, scored.subject, self._day, self.scorer.rulebook)
        elsewhere &= scored.assessment.not_evaluated not in GONE
        gone = not elsewhere or subject.id in self.ungraded
        if last is not None and last.cause == RECEIVED and gone:
            change = our_own_again(last.grade, scored, withdrawn=elsewhere)
        elif elsewhere:
            return
        if change is None:
            return
        published = last.published if last else None
        body = self._scored_body(scored, change, last)
        self.changes.append(NewGrade(subject.id, change, body, assessed=True))
        self._last[subject.id] = LastGrade(change.to_grade, self.cause, published)

    def _scored_body(self, scored: Scored, change: GradeChange, last: LastGrade | None) -> bytes:
        assessment, published = scored.assessment, last.published if last else None
        ref = assessment.rule_set
        if ref is not None:
            rule_set = {"name": ref.name, "version": ref.version, "status": ref.status}
        elif last is not None and change.to_grade is None:
            rule_set = from_elsewhere(last.rule_set)
        else:
            raise TypeError(assessment.not_evaluated)
        return change_body(
            change,
            cause=self.cause,
            score=assessment.score,
            rule_set=rule_set,
            effective_on=assessment.as_of,
            published=published,
            measures=self._measures(change, last, scored.subject),
        )

    def receive(self) -> None:
        """Record the grades that `standing` has found; they replace our own."""
        for subject_id, (subject, grade) in self._received.items():
            self._receive(subject, grade, subject_id)

    def _receive(self, subject: Facts, grade: ReceivedGrade, subject_id: int) -> None:
        """Note the change to a grade that was computed elsewhere."""
        last = self._last.get(subject_id)
        previous, published = (last.grade, last.published) if last else (None, None)
        if last is None or self._is_ours(last, subject):
            place = subject.kind, subject.id, self._day
            direction = self.scorer.direction(previous, grade.grade, *place)
        else:
            direction = EXTERNAL
        change = GradeChange(previous, grade.grade, direction, (f"{grade.issued_by}评定",))
        body = change_body(
            change,
            cause=RECEIVED,
            score=None if grade.score is None else format(grade.score, "f"),
            rule_set=from_elsewhere(grade.rule_set),
            effective_on=grade.effective_on,
            published=published,
            measures=self._measures(change, last, subject),
        )
        self.changes.append(NewGrade(subject_id, change, body, assessed=False))
        self._last[subject_id] = LastGrade(grade.grade, RECEIVED, published, grade.rule_set)

    def _is_ours(self, last: LastGrade, subject: Facts) -> bool:
        """Whether the last grade is by the rule set of the subject; another one has other bands."""
        ours = self.scorer.rulebook.is_bound(last.rule_set, subject.kind, subject.id)
        return ours or not last.rule_set

    def _measures(
        self, change: GradeChange, last: LastGrade | None, subject: Facts
    ) -> dict[str, Any]:
        """Return the measures that begin and end today; a grade by another rule set had none."""
        published = last.published if last else None
        moved = standing_change(change, published)
        if last is not None and not self._is_ours(last, subject):
            moved = StandingChange(standing(None, published), moved.after, moved.direction)
        return self.scorer.measures(moved, subject.kind, subject.id, self._day)

    async def write(self) -> list[tuple[int, int]]:
        """Write assessments and grade changes.

        Returns (grade change id, subject id) of those to send: not of natural persons, and not of
        results that the rule set does not publish.
        """
        ids = await Ids.reserve(self.connection, len(self.assessed) + len(self.changes))
        of_subject = {one.subject.id: ids.take() for one in self.assessed}
        rows = [assessment_row(of_subject[one.subject.id], one, self.now) for one in self.assessed]
        await assessments.add_assessments(self.connection, rows)
        written = [
            (
                ids.take(),
                new.subject_id,
                of_subject[new.subject_id] if new.assessed else None,
                new.change.from_grade,
                new.change.to_grade,
                new.body.decode(),
                self.now,
            )
            for new in self.changes
        ]
        await grade_changes.add_grade_changes(self.connection, written)
        count(self.assessed, self.changes, self.scorer.rulebook, self.metrics)
        return [(row[0], row[1]) for row in written if row[1] not in self._untold]
