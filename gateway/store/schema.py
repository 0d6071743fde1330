"""Migrations, and the monthly partitions that must exist before their month begins."""

from datetime import UTC, date, datetime, time
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text

from gateway.errors import BadConfiguration
from gateway.store.engine import Connection, Database

MIGRATIONS = Path(__file__).parent / "migrations"
#: Partitioned by month: what grows without end and carries no promise of uniqueness.
PARTITIONED = ("attempt", "receipt", "audit_event")
#: Two processes never migrate or make partitions at once.
_MIGRATION_LOCK = 726_180_001
_LOCK = text("select pg_advisory_xact_lock(:lock)").bindparams(lock=_MIGRATION_LOCK)


async def upgrade(database: Database) -> None:
    """Bring the database to the newest version; harmless if it is."""
    async with database.transaction() as connection:
        await connection.execute(_LOCK)
        await connection.run_sync(_upgrade)


def _upgrade(connection: SyncConnection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise BadConfiguration(
            f"database_url：数据库的结构这个版本不认识：{error}；用升级过它的版本，或换一个库"
        ) from error


async def make_partitions(connection: Connection, first: date, months: int = 3) -> None:
    """Make the partitions of `months` months from `first` on; those that exist stay.

    One process at a time: two that had both looked into the same default partition would wait for
    each other when they make the partition.
    """
    await connection.execute(_LOCK)
    month = first.replace(day=1)
    for _ in range(months):
        following = (month.replace(day=28) + (date(2000, 1, 5) - date(2000, 1, 1))).replace(day=1)
        for table in PARTITIONED:
            name = f"{table}_{month:%Y_%m}"
            statement = f"create table if not exists {name} partition of {table} for values from ('{month}') to ('{following}')"  # noqa: E501
            if not await _occupied(connection, table, month, following):
                await connection.execute(text(statement))
        month = following


async def _occupied(connection: Connection, table: str, start: date, end: date) -> bool:
    """Whether the default partition already holds rows of the range, so that it must keep them.

    Partitions begin at midnight UTC, the time zone of every session.
    """
    column = {"attempt": "started_at", "receipt": "received_at", "audit_event": "at"}[table]
    query = f"select exists(select from {table}_default where {column} >= :a and {column} < :b)"  # noqa: S608  names are ours
    bounds = {name: datetime.combine(day, time(), UTC) for name, day in (("a", start), ("b", end))}
    return bool(await connection.scalar(text(query), bounds))
