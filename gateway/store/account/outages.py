"""The register of receivers' outages 接收方中断登记; nothing in it is changed but its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which a destination was down; `until` None: it still is; void: it was none."""

    id: int
    destination: str
    since: datetime
    until: datetime | None
    opened_by: str
    closed_by: str | None
    reason: str
    void_by: str | None = None
    void_reason: str | None = None


_COLUMNS = "id, destination, since, until, opened_by, closed_by, reason, void_by, void_reason"
_OPEN = text(
    """
    insert into outage (id, destination, since, until, opened_by, closed_by, reason)
    values (nextval('gateway_id'), :destination, :since, :until, :by,
        case when cast(:until as timestamptz) is not null then :by end, :reason)
    on conflict (destination, opened_by) where until is null and void_by is null do nothing
    returning id
    """
)
#: One that a person has voided goes on as such until the destination answers.
_OPEN_ONE = text(
    """
    select id from outage where destination = :destination and opened_by = :by and until is null
    order by void_by is not null, id desc limit 1
    """
)
#: When the last one ended, by whomever.
_ENDED = text("select max(until) from outage where destination = :destination and opened_by = :by")
#: A clock that stepped back ends nothing before it began.
_CLOSE = text(
    """
    update outage set until = greatest(:until, since), closed_by = :by
    where id = :id and until is null
    """
)
_VOID = text(
    """
    update outage set void_by = :by, void_reason = :reason where id = :id and void_by is null
    """
)
_ONE = text(f"select {_COLUMNS} from outage where id = :id")
_LISTED = text(
    f"""
    select {_COLUMNS} from outage
    where (cast(:destination as text) is null or destination = :destination)
      and (cast(:until as timestamptz) is null or until is null or until >= :until)
    order by since, id
    """
)


async def open_(
    connection: Connection,
    destination: str,
    since: datetime,
    by: str,
    reason: str,
    until: datetime | None = None,
) -> int | None:
    """Enter an outage; return its number, or None if this one has opened one that goes on."""
    values = {"destination": destination, "since": since, "until": until}
    found = await connection.scalar(_OPEN, {**values, "by": by, "reason": reason})
    return None if found is None else int(found)


async def going_on(connection: Connection, destination: str, by: str) -> int | None:
    """Return the number of the outage that this one has opened and that goes on, if any."""
    found = await connection.scalar(_OPEN_ONE, {"destination": destination, "by": by})
    return None if found is None else int(found)


async def last_end(connection: Connection, destination: str, by: str) -> datetime | None:
    """Return when the last outage ended that this one has opened, if there is one."""
    values = {"destination": destination, "by": by}
    found: datetime | None = await connection.scalar(_ENDED, values)
    return found


async def close(connection: Connection, id_: int, until: datetime, by: str) -> bool:
    """End an outage; return whether it went on."""
    values = {"id": id_, "until": until, "by": by}
    return bool((await connection.execute(_CLOSE, values)).rowcount)


async def void(connection: Connection, id_: int, by: str, reason: str) -> bool:
    """Say that an outage was none; return whether it counted."""
    values = {"id": id_, "by": by, "reason": reason}
    return bool((await connection.execute(_VOID, values)).rowcount)


async def one(connection: Connection, id_: int) -> Outage | None:
    """Return an outage by its number."""
    found = (await connection.execute(_ONE, {"id": id_})).one_or_none()
    return None if found is None else Outage(*found)


async def listed(
    connection: Connection, destination: str | None = None, until: datetime | None = None
) -> list[Outage]:
    """Return the outages of a destination, or of all, the oldest first.

    With `until` only those that went on then or later.
    """
    values: dict[str, Any] = {"destination": destination, "until": until}
    return [Outage(*row) for row in await connection.execute(_LISTED, values)]


def by_destination(outages: Sequence[Outage]) -> dict[str, list[Outage]]:
    """Return those that count, by destination, in their order."""
    found: dict[str, list[Outage]] = {}
    for each in outages:
        if each.void_by is None:
            found.setdefault(each.destination, []).append(each)
    return found
