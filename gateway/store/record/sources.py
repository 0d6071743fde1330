"""What became of what each source 来源 sent in a span of time."""

from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from schemas.delivery import HANDED_OVER, UNDELIVERED, DeliveryState

#: A topic without its partition, the caller of requests, a file by its hash.
_SOURCES = {
    "source": """case
        when o.name like 'kafka:%' then regexp_replace(o.name, '/[0-9]+(@[0-9]+)?$', '')
        when o.name like 'http:%' then split_part(o.name, '/', 1)
        when o.name like 'quarantine:%' then 'quarantine' else o.name end""",
    "authority": "coalesce(a.name, '')",
}
#: Something that came again is a repeat: its version is older than it, or came in the same batch.
_ITEMS = """
    select {source} as source, o.file_name, i.verdict, v.id as version_id, v.excluded,
        v.id is not null and (v.recorded_at < i.recorded_at or row_number() over (
            partition by v.id order by i.recorded_at, i.origin_id, i.position) > 1) as repeated,
        q.id is not null and q.resolved_at is null as waits
    from inbox i join origin o on o.id = i.origin_id
    left join record_version v on v.id = i.record_version_id
    left join decision d on d.id = v.decision_id
    left join authority a on a.id = d.authority_id
    left join quarantine q on q.id = i.quarantine_id
    where i.recorded_at >= :start and i.recorded_at < :end
"""
_COUNTS = """
    select source, count(*) as items, count(*) filter (where repeated) as repeats,
        count(*) filter (where verdict = 'incomplete' and not repeated) as incomplete,
        count(*) filter (where excluded is not null and not repeated) as excluded,
        count(*) filter (where verdict = 'refused') as refused,
        count(*) filter (where waits) as waiting,
        max(file_name) as file_name
    from ({items}) items group by source order by source
"""
#: What was rejected has been handed over, and is told by itself.
_NOT_HANDED_OVER = UNDELIVERED - {DeliveryState.REJECTED}
_DELIVERIES = f"""
    select items.source, x.destination, count(*) as owed,
        count(*) filter (where x.state = 'held') as held,
        count(*) filter (where x.state in {one_of(HANDED_OVER | {DeliveryState.REJECTED})})
            as handed_over,
        count(*) filter (where x.state = 'accepted') as accepted,
        count(*) filter (where x.state = 'rejected') as rejected,
        count(*) filter (where x.state in {one_of(_NOT_HANDED_OVER)} and x.due_at <= :now)
            as overdue
    from ({{items}}) items
    join delivery x on x.item_id = items.version_id and x.item_kind = 'record_version'
    where not items.repeated and x.state not in ('superseded', 'withdrawn')
    group by items.source, x.destination order by items.source, x.destination
"""


def _by(statement: str) -> dict[str, Any]:
    return {
        by: text(statement.format(items=_ITEMS.format(source=source)))
        for by, source in _SOURCES.items()
    }


_COUNTS_BY, _DELIVERIES_BY = _by(_COUNTS), _by(_DELIVERIES)


async def counts(connection: Connection, by: str, start: datetime, end: datetime) -> list[Any]:
    """Return what came from each source, or about each authority, in a span of time."""
    return list(await connection.execute(_COUNTS_BY[by], {"start": start, "end": end}))


async def deliveries(
    connection: Connection, by: str, start: datetime, end: datetime, now: datetime
) -> list[Any]:
    """Return where that stands now, by source and destination."""
    values = {"start": start, "end": end, "now": now}
    return list(await connection.execute(_DELIVERIES_BY[by], values))
