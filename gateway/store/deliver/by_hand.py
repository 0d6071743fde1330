"""What a person says of deliveries: parked, withdrawn, or what became of an unknown outcome."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from gateway.store.deliver.chains import supersede_overtaken
from gateway.store.deliver.deliveries import lock, promote
from schemas.delivery import HANDED_OVER, PARKABLE, WITHDRAWABLE, DeliveryState
from schemas.identifiers import masked

S = DeliveryState

_SUBJECTS = text(
    """
    select id, subject_id, chain_id, destination from delivery
    where id = any(cast(:ids as bigint[]))
    """
)
_CHANGE = """
    update delivery set state = '{state}', reasons = cast(:reasons as jsonb), next_at = null{more}
    where id = any(cast(:ids as bigint[])) and state in {states}
      and state = coalesce(cast(:among as text), state) returning id
"""
_PARK_BY_HAND = text(
    _CHANGE.format(
        state=S.PARKED,
        more=f", maybe_arrived = maybe_arrived or state in {one_of(HANDED_OVER)}",
        states=one_of(PARKABLE),
    )
)
_WITHDRAW_BY_HAND = text(_CHANGE.format(state=S.WITHDRAWN, more="", states=one_of(WITHDRAWABLE)))
_ARRIVED_BY_HAND = text(
    _CHANGE.format(
        state=S.ACCEPTED_BLIND,
        more=", submitted_at = coalesce(submitted_at, :now)",
        states=f"{one_of({S.UNKNOWN, S.PARKED})} and (maybe_arrived or state = 'unknown')",
    )
)
_ABSENT_BY_HAND = text(
    _CHANGE.format(state=S.READY, more=", maybe_arrived = false", states=one_of({S.UNKNOWN}))
)


@dataclass(frozen=True, slots=True)
class Order:
    """The state that a person puts deliveries into, and the reason that the audit keeps."""

    state: DeliveryState
    reason: str


_STATEMENTS = {
    S.PARKED: _PARK_BY_HAND,
    S.WITHDRAWN: _WITHDRAW_BY_HAND,
    S.ACCEPTED_BLIND: _ARRIVED_BY_HAND,
    S.READY: _ABSENT_BY_HAND,
}


async def change(
    connection: Connection,
    ids: Sequence[int],
    order: Order,
    now: datetime,
    among: DeliveryState | None = None,
) -> set[int]:
    """Change deliveries as a person says, where their state allows it; return which changed.

    With `among` only those that still have this state, since the person chose them by it. It locks
    their subjects, and makes the next deliveries of their chains ready.
    """
    rows = list(await connection.execute(_SUBJECTS, {"ids": list(ids)}))
    await lock(connection, {row.subject_id for row in rows})
    reasons = orjson.dumps([masked(order.reason)]).decode()
    values = {"ids": list(ids), "reasons": reasons, "now": now, "among": among}
    changed = set(await connection.scalars(_STATEMENTS[order.state], values))
    if changed:
        await supersede_overtaken(connection, sorted(changed))
        await promote(connection, [(r.chain_id, r.destination) for r in rows if r.id in changed])
    return changed
