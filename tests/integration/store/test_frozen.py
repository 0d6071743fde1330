"""A process that stands still in a transaction keeps its locks for a bounded time only."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from gateway.store.base.engine import Connection, Database, DatabaseAway
from gateway.store.base.frozen import end_frozen, longest_transactions

pytestmark = pytest.mark.integration

PATIENCE = 60
AT_ONCE = timedelta(0)
ADD = text("insert into installation (name) values ('a')")
LOCK = text("select name from installation for update")
WAITING = text(
    "select count(*) from pg_stat_activity"
    " where wait_event_type = 'Lock' and datname = current_database()"
)
IDLE = text("show idle_in_transaction_session_timeout")


def again(database: Database, **more: Any) -> Database:
    """Another process at the database of the test."""
    return Database(database.engine.url.render_as_string(hide_password=False), **more)


async def parse_only(connection: Connection) -> None:
    """Do as a process that stands still between the parts of a statement."""
    raw = await connection.get_raw_connection()
    driver: Any = raw.driver_connection
    await driver._get_statement("select 1", PATIENCE)


async def lock(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(LOCK)


async def until_somebody_waits(database: Database) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            async with database.transaction() as connection:
                if await connection.scalar(WAITING):
                    return
            await asyncio.sleep(0.02)


async def ended(database: Database, **after: timedelta) -> int:
    async with database.transaction() as connection:
        return len(await end_frozen(connection, **after))


async def stand(database: Database, frozen: Database, **after: timedelta) -> int:
    """Stand still within a statement, while another process waits; return how many were ended."""
    async with frozen.transaction() as standing:
        await standing.execute(LOCK)
        await parse_only(standing)
        waiting = asyncio.create_task(lock(database))
        await until_somebody_waits(database)
        count = await ended(database, **after)
        if count:
            await waiting
        await standing.execute(text("select 1"))
    await waiting
    return count


@pytest.fixture
async def locked(database: Database) -> Database:
    """The database of the test, with a row to lock."""
    async with database.transaction() as connection:
        await connection.execute(ADD)
    return database


async def test_a_transaction_that_stands_still_within_a_statement_and_blocks_others_is_ended(
    locked: Database,
) -> None:
    frozen = again(locked)

    with pytest.raises(DatabaseAway):
        await stand(locked, frozen, after=AT_ONCE)

    await lock(locked)
    await frozen.close()


async def test_a_transaction_that_does_not_read_its_answer_and_blocks_others_is_ended(
    locked: Database,
) -> None:
    frozen, sockets, holds = again(locked), list[Any](), asyncio.Event()

    async def stop_reading() -> None:
        async with frozen.transaction() as connection:
            await connection.execute(LOCK)
            holds.set()
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            answer = await driver.prepare("select repeat('x', 1000) from generate_series(1, 20000)")
            sockets.append(driver._transport)
            driver._transport.pause_reading()
            await answer.fetch()

    standing = asyncio.create_task(stop_reading())
    async with asyncio.timeout(PATIENCE):
        await holds.wait()
    waiting = asyncio.create_task(lock(locked))
    await until_somebody_waits(locked)
    async with asyncio.timeout(PATIENCE):
        while True:
            if await ended(locked, after=AT_ONCE):
                break
            await asyncio.sleep(0.02)
        await waiting

    sockets[0].resume_reading()
    with pytest.raises(DatabaseAway):
        await standing
    await frozen.close()


async def test_a_transaction_that_stands_still_for_a_moment_goes_on(locked: Database) -> None:
    frozen = again(locked)

    assert await stand(locked, frozen) == 0
    await frozen.close()


async def test_a_transaction_that_blocks_nobody_is_left_alone(locked: Database) -> None:
    frozen = again(locked)
    async with frozen.transaction() as standing:
        await standing.execute(LOCK)
        await parse_only(standing)

        assert await ended(locked, after=AT_ONCE, copying=AT_ONCE) == 0
        assert "pid" not in await longest(locked)
    await frozen.close()


async def test_a_copy_has_its_time(locked: Database) -> None:
    """It looks the same whether data comes or not."""
    copying, begun, rows = again(locked), asyncio.Event(), asyncio.Event()

    async def data() -> Any:
        begun.set()
        await rows.wait()
        yield b""

    async def copy() -> None:
        async with copying.transaction() as connection:
            await connection.execute(LOCK)
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            await driver.copy_to_table("installation", source=data(), columns=["name"])

    copies = asyncio.create_task(copy())
    async with asyncio.timeout(PATIENCE):
        await begun.wait()
    waiting = asyncio.create_task(lock(locked))
    await until_somebody_waits(locked)
    count = await ended(locked, after=AT_ONCE)
    rows.set()
    await asyncio.gather(copies, waiting)

    assert count == 0
    await copying.close()


async def longest(database: Database) -> str:
    async with database.transaction() as connection:
        return await longest_transactions(connection)


async def test_only_patient_transactions_may_do_nothing_for_long(database: Database) -> None:
    migrating, reading = again(database, command_seconds=None), again(database, read_only=True)

    async with database.transaction() as connection:
        assert await connection.scalar(IDLE) == "1min"
    for patient in (database.transaction(patient=True), database.snapshot()):
        async with patient as connection:
            assert await connection.scalar(IDLE) == "10min"
    for one in (migrating, reading):
        async with one.transaction() as connection:
            assert await connection.scalar(IDLE) == "10min"

    await migrating.close()
    await reading.close()
