"""Migrations: bring the database to the newest structure before anything else runs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text

from gateway.config.errors import BadConfiguration
from gateway.store.base.engine import Database

MIGRATIONS = Path(__file__).parent.parent / "migrations"
#: One process at a time migrates or creates partitions.
_LOCK_NUMBER = 726_180_001
STRUCTURE_LOCK = text("select pg_advisory_xact_lock(:lock)").bindparams(lock=_LOCK_NUMBER)


async def upgrade(database: Database) -> None:
    """Bring the database to the newest structure; change nothing if it is the newest.

    It opens its own transaction and holds the structure lock in it.

    Raises:
        BadConfiguration: the structure is of a release that this one does not know.
    """
    async with database.transaction() as connection:
        await connection.execute(STRUCTURE_LOCK)
        await connection.run_sync(_upgrade)


async def is_newest(database: Database) -> bool:
    """Whether the structure is the newest one."""
    return await _revision(database) == ScriptDirectory(str(MIGRATIONS)).get_current_head()


async def _revision(database: Database) -> str | None:
    async with database.transaction() as connection:
        return await connection.run_sync(
            lambda sync: MigrationContext.configure(sync).get_current_revision()
        )


async def require_newest(database: Database) -> None:
    """Check that the structure is the newest, without changing it.

    Raises:
        BadConfiguration: the structure is missing, older, or of an unknown release.
    """
    found = await _revision(database)
    scripts = ScriptDirectory(str(MIGRATIONS))
    if found == scripts.get_current_head():
        return
    if found is not None and found not in {script.revision for script in scripts.walk_revisions()}:
        raise _unknown(f"结构版本 {found}")
    state = "还没有表" if found is None else f"是旧版本的结构（{found}）"
    raise BadConfiguration(
        f"database_url：数据库{state}；查询命令不改动数据库，"
        "先运行 credit-gateway db upgrade（--config 与这条命令相同）"
    )


def _unknown(what: str) -> BadConfiguration:
    return BadConfiguration(
        f"database_url：数据库的结构这个版本不认识：{what}；用升级过它的版本，或换一个库"
    )


def _upgrade(connection: SyncConnection) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise _unknown(str(error)) from error
