"""What a person says of deliveries: parked, withdrawn, or what became of an unknown outcome."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from gateway.store.deliver.chains import supersede_overtaken
from gateway.store.deliver.deliveries import lock, promote
from schemas.delivery import PARKABLE, WITHDRAWABLE, DeliveryState

S = DeliveryState

_SUBJECTS = text(
    """
    select id, subject_id, chain_id, destination from delivery
    where id = any(cast(:ids as bigint[]))
    """
)
_PARK = f"""
    update delivery set state = 'parked', reasons = cast(:reasons as jsonb), next_at = null
    where id = any(cast(:ids as bigint[])) and state in {one_of(PARKABLE)} returning id
"""
_WITHDRAW = f"""
    update delivery set state = 'withdrawn', reasons = cast(:reasons as jsonb), next_at = null
    where id = any(cast(:ids as bigint[])) and state in {one_of(WITHDRAWABLE)} returning id
"""
_ARRIVED = """
    update delivery set state = 'accepted_blind', reasons = cast(:reasons as jsonb),
        next_at = null, submitted_at = coalesce(submitted_at, now())
    where id = any(cast(:ids as bigint[])) and state = 'unknown' returning id
"""
_ABSENT = """
    update delivery set state = 'ready', reasons = cast(:reasons as jsonb), next_at = null,
        maybe_arrived = false
    where id = any(cast(:ids as bigint[])) and state = 'unknown' returning id
"""
_PARK_BY_HAND, _WITHDRAW_BY_HAND = text(_PARK), text(_WITHDRAW)
_ARRIVED_BY_HAND, _ABSENT_BY_HAND = text(_ARRIVED), text(_ABSENT)


@dataclass(frozen=True, slots=True)
class Word:
    """What is said of the deliveries, and why."""

    state: DeliveryState
    reason: str


_STATEMENTS = {
    S.PARKED: _PARK_BY_HAND,
    S.WITHDRAWN: _WITHDRAW_BY_HAND,
    S.ACCEPTED_BLIND: _ARRIVED_BY_HAND,
    S.READY: _ABSENT_BY_HAND,
}


async def change(connection: Connection, ids: Sequence[int], word: Word) -> set[int]:
    """Change deliveries as a person says, where their state allows it; return which changed.

    It locks their subjects, and makes the next deliveries of their chains ready.
    """
    rows = list(await connection.execute(_SUBJECTS, {"ids": list(ids)}))
    await lock(connection, {row.subject_id for row in rows})
    values = {"ids": list(ids), "reasons": orjson.dumps([word.reason]).decode()}
    changed = set(await connection.scalars(_STATEMENTS[word.state], values))
    if changed:
        await supersede_overtaken(connection, sorted(changed))
        await promote(connection, [(r.chain_id, r.destination) for r in rows if r.id in changed])
    return changed
