"""Work that one process does at a time without a transaction that stays open."""

from datetime import timedelta

from sqlalchemy import text

from gateway.store.base.engine import Connection

_CLAIM = text(
    """
    insert into lease (name, owner, until) values (:name, :owner, now() + :time)
    on conflict (name) do update set owner = excluded.owner, until = excluded.until
    where lease.until <= now() or lease.owner = excluded.owner
    """
)
_RENEW = text("update lease set until = now() + :time where name = :name and owner = :owner")
_RELEASE = text("delete from lease where name = :name and owner = :owner")


async def claim(connection: Connection, name: str, owner: str, time: timedelta) -> bool:
    """Take a piece of work for a time; return whether nobody else has it."""
    values = {"name": name, "owner": owner, "time": time}
    return (await connection.execute(_CLAIM, values)).rowcount > 0


async def renew(connection: Connection, name: str, owner: str, time: timedelta) -> bool:
    """Keep a piece of work for a time from now on; return whether nobody else has it already."""
    values = {"name": name, "owner": owner, "time": time}
    return (await connection.execute(_RENEW, values)).rowcount > 0


async def release(connection: Connection, name: str, owner: str) -> None:
    """Let others have a piece of work."""
    await connection.execute(_RELEASE, {"name": name, "owner": owner})
