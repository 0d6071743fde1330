"""Held deliveries 待补正, and those that are free to go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.deliver.deliveries import lock, promote
from schemas.codes import RecordKind


@dataclass(frozen=True, slots=True)
class Held:
    """A held delivery, and what its record version has and lacks; `columns` are the filled ones."""

    id: int
    version_id: int
    subject_id: int
    chain_id: int
    destination: str
    kind: RecordKind
    decision_date: date
    columns: list[str]
    problems: list[dict[str, Any]]


_PAGE = text(
    """
    select d.id, d.item_id, d.subject_id, d.chain_id, d.destination, dec.kind, dec.decision_date,
        array(select json_object_keys(v.body)), coalesce(v.problems, '[]'::jsonb)
    from delivery d join record_version v on v.id = d.item_id
    join decision dec on dec.id = v.decision_id
    where d.state = 'held' and d.id > :after order by d.id limit :limit
    """
)
_RELEASE = text(
    """
    update delivery set state = 'waiting'
    where id = any(cast(:ids as bigint[])) and state = 'held'
    """
)


async def page(connection: Connection, after: int, limit: int) -> list[Held]:
    """Return the held deliveries with an id above `after`, in the order of their ids."""
    rows = await connection.execute(_PAGE, {"after": after, "limit": limit})
    return [
        Held(id_, version, subject, chain, destination, RecordKind(kind), day, columns, problems)
        for id_, version, subject, chain, destination, kind, day, columns, problems in rows
    ]


async def release(connection: Connection, free: Sequence[Held]) -> int:
    """Let held deliveries wait for their turn, and make the first of each chain ready.

    It locks their subjects. Returns how many were still held.
    """
    await lock(connection, {one.subject_id for one in free})
    done = await connection.execute(_RELEASE, {"ids": [one.id for one in free]})
    await promote(connection, [(one.chain_id, one.destination) for one in free])
    return done.rowcount
