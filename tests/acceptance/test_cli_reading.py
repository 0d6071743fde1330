"""Commands that only read change nothing in the database, not even its structure."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.config.clock import SteppedClock
from gateway.store.base.engine import Database
from tests.acceptance.command import Command, commanding
from tests.conftest import SETTINGS, BuildGateway
from tests.factories import REGION, credit_code, penalty
from tests.integration.world import World

READING = (
    ("deliveries", "list"),
    ("deliveries", "show", "1"),
    ("quarantine", "list"),
    ("quarantine", "show", "1"),
    ("explain", "91150100MA0N999929"),
    ("verify", "--assessments", "--published"),
    ("rescore", "--store"),
)


@pytest.fixture
def command(database: Database, tmp_path: Path) -> Command:
    """The command with a database that no gateway has used yet."""
    return commanding(database, tmp_path, SETTINGS)


async def counted(database: Database, query: str) -> int:
    async with database.transaction() as connection:
        return int(await connection.scalar(text(query)) or 0)


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
async def test_a_reading_command_writes_nothing_to_an_unused_database(
    database: Database, command: Command, arguments: tuple[str, ...]
) -> None:
    ran = await asyncio.to_thread(command, *arguments)

    assert "Traceback" not in ran.err
    for table in ("destination", "rule_set_version", "installation"):
        assert await counted(database, f"select count(*) from {table}") == 0, table


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
async def test_a_reading_command_creates_no_tables_and_names_the_command_that_does(
    database: Database, command: Command, arguments: tuple[str, ...]
) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("drop schema public cascade"))
        await connection.execute(text("create schema public"))

    ran = await asyncio.to_thread(command, *arguments)

    assert ran.code == 2
    assert "credit-gateway db upgrade" in ran.err
    assert (
        await counted(database, "select count(*) from pg_tables where schemaname = 'public'") == 0
    )


async def test_explain_refuses_a_binding_by_which_nobody_was_scored(
    database: Database, build_gateway: BuildGateway, clock: SteppedClock, tmp_path: Path
) -> None:
    await World(await build_gateway(database), clock).take(penalty(1))
    bindings = [{"rule_set": "national-2013", "regions": [REGION]}]
    other = commanding(database, tmp_path, SETTINGS | {"scoring": {"bindings": bindings}})

    ran = await asyncio.to_thread(other, "explain", credit_code(1))

    assert (ran.code, ran.out) == (2, "")
    assert "national-2013 所绑定的单位已按别的评价办法评价" in ran.err
