"""What of a destination's deliveries waits to be called, and how long its calls took."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from schemas.delivery import OF_A_PERSON, DeliveryState, OpenDelivery

S = DeliveryState
#: Called without a person; what waits in a chain comes behind what it waits for.
_GOING = frozenset({S.READY, S.DEFERRED, S.WAITING, S.LEASED, S.UNKNOWN})
_OPEN_OF = """
    select id, due_at, greatest(next_at, :now) as not_before,
        lag(id) over (partition by item_kind, chain_id order by id) as behind
    from delivery where destination = :name and state in {states}
"""
_OPEN = text(_OPEN_OF.format(states=one_of(_GOING)))
#: Of what a person carries, an unknown outcome is in somebody's hands.
_TO_CARRY = text(_OPEN_OF.format(states=one_of(_GOING - {S.UNKNOWN})))
_IN_HANDS = text("select count(*) from delivery where destination = :name and state = 'unknown'")
_OF_PERSONS = text(
    f"""
    select state, count(*) from delivery
    where destination = :name and state in {one_of(OF_A_PERSON)} group by state
    """
)
_SECONDS = text(
    """
    select percentile_cont(0.5) within group (order by seconds) from (
        select extract(epoch from a.finished_at - a.started_at) as seconds
        from attempt a join delivery d on d.id = a.delivery_id
        where d.destination = :name and a.finished_at is not null and a.started_at > :since
        order by a.started_at desc limit 1000) as recent
    """
)


async def open_deliveries(connection: Connection, name: str, now: datetime) -> list[OpenDelivery]:
    """Return what waits to be called, or for what is."""
    rows = await connection.execute(_OPEN, {"name": name, "now": now})
    return [OpenDelivery(row.id, row.due_at, row.not_before or now, row.behind) for row in rows]


async def to_carry(
    connection: Connection, name: str, now: datetime
) -> tuple[list[OpenDelivery], int]:
    """Return what waits for a person to carry it, the earliest due first, and how much one has."""
    rows = await connection.execute(_TO_CARRY, {"name": name, "now": now})
    found = [OpenDelivery(row.id, row.due_at, row.not_before or now) for row in rows]
    in_hands: int = await connection.scalar(_IN_HANDS, {"name": name})
    return sorted(found, key=lambda one: (one.due_at, one.id)), in_hands


async def of_persons(connection: Connection, name: str) -> Mapping[DeliveryState, int]:
    """Return how many wait for a person, by state."""
    rows = await connection.execute(_OF_PERSONS, {"name": name})
    return Counter({DeliveryState(state): count for state, count in rows})


async def seconds_of_a_call(connection: Connection, name: str, now: datetime) -> float:
    """Return the median time of the recent calls; 0 if there is none of this week."""
    values = {"name": name, "since": now - timedelta(days=7)}
    return float(await connection.scalar(_SECONDS, values) or 0.0)
