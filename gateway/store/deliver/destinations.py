"""The stored state of destinations: owner, breaker, up to where receipts were read."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text

from gateway.config.errors import BadConfiguration
from gateway.store.base.engine import Connection
from gateway.store.base.statements import as_json, one_of
from schemas.delivery import OPEN
from schemas.destination import AcceptedBy, Destination

_DROPPED = text(
    f"""
    select t.name, t.dropped_at is not null as before,
        (select count(*) from delivery d where d.destination = t.name
            and d.state in {one_of(OPEN)}) as open
    from destination t where not (t.name = any(cast(:names as text[])))
    """
)
_ADD = text(
    """
    insert into destination (name, config_hash, by_listing)
    select * from unnest(
        cast(:names as text[]), cast(:hashes as text[]), cast(:by_listing as boolean[]))
    on conflict (name) do nothing
    """
)
_MIRROR = text(
    """
    update destination t set config_hash = given.hash, by_listing = given.by_listing,
        dropped_at = null
    from unnest(cast(:names as text[]), cast(:hashes as text[]), cast(:by_listing as boolean[]))
        as given(name, hash, by_listing)
    where t.name = given.name
      and (t.config_hash <> given.hash or t.dropped_at is not null)
    """
)
_DROP = text(
    """
    update destination set dropped_at = :now
    where not (name = any(cast(:names as text[]))) and dropped_at is null
    """
)


_KNOWN = text("select exists (select from destination where name = :name)")


async def is_known(connection: Connection, name: str) -> bool:
    """Whether there is, or ever was, a destination of this name."""
    return bool(await connection.scalar(_KNOWN, {"name": name}))


async def owed_to_dropped(
    connection: Connection, destinations: Sequence[Destination]
) -> dict[str, int]:
    """Return how many deliveries are open for each destination that is no longer configured.

    A withdrawal or repair is owed to whoever holds the record, so that such deliveries can come
    after the destination was dropped; they are kept.
    """
    names = [one.name for one in destinations]
    rows = await connection.execute(_DROPPED, {"names": names})
    return {row.name: row.open for row in rows if row.open}


async def add(connection: Connection, destinations: Sequence[Destination]) -> None:
    """Add the configured destinations; refuse to lack one that has open deliveries.

    Raises:
        BadConfiguration: names the destination and the number of open deliveries.
    """
    names = [one.name for one in destinations]
    for row in await connection.execute(_DROPPED, {"names": names}):
        if row.open and not row.before:
            raise BadConfiguration(
                f"destinations：{row.name} 还有 {row.open} 条未了结的报送，配置里却没有它；"
                "写回配置，了结之后再删"
            )
    await connection.execute(_ADD, _configured(destinations))


async def mirror(
    connection: Connection, destinations: Sequence[Destination], now: datetime
) -> None:
    """Note the configuration that deliveries run with, and which destinations are dropped."""
    values = _configured(destinations)
    await connection.execute(_MIRROR, values)
    await connection.execute(_DROP, {"names": values["names"], "now": now})


def _configured(destinations: Sequence[Destination]) -> dict[str, list[Any]]:
    return {
        "names": [one.name for one in destinations],
        "hashes": [_config_hash(one) for one in destinations],
        "by_listing": [one.accepted_by is AcceptedBy.LISTING for one in destinations],
    }


def _config_hash(destination: Destination) -> str:
    """Return the hash that shows a changed configuration; it holds no secret, only references."""
    content = orjson.dumps(destination.model_dump(), default=_in_order, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()


def _in_order(value: object) -> object:
    """Return a value that JSON does not have; the order of a set differs between processes."""
    return sorted(value) if isinstance(value, frozenset) else str(value)


_OWN = text(
    """
    update destination set owner = :owner,
        fencing = case when owner = :owner then fencing else fencing + 1 end,
        owned_until = clock_timestamp() + cast(:lease as interval)
    where name = :name
      and (owner is null or owner = :owner or owned_until < clock_timestamp())
    returning fencing
    """
)
_DISOWN = text("update destination set owner = null where name = :name and owner = :owner")


async def own(connection: Connection, name: str, owner: str, lease: timedelta) -> int | None:
    """Take or renew the ownership of a destination.

    Returns its fencing number, or None if another process owns it.
    """
    values = {"name": name, "owner": owner, "lease": lease}
    return (await connection.execute(_OWN, values)).scalar_one_or_none()


async def disown(connection: Connection, name: str, owner: str) -> None:
    """End the ownership, so that another process can take the destination at once."""
    await connection.execute(_DISOWN, {"name": name, "owner": owner})


@dataclass(frozen=True, slots=True)
class Ownership:
    """That a process owns a destination: a later owner has a higher fencing number."""

    name: str
    owner: str
    fencing: int


@dataclass(frozen=True, slots=True)
class KeptBreaker:
    """The stored circuit breaker of a destination: closed, open until a time, or half-open."""

    state: str
    until: datetime | None
    failures: int


_BREAKER = text("select breaker, breaker_until, failures from destination where name = :name")
_SET_BREAKER = text(
    """
    update destination set breaker = :state, breaker_until = :until, failures = :failures
    where name = :name and owner = :owner and fencing = :fencing
    """
)


async def breaker(connection: Connection, name: str) -> KeptBreaker:
    """Return the breaker as its last owner left it."""
    row = (await connection.execute(_BREAKER, {"name": name})).one()
    return KeptBreaker(*row)


async def set_breaker(connection: Connection, ours: Ownership, breaker_: KeptBreaker) -> bool:
    """Store the breaker for the next owner; return False if there is another owner already."""
    values = {"state": breaker_.state, "until": breaker_.until, "failures": breaker_.failures}
    return bool((await connection.execute(_SET_BREAKER, {**asdict(ours), **values})).rowcount)


_CALLS = text("select calls from destination where name = :name")
_KEEP_CALLS = text(
    """
    update destination set calls = cast(:calls as jsonb)
    where name = :name and owner = :owner and fencing = :fencing
    """
)


async def calls(connection: Connection, name: str) -> Sequence[tuple[int, int]]:
    """Return the calls that owners have made, as the last one kept them."""
    kept = await connection.scalar(_CALLS, {"name": name})
    return [(at, times) for at, times in kept or ()]


async def keep_calls(
    connection: Connection, ours: Ownership, calls_: Sequence[tuple[int, int]]
) -> None:
    """Store the calls made or about to be made, unless there is another owner already."""
    await connection.execute(_KEEP_CALLS, {**asdict(ours), "calls": as_json(calls_)})


class ReceiptsPlace(NamedTuple):
    """Up to where the receipts of a destination were read: the cursor, and the last pages."""

    cursor: str
    pages: str


_RECEIPTS_PLACE = text("select receipts_cursor, receipts_pages from destination where name = :name")
_SET_RECEIPTS_PLACE = text(
    """
    update destination set receipts_cursor = coalesce(:cursor, receipts_cursor),
        receipts_pages = coalesce(:pages, receipts_pages)
    where name = :name and owner = :owner and fencing = :fencing
    """
)


async def receipts_place(connection: Connection, name: str) -> ReceiptsPlace:
    """Return up to where receipts have been read; at first nothing."""
    row = (await connection.execute(_RECEIPTS_PLACE, {"name": name})).one()
    kept = str(row[0])  # earlier releases kept it plain
    return ReceiptsPlace(str(json.loads(kept)) if kept.startswith('"') else kept, row[1])


async def set_receipts_place(
    connection: Connection, ours: Ownership, place: ReceiptsPlace | None
) -> bool:
    """Store the place, if given, in the transaction that writes the receipts before it.

    False: there is another owner already. The cursor is kept as JSON: a destination may put
    characters into it that no database stores.
    """
    values = {
        "cursor": None if place is None else json.dumps(place.cursor),
        "pages": None if place is None else place.pages,
    }
    return bool(
        (await connection.execute(_SET_RECEIPTS_PLACE, {**asdict(ours), **values})).rowcount
    )
