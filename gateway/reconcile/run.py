"""The reconcile step 对账: our records ↔ delivery states ↔ what the platform shows.

It says what differs, why and since when, and keeps it; it corrects nothing by itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from connectors.protocol import Connector
from gateway.check.values import parse_date
from gateway.config.keys import Keys, is_person
from gateway.due.deadline import parse_dues
from gateway.reconcile.compare import Comparison, Difference, Key, Ours, Shown
from gateway.store.account import differences as store
from gateway.store.account.differences import StoredDifference
from gateway.store.audit import events
from gateway.store.base.engine import Database
from gateway.telemetry.audit_events import AuditEvent
from schemas.base import SHANGHAI
from schemas.codes import RecordKind, Verb
from schemas.delivery import DeliveryState
from schemas.identifiers import credit_code_problem, fold
from schemas.kinds import KINDS, REPORTED_KINDS

_REPORTED = frozenset(kind.value for kind in REPORTED_KINDS)


@dataclass(frozen=True, slots=True)
class ReconciledDays:
    """The decision dates that a run is about: the first day in, the last day out."""

    first: date
    end: date


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One run: how much it looked at on each side, and what it found."""

    run_id: int
    destination: str
    ours: int
    shown: int
    differences: tuple[StoredDifference, ...]


async def run(
    database: Database,
    destination: str,
    connector: Connector,
    keys: Keys,
    span: ReconciledDays,
    now: datetime,
) -> Reconciled:
    """Compare one destination over a span, keep the run and give what it found.

    No transaction is open while the platform is asked. Where the platform shows no listing, only
    missing and late are found.

    Raises:
        ConnectorError: the listing could not be read to its end; nothing is kept.
    """
    async with database.transaction() as connection:
        rows = store.our_side(connection, destination, span.first, span.end)
        ours = [our_row(row) async for row in rows]
    comparison = Comparison(ours, now)
    visible = connector.limits.has_listing
    shown = await _listen(comparison, connector, keys, span) if visible else 0
    await _drop_others(comparison, database, span)
    found = await asyncio.to_thread(comparison.differences, visible=visible)
    return await _keep(
        database, Reconciled(0, destination, len(ours), shown, ()), found, keys.published, now
    )


async def _listen(
    comparison: Comparison, connector: Connector, keys: Keys, span: ReconciledDays
) -> int:
    """Read the listing from the first day on: nothing is shown before it is decided."""
    since = datetime.combine(span.first, time.min, SHANGHAI)
    ours = {code for _, _, code in comparison.pairs}
    shown = 0
    async for row in connector.listing(since):
        if row.record_kind in _REPORTED:
            code = row.subject_code  # mostly one of ours, and then it need not be looked at
            if code not in ours:
                code = subject_code(code, keys.person)
            comparison.see(
                Shown(row.record_kind, row.document_number, code, row.columns, row.shown_at)
            )
            shown += 1
    return shown


def subject_code(code: str, person: Callable[[str], str]) -> str:
    """The code under which we know a subject that a platform names; persons by their keyed hash.

    A masked number stays as it is: it identifies nobody, and is paired by the document number.
    """
    if is_person(code):
        return code
    folded = fold(code)
    if not folded or "*" in folded or credit_code_problem(folded) is None:
        return folded
    return person(folded)


def our_row(row: Any) -> Ours:
    """A decision as the store gives it → our side; its due is that of the strictest clock."""
    dues = [at for text in row.dues or () for at in parse_dues(text).values()]
    return Ours(
        decision_id=row.id,
        kind=row.kind,
        number_key=row.number_key,
        subject_code=row.code,
        person=row.person,
        authority=row.authority,
        columns=row.body,
        owed=row.owed,
        excluded=row.excluded,
        withdrawn_at=row.recorded_at if row.verb == Verb.WITHDRAW else None,
        repaired=row.verb == Verb.REPAIR,
        due=min(dues, default=None),
        state=DeliveryState(row.state) if row.state else None,
        handed_over_at=row.handed_over_at,
        accepted_at=row.accepted_at,
    )


async def _drop_others(comparison: Comparison, database: Database, span: ReconciledDays) -> None:
    """Rows of other dates are another run's; a decision of ours may also have come in meanwhile."""
    if not comparison.strangers:
        return
    async with database.transaction() as connection:
        known = await store.known(connection, [row.key for row in comparison.strangers])
    comparison.strangers = [
        row for row in comparison.strangers if row.key not in known and _within(row, span)
    ]


def _within(row: Shown, span: ReconciledDays) -> bool:
    column = KINDS[RecordKind(row.kind)].date_column
    day = parse_date(str(row.columns.get(column, "")).strip())
    return day is None or span.first <= day < span.end


async def _keep(
    database: Database,
    run: Reconciled,
    found: list[Difference],
    publish: Callable[[str], str],
    now: datetime,
) -> Reconciled:
    async with database.transaction() as connection:
        run_id, ids = await store.reserve(connection, len(found))
        rows = tuple(
            StoredDifference(
                id=ids.take(),
                run_id=run_id,
                destination=run.destination,
                kind=one.kind.value,
                decision_id=one.decision_id,
                key=key_text(one.key, publish),
                cause=one.cause,
                detail=one.detail,
                since=one.since,
                found_at=now,
            )
            for one in found
        )
        await store.save(connection, rows)
        detail = {
            "destination": run.destination,
            "run": run_id,
            "ours": run.ours,
            "shown": run.shown,
            "differences": len(rows),
        }
        await events.add(connection, [events.AuditEntry(AuditEvent.RECONCILED, detail)], now)
    return Reconciled(run_id, run.destination, run.ours, run.shown, rows)


def key_text(key: Key, publish: Callable[[str], str]) -> str:
    """A key for people; a person stands by pseudonym."""
    kind, number, code = key
    return f"{kind}|{number}|{publish(code) if is_person(code) else code}"
