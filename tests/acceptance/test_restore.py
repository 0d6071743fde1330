"""Yesterday's back-up is restored, by the programs of PostgreSQL that operators use."""

import asyncio
import subprocess
from functools import partial
from pathlib import Path

from gateway.embedded import postgres
from tests.acceptance.month import assert_everything_is_there_once, messages
from tests.acceptance.town import CITY, NATION, Town, eventually

_OPEN_IN_CITY = "select count(*) from delivery where destination = 'city' and state <> 'accepted'"


def run(program: str, town: Town, *arguments: str) -> None:
    """Run a program of PostgreSQL on the server of the town."""
    url = town.database.engine.url
    place = ["-h", str(url.query["host"]), "-U", "postgres"]
    command = [str(postgres._binaries() / program), *place, *arguments]
    subprocess.run(command, check=True, capture_output=True)


async def all_taken(town: Town) -> bool:
    """Whether the back-up has all of it: what it lacks would come under other keys."""
    [(open_,)] = await town.rows(_OPEN_IN_CITY)
    return await town.lag() == 0 and not open_


async def test_after_a_restore_nothing_is_forgotten_and_nothing_open_is_sent_twice(
    town: Town, tmp_path: Path
) -> None:
    """One platform was down when the back-up was made, and got all of it afterwards."""
    published, dump = messages(), str(tmp_path / "yesterday.dump")
    half, name = len(published) // 2, str(town.database.engine.url.database)
    town.receive_later(CITY, NATION)
    town.sandbox.order(NATION, mode="submit", down="closed")
    gateway = town.start()
    await town.publish(published[:half])
    await eventually(partial(all_taken, town))
    await town.stop(gateway)
    await asyncio.to_thread(run, "pg_dump", town, "-Fc", "-f", dump, name)

    town.sandbox.order(NATION, mode="submit", down="")
    gateway = town.start()
    await town.settle()
    await town.stop(gateway)
    await town.database.close()
    await asyncio.to_thread(run, "dropdb", town, "--force", name)
    await asyncio.to_thread(run, "createdb", town, name)
    await asyncio.to_thread(run, "pg_restore", town, "-d", name, dump)

    gateway = town.start()
    await town.publish(published[half:])
    await town.settle()
    await town.stop(gateway)

    await assert_everything_is_there_once(town)
    assert await town.rows("select 1 from audit_event where event = 'database_restored'")
