"""Reconciliation as it is configured 对账: the daily one of each side, and the source registers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
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
from gateway.reconcile.pairs import Shown
from gateway.reconcile.run import reconcile_platform, reconcile_register
from gateway.service.app import Gateway
from gateway.service.servers import kafka_bootstrap
from gateway.store.account.reconcile_runs import Run
from schemas.kinds import KINDS
from schemas.register import Register


class Compared(NamedTuple):
    """A run of a register, and its rows that say no document number."""

    done: Reconciled
    unread: Unread


async def compare_register(gateway: Gateway, register: Register, run: Run) -> Compared:
    """Compare one register over the decision dates of a run.

    Raises:
        RegisterUnread: it could not be read to its end; no difference is stored.
    """
    checker = gateway.pipeline.checker
    rows = RegisterRows(checker.normalise, checker.placeholders, run.began_at)
    done = await reconcile_register(
        gateway.database,
        gateway.reconcile_scope,
        register,
        lambda first: _parts(gateway, register, rows, replace(run, first=first)),
        lambda: rows.unread.count,
        await asyncio.to_thread(_complete_until, register, run.began_at),
        run,
    )
    return Compared(done, rows.unread)


def _complete_until(register: Register, now: datetime) -> datetime:
    """Return up to when a register is complete: a file, when it was written last."""
    if register.file is not None:
        with suppress(OSError):
            return datetime.fromtimestamp(Path(register.file).stat().st_mtime, UTC)
    return now


async def _parts(
    gateway: Gateway, register: Register, rows: RegisterRows, run: Run
) -> AsyncIterator[Sequence[Shown]]:
    settings = gateway.settings
    if register.file is not None:
        names = gateway.pipeline.checker.names
        reading = Reading(Path(register.file), settings.files, register.kind, names)
        async for part in of_file(rows, reading):
            yield part
    elif register.sql is not None:
        async for part in of_query(rows, register, run.first, run.end):
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
    if at is None or not destination.takes & KINDS.reported:
        return None

    async def compare(run: Run) -> Reconciled:
        scope, connector = gateway.reconcile_scope, deliverer.connector
        return await reconcile_platform(gateway.database, scope, destination, connector, run)

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

    async def compare(run: Run) -> Reconciled:
        return (await compare_register(gateway, register, run)).done

    async def work() -> None:
        await reconcile_daily(gateway.database, register.name, at, gateway.clock, compare)

    return work
