"""Store the grades of a period once its day of publication 公布日 is over, and tell of changes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from gateway.config.keys import is_person
from gateway.decide.decider import Decider
from gateway.rules.activation import refresh
from gateway.schedule.earlier_grades import Earlier, known_on, with_computed
from gateway.score.grade_change import PUBLISHED, UNCHANGED, change_body, standing
from gateway.score.publication_days import publications_until
from gateway.score.publish import (
    ResultOfPeriod,
    Then,
    publish,
    reasons,
    with_list,
    years_before,
)
from gateway.score.published import end_of
from gateway.score.received import is_from_elsewhere
from gateway.score.scorer import Scorer
from gateway.score.stored_result import ids_of, short
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.store.base.statements import Ids
from gateway.store.deliver import deliveries
from gateway.store.record.subjects import lock_subjects
from gateway.store.score import activations, grade_changes, published
from gateway.store.score.assessments import not_before_last
from gateway.store.score.grade_changes import LastGrade
from gateway.store.score.published import Publication
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.base import today
from schemas.credit import GradeChange
from schemas.known import Subject
from scoring.consequences.measures import StandingChange

#: Subjects looked at in one transaction.
SLICE = 500
#: A publication stored later than this is history: nobody is told of it.
NEWS = timedelta(days=31)
#: After the end of the day, for transactions of that day that are still under way.
SETTLED = timedelta(minutes=15)


class Publishing:
    """Store publications in slices, each in one transaction; repeating does no harm."""

    def __init__(
        self, database: Database, scorer: Scorer, decider: Decider, metrics: Metrics
    ) -> None:
        self.database = database
        self.scorer = scorer
        self.decider = decider
        self.metrics = metrics

    async def run(self, now: datetime, slices: int) -> bool:
        """Store up to so many slices of what is published by now; True when nothing is left."""
        async with self.database.transaction() as connection:
            begun = await published.begun(connection)
            done = await published.finished(connection)
            await refresh(connection, self.scorer.rulebook)
        if today(now - SETTLED) != today(now):
            return False
        for one in publications_until(self.scorer.rulebook, today(now)):
            goes_on = one not in done and begun is not None and begun < end_of(one.published_on)
            while goes_on:
                if slices == 0:
                    return False
                slices -= 1
                goes_on = await self._step(one, now)
        return True

    async def _step(self, one: Publication, now: datetime) -> bool:
        """Store a slice; False when the publication is finished."""

        async def work(connection: Connection) -> bool:
            after = await published.claim(connection, one)
            if after is None:
                return False
            found = await activations.subjects_after(connection, after, SLICE)
            if found:
                locked = await lock_subjects(connection, ((s.code, None, s.person) for s in found))
                stored = await self._slice(connection, one, list(locked.values()), now)
                await published.advance(connection, one, found[-1].id, stored)
            if len(found) < SLICE:
                await self._finish(connection, one, now)
            return len(found) == SLICE

        return await self.database.run(work)

    async def _finish(self, connection: Connection, one: Publication, now: datetime) -> None:
        count = await published.finish(connection, one, now)
        detail = {"period_end": one.period_end.isoformat(), "grades": count}
        entry = events.AuditEntry(AuditEvent.GRADES_PUBLISHED, detail)
        await events.add(connection, [entry], now)
        logger.info(LogEvent.GRADES_PUBLISHED, extra=detail)

    async def _slice(
        self, connection: Connection, one: Publication, subjects: Sequence[Subject], now: datetime
    ) -> int:
        """Store the grades of locked subjects and tell of what changes; return how many.

        A grade that was computed elsewhere is published elsewhere, too. A period has one grade of a
        subject: its kind may change between two days of publication.
        """
        ids = [subject.id for subject in subjects]
        last = await grade_changes.last_grades(connection, ids)
        elsewhere = await published.received_by(connection, ids, end_of(one.published_on))
        earlier = await published.grades_of_periods(connection, ids)
        codes = {
            subject.id: subject.code
            for subject in subjects
            if one.period_end not in earlier.get(subject.id, {})
        }
        found = await known_on(connection, self.scorer.rulebook, one, codes)
        known = {
            id_: then
            for id_, then in found.items()
            if id_ not in elsewhere
            or not self.scorer.rulebook.takes_grade(
                elsewhere[id_], then.facts.kind, then.facts.id, one.published_on
            )
        }
        results = await self._results(connection, one, known, earlier)
        at = await not_before_last(connection, ids, now)
        await _store(connection, one, known, results, at)
        if today(now) - one.published_on <= NEWS:
            rows = [
                (id_, known[id_].facts.id, *change)
                for id_, result in results.items()
                if known[id_].is_public and not is_person(known[id_].facts.id)
                if (change := self._noted(known[id_], result, one, last.get(id_))) is not None
            ]
            await self._tell(connection, rows, at)
        return len(results)

    async def _results(
        self, connection: Connection, one: Publication, known: Mapping[int, Then], earlier: Earlier
    ) -> dict[int, ResultOfPeriod]:
        """Return the results of a publication with the lists, which earlier periods decide."""
        results = {id_: publish(then, one) for id_, then in known.items()}
        asked = {
            id_: (known[id_], ends)
            for id_, result in results.items()
            if (ends := years_before(known[id_], result))
        }
        grades = await with_computed(connection, self.scorer.rulebook, asked, earlier)
        return results | {id_: with_list(known[id_], results[id_], grades[id_]) for id_ in asked}

    def _noted(
        self, then: Then, result: ResultOfPeriod, one: Publication, last: LastGrade | None
    ) -> tuple[str | None, bytes] | None:
        """Return the change of a subject; one that fails stops no other."""
        try:
            return self._change(then, result, one, last)
        except Exception:  # noqa: BLE001  one subject never stops the others
            logger.exception(LogEvent.ENGINE_FAILED)
            return None

    def _change(
        self, then: Then, result: ResultOfPeriod, one: Publication, last: LastGrade | None
    ) -> tuple[str | None, bytes] | None:
        """Return the live grade and the body of the grade change, if there is one to tell of."""
        last = last or LastGrade(None, "")
        told = result.told(one)
        before = standing(last.grade, last.published)
        after = standing(last.grade, told)
        if before == after or result.assessment.rule_set is None:
            return None
        code, ref = then.facts.id, result.assessment.rule_set
        if is_from_elsewhere(last, then.facts, one.published_on, self.scorer.rulebook):
            return None
        moved = StandingChange(before, after, UNCHANGED)
        body = change_body(
            GradeChange(last.grade, last.grade, UNCHANGED, reasons(then, result, told, before)),
            cause=PUBLISHED,
            score=None,
            rule_set={"name": ref.name, "version": ref.version, "status": ref.status},
            effective_on=one.published_on,
            published=told,
            measures=self.scorer.measures(moved, then.facts.kind, code, one.published_on),
        )
        return last.grade, body

    async def _tell(
        self,
        connection: Connection,
        changes: Sequence[tuple[int, str, str | None, bytes]],
        now: datetime,
    ) -> None:
        """Write the grade changes of (subject id, code, live grade, body), and whom to tell."""
        ids = await Ids.reserve(connection, len(changes))
        rows, told = [], []
        for subject_id, code, grade, body in changes:
            id_ = ids.take()
            rows.append((id_, subject_id, None, grade, grade, body.decode(), now))
            told.append((id_, subject_id, code))
        await grade_changes.add_grade_changes(connection, rows)
        self.metrics.grade_changes.labels(UNCHANGED).inc(len(rows))
        await deliveries.add(connection, self.decider.grade_changes(told, now), now)


async def _store(
    connection: Connection,
    one: Publication,
    known: Mapping[int, Then],
    results: Mapping[int, ResultOfPeriod],
    now: datetime,
) -> None:
    ids = await Ids.reserve(connection, len(results))
    rows = []
    for subject_id, result in results.items():
        facts, rule_set = known[subject_id]
        rows.append(
            (
                ids.take(),
                subject_id,
                facts.kind.value,
                facts.criminal_suspect,
                *one,
                rule_set.version,
                ids_of(facts),
                result.assessment.grade,
                list(result.told(one).listings),
                short(result.assessment, facts).decode(),
                now,
            )
        )
    await published.add_published_grades(connection, rows)
