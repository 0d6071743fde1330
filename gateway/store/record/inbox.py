"""The inbox 收件箱: origins, positions, and the result of each item."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy, Insert, arrays, unnest


@dataclass(frozen=True, slots=True)
class Seen:
    """The result of an earlier item from the same origin and position."""

    bytes_hash: bytes
    verdict: str
    record_version_id: int | None
    quarantine_id: int | None


_ORIGINS = text(
    """
    with old as (
        select id, name from origin where name = any(cast(:names as text[])) for key share),
    new as (
        insert into origin (id, name)
        select nextval('gateway_id'), name from unnest(cast(:names as text[])) as t(name)
        where not exists (select from origin o where o.name = t.name)
        on conflict (name) do nothing returning id, name)
    select id, name from new union all select id, name from old
    """
)


async def origins(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    """Return the id of each origin name; new origins are added.

    None of them is deleted before the transaction ends.
    """
    wanted = sorted(set(names))
    found = {name: id_ for id_, name in await connection.execute(_ORIGINS, {"names": wanted})}
    while len(found) < len(wanted):  # another process wrote or deleted one after our snapshot
        again = await connection.execute(_ORIGINS, {"names": wanted})
        found = {name: id_ for id_, name in again}
    return found


_NAME_FILE = text(
    """
    update origin set file_name = :name
    where name = :origin and file_name is distinct from :name
    """
)


async def name_file(connection: Connection, origin: str, name: str) -> None:
    """Note what a file was called when it came last."""
    await connection.execute(_NAME_FILE, {"origin": origin, "name": name})


_SEEN = text(
    f"""
    select i.origin_id, i.position, i.bytes_hash, i.verdict, i.record_version_id, i.quarantine_id
    from {unnest("origin_id bigint, position bigint")} join inbox i using (origin_id, position)
    """
)


async def seen(
    connection: Connection, places: Sequence[tuple[int, int]]
) -> dict[tuple[int, int], Seen]:
    """Return the earlier results of these (origin id, position) pairs."""
    rows = await connection.execute(_SEEN, arrays(("origin_id", "position"), places))
    return {(row[0], row[1]): Seen(*row[2:]) for row in rows}


_COLUMNS = (
    "origin_id bigint, position bigint, bytes_hash bytea, verdict text, "
    "record_version_id bigint, quarantine_id bigint, recorded_at timestamptz"
)
add = Copy("inbox", _COLUMNS)
#: For other bytes than before at a known origin and position.
change = Insert(
    "inbox",
    _COLUMNS,
    "on conflict (origin_id, position) do update set bytes_hash = excluded.bytes_hash, "
    "verdict = excluded.verdict, record_version_id = excluded.record_version_id, "
    "quarantine_id = excluded.quarantine_id, recorded_at = excluded.recorded_at",
)


_REQUEST = text(
    """
    insert into intake_request (key, body_hash, recorded_at) values (:key, :hash, :now)
    on conflict (key) do update set key = excluded.key returning body_hash
    """
)


async def request_hash(connection: Connection, key: str, body_hash: bytes, now: datetime) -> bytes:
    """Return the body hash first stored under this idempotency key; store ours if none.

    It waits for another request that is storing the same key.
    """
    values = {"key": key, "hash": body_hash, "now": now}
    return bytes(await connection.scalar(_REQUEST, values))
