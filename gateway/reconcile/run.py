"""The reconcile step 对账: compare our records with what another side has.

The sides are the platforms and the source registers. A run stores the differences with cause and
start; it corrects nothing by itself. Where a listing shows what nobody answered for, that is kept
as the answer.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

from connectors.protocol import Connector
from gateway.config.keys import Keys
from gateway.reconcile.columns import EXACT, Tolerances
from gateway.reconcile.compare import Platform
from gateway.reconcile.difference import Difference
from gateway.reconcile.keep import Reconciled, keep, keep_proven
from gateway.reconcile.lasting import Examined
from gateway.reconcile.others import Others
from gateway.reconcile.our_rows import DefiniteDues, recognising, row_at_platform, row_with_entry
from gateway.reconcile.pairing import Pairing
from gateway.reconcile.pairs import Ours, Pair, Shown
from gateway.reconcile.register import RegisterUnread, SourceRegister
from gateway.store.account import differences, our_side, reconcile_runs
from gateway.store.account.reconcile_runs import Run
from gateway.store.base.engine import Connection, Database
from gateway.store.record import authorities
from schemas.base import start_of, today
from schemas.delivery import DeliveryState, Listed, ListingMark
from schemas.destination import AcceptedBy, Destination
from schemas.identifiers import authority_key
from schemas.kinds import KINDS
from schemas.obligation import DueTime
from schemas.register import Register

#: So many decisions may lack in a register whatever their share.
_FEW = 20
#: Rows of a listing that are paired before those of other dates are looked for.
_PART = 5_000


def month_before(day: date) -> date:
    """Return the first day of the month before: what is reconciled unless a person says more."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)


@dataclass(frozen=True, slots=True)
class ReconciledDays:
    """The decision dates of a run, from `first` to the day before `end`."""

    first: date
    end: date


def usual_span(now: datetime) -> ReconciledDays:
    """Return what is compared unless a person says more: last month, and this one until today."""
    day = today(now)
    return ReconciledDays(month_before(day), day + timedelta(days=1))


class Reach(NamedTuple):
    """What a run looks at before its own days: `older` decisions, and rows from `first` on.

    What differs still is looked at again, however old it is. The usual run also looks at what was
    recorded or handed over since the first of its days, which no run of its own days has seen;
    `read_from` is the day of the oldest of them. Between that and `first` nothing is said of rows
    that are none of ours: this installation may not have had these days.
    """

    first: date
    older: frozenset[int]
    read_from: date


async def reach_of(database: Database, run: Run) -> Reach:
    """Return what a run has to look at besides its days."""
    async with database.transaction() as connection:
        found = await differences.older(connection, run.side, run.first)
        moved: dict[int, date] = {}
        if usual_span(run.began_at) == ReconciledDays(run.first, run.end):
            moved = await our_side.moved(connection, run.first, start_of(run.first))
    first = min((day for _, day in found), default=run.first)
    older = {id_ for id_, _ in found if id_ is not None} | moved.keys()
    return Reach(first, frozenset(older), min((first, *moved.values())))


def _never_provisional(_clock: str, _day: date) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ReconcileScope:
    """What a run needs besides the side and the database.

    `entered_by` returns by when a decision of a day has to be here; None: no clock of entry.
    `is_provisional`: whether the end of a clock for a decision of a day is a lower bound only.
    """

    keys: Keys
    tolerances: Tolerances = EXACT
    entered_by: Callable[[date], DueTime] | None = None
    is_provisional: Callable[[str, date], bool] = _never_provisional


async def reconcile_platform(
    database: Database,
    scope: ReconcileScope,
    destination: Destination,
    connector: Connector,
    run: Run,
) -> Reconciled:
    """Compare one destination over the decision dates of a run, and store the differences.

    It opens its own transactions; none is open while the platform is called. Without a listing only
    missing and late decisions are found.

    Raises:
        ConnectorError: the listing could not be read to its end; no difference is stored.
    """
    now, reach = run.began_at, await reach_of(database, run)
    dues = DefiniteDues(scope.is_provisional)
    async with database.transaction() as connection:
        span = run.first, run.end, reach.older
        rows = our_side.our_side(connection, destination.name, *span)
        ours = [row_at_platform(row, dues, destination) async for row in rows]
    pairing = Pairing(ours, scope.tolerances)

    async def of_ids(connection: Connection, ids: Set[int]) -> list[Ours]:
        found = await our_side.of_ids(connection, destination.name, ids)
        return [row_at_platform(row, dues, destination) for row in found]

    others = Others(database, pairing, run, reach.first, of_ids)
    shown, complete_until = None, None
    if connector.limits.has_listing:
        listing = connector.listing(start_of(reach.read_from))
        shown, complete_until = await _listen(others, listing, scope.keys, now)
    await others.drop()
    by_listing = destination.accepted_by is AcceptedBy.LISTING
    judge = Platform(now, complete_until, destination.shown_within, by_listing=by_listing)
    found = await asyncio.to_thread(judge.differences, pairing)
    proven = await asyncio.to_thread(lambda: [pair for pair in pairing if judge.proven(pair)])
    await keep_proven(database, destination.name, proven, now)
    blind = sum(one.report_state is DeliveryState.ACCEPTED_BLIND for one in ours)
    ended = replace(
        run,
        finished_at=now,
        ours=len(ours),
        shown=shown,
        complete_until=complete_until,
        unproven=blind - len(proven),
        counts=pairing.counts() if shown is not None else (),
    )
    examined = judge.examined(pairing, reach.first, run.end)
    return await keep(database, ended, found, examined, scope.keys)


