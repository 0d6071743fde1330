"""Opening connections to several hosts at once, given up at each step."""

import asyncio
from typing import Any

import pytest

from gateway.store.base.primary import Primary

HOSTS: dict[str, Any] = {"host": ["a", "b"], "port": 5432}


class Connection:
    """A connection of which is known whether it was ended."""

    ended = False

    def terminate(self) -> None:
        self.ended = True

    async def execute(self, _statement: str) -> None:
        await asyncio.sleep(0)

    async def fetchval(self, _statement: str) -> str:
        await asyncio.sleep(0)
        return "00000001"


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
