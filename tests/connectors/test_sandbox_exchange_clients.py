"""The sandbox as an exchange database 前置库 of other clients: their statements, rows and locks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL

from connectors.sandbox import ExchangePlace, Sandbox, create_sandbox, serve_exchange
from gateway.embedded.postgres import EmbeddedPostgres
from tests.connectors.conftest import SteppedClock

pytestmark = pytest.mark.integration

PLACE = "other-exchange"


@pytest.fixture
def sandbox(clock: SteppedClock, postgres: EmbeddedPostgres) -> Sandbox:
    place = ExchangePlace.model_validate({"server": postgres.url, "password": "s3cret-word"})
    return create_sandbox(clock, {PLACE: place})


@pytest.fixture
async def url(sandbox: Sandbox) -> AsyncIterator[URL]:
    async with serve_exchange(sandbox) as urls:
        yield urls[PLACE]


INSERT = "insert into frxzcf (cf_wsh, cf_xdr_shxym, cg_key) values ('{}', '9141', {})"


@asynccontextmanager
async def client(url: URL, *, autocommit: bool) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    made = await psycopg.AsyncConnection.connect(address, autocommit=autocommit)
    try:
        yield made
    finally:
        await made.close()


@pytest.mark.parametrize(
    "statements",
    [
        "BEGIN; {}; COMMIT;",
        "/* app */ {}",
        "-- of the app\n{}",
        "with x as (select 1) {}",
        "set search_path = public; {}",
    ],
)
async def test_a_mark_counts_however_a_row_is_inserted(url: URL, statements: str) -> None:
    marked = INSERT.format("样环罚字〔2026〕1号-演练-断线", "'k-1'")

    async with client(url, autocommit=True) as other:
        with pytest.raises(psycopg.OperationalError):
            await other.execute(statements.format(marked))


async def test_a_mark_counts_in_a_prepared_statement_without_values(url: URL) -> None:
    marked = INSERT.format("样环罚字〔2026〕1号-演练-断线", "'k-1'")

    async with client(url, autocommit=True) as other:
        with pytest.raises(psycopg.OperationalError):
            async with other.pipeline():
                await other.execute(marked)


async def test_a_text_that_only_says_insert_hands_nothing_over(url: URL, sandbox: Sandbox) -> None:
    async with client(url, autocommit=True) as other:
        await other.execute("select 'insert into -演练-断线' /* insert into */")

    assert sandbox.books[PLACE].calls["database"] == 0


async def test_rows_without_our_key_are_checked_each(url: URL) -> None:
    async with client(url, autocommit=False) as other:
        for _ in range(2):
            await other.execute(INSERT.format("样环罚字〔2026〕1号", "null"))
        await other.commit()
        left = await (await other.execute("select id from frxzcf")).fetchall()
        moved = await (await other.execute("select cf_wsh from frxzcf_zs")).fetchall()

    assert (len(left), len(moved)) == (0, 2)


@pytest.mark.parametrize("how", ["lock table frxzcf", "lock table frxzcf_zs in exclusive mode"])
async def test_who_locks_a_table_and_who_looks_do_not_wait_for_each_other(
    url: URL, how: str
) -> None:
    async with client(url, autocommit=False) as one, client(url, autocommit=True) as two:
        await one.execute(how)
        await one.execute(INSERT.format("样环罚字〔2026〕1号", "'k-1'"))
        asking = asyncio.create_task(two.execute("select 1"))
        await asyncio.sleep(0.2)
        async with asyncio.timeout(8):
            await one.commit()
            await asking
            moved = await (await two.execute("select cg_key from frxzcf_zs")).fetchall()

    assert moved == [("k-1",)]
