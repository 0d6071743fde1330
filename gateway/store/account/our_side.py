"""Our side of a reconciliation 对账: our decisions, and how each stands at one destination."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import TextClause, text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of, unnest
from schemas.delivery import HANDED_OVER, OVER
from schemas.kinds import KINDS

#: Decisions of some days, or some older ones: a union of both costs a million a third more time.
_OF_DAYS = """
    select * from decision
    where kind = any(cast(:kinds as text[])) and decision_date >= :first and decision_date < :end
"""
_OLDER = """
    select * from decision where id = any(cast(:older as bigint[])) and decision_date < :first
"""
_MOVED = text(
    """
    select d.id, d.decision_date from decision d
    join record_version v on v.id = d.version_id
    where d.kind = any(cast(:kinds as text[])) and d.decision_date < :first
        and d.decision_date >= cast(:first as date) - interval '1 year'
        and (v.recorded_at >= :since or exists (
            select from delivery x where x.chain_id = d.id and x.item_kind = 'record_version'
                and (x.submitted_at >= :since or x.accepted_at >= :since)))
    """
)


async def moved(connection: Connection, first: date, since: datetime) -> dict[int, date]:
    """Return the decisions of a year before a day that came or went out since a time, and when.

    That is the date of each decision.
    """
    values = {"kinds": KINDS.in_order, "first": first, "since": since}
    return {row[0]: row[1] for row in await connection.execute(_MOVED, values)}


_OF_IDS = "select * from decision where id = any(cast(:ids as bigint[]))"
#: A version that was replaced before it went makes no correction of the next one.
#: The due times of a mistyped decision date that was mended count for nothing.
_AT_DESTINATION = f"""
    with span as (__DECISIONS__),
    told as (
        select x.chain_id,
            count(*) filter (where x.report) as reports,
            array_agg(distinct x.dues::text) filter (where x.report) as dues,
            (array_agg(x.state order by x.id desc))[1] as state,
            max(x.id) filter (where x.report) as report_id,
            (array_agg(x.state order by x.id desc) filter (where x.report))[1] as report_state,
            case when count(*) filter (where x.went) > 1 then (array_agg(
                x.due_at order by x.id desc) filter (where x.report))[1] end as correction_due,
            case when count(*) filter (where x.went) > 1 then max(x.submitted_at)
                filter (where x.report) end as corrected_at,
            (array_agg(coalesce(x.accepted_at, x.submitted_at) order by x.id desc))[1] as told_at,
            min(coalesce(x.submitted_at, x.answered_at)) filter (where x.report)
                as handed_over_at,
            min(coalesce(x.platform_at, x.accepted_at)) filter (where x.report
                and x.state = 'accepted') as accepted_at,
            max(x.item_id) filter (where x.report
                and x.state in {one_of(HANDED_OVER)}) as held_id
        from (
            select y.*, y.verb not in ('withdraw', 'repair') as report, r.at as answered_at,
                y.verb not in ('withdraw', 'repair') and (y.state not in {one_of(OVER)}
                    or y.maybe_arrived or y.submitted_at is not null) as went
            from span join delivery y on y.chain_id = span.id
                and y.destination = :destination and y.item_kind = 'record_version'
            left join lateral (select min(a.finished_at) as at from attempt a
                where a.delivery_id = y.id and a.outcome = 'rejected') r
                on y.submitted_at is null) x
        group by x.chain_id)
    select d.id, d.kind, d.number_key, s.code, s.person, a.name as authority,
        convert_to(held.body::text, 'UTF8') as body, d.decision_date, d.excluded, d.verb,
        v.recorded_at, told.chain_id is not null as owed,
        case when told.reports > 1 then coalesce((
            select array_agg(distinct y.dues::text)
            from delivery y join record_version w on w.id = y.item_id
            where y.chain_id = d.id and y.destination = :destination
                and y.item_kind = 'record_version' and y.verb not in ('withdraw', 'repair')
                and cast(coalesce(w.body->>'CF_JDRQ', w.body->>'XK_JDRQ') as date)
                    = d.decision_date), told.dues) else told.dues end as dues, told.state,
        told.report_id, told.report_state, told.correction_due, told.corrected_at,
        case when d.verb in ('withdraw', 'repair') then told.told_at end as told_at,
        told.handed_over_at, told.accepted_at
    from span d
    join subject s on s.id = d.subject_id
    join authority a on a.id = d.authority_id
    join record_version v on v.id = d.version_id
    left join told on told.chain_id = d.id
    join record_version held on held.id = coalesce(told.held_id, d.version_id)
