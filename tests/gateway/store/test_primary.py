"""Opening connections to several hosts at once, given up at each step."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from gateway.store.base.primary import OldPrimary, Primary
from gateway.store.base.seen_timeline import SeenTimeline

HOSTS: dict[str, Any] = {"host": ["a", "b"], "port": 5432}


class Connection:
    """A connection of which is known whether it was ended."""

    ended = False

    def terminate(self) -> None:
        self.ended = True

    async def execute(self, _statement: str) -> None:
        await asyncio.sleep(0)

    def __init__(self, timeline: int = 1, system: int = 7) -> None:
        self.timeline, self.system = timeline, system

    async def fetchval(self, statement: str) -> str | int:
        await asyncio.sleep(0)
        return self.system if "system" in statement else f"{self.timeline:08X}"


@pytest.mark.parametrize("steps", range(12))
async def test_whoever_gives_up_at_any_step_leaves_no_connection_open(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    opened: list[Connection] = []

    async def connect(**_: object) -> Connection:
        await asyncio.sleep(0)
        opened.append(Connection())
        return opened[-1]

    monkeypatch.setattr("gateway.store.base.primary.asyncpg.connect", connect)
    opening = asyncio.create_task(Primary().connect(**HOSTS))
    for _ in range(steps):
        await asyncio.sleep(0)
    opening.cancel()
    given = (await asyncio.gather(opening, return_exceptions=True))[0]
    for _ in range(20):
        await asyncio.sleep(0)

    kept = [one for one in opened if not one.ended]
    assert kept == ([given] if isinstance(given, Connection) else [])


class Servers:
    """Servers by their hosts; None is one that is away."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.up: dict[str, tuple[int, int] | None] = {"a": None, "b": None}
        monkeypatch.setattr("gateway.store.base.primary.asyncpg.connect", self._connect)

    async def _connect(self, *, host: str, **_: object) -> Connection:
        if (server := self.up[host]) is None:
            raise ConnectionRefusedError(host)
        return Connection(*server)


async def timeline(file: Path) -> int:
    """Return the timeline to which a process that starts now connects."""
    starting = Primary()
    starting.remember(SeenTimeline(file))
    found = await starting.connect(**HOSTS)
    assert isinstance(found, Connection)
    return found.timeline


async def test_a_process_that_starts_while_the_new_primary_is_away_takes_no_old_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Proven: it wrote to the old primary, which knew of no promotion, and delivered from it."""
    servers, file = Servers(monkeypatch), tmp_path / "state" / "timeline"
    servers.up["a"] = 1, 7
    assert await timeline(file) == 1
    servers.up["b"] = 2, 7
    assert await timeline(file) == 2
    servers.up["b"] = None

    with pytest.raises(OldPrimary, match=r"时间线 2 以前的旧主库.*另一主机：b"):
        await timeline(file)

    servers.up["b"] = 2, 7
    assert await timeline(file) == 2


async def test_a_cluster_that_was_made_anew_begins_with_its_first_timeline(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    servers, file = Servers(monkeypatch), tmp_path / "timeline"
    servers.up["a"] = 5, 7
    assert await timeline(file) == 5

    servers.up["a"] = 1, 8

    assert await timeline(file) == 1
    assert file.read_text() == "8 1\n"


@pytest.mark.parametrize("words", ["", "7", "seven 2", "7 2 3", "\ufeff7 2"])
async def test_a_damaged_file_says_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str
) -> None:
    servers, file = Servers(monkeypatch), tmp_path / "timeline"
    file.write_text(words)
    servers.up["b"] = 1, 7

    assert await timeline(file) == 1


async def test_one_that_cannot_be_asked_for_its_system_is_taken_as_before(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    servers, file = Servers(monkeypatch), tmp_path / "timeline"
    file.write_text("7 2")

    async def hardened(self: Connection, statement: str) -> str:
        if "system" in statement:
            raise asyncpg.InsufficientPrivilegeError
        return "00000001"

    monkeypatch.setattr(Connection, "fetchval", hardened)
    servers.up["a"] = 1, 7

    assert await timeline(file) == 1
