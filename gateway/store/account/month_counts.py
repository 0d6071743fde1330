"""How the decisions of a month stand at each destination, for the gauges."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from schemas.delivery import HANDED_OVER, DeliveryState
from schemas.kinds import DOUBLE_PUBLICITY


@dataclass(frozen=True, slots=True)
class MonthCount:
    """The decisions in scope of a destination by one clock: N, S, A and T of the ledger."""

    destination: str
    clock: str
    in_scope: int
    handed_over: int
    accepted: int
    timely: int


_COUNTS = text(
    f"""
    with told as (
        select x.destination, x.chain_id,
            bool_or(x.submitted_at is not null
                or x.state in {one_of(HANDED_OVER | {DeliveryState.REJECTED})}) as handed_over,
            min(case when x.state = 'accepted' then coalesce(x.platform_at, x.accepted_at) end)
                as accepted_at,
            (array_agg(x.dues order by x.id))[1] as dues
        from decision d join delivery x
            on x.chain_id = d.id and x.item_kind = 'record_version'
        where d.kind = any(cast(:kinds as text[])) and d.excluded is null
          and d.decision_date >= :first and d.decision_date < :end
          and x.verb not in ('withdraw', 'repair')
        group by x.destination, x.chain_id)
    select destination, clock, count(*), count(*) filter (where handed_over),
        count(accepted_at), count(*) filter (where accepted_at < due::timestamptz)
    from told, json_each_text(dues) as of_clock(clock, due)
    group by destination, clock order by destination, clock
    """
)


async def month_counts(connection: Connection, first: date, end: date) -> list[MonthCount]:
    """Return the counts of the decisions of a span of dates, by destination and clock."""
    values = {"kinds": list(DOUBLE_PUBLICITY), "first": first, "end": end}
    return [MonthCount(*row) for row in await connection.execute(_COUNTS, values)]
