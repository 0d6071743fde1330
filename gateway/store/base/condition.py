"""The condition of the database: what is open for long, and what vacuum cannot remove."""

from dataclasses import dataclass

from sqlalchemy import text

from gateway.store.base.engine import Connection


@dataclass(frozen=True, slots=True)
class DatabaseCondition:
    """The longest transaction in seconds, the oldest xmin in transactions, and dead deliveries."""

    longest_seconds: float
    xmin_age: int
    dead_deliveries: int


#: Our own transaction is none. An xmin is also held by a prepared transaction or a replication
#: slot, which outlives its connection.
_CONDITION = text(
    """
    select
        coalesce((select extract(epoch from clock_timestamp() - min(xact_start))
            from pg_stat_activity
            where datname = current_database() and pid <> pg_backend_pid()), 0),
        coalesce(greatest(
            (select max(age(backend_xmin)) from pg_stat_activity where pid <> pg_backend_pid()),
            (select max(greatest(age(xmin), age(catalog_xmin))) from pg_replication_slots),
            (select max(age(transaction)) from pg_prepared_xacts)), 0),
        coalesce((select n_dead_tup from pg_stat_user_tables
            where relid = 'delivery'::regclass), 0)
    """
)


async def condition(connection: Connection) -> DatabaseCondition:
    """Return the condition of the database; what we may not see counts as nothing."""
    row = (await connection.execute(_CONDITION)).one()
    return DatabaseCondition(float(row[0]), int(row[1]), int(row[2]))


_VERSION = text("select cast(current_setting('server_version_num') as int)")


async def server_version(connection: Connection) -> int:
    """Return the version of the server as it numbers it: 180004 is 18.4."""
    found: int = await connection.scalar(_VERSION)
    return found
