"""Embedded PostgreSQL: ownership, use by others, and the state after a kill."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.config.settings import Settings
from gateway.embedded.postgres import EmbeddedPostgres
from gateway.embedded.server import FileLock, running
from gateway.service.servers import database_url
from gateway.store.base.engine import Database
from gateway.store.base.upgrade import upgrade
from tests.acceptance.command import Command, told
from tests.gateway.due.test_import_year import NOTICE, ROWS, table

pytestmark = pytest.mark.integration
PATIENCE = 60

#: A process that uses the server, prints "ready", and ends in order at a line on standard input.
OWNER = """
import sys
from pathlib import Path
from gateway.embedded.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start()
print("ready", flush=True)
sys.stdin.readline()
server.stop()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A state folder; its servers are stopped after the test."""
    made = Path(tempfile.mkdtemp(prefix="cg-"))
    yield made
    for state in {lock.parent for lock in made.rglob("postgres.lock")}:
        last = EmbeddedPostgres(state)
        last.start()
        last.stop()
        shutil.rmtree(last.runtime, ignore_errors=True)
    shutil.rmtree(made, ignore_errors=True)


def pid_of(server: EmbeddedPostgres) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def start_owner(state: Path) -> "subprocess.Popen[bytes]":
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(state)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"ready\n"
    return owner


def kill(owner: "subprocess.Popen[bytes]") -> None:
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    for pipe in (owner.stdin, owner.stdout):
        assert pipe is not None
        pipe.close()


async def write(server: EmbeddedPostgres) -> None:
    database = Database(server.url)
    await upgrade(database)
    async with database.transaction() as connection:
        await connection.exec_driver_sql("insert into installation values ('kept')")
    await database.close()


async def read(server: EmbeddedPostgres) -> str:
    database = Database(server.url)
    async with database.transaction() as connection:
        found = (await connection.exec_driver_sql("select name from installation")).scalar_one()
    await database.close()
    return str(found)


async def test_a_second_process_uses_the_server_and_does_not_stop_it(folder: Path) -> None:
    owner = start_owner(folder)
    second = EmbeddedPostgres(folder)

    second.start()
    await write(second)
    second.stop()

    assert running(pid_of(second), str(second.data)) is not None
    assert await read(second) == "kept"
    kill(owner)


async def test_a_server_is_stopped_by_the_last_of_its_users(folder: Path) -> None:
    first = start_owner(folder)
    last = EmbeddedPostgres(folder)
    last.start()
    await write(last)
    pid = pid_of(last)

    first.communicate(b"\n", timeout=60)
    runs_without_the_first = last.runs()
    kept = await read(last)
    stopped = last.stop()

    assert (runs_without_the_first, kept, stopped) == (True, "kept", True)
    assert running(pid, str(last.data)) is None


async def test_a_server_that_a_killed_owner_left_running_is_adopted(folder: Path) -> None:
    owner = start_owner(folder)
    heir = EmbeddedPostgres(folder)
    await write(heir)
    before = pid_of(heir)
    kill(owner)

    heir.start()

    assert pid_of(heir) == before
    assert await read(heir) == "kept"
    heir.stop()
    assert running(before, str(heir.data)) is None


async def test_a_killed_server_starts_again_with_its_committed_data(folder: Path) -> None:
    owner = start_owner(folder)
    heir = EmbeddedPostgres(folder)
    await write(heir)
    os.kill(pid_of(heir), signal.SIGKILL)
    kill(owner)

    heir.start()

    assert await read(heir) == "kept"
    heir.stop()


async def test_a_server_that_ends_under_a_gateway_is_started_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.service.servers.LOOK_PAUSE", 0.1)
    server = EmbeddedPostgres(folder)
    settings = Settings.model_validate({"state": folder, "destinations": []})
    async with database_url(settings):
        await write(server)
        before = pid_of(server)
        os.kill(before, signal.SIGKILL)
        async with asyncio.timeout(PATIENCE):
            while not server.runs() or pid_of(server) == before:  # noqa: ASYNC110  no event
                await asyncio.sleep(0.1)

        assert await read(server) == "kept"
    assert not server.runs()


async def test_a_stale_pid_file_with_another_process_is_ignored(folder: Path) -> None:
    first = EmbeddedPostgres(folder)
    first.start()
    await write(first)
    content = (first.data / "postmaster.pid").read_text()
    first.stop()
    others = content.replace(content.split()[0], str(os.getpid()), 1)
    (first.data / "postmaster.pid").write_text(others)

    again = EmbeddedPostgres(folder)
    again.start()

    assert await read(again) == "kept"
    again.stop()


async def test_a_state_folder_may_have_a_long_path(folder: Path) -> None:
    deep = folder / ("d" * 100) / ("e" * 100)
    server = EmbeddedPostgres(deep)

    server.start()
    await write(server)

    assert await read(server) == "kept"
    assert len(str(server.runtime)) < 100
    server.stop()


async def test_a_server_that_is_ending_is_started_again(folder: Path) -> None:
    owner = start_owner(folder)
    again = EmbeddedPostgres(folder)
    await write(again)
    kill(owner)
    os.kill(pid_of(again), signal.SIGINT)

    await asyncio.to_thread(again.start)

    assert await read(again) == "kept"
    assert again.stop()


async def test_a_server_that_does_not_know_yet_that_it_ends_is_started_again(folder: Path) -> None:
    owner = start_owner(folder)
    again = EmbeddedPostgres(folder)
    await write(again)
    kill(owner)
    ending = pid_of(again)
    os.kill(ending, signal.SIGSTOP)
    os.kill(ending, signal.SIGINT)

    start = asyncio.create_task(asyncio.to_thread(again.start))
    await asyncio.sleep(0.5)
    os.kill(ending, signal.SIGCONT)
    await start

    assert await read(again) == "kept"
    assert again.stop()


async def test_the_last_user_stops_a_server_whose_parent_goes_on(folder: Path) -> None:
    parent, last = EmbeddedPostgres(folder), EmbeddedPostgres(folder)
    parent.start()
    last.start()
    await write(last)
    pid = pid_of(last)

    assert [parent.stop(), last.stop()] == [False, True]
    assert running(pid, str(last.data)) is None
    assert parent.child is not None
    parent.child.wait()


def test_due_asks_the_embedded_database_for_imported_calendars_where_it_runs(folder: Path) -> None:
    command = Command(folder, {})
    (folder / "2027.csv").write_text(table(ROWS))
    importing = ("calendar", "import", "2027.csv", "--notice", NOTICE, "--apply")
    assert told(command(*importing), 0)
    server = EmbeddedPostgres(folder / "var")

    stopped = command("due", "2026-12-28")
    of_calendar_days = command("due", "2026-12-28", "--clock", "calendar-7")
    server.start()
    running = command("due", "2026-12-28")
    server.stop()

    assert told(stopped, 3, "没有查看导入过的工作日历")
    assert (of_calendar_days.code, of_calendar_days.err) == (0, "")
    assert (running.code, running.err) == (0, "")
    assert "2027-01-08T23:59:59" in running.out


def test_a_shared_lock_is_had_alone_by_the_last_one_only(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    one.share()
    other.share()

    assert [one.acquire(), other.acquire()] == [False, True]
    other.release()


def test_a_lock_has_one_holder_until_it_is_released(tmp_path: Path) -> None:
    one, other = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")

    taken = [one.acquire(), other.acquire()]
    one.release()

    assert (taken, other.acquire()) == ([True, False], True)
    other.release()


def test_another_process_is_not_taken_for_the_server() -> None:
    assert running(os.getpid(), "no such marker in any command line") is None
    assert running(-1, "") is None
    assert running(2**22 + 1, "") is None
