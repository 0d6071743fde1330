"""Quarantine 隔离区: input that could not become a record, with its replays and resolution."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy
from schemas.problem import Rule

add_quarantine = Copy(
    "quarantine", "id, origin, kind, bytes, key_version, problems, decision_date, recorded_at"
)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One stored refused item; its bytes are encrypted."""

    id: int
    origin: str
    kind: str | None
    sealed: bytes
    key_version: int
    problems: list[dict[str, Any]]
    recorded_at: datetime
    replays: int
    resolved_at: datetime | None


_QUARANTINE = """
    select id, origin, kind, bytes, key_version, problems, recorded_at, replays, resolved_at
    from quarantine where {where} order by id limit :limit
"""

_OPEN = text(_QUARANTINE.format(where="resolved_at is null and id > :after"))

_ONE = text(_QUARANTINE.format(where="id = :id"))


async def open_quarantine(
    connection: Connection, after: int = 0, limit: int = 1000
) -> list[Quarantined]:
    """Return unresolved refused items with an id above `after`, the oldest first."""
    rows = await connection.execute(_OPEN, {"after": after, "limit": limit})
    return [Quarantined(*row) for row in rows]


_COUNT_OPEN = text("select count(*) from quarantine where resolved_at is null")


async def count_open(connection: Connection) -> int:
    """Return how many refused items wait for a person."""
    return int(await connection.scalar(_COUNT_OPEN) or 0)


async def quarantined(connection: Connection, id_: int) -> Quarantined | None:
    """Return one refused item; None if there is none."""
    rows = await connection.execute(_ONE, {"id": id_, "limit": 1})
    return next((Quarantined(*row) for row in rows), None)


_REPLAY = text("update quarantine set replays = replays + 1 where id = :id returning replays")

_RESOLVE = text(
    """
    update quarantine set resolved_at = :now
    where id = any(cast(:ids as bigint[])) and resolved_at is null returning id
    """
)

_RESOLVE_READABLE = text(
    f"""
    update quarantine set resolved_at = :now
    where id = any(cast(:ids as bigint[])) and resolved_at is null
      and not problems::jsonb @> '[{{"rule": "{Rule.STANDING}"}}]' returning id
    """
)


async def count_replay(connection: Connection, id_: int) -> int:
    """Count one more replay; return how many there have been."""
    return int((await connection.execute(_REPLAY, {"id": id_})).scalar_one())


async def resolve(connection: Connection, ids: Sequence[int], now: datetime) -> set[int]:
    """Mark items as resolved, since they become records; return those that were open."""
    return set(await connection.scalars(_RESOLVE, {"ids": list(ids), "now": now}))


async def resolve_readable(connection: Connection, ids: Sequence[int], now: datetime) -> set[int]:
    """Mark items as resolved that were refused for what they are; return those that were open."""
    return set(await connection.scalars(_RESOLVE_READABLE, {"ids": list(ids), "now": now}))


_REFUSED_IN = text(
    """
    select count(*) from quarantine where coalesce(decision_date,
        (recorded_at at time zone 'Asia/Shanghai')::date) >= :first
      and coalesce(decision_date, (recorded_at at time zone 'Asia/Shanghai')::date) < :end
      and resolved_at is null
    """
)


async def refused_in(connection: Connection, first: date, end: date) -> int:
    """Count unresolved refused input of a span; without a decision date, by its day of intake."""
    return int(await connection.scalar(_REFUSED_IN, {"first": first, "end": end}) or 0)