"""
_SPAN = text(_AT_DESTINATION.replace("__DECISIONS__", _OF_DAYS))
_OLDER_SPAN = text(_AT_DESTINATION.replace("__DECISIONS__", _OLDER))
_THESE = text(_AT_DESTINATION.replace("__DECISIONS__", _OF_IDS))


#: The month of a province does not fit into the 4 MB that PostgreSQL gives a join by default.
_MEMORY = text("set local work_mem = '64MB'")


async def our_side(
    connection: Connection, destination: str, first: date, end: date, older: Collection[int] = ()
) -> AsyncIterator[Any]:
    """Stream the decisions of a span of dates, each with its state at one destination.

    And those of `older` that were made before.
    """
    values = {"kinds": KINDS.in_order, "first": first, "end": end, "destination": destination}
    async for row in _streamed(connection, _SPAN, values):
        yield row
    if older:
        values = {"first": first, "older": list(older), "destination": destination}
        async for row in _streamed(connection, _OLDER_SPAN, values):
            yield row


async def of_ids(connection: Connection, destination: str, ids: Collection[int]) -> list[Any]:
    """Return these decisions, each with its state at one destination."""
    values = {"ids": list(ids), "destination": destination}
    return list(await connection.execute(_THESE, values))


async def _streamed(
    connection: Connection, statement: TextClause, values: Mapping[str, Any]
) -> AsyncIterator[Any]:
    await connection.execute(_MEMORY)
    # Rows by the thousand: SQLAlchemy switches to a greenlet for each single row.
    async for rows in (await connection.stream(statement, values)).partitions(1000):
        for row in rows:
            yield row


_WITH_ENTRY = """
    select d.id, d.kind, d.number_key, s.code, s.person, a.name as authority,
        convert_to(v.body::text, 'UTF8') as body, d.decision_date, d.excluded, d.verb,
        v.recorded_at, first.recorded_at as entered_at
    from (__DECISIONS__) d
    join subject s on s.id = d.subject_id
    join authority a on a.id = d.authority_id
    join record_version v on v.id = d.version_id
    join record_version first on first.decision_id = d.id and first.version = 1
"""
_ENTERED = text(_WITH_ENTRY.replace("__DECISIONS__", _OF_DAYS))
_OLDER_ENTERED = text(_WITH_ENTRY.replace("__DECISIONS__", _OLDER))
_THESE_ENTERED = text(_WITH_ENTRY.replace("__DECISIONS__", _OF_IDS))


async def entered(
    connection: Connection, first: date, end: date, older: Collection[int] = ()
) -> AsyncIterator[Any]:
    """Stream the same, each with the time at which it came first."""
    values = {"kinds": KINDS.in_order, "first": first, "end": end}
    async for row in _streamed(connection, _ENTERED, values):
        yield row
    if older:
        values = {"first": first, "older": list(older)}
        async for row in _streamed(connection, _OLDER_ENTERED, values):
            yield row


async def entered_of_ids(connection: Connection, ids: Collection[int]) -> list[Any]:
    """Return these decisions, each with the time at which it came first."""
    return list(await connection.execute(_THESE_ENTERED, {"ids": list(ids)}))


_KNOWN = text(
    f"""
    select t.kind, t.number_key, t.code, d.id
    from {unnest("kind text, number_key text, code text")}
    join subject s on s.code = t.code
    join decision d on d.subject_id = s.id and d.number_key = t.number_key and d.kind = t.kind
    """
)


async def known(
    connection: Connection, keys: Sequence[tuple[str, str, str]]
) -> dict[int, tuple[str, str, str]]:
    """Return our decisions with one of these keys (kind, number key, subject code), of any date."""
    values = {
        "kind": [kind for kind, _, _ in keys],
        "number_key": [number for _, number, _ in keys],
        "code": [code for _, _, code in keys],
    }
    rows = await connection.execute(_KNOWN, values)
    return {row.id: (row.kind, row.number_key, row.code) for row in rows}