async def reconcile_register(  # noqa: PLR0913, PLR0917  one for each thing that a run needs
    database: Database,
    scope: ReconcileScope,
    register: Register,
    rows: Callable[[date], AsyncIterator[Sequence[Shown]]],
    unread: Callable[[], int],
    complete_until: datetime,
    run: Run,
) -> Reconciled:
    """Compare one source register over the decision dates of a run, and store the differences.

    `rows` returns those from a day on; `unread`, once all are read, how many of them say no
    document number.

    Raises:
        RegisterUnread: the register could not be read to its end; no difference is stored.
    """
    now, reach = run.began_at, await reach_of(database, run)
    async with database.transaction() as connection:
        aliases = await authorities.names_of_aliases(connection)
        whose = {aliases.get(name, name) for name in map(authority_key, register.authorities)}
        found = our_side.entered(connection, run.first, run.end, reach.older)
        ours = [row_with_entry(row) async for row in found if not whose or row.authority in whose]
    pairing = Pairing(ours, scope.tolerances)
    pair_row = recognising(pairing, scope.keys)

    async def of_ids(connection: Connection, ids: Set[int]) -> list[Ours]:
        rows = map(row_with_entry, await our_side.entered_of_ids(connection, ids))
        return [row for row in rows if not whose or row.authority in whose]

    others = Others(database, pairing, run, reach.first, of_ids)
    shown, kinds = 0, set[str]()
    async for part in rows(reach.read_from):
        for row in part:
            pair_row(row)
            kinds.add(row.kind)
        await others.adopt()
        shown += len(part)
    await others.drop()
    complete_until = min(complete_until, now)
    judge = SourceRegister(
        now,
        complete_until,
        register.settle,
        scope.entered_by,
        is_whole=not unread() and not register.partial,
        kinds=kinds,
    )
    differing = await asyncio.to_thread(judge.differences, pairing)
    # Only now: rows without a code are paired by their number, when all have been seen.
    own = [pair for pair in pairing if pair.ours.day >= run.first]
    _require_whole(register, own, kinds, shown, unread())
    ended = replace(
        run,
        finished_at=now,
        ours=len(ours),
        shown=shown,
        complete_until=complete_until,
        counts=pairing.counts(),
        unread=unread(),
    )
    # A register may have its last months only: what is older and not in it stands as it was.
    examined = judge.examined(pairing, run.first, run.end)
    unseen = {
        pair.ours.decision_id for pair in pairing if pair.times == 0 and pair.ours.day < run.first
    }
    left = _without(differing, examined, unseen)
    return await keep(database, ended, *left, scope.keys)


def _without(
    found: Iterable[Difference], examined: Examined, unseen: Set[int]
) -> tuple[list[Difference], Examined]:
    """Return what a run has seen and found without these decisions."""
    left = [one for one in found if one.decision_id not in unseen]
    return left, replace(examined, decisions=examined.decisions - unseen)


def _require_whole(
    register: Register, own: Sequence[Pair], kinds: Set[str], shown: int, unread: int
) -> None:
    """Refuse what cannot be the whole register: all that it lacks would count as too much of ours.

    It says nothing of decisions of other kinds than its own `kinds`.

    Raises:
        RegisterUnread: it has no row that can be compared, or a small part of our decisions.
    """
    if own and not shown:
        what = (
            f"{unread} 行都没有文书号：检查列名" if unread else "一行也没有：检查文件、查询或主题"
        )
        raise RegisterUnread(f"登记里{what}；没有比较")
    asked = [pair for pair in own if pair.ours.kind in kinds]
    lacking = sum(pair.times == 0 for pair in asked)
    if not register.partial and lacking > max(_FEW, len(asked) // 2):
        raise RegisterUnread(
            f"登记只有 {shown} 行，本系统的 {len(asked)} 条里有 {lacking} 条它没有，"
            "像是只导出了一部分；"
            "用 --since、--until 限定日期，或在配置里写 partial: true（不据此说多报）"
        )


async def _listen(
    others: Others, listing: AsyncIterator[Listed | ListingMark], keys: Keys, now: datetime
) -> tuple[int, datetime]:
    """Read a listing; return the number of its rows, and up to when it is complete."""
    pair_row = recognising(others.pairing, keys)
    shown, complete_until = 0, now
    async for row in listing:
        if isinstance(row, ListingMark):
            complete_until = min(row.complete_until, now)
        elif row.record_kind in KINDS.reported:
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
            if shown % _PART == 0:
                await others.adopt()
    await others.adopt()
    return shown, complete_until


async def begin(database: Database, side: str, span: ReconciledDays, now: datetime) -> Run:
    """Note that a run begins, and return it."""
    async with database.transaction() as connection:
        return await reconcile_runs.begin(connection, Run(0, side, span.first, span.end, now))
