"""Deliveries that a destination took and never said anything of 送达后无回执."""

from datetime import datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from gateway.store.deliver.claims import WITH_CONTENT
from schemas.delivery import HANDED_OVER, OVER, Claimed

#: Who asks, and what is said of the answer, stands in the evidence; so each is asked once.
_SILENT = text(
    f"""
    with leased as (
        select d.id, d.item_kind, d.item_id, d.subject_id, d.chain_id, d.destination, d.verb,
            d.attempts, d.due_at, d.maybe_arrived
        from delivery d
        where d.destination = :destination and d.state = 'submitted' and d.submitted_at <= :before
          and not exists (select from delivery l where l.chain_id = d.chain_id
              and l.destination = d.destination and l.id > d.id
              and l.state not in {one_of(OVER)})
          and not exists (select from evidence e where e.about = 'delivery' and e.about_id = d.id
              and e.actor = :by and e.at >= d.submitted_at)
        order by d.id <= :after, d.id limit :limit)
    """
    + WITH_CONTENT.format(handed_over=one_of(HANDED_OVER))
)


async def silent(
    connection: Connection, destination: str, *, before: datetime, by: str, after: int, limit: int
) -> list[Claimed]:
    """Return those that were handed over before a time and not asked for since, in their order.

    It begins behind a delivery, and then goes on with the first one. Nobody holds them: what the
    destination says of them comes like a receipt.
    """
    values = {"destination": destination, "before": before, "by": by, "after": after}
    values |= {"limit": limit, "token": "", "look": True}
    rows = await connection.execute(_SILENT, values)
    found = [Claimed(*row) for row in rows]
    return sorted(found, key=lambda one: (one.id <= after, one.id))
