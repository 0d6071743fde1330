"""What the work list reads: open deliveries by due time, the queue before them, call times."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import as_json, one_of
from schemas.delivery import BLOCKING, OPEN, UNDELIVERED, DeliveryState

#: What somebody has to do something about, or wait for; each part has its index.
ON_THE_LIST = (OPEN | UNDELIVERED, frozenset({DeliveryState.PARKED}))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which deliveries are wanted; None: any."""

    destination: str | None = None
    state: DeliveryState | None = None
    authority: str | None = None
    before: datetime | None = None  #: due before this time


#: The destination took it by its time in `silent`, and has said nothing.
_SILENT = """
    coalesce(d.state = 'submitted' and d.submitted_at
        <= cast(cast(:silent as jsonb)->>d.destination as timestamptz), false)
"""
#: A due time that is only a lower bound beyond the calendar: none of the clocks in `fixed`, which
#: count plain days, has it.
_PROVISIONAL = """
    (d.provisional and not exists (select from json_each_text(d.dues) of_clock
        where of_clock.key = any(cast(:fixed as text[]))
          and cast(of_clock.value as timestamptz) <= d.due_at))
"""
_WANTED = """
      and (cast(:destination as text) is null or d.destination = :destination)
      and (cast(:state as text) is null or d.state = :state)
      and (cast(:authority as text) is null or a.name = :authority)
      and (cast(:before as timestamptz) is null or d.due_at < :before)
"""
_PARTS = [
    f"""
    select d.id, d.item_kind, d.destination, d.verb, d.state, d.due_at,
        {_PROVISIONAL} as provisional, d.reasons,
        d.submitted_at, {_SILENT} as silent,
        dec.document_number, a.name as authority,
        case when s.person then null else s.name end as subject_name, v.problems
    from delivery d join subject s on s.id = d.subject_id
    left join record_version v on d.item_kind = 'record_version' and v.id = d.item_id
    left join decision dec on dec.id = v.decision_id
    left join authority a on a.id = dec.authority_id
    where d.state in {one_of(states)} {_WANTED}
    """
    for states in ON_THE_LIST
]
_LISTED = " union all ".join(_PARTS)
_FIRST = " union all ".join(f"({part} order by d.due_at, d.id limit :limit)" for part in _PARTS)
_PAGE = text(f"select * from ({_FIRST}) listed order by due_at, id limit :limit")
#: Counted before anything is joined that a count does not need: there may be a million.
_COUNTED = " union all ".join(
    f"""
    select d.destination, d.state, dec.authority_id, {_SILENT} as silent, count(*) as open,
        min(d.due_at) as due_at,
        count(*) filter (where d.due_at <= :now and not {_PROVISIONAL}) as overdue
    from delivery d
    left join decision dec on d.item_kind = 'record_version' and dec.id = d.chain_id
    left join authority a on a.id = dec.authority_id
    where d.state in {one_of(states)} {_WANTED}
    group by d.destination, d.state, dec.authority_id, silent
    """
    for states in ON_THE_LIST
)
_GROUPS = text(
    f"""
    select c.destination, c.state, a.name as authority, c.silent, c.open, c.due_at, c.overdue
    from ({_COUNTED}) c left join authority a on a.id = c.authority_id
    """
)
_MATCHED = text(f"select id, state from ({_LISTED}) listed order by due_at, id")


async def page(
    connection: Connection,
    wanted: Wanted,
    silent: Mapping[str, datetime],
    fixed: Sequence[str],
    limit: int,
) -> list[Any]:
    """Return wanted deliveries with what is known of them, the earliest due first.

    Those that a destination took by its time in `silent` and said nothing of are marked so. `fixed`
    are the clocks that no calendar moves.
    """
    values = {**asdict(wanted), "silent": as_json(silent), "fixed": list(fixed), "limit": limit}
    return list(await connection.execute(_PAGE, values))


async def groups(
    connection: Connection,
    wanted: Wanted,
    silent: Mapping[str, datetime],
    fixed: Sequence[str],
    now: datetime,
) -> list[Any]:
    """Return how many deliveries are open by destination, state, authority and silence."""
    values = {**asdict(wanted), "silent": as_json(silent), "fixed": list(fixed), "now": now}
    return list(await connection.execute(_GROUPS, values))


async def matched(connection: Connection, wanted: Wanted) -> list[tuple[int, DeliveryState]]:
    """Return the numbers and states of all wanted deliveries, the earliest due first."""
    rows = await connection.execute(_MATCHED, {**asdict(wanted), "silent": "{}", "fixed": []})
    return [(row.id, DeliveryState(row.state)) for row in rows]


_AHEAD = text(
    f"""
    select id, ahead from (
        select id, row_number() over (partition by destination order by due_at, id) as ahead
        from delivery where state in {one_of(BLOCKING)} and due_at <= :last) queue
    where id = any(cast(:ids as bigint[]))
    """
)


async def ahead(connection: Connection, ids_: Sequence[int], last: datetime) -> dict[int, int]:
    """Return the place in the queue of its destination of each of these; 1 is the first.

    `last` is the latest due time among them. Those that are not in the queue are left out.
    """
    rows = await connection.execute(_AHEAD, {"ids": list(ids_), "last": last})
    return {row.id: row.ahead for row in rows}


#: Calls of one destination are told apart by when they began; each is for many items.
_SECONDS = text(
    """
    select destination, percentile_disc(0.95) within group (order by seconds) from (
        select d.destination, a.started_at,
            extract(epoch from max(a.finished_at) - a.started_at) / count(*) as seconds
        from (select * from attempt where started_at > :since and finished_at is not null
                and act = 'send' order by started_at desc limit 10000) a
        join delivery d on d.id = a.delivery_id group by d.destination, a.started_at) calls
    group by destination
    """
)
_DOWN = text("select name from destination where breaker <> 'closed' and dropped_at is null")


async def call_seconds(connection: Connection, since: datetime) -> Mapping[str, float]:
    """Return the 95th percentile of the seconds for an item of the latest calls, by destination."""
    return {row[0]: float(row[1]) for row in await connection.execute(_SECONDS, {"since": since})}


async def down(connection: Connection) -> set[str]:
    """Return the destinations whose breaker is not closed."""
    return set(await connection.scalars(_DOWN))
