"""What the last reconciliations say of a month 对账: each platform's listing, each register."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime

from gateway.ledger.figures import headline_of
from gateway.ledger.quality import SideFigures
from gateway.ledger.rows import LedgerScope
from gateway.store.account import differences, reconcile_runs
from gateway.store.account.differences import RegisterGaps
from gateway.store.base.engine import Connection


async def sides_between(
    connection: Connection, scope: LedgerScope, first: date, end: date
) -> tuple[SideFigures, ...]:
    """Return what the last comparison of each side over a month found in it."""
    faults = await differences.faults(connection, first, end)
    platforms = {one.name for one in scope.destinations}
    registers = [name for name in scope.sides if name not in platforms]
    headline = headline_of(scope.destinations)
    kinds = [kind for one in scope.destinations if one.name == headline for kind in one.takes]
    gaps = await differences.register_gaps(connection, registers, headline, kinds, (first, end))
    month = f"{first:%Y-%m}"
    found = []
    for run in await reconcile_runs.last_runs(connection, first, end):
        title = scope.sides.get(run.side)
        if title is None:
            continue  # it is not configured any more
        gap = gaps.get(run.side, RegisterGaps(0, 0))
        by_authority = {(kind, who): n for one, kind, who, n in run.counts if one == month}
        found.append(
            SideFigures(
                side=run.side,
                title=title,
                is_register=run.side in registers,
                shown=None if run.shown is None else sum(by_authority.values()),
                compared_at=run.complete_until or run.began_at,
                faults=faults.get(run.side, {}),
                by_authority=by_authority,
                never_came=gap.never_came,
                withdrawn_reported=gap.withdrawn_reported,
            )
        )
    return tuple(found)


def listed_by(
    sides: Iterable[SideFigures], headline: str | None, last_accepted: datetime | None
) -> Mapping[tuple[str, str], int] | None:
    """Return what the headline platform shows by kind and authority.

    None if nobody can read it, or if it was read before the last decision of the month got there.
    """
    for one in sides:
        if one.side == headline and one.shown is not None:
            is_whole = last_accepted is None or last_accepted <= one.compared_at
            return one.by_authority if is_whole else None
    return None
