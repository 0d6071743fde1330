"""The only scheduler: work that is due because time passes. Repeating any of it does no harm."""

from datetime import datetime

from gateway.audit.record import link_events
from gateway.config.clock import Clock
from gateway.schedule.breaches import mark_breaches, observe
from gateway.schedule.daily import SLICES, Daily
from gateway.schedule.each import each
from gateway.schedule.numbering import publish
from gateway.schedule.rescoring import Rescoring
from gateway.schedule.sweeper import sweep
from gateway.schedule.unheard import tell_unheard
from gateway.store.base.engine import Database
from gateway.telemetry.metrics import Metrics


class Schedule:
    """The scheduled work in its order; each kind is in its own file."""

    def __init__(
        self,
        database: Database,
        rescoring: Rescoring,
        daily: Daily,
        clock: Clock,
        metrics: Metrics,
    ) -> None:
        self.database = database
        self.rescoring = rescoring
        self.daily = daily
        self.clock = clock
        self.metrics = metrics

    async def tick(self) -> None:
        """Do everything that is due now; a part that fails hinders no other.

        Raises:
            DatabaseAway: what was not done yet is done by the next tick.
        """
        await self.prompt()
        await self.survey()

    async def prompt(self) -> None:
        """Do what somebody waits for; it costs nothing where there is nothing to do.

        Raises:
            DatabaseAway: what was not done yet is done by the next call.
        """
        now = self.clock()
        await each(lambda: self._rescore(now), lambda: publish(self.database))

    async def survey(self) -> None:
        """Look at all open deliveries, and do the work of the day.

        Raises:
            DatabaseAway: what was not done yet is done by the next call.
        """
        now = self.clock()
        await each(
            lambda: mark_breaches(self.database, now, self.metrics),
            lambda: sweep(self.database, now, self.metrics),
            lambda: tell_unheard(self.database, self.daily.decider, now),
            lambda: link_events(self.database),
            lambda: self.daily.run(now),
            lambda: observe(self.database, self.daily.decider.destinations, now, self.metrics),
        )

    async def _rescore(self, now: datetime) -> None:
        for _ in range(SLICES):
            if not (await self.rescoring.due(now) or await self.rescoring.activate(now)):
                break
