"""The reconcile step 对账: compare our records with what another side has.

The sides are the platforms and the source registers. A run stores the differences with cause and
start; it corrects nothing by itself. Where a listing shows what nobody answered for, that is kept
as the answer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from connectors.protocol import Connector
from gateway.config.keys import Keys
from gateway.reconcile.columns import EXACT, Tolerances
from gateway.reconcile.compare import Platform
from gateway.reconcile.keep import Reconciled, keep, keep_proven
from gateway.reconcile.our_rows import recognising, row_at_platform, row_with_entry
from gateway.reconcile.pairing import Pairing, Shown
from gateway.reconcile.register import SourceRegister
from gateway.store.account import our_side, reconcile_runs
from gateway.store.account.reconcile_runs import Run
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from schemas.delivery import DeliveryState, Listed, ListingMark
from schemas.destination import Destination
from schemas.identifiers import authority_key
from schemas.kinds import REPORTED_KINDS
from schemas.register import Register

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
class ReconcileScope:
    """What a run needs besides the side and the database.

    `entered_by` returns by when a decision of a day has to be here; None: no clock of entry.
    """

    keys: Keys
    tolerances: Tolerances = EXACT
    entered_by: Callable[[date], datetime] | None = None


async def reconcile_platform(
    database: Database,
    scope: ReconcileScope,
    destination: Destination,
    connector: Connector,
    span: ReconciledDays,
    now: datetime,
) -> Reconciled:
    """Compare one destination over a span of decision dates, and store the differences.

    It opens its own transactions; none is open while the platform is called. Without a listing only
    missing and late decisions are found.

    Raises:
        ConnectorError: the listing could not be read to its end; no difference is stored.
    """
    run = await _begin(database, destination.name, span, now)
    async with database.transaction() as connection:
        rows = our_side.our_side(connection, destination.name, span.first, span.end)
        ours = [row_at_platform(row) async for row in rows]
    pairing = Pairing(ours, scope.tolerances)
    shown, complete_until = None, None
    if connector.limits.has_listing:
        since = datetime.combine(span.first, time.min, SHANGHAI)
        shown, complete_until = await _listen(pairing, connector.listing(since), scope.keys, now)
    await _drop_others(pairing, database, span)
    judge = Platform(now, complete_until, destination.shown_within)
    found = await asyncio.to_thread(judge.differences, pairing)
    proven = [pair for pair in pairing if judge.proven(pair)]
    await keep_proven(database, destination.name, proven, now)
    blind = sum(one.state is DeliveryState.ACCEPTED_BLIND for one in ours)
    ended = replace(
        run,
        finished_at=now,
        ours=len(ours),
        shown=shown,
        complete_until=complete_until,
        unproven=blind - len(proven),
        counts=pairing.counts() if shown is not None else (),
    )
    return await keep(database, ended, found, scope.keys.published)


async def reconcile_register(
    database: Database,
    scope: ReconcileScope,
    register: Register,
    rows: AsyncIterator[Sequence[Shown]],
    span: ReconciledDays,
    now: datetime,
) -> Reconciled:
    """Compare one source register over a span of decision dates, and store the differences.

    Raises:
        RegisterUnread: the register could not be read to its end; no difference is stored.
    """
    run = await _begin(database, register.name, span, now)
    whose = {authority_key(name) for name in register.authorities}
    async with database.transaction() as connection:
        found = our_side.entered(connection, span.first, span.end)
        ours = [row_with_entry(row) async for row in found]
    pairing = Pairing(
        (one for one in ours if not whose or one.authority in whose), scope.tolerances
    )
    pair_row = recognising(pairing, scope.keys)
    shown = 0
    async for part in rows:
        for row in part:
            pair_row(row)
            shown += 1
    await _drop_others(pairing, database, span)
    judge = SourceRegister(now, now, register.settle, scope.entered_by)
    differences = await asyncio.to_thread(judge.differences, pairing)
    compared = sum(1 for _ in pairing)
    ended = replace(
        run,
        finished_at=now,
        ours=compared,
        shown=shown,
        complete_until=now,
        counts=pairing.counts(),
    )
    return await keep(database, ended, differences, scope.keys.published)


async def _listen(
    pairing: Pairing, listing: AsyncIterator[Listed | ListingMark], keys: Keys, now: datetime
) -> tuple[int, datetime]:
    """Read a listing; return the number of its rows, and up to when it is complete."""
    pair_row = recognising(pairing, keys)
    shown, complete_until = 0, now
    async for row in listing:
        if isinstance(row, ListingMark):
            complete_until = min(row.complete_until, now)
        elif row.record_kind in _REPORTED:
            pair_row(
                Shown(
                    row.record_kind,
                    row.document_number,
                    row.subject_code,
                    row.columns,
                    row.shown_at,
                )
            )
            shown += 1
    return shown, complete_until


async def _drop_others(pairing: Pairing, database: Database, span: ReconciledDays) -> None:
    """Drop unpaired rows of other dates, and those of decisions that came during the run."""
    if not pairing.strangers:
        return
    async with database.transaction() as connection:
        known = await our_side.known(connection, [row.key for row in pairing.strangers])
    pairing.strangers = [
        row for row in pairing.strangers if row.key not in known and _within(row.day, span)
    ]


def _within(day: date | None, span: ReconciledDays) -> bool:
    return day is None or span.first <= day < span.end


async def _begin(database: Database, side: str, span: ReconciledDays, now: datetime) -> Run:
    async with database.transaction() as connection:
        id_ = await reconcile_runs.begin(connection, side, span.first, span.end, now)
    return Run(id_, side, span.first, span.end, now)
