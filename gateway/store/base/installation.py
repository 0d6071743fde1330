"""The installation: its name, and the key ring that its rows are encrypted with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from gateway.config.keys import KeyPurpose, Keys, RingKey
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy

_NAME = text(
    """
    with new as (insert into installation (name) select :name
        where not exists (select from installation) returning name)
    select name from new union all select name from installation limit 1
    """
)


async def name(connection: Connection, proposed: str) -> str:
    """Return the name of this installation; it is set once and is part of every key sent."""
    return str(await connection.scalar(_NAME, {"name": proposed}))


_RING = text("select purpose, version, master, sealed from key_ring order by purpose, version")


async def key_ring(connection: Connection) -> list[RingKey]:
    """Return all keys under all masters; none before the first start."""
    rows = await connection.execute(_RING)
    return [RingKey(KeyPurpose(row.purpose), *row[1:]) for row in rows]


_add = Copy("key_ring", "purpose, version, master, sealed, made_at")


async def add_keys(connection: Connection, keys: Sequence[RingKey], now: datetime) -> None:
    """Store new keys; the caller holds the structure lock and has read the ring under it."""
    await _add(connection, [(k.purpose, k.version, k.master, k.sealed, now) for k in keys])


_DROP_MASTER = text("delete from key_ring where master = :master")


async def drop_master(connection: Connection, fingerprint: str) -> None:
    """Delete the keys as this master protects them; another one must protect them too."""
    await connection.execute(_DROP_MASTER, {"master": fingerprint})


_SEALED = text(
    """
    (select coalesce(secret, unknown_columns) from record_version
        where secret is not null or unknown_columns is not null order by key_version, id limit 1)
    union all (select bytes from quarantine order by key_version, id limit 1)
    """
)


async def any_sealed(connection: Connection) -> bytes | None:
    """Return bytes of the oldest version of the encryption key; None if nothing is encrypted."""
    return (await connection.scalars(_SEALED)).first()


async def know(connection: Connection, keys: Keys, versions: Iterable[int]) -> None:
    """Renew the keys if other processes have made any of these versions of the encryption key."""
    if any(version not in keys for version in versions):
        keys.renew(await key_ring(connection))


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key of the ring, and how many rows are encrypted with it; 0 for other keys."""

    purpose: KeyPurpose
    version: int
    made_at: datetime
    masters: list[str]
    rows: int


_USE = text(
    """
    with used as (
        select key_version, count(*) as rows from (
            select key_version from record_version
            where secret is not null or unknown_columns is not null
            union all select key_version from quarantine
            union all select key_version from hand_upload_file) as sealed
        group by key_version)
    select purpose, version, min(made_at), array_agg(master order by made_at, master),
        case purpose when 'encryption' then coalesce(min(used.rows), 0) else 0 end
    from key_ring left join used on used.key_version = version
    group by purpose, version order by purpose, version
    """
)


async def key_use(connection: Connection) -> list[KeyUse]:
    """Return all keys with their use; it counts all encrypted rows."""
    return [KeyUse(KeyPurpose(row[0]), *row[1:]) for row in await connection.execute(_USE)]


_TIME = text("select clock_timestamp()")


async def database_time(connection: Connection) -> datetime:
    """Return the time by the clock of the database."""
    found: datetime = (await connection.execute(_TIME)).scalar_one()
    return found
