"""What became of items: those of one origin, such as a file or a partition, or of one decision."""

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection

#: Of the deliveries of a version, each destination has one; what took its place is told by state.
_RESULTS = """
    select o.name as origin, o.file_name, i.position, i.verdict, i.recorded_at, i.quarantine_id,
        q.resolved_at is not null as resolved, coalesce(v.problems, q.problems) as problems,
        dec.document_number, dec.kind, v.version, v.excluded, dec.version as newest,
        (select jsonb_object_agg(x.destination, x.state) from delivery x
            where x.chain_id = v.decision_id and x.item_id = v.id
              and x.item_kind = 'record_version') as deliveries
    from inbox i join origin o on o.id = i.origin_id
    left join record_version v on v.id = i.record_version_id
    left join decision dec on dec.id = v.decision_id
    left join quarantine q on q.id = i.quarantine_id
    where {where} order by i.recorded_at, i.origin_id, i.position
    """
_OF_ORIGIN = text(_RESULTS.format(where="o.name = :origin"))
_AT_PLACE = text(_RESULTS.format(where="o.name = :origin and i.position = :position"))
_OF_KEYS = text(
    _RESULTS.format(
        where="""i.record_version_id in (select rv.id from record_version rv
        join decision d on d.id = rv.decision_id where d.number_key = any(cast(:keys as text[])))"""
    )
)


async def results(
    connection: Connection, origin: str, position: int | None = None
) -> AsyncIterator[Sequence[Any]]:
    """Yield slices of the results of an origin, or of the item at one position of it."""
    found = (
        await connection.stream(_OF_ORIGIN, {"origin": origin})
        if position is None
        else await connection.stream(_AT_PLACE, {"origin": origin, "position": position})
    )
    async for part in found.partitions(1000):
        yield part


async def of_keys(connection: Connection, keys: Iterable[str]) -> AsyncIterator[Sequence[Any]]:
    """Yield slices of the results of all that came for decisions with one of these keys."""
    async for part in (await connection.stream(_OF_KEYS, {"keys": list(keys)})).partitions(1000):
        yield part
