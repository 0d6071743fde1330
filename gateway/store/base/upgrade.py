"""Migrations: the database is brought to the newest structure before anything else runs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text

from gateway.config.errors import BadConfiguration
from gateway.store.base.engine import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"
#: Two processes never migrate or make partitions at once.
_LOCK_NUMBER = 726_180_001
STRUCTURE_LOCK = text("select pg_advisory_xact_lock(:lock)").bindparams(lock=_LOCK_NUMBER)


async def upgrade(database: Database) -> None:
    """Bring the database to the newest version; harmless if it is."""
    async with database.transaction() as connection:
        await connection.execute(STRUCTURE_LOCK)
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
