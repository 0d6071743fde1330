"""Months whose ledger a person holds back from being frozen by itself 暂缓冻结."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection


@dataclass(frozen=True, slots=True)
class LedgerHold:
    """Who holds a month back, since when, and why."""

    month: str
    held_by: str
    reason: str
    held_at: datetime


_HOLD = text(
    """
    insert into ledger_hold (month, held_by, reason, held_at)
    values (:month, :held_by, :reason, :held_at) on conflict (month) do nothing
    """
)
_RELEASE = text("delete from ledger_hold where month = :month")
_OF = text(
    """
    select month, held_by, reason, held_at from ledger_hold
    where month = any(cast(:months as text[]))
    """
)
#: What the gateway had before the end of the month; a younger one has nothing to say of it.
_BEGUN = text("select min(made_at) from key_ring")


async def hold(connection: Connection, held: LedgerHold) -> bool:
    """Hold a month back; return whether it was not held already."""
    values = {"month": held.month, "held_by": held.held_by, "reason": held.reason}
    return bool((await connection.execute(_HOLD, {**values, "held_at": held.held_at})).rowcount)


async def release(connection: Connection, month: str) -> bool:
    """Hold a month back no more; return whether it was held."""
    return bool((await connection.execute(_RELEASE, {"month": month})).rowcount)


async def of(connection: Connection, months: Sequence[str]) -> dict[str, LedgerHold]:
    """Return who holds which of these months back."""
    rows = await connection.execute(_OF, {"months": list(months)})
    return {row.month: LedgerHold(*row) for row in rows}


async def begun(connection: Connection) -> datetime | None:
    """Return when this installation began; None before its first start."""
    found: datetime | None = await connection.scalar(_BEGUN)
    return found
