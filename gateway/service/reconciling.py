"""Reconciliation as it is configured 对账: the daily one of each side, and the source registers."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from gateway.deliver.deliverer import Deliverer
from gateway.intake.access import options_of
from gateway.intake.files.reading import Reading
from gateway.intake.registers import (
    RegisterRows,
    Unread,
    of_file,
    of_query,
    of_topic,
)
from gateway.reconcile.daily import reconcile_daily
from gateway.reconcile.keep import Reconciled
from gateway.reconcile.pairing import Shown
from gateway.reconcile.run import ReconciledDays, reconcile_platform, reconcile_register
from gateway.service.app import Gateway, kafka_bootstrap
from schemas.kinds import REPORTED_KINDS
from schemas.register import Register


class Compared(NamedTuple):
    """A run of a register, and its rows that say no document number."""

    done: Reconciled
    unread: Unread


async def compare_register(
    gateway: Gateway, register: Register, span: ReconciledDays, now: datetime
) -> Compared:
    """Compare one register over a span of decision dates.

    Raises:
        RegisterUnread: it could not be read to its end; no difference is stored.
    """
    checker = gateway.pipeline.checker
    rows = RegisterRows(checker.normalise, checker.placeholders, now)
    done = await reconcile_register(
        gateway.database,
        gateway.reconcile_scope,
        register,
        _parts(gateway, register, rows, span),
        span,
        now,
    )
    return Compared(done, rows.unread)


async def _parts(
    gateway: Gateway, register: Register, rows: RegisterRows, span: ReconciledDays
) -> AsyncIterator[Sequence[Shown]]:
    settings = gateway.settings
    if register.file is not None:
        names = gateway.pipeline.checker.names
        reading = Reading(Path(register.file), settings.files, register.kind, names)
        async for part in of_file(rows, reading):
            yield part
    elif register.sql is not None:
        async for part in of_query(rows, register, span.first, span.end):
            yield part
    else:
        async with kafka_bootstrap(settings) as bootstrap:
            async for part in of_topic(rows, register, bootstrap, options_of(settings.kafka)):
                yield part


def daily_of(gateway: Gateway, deliverer: Deliverer) -> Callable[[], Awaitable[object]] | None:
    """Return the daily reconciliation of a destination, which only its owner does.

    It may be called at any time: it compares once a day. None: by hand only, or it takes no
    decisions.
    """
    at, destination = gateway.settings.reconcile.at, deliverer.destination
    if at is None or not destination.takes & REPORTED_KINDS:
        return None

    async def compare(span: ReconciledDays, now: datetime) -> Reconciled:
        scope, connector = gateway.reconcile_scope, deliverer.connector
        return await reconcile_platform(gateway.database, scope, destination, connector, span, now)

    async def work() -> None:
        if not deliverer.is_quiet and await deliverer.owns():
            await reconcile_daily(gateway.database, deliverer.name, at, gateway.clock, compare)

    return work


def daily_of_register(
    gateway: Gateway, register: Register
) -> Callable[[], Awaitable[object]] | None:
    """Return the daily reconciliation of a register; None: by hand."""
    at = gateway.settings.reconcile.at
    if at is None:
        return None

    async def compare(span: ReconciledDays, now: datetime) -> Reconciled:
        return (await compare_register(gateway, register, span, now)).done

    async def work() -> None:
        await reconcile_daily(gateway.database, register.name, at, gateway.clock, compare)

    return work
