"""The only scheduler: work that is due because time passes. Repeating any of it does no harm."""

from gateway.config.clock import Clock
from gateway.decide.decider import Decider
from gateway.schedule.breaches import mark_breaches, observe
from gateway.schedule.daily import SLICES, Daily
from gateway.schedule.numbering import publish
from gateway.schedule.rescoring import Rescoring
from gateway.schedule.sweeper import sweep
from gateway.store.base.engine import Database
from gateway.telemetry.metrics import Metrics


class Schedule:
    """The scheduled work in its order; each kind is in its own file."""

    def __init__(
        self,
        database: Database,
        rescoring: Rescoring,
        decider: Decider,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.database = database
        self.rescoring = rescoring
        self.daily = Daily(database, decider.clocks, decider.workdays)
        self.clock = clock
        self.metrics = metrics

    async def tick(self) -> None:
        """Do everything that is due now."""
        now = self.clock()
        await mark_breaches(self.database, now, self.metrics)
        for _ in range(SLICES):
            if not (await self.rescoring.due(now) or await self.rescoring.activate(now)):
                break
        await publish(self.database)
        await sweep(self.database, now, self.metrics)
        await self.daily.run(now)
        await observe(self.database, now, self.metrics)
