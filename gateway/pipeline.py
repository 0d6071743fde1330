"""The way in. Read this first: check → record → score → decide → deliveries, one transaction.

Kafka batches, uploaded files and POSTs all call `Pipeline.process` with raw items and get one
result for each. A batch of n items costs a constant number of statements. After an error that an
item may have caused, the batch is halved until the faulty item is alone and goes to quarantine; an
outage never quarantines.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.check.raw import Raw
from gateway.config.clock import Clock
from gateway.config.errors import BadConfiguration
from gateway.config.keys import Keys
from gateway.decide.decider import Decider
from gateway.record.quarantine import quarantine, refused_by_bug, refused_by_database
from gateway.record.recorded import Recorded, received_grades
from gateway.record.recorder import Recording, lock
from gateway.record.repeats import Inbox
from gateway.record.result import Result
from gateway.score.assess import Assessing
from gateway.score.scorer import Scorer
from gateway.store.base.engine import BadData, Connection, Database, DatabaseAway
from gateway.store.deliver import deliveries
from gateway.store.score.assessments import not_before_last
from gateway.telemetry.log import item_failed
from gateway.telemetry.metrics import Metrics
from schemas.base import today
from schemas.delivery import DeliveryState
from schemas.obligation import PastDelivery
from schemas.verdict import Verdict

#: Items checked between two awaits, so that heartbeats and deliveries go on.
SLICE = 150


class Pipeline:
    """What every batch needs; built once by `gateway.service.app`."""

    def __init__(  # noqa: PLR0913, PLR0917  what every step needs
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
        """Check and commit a batch; return one result for each item, in order.

        Raises:
            DatabaseAway: the present transaction was not committed; process the batch again.
        """
        return await self.commit(await self.check(batch))

    async def check(self, batch: Sequence[Raw]) -> list[Checked]:
        """Check the items, without the database; another batch may commit meanwhile.

        It never fails because of an item: a bug of ours refuses that item.
        """
        day = today(self.clock())
        checked: list[Checked] = []
        for start in range(0, len(batch), SLICE):
            checked += self._check(batch[start : start + SLICE], day)
            await asyncio.sleep(0)
        return checked

    def _check(self, raws: Sequence[Raw], day: date) -> list[Checked]:
        try:
            return self.checker.check_all(raws, day)
        except Exception as error:  # noqa: BLE001  a bug of ours refuses one item, never its batch
            if len(raws) == 1:
                return [_refused_by_bug(Checked(raws[0], Verdict.REFUSED, ()), "check", error)]
        # Outside the handler: inside it, the log of each item would include the error of the slice.
        return [one for raw in raws for one in self._check([raw], day)]

    async def commit(self, checked: Sequence[Checked]) -> list[Result]:
        """Record, score and decide the checked items, in one transaction that it opens.

        It locks the subjects of the batch. After an error that an item may have caused, it commits
        the halves one after the other; a faulty item goes to quarantine.

        Raises:
            DatabaseAway, BadConfiguration: the present transaction was not committed.
        """
        if not checked:
            return []

        async def work(connection: Connection) -> list[Result]:
            return await Batch(self, connection, checked).run()

        try:
            results = await self.database.run(work)
        except (DatabaseAway, BadConfiguration):
            raise
        except Exception as error:
            if len(checked) == 1 and checked[0].verdict is Verdict.REFUSED:
                raise  # the item is set aside already, so that it is not what fails
            fault = error
        else:
            self._count(checked, results)
            return results
        # Outside the handler: inside it, the log of each item would include the error of the batch.
        return await self._bisected(checked, fault)

    async def _bisected(self, checked: Sequence[Checked], fault: Exception) -> list[Result]:
        if len(checked) == 1:
            [item] = checked
            if isinstance(fault, BadData):
                return await self.commit([refused_by_database(item)])
            return await self.commit([_refused_by_bug(item, "commit", fault)])
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


def _refused_by_bug(item: Checked, step: str, fault: Exception) -> Checked:
    """Refuse the item, and log the fault under a reference that the clerk is told."""
    return refused_by_bug(item, item_failed(fault, origin=item.raw.origin, step=step))


class Batch:
    """One batch in one transaction: the steps in their order."""

    def __init__(
        self,
        pipeline: Pipeline,
        connection: Connection,
        checked: Sequence[Checked],
    ) -> None:
        self.pipeline = pipeline
        self.connection = connection
        self.checked = checked
        self.now = pipeline.clock()

    async def run(self) -> list[Result]:
        """Run every step; return the results in the order of the batch.

        The time is taken again under the locks of the subjects: another batch may have had them,
        on a host whose clock is ahead.
        """
        inbox = Inbox(self.connection, self.checked, self.now, self.pipeline.metrics)
        fresh = await inbox.unseen()
        accepted = [(i, self.checked[i]) for i in fresh if self.checked[i].key is not None]
        refused = {i: self.checked[i] for i in fresh if self.checked[i].key is None}
        locked = await lock(self.connection, accepted)
        ids = [subject.id for subject in locked.values()]
        self.now = await not_before_last(self.connection, ids, self.pipeline.clock())
        recording = Recording(self.connection, self.pipeline.keys, self.now)
        recorded = await recording.record(accepted, locked)
        changes = await self._score(recorded)
        await self._decide(recorded, changes)
        kept = await quarantine(self.connection, self.pipeline.keys, refused, self.now)
        return await inbox.close(fresh, recorded, kept)

    async def _score(self, recorded: Recorded) -> list[tuple[int, str]]:
        """Assess the subjects whose facts changed; return (grade change id, subject code)."""
        grades = received_grades(recorded)
        subject_ids = sorted(recorded.touched | {subject for subject, _ in grades})
        if not subject_ids:
            return []
        codes = {subject.id: subject for subject in recorded.subjects.values()}
        persons = {c.key.subject for c in self.checked if c.key and c.person}
        assessing = Assessing(
            self.pipeline.scorer, self.connection, self.now, self.pipeline.metrics
        )
        await assessing.last(subject_ids)
        await assessing.score([codes[id_] for id_ in sorted(recorded.touched)], persons)
        assessing.receive(grades)
        changes = await assessing.write()
        return [(change_id, codes[subject_id].code) for change_id, subject_id in changes]

    async def _decide(self, recorded: Recorded, changes: Sequence[tuple[int, str]]) -> None:
        decider = self.pipeline.decider
        new = {v.decision.id for v in recorded.latest.values() if v.decision.is_new}
        old = {v.decision_id for v in recorded.reported} - new
        past = await deliveries.past(self.connection, sorted(old)) if old else {}
        owed, superseded = decider.versions(recorded.reported, past, self.now)
        subjects = {s.code: s.id for s in recorded.subjects.values()}
        told = ((change_id, subjects[code], code) for change_id, code in changes)
        owed += decider.grade_changes(told, self.now)
        if superseded:
            await deliveries.supersede(self.connection, superseded)
        await deliveries.add(self.connection, owed, self.now)
        if freed := _freed(past, superseded):
            await deliveries.promote(self.connection, freed)


def _freed(
    past: Mapping[int, Sequence[PastDelivery]], superseded: Iterable[int]
) -> list[tuple[int, str]]:
    """Return the chains where a delivery waits behind one that is superseded now."""
    gone = set(superseded)
    return [
        (chain, destination)
        for chain, deliveries_ in past.items()
        for destination in {p.destination for p in deliveries_ if p.id in gone}
        if any(p.state is DeliveryState.WAITING for p in deliveries_)
    ]
