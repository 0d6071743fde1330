"""The way in. Read this first: check → record → score → decide → deliveries, one transaction.

Kafka batches, uploaded files and POSTs all call `Pipeline.process` with raw items and get back one
result for each. A batch of n items costs a constant number of statements. A data error from the
database bisects the batch until the culprit stands in quarantine; an outage never quarantines.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import orjson

from gateway.audit import AuditEvent
from gateway.check import Checked, Checker
from gateway.clock import Clock
from gateway.decide import Decider
from gateway.log import LogEvent, logger
from gateway.metrics import Metrics
from gateway.normalise import Raw
from gateway.record import Recording
from gateway.rescore import Rescoring
from gateway.results import Result
from gateway.score import Scorer, alerts
from gateway.secrets import KEY_VERSION, Keys
from gateway.store.audit.events import AuditEntry
from gateway.store.audit.events import add as add_audit
from gateway.store.base.engine import BadData, Connection, Database
from gateway.store.base.statements import Ids
from gateway.store.deliver import deliveries
from gateway.store.record import inbox, quarantine
from gateway.store.record.inbox import Seen
from gateway.versions import Recorded, received_grades, reported
from schemas.base import today
from schemas.codes import Verb
from schemas.delivery import DeliveryState
from schemas.obligation import Owed
from schemas.problem import Problem, Rule
from schemas.verdict import Verdict

#: Items worked on between two awaits, so that heart-beats and deliveries go on.
SLICE = 150


class Pipeline:
    """Everything that a batch needs, built once by `app`."""

    def __init__(  # noqa: PLR0913, PLR0917  the collaborators of every step
        self,
        database: Database,
        checker: Checker,
        scorer: Scorer,
        decider: Decider,
        keys: Keys,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.database = database
        self.checker = checker
        self.scorer = scorer
        self.decider = decider
        self.keys = keys
        self.clock = clock
        self.metrics = metrics

    async def process(self, batch: Sequence[Raw]) -> list[Result]:
        """Take in a batch: when this returns, everything that follows from it is committed.

        Raises:
            DatabaseAway: nothing was committed; the caller keeps the batch and comes again.
        """
        return await self.commit(await self.check(batch))

    async def check(self, batch: Sequence[Raw]) -> list[Checked]:
        """The part without the database; another batch may be committing meanwhile."""
        day = today(self.clock())
        checked: list[Checked] = []
        for start in range(0, len(batch), SLICE):
            checked += self._check(batch[start : start + SLICE], day)
            await asyncio.sleep(0)
        return checked

    def _check(self, raws: Sequence[Raw], day: date) -> list[Checked]:
        try:
            return self.checker.check_all(raws, day)
        except Exception:  # noqa: BLE001  a fault of ours keeps one item back, never its batch
            if len(raws) == 1:
                [raw] = raws
                logger.exception(LogEvent.CHECK_FAILED, extra={"origin": raw.origin})
                return [Checked(raw, Verdict.REFUSED, (_INTERNAL,), raw.kind)]
        # Outside of the handler, or each item's log would tell what the slice failed of as well.
        return [one for raw in raws for one in self._check([raw], day)]

    async def commit(self, checked: Sequence[Checked]) -> list[Result]:
        """The part with the database, in one transaction."""
        if not checked:
            return []

        async def work(connection: Connection) -> list[Result]:
            return await Intake(self, connection, checked, self.clock()).run()

        try:
            results = await self.database.run(work)
        except BadData as error:
            return await self._bisected(checked, error)
        self._count(checked, results)
        return results

    async def _bisected(self, checked: Sequence[Checked], error: BadData) -> list[Result]:
        if len(checked) == 1:
            return await self.commit([_refused_by_database(checked[0], error)])
        middle = len(checked) // 2
        first = await self.commit(checked[:middle])
        return first + await self.commit(checked[middle:])

    def _count(self, checked: Sequence[Checked], results: Iterable[Result]) -> None:
        counts: Counter[tuple[str, str]] = Counter()
        for item, one in zip(checked, results, strict=True):
            counts[item.kind or "unknown", "repeat" if one.repeat else one.verdict] += 1
            if one.verdict is Verdict.REFUSED and not one.repeat:
                self.metrics.quarantined.labels(one.problems[0].rule).inc()
        for (kind, what), count in counts.items():
            if what == "repeat":
                self.metrics.repeats.labels(kind).inc(count)
            else:
                self.metrics.records.labels(kind, what).inc(count)


class Intake:
    """One batch in one transaction: the steps in their order, each handing on what it found."""

    def __init__(
        self,
        pipeline: Pipeline,
        connection: Connection,
        checked: Sequence[Checked],
        now: datetime,
    ) -> None:
        self.pipeline = pipeline
        self.connection = connection
        self.checked = checked
        self.now = now
        self.results: dict[int, Result] = {}
        self.hashes = [bytes_hash(c.raw) for c in checked]
        self.seen: Mapping[tuple[int, int], Seen] = {}

    async def run(self) -> list[Result]:
        """Every step; the results in the order of the batch."""
        origins = await inbox.origins(self.connection, [c.raw.origin for c in self.checked])
        fresh = await self._unseen(origins)
        accepted = [(i, self.checked[i]) for i in fresh if self.checked[i].key is not None]
        recording = Recording(self.connection, self.pipeline.keys, self.now)
        recorded = await recording.record(accepted)
        changes = await self._score(recorded)
        await self._decide(recorded, changes)
        quarantined = await self._quarantine(fresh)
        await self._close(fresh, origins, recorded, quarantined)
        return [self.results[index] for index in range(len(self.checked))]

    # ------------------------------------------------------------ repeats by origin

    async def _unseen(self, origins: Mapping[str, int]) -> list[int]:
        """Items that are no repeats by origin and bytes; other bytes at a known origin go on."""
        places = [(origins[c.raw.origin], c.raw.position) for c in self.checked]
        self.seen = await inbox.seen(self.connection, places)
        fresh, reused = [], set()
        in_batch: dict[tuple[int, int], bytes] = {}
        for index, (checked, place) in enumerate(zip(self.checked, places, strict=True)):
            known = self.seen.get(place)
            hash_ = self.hashes[index]
            if in_batch.get(place) == hash_ or (known and bytes(known.bytes_hash) == hash_):
                self.results[index] = _seen_before(checked, known)
                continue
            in_batch[place] = hash_
            fresh.append(index)
            if known is not None:
                reused.add(checked.raw.origin)
        await self._alert_reused(reused)
        return fresh

    async def _alert_reused(self, reused: set[str]) -> None:
        for origin in sorted(reused):
            self.pipeline.metrics.origin_reused.inc()
            logger.warning(LogEvent.ORIGIN_REUSED, extra={"origin": origin})
        entries = [AuditEntry(AuditEvent.ORIGIN_REUSED, {"origin": o}) for o in sorted(reused)]
        await add_audit(self.connection, entries, self.now)

    # ------------------------------------------------------------ score

    async def _score(self, recorded: Recorded) -> list[tuple[int, str]]:
        """Assess the subjects whose facts changed; gives (grade change id, subject code)."""
        grades = received_grades(recorded)
        subject_ids = sorted(recorded.touched | {subject for subject, _ in grades})
        if not subject_ids:
            return []
        rescoring = Rescoring(self.pipeline.scorer, self.connection, self.now)
        codes = {subject.id: subject for subject in recorded.subjects.values()}
        persons = {c.key.subject for c in self.checked if c.key and c.person}
        await rescoring.last(subject_ids)
        await rescoring.score([codes[id_] for id_ in sorted(recorded.touched)], persons)
        rescoring.receive(grades)
        changes = await rescoring.write()
        self._count_scored(rescoring)
        return [(change_id, codes[subject_id].code) for change_id, subject_id in changes]

    def _count_scored(self, rescoring: Rescoring) -> None:
        metrics = self.pipeline.metrics
        used = [scored.assessment.rule_set for scored in rescoring.scored.values()]
        for name, count in Counter(ref.name if ref else "none" for ref in used).items():
            metrics.assessments.labels(name).inc(count)
        directions = Counter(change[1].direction for change in rescoring.changes)
        for direction, count in directions.items():
            metrics.grade_changes.labels(direction).inc(count)
        wrong = alerts(rescoring.scored.values(), self.pipeline.scorer.rulebook)
        reasons = Counter(str(one.assessment.not_evaluated).partition(":")[0] for one in wrong)
        for reason, count in reasons.items():
            metrics.not_evaluated.labels(reason).inc(count)
            logger.warning(LogEvent.NOT_EVALUATED, extra={"reason": reason, "count": count})

    # ------------------------------------------------------------ decide

    async def _decide(self, recorded: Recorded, changes: Sequence[tuple[int, str]]) -> None:
        decider = self.pipeline.decider
        versions = reported(recorded)
        brand_new = {v.id for v in recorded.latest.values() if v.decision.is_new}
        old = [v.decision_id for v in versions if v.id not in brand_new]
        past = await deliveries.past(self.connection, old) if old else {}
        decided = [decider.version(v, past.get(v.decision_id, ()), self.now) for v in versions]
        followed = {v.decision_id for v in recorded.follow_ups}
        owed: list[Owed] = []
        for version, one in zip(versions, decided, strict=True):
            overtaken = version.decision_id in followed and version.verb is not Verb.REPAIR
            owed.append(_superseded(one.owed) if overtaken else one.owed)
        subjects = {s.code: s.id for s in recorded.subjects.values()}
        told = ((change_id, subjects[code], code) for change_id, code in changes)
        owed += decider.grade_changes(told, self.now)
        superseded = [id_ for one in decided for id_ in one.superseded]
        if superseded:
            await deliveries.supersede(self.connection, superseded)
        await deliveries.add(self.connection, owed, self.now)

    # ------------------------------------------------------------ quarantine and inbox

    async def _quarantine(self, fresh: Sequence[int]) -> dict[int, int]:
        refused = [i for i in fresh if self.checked[i].key is None]
        if not refused:
            return {}
        ids = await Ids.reserve(self.connection, len(refused))
        kept = {index: ids.take() for index in refused}
        await quarantine.add_quarantine(
            self.connection, [self._quarantine_row(kept[i], self.checked[i]) for i in refused]
        )
        return kept

    def _quarantine_row(self, id_: int, checked: Checked) -> tuple[Any, ...]:
        return (
            id_,
            f"{checked.raw.origin}#{checked.raw.position}",
            checked.kind,
            self.pipeline.keys.encrypt(checked.raw.body or b""),
            KEY_VERSION,
            orjson.dumps([problem.model_dump() for problem in checked.problems]).decode(),
            checked.decided_on,
            self.now,
        )

    async def _close(
        self,
        fresh: Sequence[int],
        origins: Mapping[str, int],
        recorded: Recorded,
        quarantined: Mapping[int, int],
    ) -> None:
        rows = []
        for index in fresh:
            checked = self.checked[index]
            version = recorded.version_of.get(index)
            rows.append(
                (
                    origins[checked.raw.origin],
                    checked.raw.position,
                    self.hashes[index],
                    checked.verdict,
                    version,
                    quarantined.get(index),
                    self.now,
                )
            )
            repeat = index in recorded.repeats
            self.results[index] = Result(checked, repeat, version, quarantined.get(index))
        last = _last_of_each_place(rows)
        await inbox.add(
            self.connection, [row for place, row in last.items() if place not in self.seen]
        )
        await inbox.change(
            self.connection, [row for place, row in last.items() if place in self.seen]
        )


def _seen_before(checked: Checked, known: Seen | None) -> Result:
    if known is None:
        return Result(checked, repeat=True)
    return Result(checked, True, known.record_version_id, known.quarantine_id)


def _last_of_each_place(
    rows: Sequence[tuple[Any, ...]],
) -> dict[tuple[int, int], tuple[Any, ...]]:
    """One batch may bring an origin and position twice, with other bytes."""
    return {(row[0], row[1]): row for row in rows}


def _refused_by_database(checked: Checked, error: BadData) -> Checked:
    if checked.verdict is Verdict.REFUSED:
        raise error
    problem = Problem(
        field="",
        rule=Rule.DATABASE,
        message="数据库不接受这条记录的内容",
        fix="检查过大的数字、过早或过晚的日期和特殊字符，更正后重放",
    )
    return Checked(checked.raw, Verdict.REFUSED, (problem,), checked.kind)


def _superseded(owed: Owed) -> Owed:
    """A version that a repair overtook in its own batch, as if it had come in one of its own."""
    ways = [way._replace(state=DeliveryState.SUPERSEDED) for way in owed.ways]
    return owed._replace(ways=ways)


_INTERNAL = Problem(
    field="",
    rule=Rule.INTERNAL,
    message="校验程序出错，这条记录暂存在隔离区",
    fix="请把隔离区编号告诉维护人员，程序更正后重放",
)


def bytes_hash(raw: Raw) -> bytes:
    """The hash by which the same bytes at the same origin are known again."""
    return hashlib.blake2b(raw.body or b"", digest_size=16).digest()
