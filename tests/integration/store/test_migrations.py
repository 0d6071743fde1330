"""Migrations, partitions, and the codec of times."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text

from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.base.engine import BadData, Database
from gateway.store.base.partitions import make_partitions
from gateway.store.base.tables import metadata
from gateway.store.base.upgrade import upgrade
from gateway.store.record import returns
from tests.conftest import execute, url_of
from tests.factories import about, penalty, publicity_repair
from tests.integration.older import back_to
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_migrations_give_the_tables_that_the_code_declares(database: Database) -> None:
    def compare(connection: Connection) -> list[object]:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        return list(compare_metadata(context, metadata))

    async with database.transaction() as connection:
        differences = await connection.run_sync(compare)

    assert [one for one in differences if not _is_partition(one)] == []


INDEXES = "select indexname, indexdef from pg_indexes where schemaname = 'public'"


async def test_migrations_give_the_indexes_that_the_code_declares(
    database: Database, postgres: EmbeddedPostgres
) -> None:
    """Alembic compares neither their conditions nor their methods."""
    await execute(postgres, "create database declared")
    declared = Database(url_of(postgres, "declared"))
    async with declared.transaction() as connection:
        await connection.run_sync(metadata.create_all)
        wanted = {row[0]: row[1] for row in await connection.execute(text(INDEXES))}
    await declared.close()
    await execute(postgres, "drop database declared with (force)")

    async with database.transaction() as connection:
        found = {row[0]: row[1] for row in await connection.execute(text(INDEXES))}

    assert {name: found.get(name) for name in wanted} == wanted


FUNCTION = "select prosrc from pg_proc where proname = 'note_delivered'"


async def test_a_migration_gives_the_function_of_the_returns_that_the_code_declares(
    database: Database,
) -> None:
    async with database.transaction() as connection:
        migrated = await connection.scalar(text(FUNCTION))
        await returns.switch(connection, on=True)
        declared = await connection.scalar(text(FUNCTION))

    assert migrated.split() == declared.split()


async def test_migrating_again_changes_nothing(world: World) -> None:
    await world.take(penalty())
    before = await world.rows("select * from delivery order by id")

    await upgrade(world.database)

    assert await world.rows("select * from delivery order by id") == before


async def test_facts_of_an_earlier_release_get_their_id(world: World) -> None:
    await world.take(penalty(), penalty(2))
    kept = await world.column("select body from fact order by id")
    await world.run("update fact set body = (body::jsonb - 'id')::json")
    await back_to(world, "0006")

    await upgrade(world.database)

    assert await world.column("select body from fact order by id") == kept
    assert [body["id"] for body in kept] == await world.column(
        "select id::text from fact order by fact.id"
    )


@pytest.mark.parametrize(
    "old", ["样环罚字《2026》1号", "样环罚字<2026>1号。", "样环罚字〔2026〕\ue5e51号"]
)
async def test_a_decision_of_an_earlier_release_is_found_by_the_key_of_now(
    world: World, old: str
) -> None:
    await world.take(penalty(1), penalty(2))
    await world.run(f"update decision set number_key = '{old}' where document_number like '%1号'")
    await back_to(world, "0030")

    await upgrade(world.database)
    await world.take(penalty(1, CF_WSH=old, CF_SY="更正"))

    assert await world.column("select version from decision order by id") == [2, 1]


async def test_two_spellings_that_were_two_decisions_stay_two(world: World) -> None:
    await world.take(penalty(1), penalty(2), penalty(3))
    for n, old in enumerate(["样环罚字《2026》9号", "样环罚字<2026>9号", "样环罚字〔2026〕3号"], 1):
        where = f"document_number = '样环罚字〔2026〕{n}号'"
        await world.run(f"update decision set number_key = '{old}' where {where}")
    await back_to(world, "0030")

    await upgrade(world.database)

    keys = await world.column("select number_key from decision order by id")
    assert keys == ["样环罚字〔2026〕9号", "样环罚字<2026>9号", "样环罚字〔2026〕3号"]


@pytest.mark.parametrize("written", ["样环罚字《2026》1号", "样环罚字〔2026〕1号"])
async def test_a_letter_of_an_earlier_release_stands_and_can_be_withdrawn(
    world: World, written: str
) -> None:
    of = {**about(1), "document_number": written}
    await world.take(penalty(1), penalty(2), penalty(3))
    await world.take(publicity_repair(1, decision=of), publicity_repair(2))
    await back_to(world, "0042")

    await upgrade(world.database)
    await world.take(penalty(2, CF_NR="更正"), publicity_repair(1, decision=of, verb="withdraw"))

    verbs = "select verb from decision where kind = 'penalty' order by id"
    assert await world.column(verbs) == ["correct", "repair", "new"]


async def test_two_processes_may_migrate_at_once(postgres: EmbeddedPostgres) -> None:
    await execute(postgres, "create database empty")
    databases = [Database(url_of(postgres, "empty")) for _ in range(3)]

    await asyncio.gather(*[upgrade(database) for database in databases])

    async with databases[0].transaction() as connection:
        found = (await connection.exec_driver_sql("select count(*) from decision")).scalar_one()
    for database in databases:
        await database.close()
    await execute(postgres, "drop database empty with (force)")
    assert found == 0


async def test_partitions_are_created_before_their_months(world: World) -> None:
    names = await world.column("select relname from pg_class where relispartition and "
                               "relkind = 'r' and relname like 'attempt%' order by 1")  # fmt: skip

    months = ["2026_10", "2026_11", "2026_12", "2027_01"]
    assert names == [f"attempt_{month}" for month in months] + ["attempt_default"]


async def test_two_processes_may_make_partitions_at_once(world: World) -> None:
    async def make(first: date) -> None:
        async with world.database.transaction() as connection:
            await make_partitions(connection, first)

    for year in range(2031, 2039):
        await asyncio.gather(*[make(date(year, 1, 1)) for _ in range(3)])

    made = "select count(*) from pg_class where relkind = 'r' and relname like 'attempt_203%'"
    assert await world.value(made) == 8 * 4


async def test_a_long_reader_delays_partitions_and_nobody_else(world: World) -> None:
    async with world.database.transaction() as reader:
        await reader.execute(text("select count(*) from attempt"))
        async with world.database.transaction() as connection:
            beside = await make_partitions(connection, date(2031, 1, 1))
            await connection.execute(text("select count(*) from attempt"))
    async with world.database.transaction() as connection:
        after = await make_partitions(connection, date(2031, 1, 1))

    assert (beside, after) == (False, True)
    assert await world.value("select to_regclass('attempt_2031_04') is not null")


@pytest.mark.parametrize("at", ["2027-03-01 00:00+00", "2027-03-31 23:59:59.999999+00"])
async def test_a_month_that_began_in_the_default_partition_stays_there(
    world: World, at: str
) -> None:
    await world.run(f"insert into audit_event values ('{at}', 'x', 'y', '{{}}')")

    async with world.database.transaction() as connection:
        await make_partitions(connection, date(2027, 3, 1))

    assert await world.column("select tableoid::regclass::text from audit_event") == [
        "audit_event_default"
    ]


# ---------------------------------------------------------------- times


@given(at=st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=st.timezones()))  # noqa: DTZ001
@example(at=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin")))
@example(at=datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_a_time_is_stored_exactly_to_the_microsecond(
    database: Database, at: datetime
) -> None:
    async with database.transaction() as connection:
        back = await connection.scalar(text("select cast(:at as timestamptz)"), {"at": at})

    assert back == at.astimezone(UTC)
    assert back.utcoffset() == timedelta()


@pytest.mark.parametrize("wrong", [date(2026, 10, 1), datetime(2026, 10, 1)])  # noqa: DTZ001
async def test_a_date_or_a_time_without_a_zone_is_refused(database: Database, wrong: date) -> None:
    with pytest.raises(BadData):
        async with database.transaction() as connection:
            await connection.scalar(text("select cast(:at as timestamptz)"), {"at": wrong})


def _is_partition(difference: object) -> bool:
    """Whether it is about a default partition, which only migrations declare."""
    text_of = str(difference)
    return "_default" in text_of and ("remove_table" in text_of or "remove_index" in text_of)
