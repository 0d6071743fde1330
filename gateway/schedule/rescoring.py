"""Score subjects again without a new fact: when their result changes, or by a new rule set."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from gateway.config.keys import is_person
from gateway.decide.decider import Decider
from gateway.score.assess import Assessing
from gateway.score.grade_change import RULE_SET, SCORED
from gateway.score.scorer import Scorer
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import deliveries
from gateway.store.record.subjects import lock_subjects
from gateway.store.score import activations, assessments
from gateway.store.score.activations import Activation, AssessedSubject
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.base import today
from schemas.codes import SubjectKind
from schemas.known import Subject

#: Subjects scored again in one transaction.
SLICE = 500
#: Days that are looked at again, for results of a host whose clock was behind.
AGAIN = timedelta(days=2)
ACTOR = "credit-gateway"


class Rescoring:
    """Score slices of subjects again, each slice in one transaction; repeating does no harm."""

    def __init__(
        self, database: Database, scorer: Scorer, decider: Decider, metrics: Metrics
    ) -> None:
        self.database = database
        self.scorer = scorer
        self.decider = decider
        self.metrics = metrics
        #: All results that change up to this day have been scored again. The first call starts
        #: with the earliest day; later calls skip the past assessments that it has looked at.
        self._changed_to = date.min

    async def due(self, now: datetime) -> int:
        """Score a slice of the subjects whose result changes by now; return how many."""

        day = today(now)
        since = min(self._changed_to, day - AGAIN)

        async def work(connection: Connection) -> int:
            codes = await assessments.subjects_to_rescore(connection, since, day, SLICE)
            if codes:
                locked = await lock_subjects(connection, ((c, None, False) for c in codes))
                subjects = list(locked.values())
                assessing = await self._assessed(connection, subjects, now, SCORED)
                await self._write(connection, assessing, subjects, now)
            return len(codes)

        count = await self.database.run(work)
        if not count:
            self._changed_to = day - AGAIN
        return count

    async def activate(self, now: datetime) -> bool:
        """Score a slice of the subjects by a text that is now in force.

        The first call only starts it. Returns False if there is no such text, or if it was paused
        because too many grades change.
        """

        async def work(connection: Connection) -> bool:
            activation = await activations.due(connection, today(now))
            if activation is None:
                return False
            if activation.started_at is None:
                await activations.start(connection, activation.id, ACTOR, now)
                return True
            found = await activations.subjects_after(connection, activation.rescored_to, SLICE)
            if not found:
                await self._finish(connection, activation, now)
                return True
            return await self._slice(connection, activation, found, now)

        return await self.database.run(work)

    async def _slice(
        self,
        connection: Connection,
        activation: Activation,
        found: Sequence[AssessedSubject],
        now: datetime,
    ) -> bool:
        """Score a slice and write it; pause instead if more grades change than was agreed to."""
        bound = [
            (one.code, None, one.person)
            for one in found
            if self._is_bound(activation.bound, SubjectKind(one.kind), one.code)
        ]
        subjects = list((await lock_subjects(connection, bound)).values())
        assessing = await self._assessed(connection, subjects, now, RULE_SET)
        changed = len(assessing.changes)
        if activation.confirmed_by is None and activation.changed + changed > activation.flip_limit:
            await activations.mark(connection, activation.id, "paused", ACTOR, now)
            logger.error(LogEvent.ACTIVATION_PAUSED, extra={"rule_set": activation.name})
            return False
        await self._write(connection, assessing, subjects, now)
        await activations.advance(connection, activation.id, found[-1].id, changed)
        return True

    def _is_bound(self, bound: str, kind: SubjectKind, code: str) -> bool:
        binding = self.scorer.rulebook.binding(kind, code)
        return binding is not None and binding.rule_set == bound

    async def _finish(self, connection: Connection, activation: Activation, now: datetime) -> None:
        await activations.mark(connection, activation.id, "finished", ACTOR, now)
        detail = {"rule_set": activation.name, "changed": activation.changed}
        entry = events.AuditEntry(AuditEvent.RULE_SET_ACTIVATED, detail | {"hash": activation.hash})
        await events.add(connection, [entry], now)
        logger.info(LogEvent.ACTIVATION_FINISHED, extra=detail)

    async def _assessed(
        self, connection: Connection, subjects: list[Subject], now: datetime, cause: str
    ) -> Assessing:
        ids = [subject.id for subject in subjects]
        at = await assessments.not_before_last(connection, ids, now)
        assessing = Assessing(self.scorer, connection, at, self.metrics, cause)
        await assessing.last(ids)
        await assessing.score(subjects, _persons(subjects))
        return assessing

    async def _write(
        self, connection: Connection, assessing: Assessing, subjects: list[Subject], now: datetime
    ) -> None:
        codes = {subject.id: subject.code for subject in subjects}
        told = ((id_, subject_id, codes[subject_id]) for id_, subject_id in await assessing.write())
        await deliveries.add(connection, self.decider.grade_changes(told, now), now)


def _persons(subjects: Sequence[Subject]) -> set[str]:
    return {subject.code for subject in subjects if is_person(subject.code)}
