"""A database of others may hang or fail in any way: it holds nobody, and its errors are told."""

import asyncio
import threading
from pathlib import Path

import pytest

from gateway.store.base import other_database
from gateway.store.base.other_database import OtherDatabaseAway, query_rows

ENDLESS = """
    with recursive c(x) as (select 1 union all select x + 1 from c where x < 60000000)
    select max(x) as most from c
"""


async def all_of(url: str, query: str) -> list[object]:
    return [row async for part in query_rows(url, query, {}, 2) for row in part]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'cases.db'}"


async def test_rows_come_in_slices_and_the_thread_ends(url: str) -> None:
    query = "select 1 as a union all select 2 union all select 3"

    rows = await all_of(url, query)

    assert rows == [{"a": 1}, {"a": 2}, {"a": 3}]
    left = [one for one in threading.enumerate() if one.name == "other-database"]
    for one in left:
        await asyncio.to_thread(one.join, 5)
    assert not any(one.is_alive() for one in left)


async def test_a_query_without_end_is_given_up(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(other_database, "PATIENCE", 0.1)
    monkeypatch.setattr(other_database, "_ENDING", 0.1)

    with pytest.raises(OtherDatabaseAway, match="在时限内没有答复"):
        await all_of(url, ENDLESS)

    assert _left_behind()


async def test_who_waits_for_a_query_without_end_can_be_cancelled(url: str) -> None:
    waits = asyncio.create_task(all_of(url, ENDLESS))
    await asyncio.sleep(0.2)
    waits.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waits

    assert _left_behind()


def _left_behind() -> bool:
    """Whether a query still runs, in a thread that keeps no process from ending."""
    left = [one for one in threading.enumerate() if one.name == "other-database"]
    return bool(left) and all(one.daemon for one in left)


@pytest.mark.parametrize(
    "url",
    [
        "mysql+pymysql://case:geheim@127.0.0.1:geheim/x",
        "postgresql+asyncpg://case:geheim@127.0.0.1/x?sslmode=require",
        "sqlite:////no/such/folder/geheim?geheim=1",
        "nonsense+geheim://geheim",
    ],
)
async def test_no_password_stands_in_what_is_told(url: str) -> None:
    with pytest.raises(OtherDatabaseAway) as told:
        await all_of(url.replace("/geheim?geheim=1", "/x"), "select 1")

    assert "geheim" not in str(told.value)
