"""Score subjects again without a new fact: when their result changes, or by a new rule set."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import partial

from gateway.decide.decider import Decider
from gateway.rules.activation import refresh
from gateway.score.assess import Assessing
from gateway.score.grade_change import RULE_SET, SCORED
from gateway.score.scorer import Scorer
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import deliveries
from gateway.store.record.subjects import lock_subjects
from gateway.store.score import activations, assessments, grade_changes
from gateway.store.score.activations import Activation, AssessedSubject
from gateway.telemetry.audit_events import AuditEvent
from gateway.telemetry.log import LogEvent, logger
from gateway.telemetry.metrics import Metrics
from schemas.base import today
from schemas.codes import SubjectKind
from schemas.credit import NotEvaluated
from schemas.known import Subject

#: Subjects scored again in one transaction.
SLICE = 500
#: Days that are looked at again, for results of a host whose clock was behind.
AGAIN = timedelta(days=2)
ACTOR = "credit-gateway"


class Walk:
    """A walk over all subjects, some slices at a time; after the last one it begins anew.

    `work` does the slice `after` a subject and returns the last subject of it, 0 after the last.
    """

    def __init__(self, database: Database, work: Callable[..., Awaitable[int]]) -> None:
        self.database = database
        self.work = work
        self._behind = 0

    async def go_on(self, now: datetime, slices: int) -> bool:
        """Do so many slices; return whether none is left."""
        for _ in range(slices):
            work = partial(self.work, after=self._behind, now=now)
            self._behind = await self.database.run(work)
            if not self._behind:
                return True
        return False


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
        self.unscored = Walk(database, self._score_unscored)
        self.received = Walk(database, self._compare_received)

    async def due(self, now: datetime) -> int:
        """Score a slice of the subjects whose result changes by now; return how many."""

        day = today(now)
        since = min(self._changed_to, day - AGAIN)

        async def work(connection: Connection) -> int:
            codes = await assessments.subjects_to_rescore(connection, since, day, SLICE)
            if codes:
                await self._score(connection, codes, now, SCORED)
            return len(codes)

        count = await self.database.run(work)
        if not count:
            self._changed_to = day - AGAIN
        return count

    async def _score_unscored(self, connection: Connection, after: int, now: datetime) -> int:
        """Score subjects for which there was no rule set, or which the engine could not score.

        One has been bound to them, or is effective now, or a release has mended the engine.
        """
        found = await assessments.once_unscored(connection, after, SLICE)
        if not found:
            return 0
        await refresh(connection, self.scorer.rulebook)
        day, choose = today(now), self.scorer.rulebook.choose
        able = [one for one in found if one.still and choose(SubjectKind(one.kind), one.code, day)]
        failed = [one.code for one in able if one.not_evaluated == NotEvaluated.ENGINE_ERROR]
        new = [one.code for one in able if one.not_evaluated != NotEvaluated.ENGINE_ERROR]
        for codes, cause in ((failed, SCORED), (new, RULE_SET)):
            if codes:
                await self._score(connection, codes, now, cause)
        return found[-1].id

    async def _compare_received(self, connection: Connection, after: int, now: datetime) -> int:
        """Give subjects the received grade that counts, if it is another than the recorded one.

        Another rule set is bound or in force than when they came, or a release before chose
        otherwise.
        """
        found = await grade_changes.graded_elsewhere(connection, after, SLICE)
        if not found:
            return 0
        if await (await self._compared(connection, found, now, SCORED)).standing(found):
            await self._regrade(connection, found, now)
        return found[-1].id

    async def _regrade(
        self, connection: Connection, found: Sequence[Subject], now: datetime
    ) -> None:
        """Compare once more under the locks, then score and record what differs."""
        subjects = await _locked(connection, (one.code for one in found))
        assessing = await self._compared(connection, subjects, now, SCORED)
        await assessing.standing(subjects)
        await assessing.score([one for one in subjects if one.id in assessing.ungraded])
        assessing.receive()
        await self._write(connection, assessing, subjects, now)

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
        bound = (
            one.code
            for one in found
            if self._is_bound(activation.bound, SubjectKind(one.kind), one.code)
        )
        subjects = await _locked(connection, bound)
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

    async def _score(
        self, connection: Connection, codes: Iterable[str], now: datetime, cause: str
    ) -> None:
        subjects = await _locked(connection, codes)
        assessing = await self._assessed(connection, subjects, now, cause)
        await self._write(connection, assessing, subjects, now)

    async def _assessed(
        self, connection: Connection, subjects: Sequence[Subject], now: datetime, cause: str
    ) -> Assessing:
        """Return these subjects scored, or with the received grades that replace our own."""
        assessing = await self._compared(connection, subjects, now, cause)
        await assessing.standing(subjects)
        await assessing.score(subjects)
        assessing.receive()
        return assessing

    async def _compared(
        self, connection: Connection, subjects: Sequence[Subject], now: datetime, cause: str
    ) -> Assessing:
        """Return what assesses subjects, with their last grades."""
        ids = [subject.id for subject in subjects]
        at = await assessments.not_before_last(connection, ids, now)
        assessing = Assessing(self.scorer, connection, at, self.metrics, cause)
        await assessing.last(ids)
        return assessing

    async def _write(
        self, connection: Connection, assessing: Assessing, subjects: list[Subject], now: datetime
    ) -> None:
        codes = {subject.id: subject.code for subject in subjects}
        told = ((id_, subject_id, codes[subject_id]) for id_, subject_id in await assessing.write())
        await deliveries.add(connection, self.decider.grade_changes(told, now), now)


async def _locked(connection: Connection, codes: Iterable[str]) -> list[Subject]:
    locked = await lock_subjects(connection, ((code, None, False) for code in codes))
    return list(locked.values())
