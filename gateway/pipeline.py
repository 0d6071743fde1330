"""The way in. Read this first: check → record → score → decide → deliveries, one transaction.

Kafka batches, uploaded files and POSTs all call `Pipeline.process` with raw items and get one
result for each. A batch of n items costs a constant number of statements. After an error that an
item may have caused, the batch is halved until the faulty item is alone and goes to quarantine; an
outage never quarantines.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from gateway.batch import Batch, Steps
from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.check.raw import Raw
from gateway.config.clock import Clock
from gateway.config.errors import BadConfiguration
from gateway.config.keys import Keys
from gateway.decide.decider import Decider
from gateway.record.quarantine import refused_by_bug, refused_by_database
from gateway.record.result import Result
from gateway.score.scorer import Scorer
from gateway.store.base.engine import BadData, Connection, Database, DatabaseAway
from gateway.store.base.steadiness import CutByData, TooMuchAtOnce, run_steadily
from gateway.telemetry.log import item_failed
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.tracing import tracing
from schemas.base import today
from schemas.verdict import Verdict
from scoring.consequences.publicity import PublicityPolicy

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
        regimes: Sequence[PublicityPolicy],
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.database = database
        self.checker = checker
        self.clock = clock
        self.metrics = metrics
        self._steps = Steps(scorer, decider, keys, regimes, clock, metrics)

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
            return await Batch(self._steps, connection, checked).run()

        begun = tracing.now()
        try:
            results = await run_steadily(self.database, work)
        except Exception as error:
            if not _may_be_of_an_item(error, checked):
                if isinstance(error, CutByData):
                    raise DatabaseAway(str(error)) from error
                raise
            fault = error
        else:
            self._count(checked, results)
            made = (one.record_version_id for one in results if not one.repeat)
            tracing.batch(begun, len(results), (id_ for id_ in made if id_ is not None))
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


def _may_be_of_an_item(error: Exception, checked: Sequence[Checked]) -> bool:
    """Whether halving may end an error: not an outage, nor an item that is set aside already."""
    if isinstance(error, TooMuchAtOnce):
        return len(checked) > 1
    if isinstance(error, DatabaseAway | BadConfiguration):
        return False
    return len(checked) > 1 or checked[0].verdict is not Verdict.REFUSED


def _refused_by_bug(item: Checked, step: str, fault: Exception) -> Checked:
    """Refuse the item, and log the fault under a reference that the clerk is told."""
    return refused_by_bug(item, item_failed(fault, origin=item.raw.origin, step=step))
