"""The database that migrations give."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

from gateway.store.engine import Database
from gateway.store.tables import metadata

pytestmark = pytest.mark.integration


async def test_migrations_give_the_tables_that_the_code_declares(database: Database) -> None:
    def compare(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    async with database.transaction() as connection:
        differences = await connection.run_sync(compare)

    assert [one for one in differences if not _is_partition(one)] == []


def _is_partition(difference: object) -> bool:
    """The default partitions stand in migrations only."""
    text_of = str(difference)
    return "_default" in text_of and ("remove_table" in text_of or "remove_index" in text_of)
