"""Deliveries that a destination took and never said anything of 送达后无回执."""

from datetime import datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from schemas.delivery import OVER

#: The last one that the destination has of its decision, and not looked up since it has it. A
#: look-up that finds nothing new leaves it submitted: then a person has to act.
_ASK = text(
    f"""
    update delivery set state = 'unknown', next_at = :now, maybe_arrived = true,
        look_after = clock_timestamp()
    where id in (
        select d.id from delivery d
        where d.destination = :destination and d.state = 'submitted' and d.submitted_at <= :before
          and not exists (select from delivery l where l.chain_id = d.chain_id
              and l.destination = d.destination and l.id > d.id
              and l.state not in {one_of(OVER)})
          and not exists (select from attempt a where a.delivery_id = d.id
              and a.act = 'look_up' and a.started_at >= d.submitted_at)
        order by d.submitted_at limit :limit for update skip locked)
    """
)


async def ask(
    connection: Connection, destination: str, before: datetime, now: datetime, limit: int = 500
) -> int:
    """Let those that were handed over before a time be looked up, once; return how many."""
    values = {"destination": destination, "before": before, "now": now, "limit": limit}
    return (await connection.execute(_ASK, values)).rowcount
