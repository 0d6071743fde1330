"""The keys that sign ledgers and attestations, encrypted by the key ring; none is ever deleted."""

from datetime import datetime

from sqlalchemy import text

from gateway.config.keys import Keys
from gateway.config.signing import Signer
from gateway.store.base.engine import Connection
from gateway.store.base.installation import know

_LOCK = text("select pg_advisory_xact_lock(hashtext('credit-gateway/signing-key'))")
_LATEST = text("select sealed, key_version from signing_key order by made_at desc, name limit 1")
_ADD = text(
    """
    insert into signing_key (name, sealed, key_version, made_at)
    values (:name, :sealed, :version, :now)
    """
)
_NAMES = text("select name, made_at from signing_key order by made_at, name")


async def signer(connection: Connection, keys: Keys, now: datetime) -> Signer:
    """Return the key that signs now; the first one is made when something is signed first."""
    found = (await connection.execute(_LATEST)).one_or_none()
    if found is None:
        await connection.execute(_LOCK)
        found = (await connection.execute(_LATEST)).one_or_none()
    if found is not None:
        await know(connection, keys, [found.key_version])
        return Signer(keys.decrypt(found.sealed, found.key_version))
    made, private = Signer.new()
    values = {"name": made.name, "sealed": keys.encrypt(private), "version": keys.version}
    await connection.execute(_ADD, {**values, "now": now})
    return made


async def names(connection: Connection) -> list[tuple[str, datetime]]:
    """Return the names of all keys that signed, and when they were made."""
    return [(str(row.name), row.made_at) for row in await connection.execute(_NAMES)]
