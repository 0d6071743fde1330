"""What has come in: origins, positions, and what became of each item; and quarantine 隔离区."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.engine import Connection
from gateway.store.rows import Copy, Insert, arrays, unnest


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of an item that came before from the same origin and position."""

    bytes_hash: bytes
    verdict: str
    record_version_id: int | None
    quarantine_id: int | None


_ORIGINS = text(
    """
    with new as (
        insert into origin (id, name)
        select nextval('gateway_id'), name from unnest(cast(:names as text[])) as t(name)
        where not exists (select from origin o where o.name = t.name)
        on conflict (name) do nothing returning id, name)
    select id, name from new
    union all select id, name from origin where name = any(cast(:names as text[]))
    """
)


async def origins(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """The id of each origin; new ones are written."""
    wanted = sorted(set(names))
    found = {name: id_ for id_, name in await connection.execute(_ORIGINS, {"names": wanted})}
    if len(found) < len(wanted):  # another process wrote one just now, after our snapshot
        again = await connection.execute(_ORIGINS, {"names": wanted})
        found = {name: id_ for id_, name in again}
    return found


_SEEN = text(
    f"""
    select i.origin_id, i.position, i.bytes_hash, i.verdict, i.record_version_id, i.quarantine_id
    from {unnest("origin_id bigint, position bigint")} join inbox i using (origin_id, position)
    """  # noqa: S608  names are ours
)


async def seen(
    connection: Connection, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Seen]:
    """What is known of the given (origin id, position) pairs."""
    rows = await connection.execute(_SEEN, arrays(("origin_id", "position"), places))
    return {(row[0], row[1]): Seen(*row[2:]) for row in rows}


_COLUMNS = (
    "origin_id bigint, position bigint, bytes_hash bytea, verdict text, "
    "record_version_id bigint, quarantine_id bigint, recorded_at timestamptz"
)
add = Copy("inbox", _COLUMNS)
#: Other bytes than before at a known origin and position.
change = Insert(
    "inbox",
    _COLUMNS,
    "on conflict (origin_id, position) do update set bytes_hash = excluded.bytes_hash, "
    "verdict = excluded.verdict, record_version_id = excluded.record_version_id, "
    "quarantine_id = excluded.quarantine_id, recorded_at = excluded.recorded_at",
)

add_quarantine = Copy(
    "quarantine", "id, origin, kind, bytes, key_version, problems, decision_date, recorded_at"
)


@dataclass(frozen=True, slots=True)
class Quarantined:
    """One refused item as kept; `bytes` are sealed."""

    id: int
    origin: str
    kind: str | None
    sealed: bytes
    problems: list[dict[str, Any]]
    recorded_at: datetime
    replays: int
    resolved_at: datetime | None


_QUARANTINE = """
    select id, origin, kind, bytes, problems, recorded_at, replays, resolved_at
    from quarantine where {where} order by id limit :limit
"""
_OPEN = text(_QUARANTINE.format(where="resolved_at is null and id > :after"))
_ONE = text(_QUARANTINE.format(where="id = :id"))


async def open_quarantine(
    connection: Connection, after: int = 0, limit: int = 1000
) -> list[Quarantined]:
    """Refused items that nobody has mended yet, oldest first."""
    rows = await connection.execute(_OPEN, {"after": after, "limit": limit})
    return [Quarantined(*row) for row in rows]


async def quarantined(connection: Connection, id_: int) -> Quarantined | None:
    """One refused item."""
    rows = await connection.execute(_ONE, {"id": id_, "limit": 1})
    return next((Quarantined(*row) for row in rows), None)


_REPLAY = text("update quarantine set replays = replays + 1 where id = :id returning replays")
_RESOLVE = text("update quarantine set resolved_at = :now where id = :id")


async def count_replay(connection: Connection, id_: int) -> int:
    """Note one more replay; gives how many there have been."""
    return int((await connection.execute(_REPLAY, {"id": id_})).scalar_one())


async def resolve(connection: Connection, id_: int, now: datetime) -> None:
    """The item has become a record."""
    await connection.execute(_RESOLVE, {"id": id_, "now": now})


_REQUEST = text(
    """
    with new as (insert into intake_request (key, body_hash, recorded_at)
        values (:key, :hash, :now) on conflict (key) do nothing returning body_hash)
    select body_hash from new union all select body_hash from intake_request where key = :key
    """
)


async def request_hash(connection: Connection, key: str, body_hash: bytes, now: datetime) -> bytes:
    """The hash of the body that first came with this idempotency key; ours if it is the first."""
    values = {"key": key, "hash": body_hash, "now": now}
    found = await connection.scalar(_REQUEST, values)
    return bytes(found) if found is not None else body_hash


_REFUSED_IN = text(
    """
    select count(*) from quarantine where coalesce(decision_date,
        (recorded_at at time zone 'Asia/Shanghai')::date) >= :first
      and coalesce(decision_date, (recorded_at at time zone 'Asia/Shanghai')::date) < :end
      and resolved_at is null
    """
)


async def refused_in(connection: Connection, first: date, end: date) -> int:
    """Refused input of a month, under the month of intake where it has no decision date."""
    return int(await connection.scalar(_REFUSED_IN, {"first": first, "end": end}) or 0)
