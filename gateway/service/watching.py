"""The gauges of what goes wrong slowly: the month, the database, the disk, what expires."""

import asyncio
from datetime import datetime

from gateway.ledger.month import days_of
from gateway.ledger.monthly import standings
from gateway.service.app import Gateway
from gateway.service.certificates import certificates
from gateway.service.machine import free_part
from gateway.store.account import differences
from gateway.store.account.month_counts import month_counts
from gateway.store.audit import chain
from gateway.store.base.condition import condition
from gateway.store.deliver import mass_changes
from gateway.store.record import quarantine
from gateway.telemetry.log import LogEvent, logger
from schemas.base import today


class Watching:
    """What sets these gauges of an installation; one process of it is enough."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.metrics = gateway.metrics

    async def look(self) -> None:
        """Set the gauges that cost little."""
        built, now = self.gateway, self.gateway.clock()
        async with built.database.transaction() as connection:
            found = await condition(connection)
            waiting = await quarantine.count_open(connection)
            by_side = await differences.open_by_side(connection)
            months = await standings(connection, built.settings.ledger, now)
            unlinked, _ = await chain.waiting(connection)
            changes = await mass_changes.waiting(connection)
        self.metrics.audit_unlinked.set(unlinked)
        for one in built.settings.destinations:
            self.metrics.mass_changes.labels(one.name).set(changes.get(one.name, 0))
        self.metrics.longest_transaction.set(found.longest_seconds)
        self.metrics.xmin_age.set(found.xmin_age)
        self.metrics.dead_deliveries.set(found.dead_deliveries)
        self.metrics.quarantine_open.set(waiting)
        self.metrics.ledger_late.set(any(month.is_late(today(now)) for month in months))
        self.metrics.ledgers_changed.set(sum(month.changed is not None for month in months))
        self.metrics.calendar_lacking.set(built.workdays.lacking(today(now)) is not None)
        for side in {*by_side, *built.ledger_scope.sides}:
            self.metrics.differences_open.labels(side).set(by_side.get(side, 0))
        self.metrics.disk_free.set(await asyncio.to_thread(free_part, built.settings.state))
        for name, end in await asyncio.to_thread(certificates, built.settings):
            if isinstance(end, datetime):
                self.metrics.certificate_expires.labels(name).set(end.timestamp())
            else:
                extra = {"file": name, "error": end}
                logger.warning(LogEvent.CERTIFICATE_UNREAD, extra=extra)

    async def count_month(self) -> None:
        """Set the gauges of this month so far, which read its deliveries."""
        first, end = days_of(f"{today(self.gateway.clock()):%Y-%m}")
        async with self.gateway.database.transaction() as connection:
            counts = await month_counts(connection, first, end)
        self.metrics.month_decisions.clear()
        for one in counts:
            told = {
                "in_scope": one.in_scope,
                "handed_over": one.handed_over,
                "accepted": one.accepted,
                "timely": one.timely,
            }
            for name, count in told.items():
                self.metrics.month_decisions.labels(one.destination, one.clock, name).set(count)
