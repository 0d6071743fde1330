"""The reconcile step 对账: compare our records and deliveries with what the platform shows.

It stores the differences with cause and start; it corrects nothing by itself.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache
from sys import intern
from typing import Any

from connectors.protocol import Connector
from gateway.check.dates import parse_date
from gateway.config.keys import Keys, is_person
from gateway.due.deadline import parse_dues
from gateway.reconcile.compare import Difference, Key, Ours, Reconciling, Shown
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


def month_before(day: date) -> date:
    """Return the first day of the month before: what is reconciled unless a person says more."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class ReconciledDays:
    """The decision dates of a run, from `first` to the day before `end`."""

    first: date
    end: date


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One run: the number of decisions and rows compared, and the differences."""

    run_id: int
    destination: str
    ours: int
    shown: int | None  #: None: the platform has no listing
    differences: tuple[StoredDifference, ...]


async def run(
    database: Database,
    destination: str,
    connector: Connector,
    keys: Keys,
    span: ReconciledDays,
    now: datetime,
) -> Reconciled:
    """Compare one destination over a span of decision dates, and store the differences.

    It opens its own transactions; none is open while the platform is called. Without a listing only
    missing and late decisions are found.

    Raises:
        ConnectorError: the listing could not be read to its end; nothing is stored.
    """
    async with database.transaction() as connection:
        rows = store.our_side(connection, destination, span.first, span.end)
        ours = [our_row(row) async for row in rows]
    comparison = Reconciling(ours, now)
    visible = connector.limits.has_listing
    shown = await _listen(comparison, connector, keys, span) if visible else None
    await _drop_others(comparison, database, span)
    found = await asyncio.to_thread(comparison.differences, visible=visible)
    return await _keep(
        database, Reconciled(0, destination, len(ours), shown, ()), found, keys.published, now
    )


async def _listen(
    comparison: Reconciling, connector: Connector, keys: Keys, span: ReconciledDays
) -> int:
    """Read the listing from the first decision date on, and return the number of its rows."""
    since = datetime.combine(span.first, time.min, SHANGHAI)
    ours = {code for _, _, code in comparison.pairs}
    persons = [code for code in ours if is_person(code)]
    by_pseudonym = {name: code for code in persons for name in keys.ever_published(code)}
    shown = 0
    async for row in connector.listing(since):
        if row.record_kind in _REPORTED:
            code = row.subject_code  # usually known, so that most rows skip the hash
            if code not in ours:
                code = by_pseudonym.get(code) or subject_code(code, keys.person)
            comparison.see(
                Shown(row.record_kind, row.document_number, code, row.columns, row.shown_at)
            )
            shown += 1
    return shown


def subject_code(code: str, person: Callable[[str], str]) -> str:
    """Return our code of a subject shown by a platform; for a natural person, the keyed hash.

    A masked number stays as it is: it identifies nobody and is paired by the document number.
    """
    if is_person(code):
        return code
    folded = fold(code)
    if not folded or "*" in folded or credit_code_problem(folded) is None:
        return folded
    return person(folded)


def our_row(row: Any) -> Ours:
    """Turn a row of the store into our side; `due` is the earliest of all clocks."""
    return Ours(
        decision_id=row.id,
        kind=intern(row.kind),  # what many have is kept once
        number_key=row.number_key,
        subject_code=intern(row.code),
        person=row.person,
        authority=intern(row.authority),
        columns=row.body,
        owed=row.owed,
        excluded=row.excluded,
        withdrawn_at=row.recorded_at if row.verb == Verb.WITHDRAW else None,
        repaired=row.verb == Verb.REPAIR,
        due=_earliest(tuple(row.dues or ())),
        state=DeliveryState(row.state) if row.state else None,
        handed_over_at=row.handed_over_at,
        accepted_at=row.accepted_at,
    )


@lru_cache(maxsize=4096)
def _earliest(dues: tuple[str, ...]) -> datetime | None:
    """Return the earliest due time of all clocks; decisions of one day have the same."""
    return min((at for text in dues for at in parse_dues(text).values()), default=None)


async def _drop_others(comparison: Reconciling, database: Database, span: ReconciledDays) -> None:
    """Drop unpaired rows of other dates, and those of decisions that came during the run."""
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
    """Return a key for display, with a pseudonym for a natural person."""
    kind, number, code = key
    return f"{kind}|{number}|{publish(code) if is_person(code) else code}"
