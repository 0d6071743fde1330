"""Compare the source registers 案件登记 as they are configured: files, queries and topics."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from gateway.intake.files.reading import Reading
from gateway.intake.kafka import options_of
from gateway.intake.registers import (
    RegisterRows,
    Unread,
    of_file,
    of_query,
    of_topic,
)
from gateway.reconcile.keep import Reconciled
from gateway.reconcile.pairing import Shown
from gateway.reconcile.run import ReconciledDays, reconcile_register
from gateway.service.app import Gateway, kafka_bootstrap
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
            yield await of_topic(rows, register, bootstrap, options_of(settings.kafka))
