"""Look for hints of concealed decisions 瞒报线索, and keep what a person says of them."""

import asyncio
from datetime import date, datetime

from gateway.reconcile.concealment import NumberedDecision, holes, silences
from gateway.store.account import hints as store
from gateway.store.account.hints import StoredHint
from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import today
from schemas.codes import RecordKind


async def look(database: Database, now: datetime, *, every: bool = False) -> list[StoredHint]:
    """Look through the decisions of this year and the last; return the hints that are open.

    What was found before keeps the day of its first finding. With `every`, closed hints and those
    that nothing speaks for any more are returned too. A year has no end here: its last decisions
    come in the next one.
    """
    day = today(now)
    years = range(day.year - 1, day.year + 1)
    decided: list[NumberedDecision] = []
    async with database.snapshot() as connection:
        settled = await store.settled(connection)
        span = date(years[0], 1, 1), date(day.year + 1, 1, 1)
        async for part in store.decisions(connection, *span):
            decided += [
                NumberedDecision(row[0], RecordKind(row[1]), row[2], row[3]) for row in part
            ]
    found = await asyncio.to_thread(
        lambda: [*holes(decided, years, settled), *silences(decided, day)]
    )
    async with database.transaction() as connection:
        await store.keep(connection, found, now)
        return await store.listed(connection, every=every)


async def close(database: Database, id_: int, actor: str, reason: str, now: datetime) -> bool:
    """Close a hint for a reason, on the record; return whether it was open."""
    async with database.transaction() as connection:
        closed = await store.close(connection, id_, actor, reason, now)
        if closed:
            detail = {"hint": id_, "reason": reason}
            entry = events.AuditEntry(AuditEvent.HINT_CLOSED, detail, actor)
            await events.add(connection, [entry], now)
    return closed
