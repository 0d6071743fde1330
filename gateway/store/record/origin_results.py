"""What became of the items of one origin: a file, a partition of a topic, the requests of a key."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection

#: Of the deliveries of a version, each destination has one; what took its place is told by state.
_RESULTS = text(
    """
    select i.position, i.verdict, i.recorded_at, i.quarantine_id,
        q.resolved_at is not null as resolved, coalesce(v.problems, q.problems) as problems,
        dec.document_number, dec.kind, v.version, v.excluded, dec.version as newest,
        (select jsonb_object_agg(x.destination, x.state) from delivery x
            where x.chain_id = v.decision_id and x.item_id = v.id
              and x.item_kind = 'record_version') as deliveries
    from inbox i join origin o on o.id = i.origin_id
    left join record_version v on v.id = i.record_version_id
    left join decision dec on dec.id = v.decision_id
    left join quarantine q on q.id = i.quarantine_id
    where o.name = :origin order by i.position
    """
)


async def results(connection: Connection, origin: str) -> AsyncIterator[Sequence[Any]]:
    """Yield slices of the results of an origin, in the order of its items."""
    async for part in (await connection.stream(_RESULTS, {"origin": origin})).partitions(1000):
        yield part
