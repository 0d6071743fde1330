"""An upgrade from the release before, with a full queue, while its process goes on.

`tests/releases` has the wheel of that release, as it was built from its commit (de271d8).
"""

import asyncio
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import orjson
import pytest

from connectors.sandbox import serve_sandbox
from gateway.config.clock import system_clock
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.store.base.engine import Database
from tests.acceptance.month import (
    assert_everything_is_there_once,
    messages,
    outcome_without_trouble,
)
from tests.acceptance.town import CITY, NATION, Town, eventually
from tests.conftest import NewDatabase, execute
from tests.outcome import outcome

WHEEL = "credit_gateway-0.1.0-py3-none-any.whl"
#: Seconds in which the leases and pauses that the release before left behind are over.
LEASES_END = 180
_FULL = "select count(*) from delivery where destination = 'nation' and state <> 'accepted'"


@pytest.fixture
async def empty(
    database: Database, postgres: EmbeddedPostgres, kafka_bootstrap: str, tmp_path: Path
) -> AsyncIterator[Town]:
    """A town of today whose database has no tables yet: the clock of a release cannot be moved."""
    name = str(database.engine.url.database)
    await execute(postgres, f"drop database {name} with (force)")
    await execute(postgres, f"create database {name}")
    made = Town("upgraded", database, kafka_bootstrap, tmp_path, system_clock())
    async with serve_sandbox(made.sandbox) as url:
        made.url = url
        await made.make_topics()
        yield made
        await made.close()


@asynccontextmanager
async def release_before(town: Town, folder: Path) -> AsyncIterator[Process]:
    """Run `up` of the wheel, with the settings of the town."""
    with ZipFile(Path(__file__).parents[1] / "releases" / WHEEL) as wheel:
        wheel.extractall(folder)
    config = folder / "town.yaml"
    config.write_bytes(orjson.dumps(town.settings, default=_seconds))
    command = [sys.executable, "-m", "gateway", "--config", str(config)]
    command += ["up", "--roles", "intake,deliver,schedule"]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, cwd=folder, stdout=log, stderr=log
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def _seconds(wait: timedelta) -> str:
    return f"PT{wait.total_seconds()}S"


async def test_both_versions_work_side_by_side_and_nothing_is_lost_or_doubled(
    empty: Town, new_database: NewDatabase, tmp_path: Path
) -> None:
    town, published = empty, messages()
    third = len(published) // 3
    town.receive_later(CITY, NATION)
    town.sandbox.order(NATION, mode="submit", down="closed")

    async def all_taken() -> bool:
        return await town.lag() == 0

    async def has_started() -> bool:
        return '"message": "started"' in town.said()

    async with release_before(town, tmp_path) as old:
        await town.publish(published[:third])
        await town.until_in(CITY, 3)
        [(full,)] = await town.rows(_FULL)
        assert full >= 3
        new = town.start()  # it migrates
        await eventually(has_started)
        await town.publish(published[third : 2 * third])
        await eventually(all_taken)
        assert old.returncode is None
        old.terminate()
        assert await old.wait() == 0
    town.sandbox.order(NATION, mode="submit", down="")
    await town.publish(published[2 * third :])
    await town.settle(LEASES_END)
    await town.stop(new)

    said = (tmp_path / "log").read_text()
    assert "Traceback" not in said
    assert '"levelname": "ERROR", "name": "credit_gateway"' not in said
    await assert_everything_is_there_once(town)
    assert await outcome(town.rows) == await outcome_without_trouble(town, new_database)
