"""The sandbox as an exchange database 前置库: staging tables, their check, and lost commits."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import URL

from connectors import build
from connectors.errors import NotSent, OutcomeUnknown
from connectors.exchange_database import ExchangeDatabase
from connectors.sandbox import (
    ExchangePlace,
    Sandbox,
    create_sandbox,
    serve_exchange,
    serve_sandbox,
)
from gateway.embedded.postgres import EmbeddedPostgres
from schemas.codes import Verb
from schemas.delivery import Item, Receipt
from tests.connectors.conftest import CODE, SteppedClock

pytestmark = pytest.mark.integration

ItemFactory = Callable[..., Item]
PLACE = "city-exchange"
TABLE: dict[str, Any] = {
    "name": "frxzcf",
    "key_column": "CG_KEY",
    "constants": {"DATASOURCE": "环保"},
    "inserted_column": "CREATE_TIME",
    "status_column": "CF_ZT",
    "check_column": "CHECK_SIGN",
    "cause_column": "CHECK_UNPASS_CAUSE",
    "moved_to": {"name": "frxzcf_zs", "key_column": "CG_KEY", "time_column": "SYNC_DATE"},
}


@pytest.fixture
def sandbox(clock: SteppedClock, postgres: EmbeddedPostgres) -> Sandbox:
    place = ExchangePlace.model_validate({"server": postgres.url, "password": "s3cret-word"})
    return create_sandbox(clock, {PLACE: place})


@pytest.fixture
async def url(sandbox: Sandbox) -> AsyncIterator[URL]:
    async with serve_exchange(sandbox) as urls:
        yield urls[PLACE]


@pytest.fixture
async def connector(url: URL, clock: SteppedClock) -> AsyncIterator[ExchangeDatabase]:
    address = url.render_as_string(hide_password=False)
    settings = {"url": address, "tables": {"penalty": TABLE}, "call_timeout": 3}
    made = build("exchange-database", settings, clock)
    assert isinstance(made, ExchangeDatabase)
    yield made
    await made.close()


def marked(item: ItemFactory, number: int, mark: str = "", **changes: Any) -> Item:
    document = f"样环罚字〔2026〕{number}号{mark and f'-演练-{mark}'}"
    columns = {"CF_WSH": document, "CF_XDR_SHXYM": CODE, "CF_JDRQ": "2026-11-20"}
    return item(number, columns=columns, document_number=document, **changes)


async def told(connector: ExchangeDatabase) -> list[Receipt]:
    """Return the receipts of one round."""
    found: list[Receipt] = []
    cursor = ""
    while True:
        page, cursor = await connector.receipts(cursor)
        if not page:
            return found
        found += page


async def verdicts(connector: ExchangeDatabase) -> dict[str, tuple[bool, str]]:
    return {one.key: (one.accepted, "；".join(one.reasons)) for one in await told(connector)}


async def rows(url: URL, query: str) -> list[tuple[Any, ...]]:
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with (
        await psycopg.AsyncConnection.connect(address) as connection,
        await connection.execute(query.encode()) as cursor,
    ):
        return await cursor.fetchall()


async def test_rows_are_checked_and_moved_as_the_connector_reads_them(
    connector: ExchangeDatabase, sandbox: Sandbox, item: ItemFactory, url: URL
) -> None:
    assert (await connector.health()).ok

    sent = await connector.send([marked(item, 1), marked(item, 2, "退回"), marked(item, 3)])
    said = await verdicts(connector)

    assert [one.kind for one in sent] == ["submitted"] * 3
    assert {key: accepted for key, (accepted, _) in said.items()} == {
        "key-1": True,
        "key-2": False,
        "key-3": True,
    }
    assert "未查询到主体" in said["key-2"][1]
    assert await rows(url, "select cg_key, check_sign from frxzcf") == [("key-2", "2")]
    moved = await rows(url, "select cg_key, sync_sign, datasource from frxzcf_zs order by 1")
    assert moved == [("key-1", "1", "环保"), ("key-3", "1", "环保")]
    state = sandbox.books[PLACE].state()
    assert state["effects"] == {"key-1": 1, "key-3": 1}
    assert [one["kind"] for one in state["entries"]] == ["penalty"] * 2


async def test_a_verdict_comes_when_it_is_due_or_never(
    connector: ExchangeDatabase, item: ItemFactory, clock: SteppedClock
) -> None:
    marks = ("入库", "稍后入库", "事后退回", "无回执")
    items = [marked(item, number, mark) for number, mark in enumerate(marks, start=1)]

    await connector.send(items)
    early = await verdicts(connector)
    clock.move(timedelta(seconds=30))
    late = await verdicts(connector)

    assert list(early) == ["key-1"]
    assert {key: accepted for key, (accepted, _) in late.items()} == {
        "key-1": True,
        "key-2": True,
        "key-3": False,
    }


@pytest.mark.parametrize("mark", ["断线", "慢"])
@pytest.mark.parametrize("by_order", [True, False])
async def test_a_commit_whose_answer_is_lost_is_found(
    connector: ExchangeDatabase, sandbox: Sandbox, item: ItemFactory, mark: str, by_order: bool
) -> None:
    if by_order:
        sandbox.rehearse(PLACE, {"断线": "drop_after_store", "慢": "slow"}[mark], 1)
    row = marked(item, 1, "" if by_order else mark)

    with pytest.raises(OutcomeUnknown):
        await connector.send([row])
    [found] = await connector.look_up([row])
    [again] = await connector.send([row])

    assert (found.kind, again.kind) == ("accepted", "accepted")
    assert sandbox.books[PLACE].state()["effects"] == {"key-1": 1}


async def test_a_database_that_is_down_takes_the_row_later(
    connector: ExchangeDatabase, sandbox: Sandbox, item: ItemFactory
) -> None:
    row = marked(item, 1, "停机")

    for _ in range(3):
        with pytest.raises(NotSent):
            await connector.send([row])
    [found] = await connector.send([row])

    assert found.kind == "submitted"
    assert sandbox.books[PLACE].state()["effects"] == {"key-1": 1}


async def test_a_database_that_is_down_by_order_lets_nobody_in(
    connector: ExchangeDatabase, sandbox: Sandbox, url: URL
) -> None:
    sandbox.rehearse(PLACE, "down")

    with pytest.raises(psycopg.OperationalError):
        await rows(url, "select 1")
    with pytest.raises(NotSent):
        await connector.receipts("")


async def test_a_row_that_is_moved_twice_was_taken_once(
    connector: ExchangeDatabase, sandbox: Sandbox, item: ItemFactory, url: URL
) -> None:
    await connector.send([marked(item, 1, "重复应答")])

    assert [one.key for one in await told(connector)] == ["key-1", "key-1"]
    assert await rows(url, "select count(*) from frxzcf_zs") == [(2,)]
    assert sandbox.books[PLACE].state()["doubled"] == []


async def test_a_row_that_is_inserted_twice_is_counted_twice(
    connector: ExchangeDatabase, sandbox: Sandbox, item: ItemFactory, url: URL
) -> None:
    insert = (
        "insert into frxzcf (cf_wsh, cf_xdr_shxym, cg_key) values ('1号', '9141', 'a') returning 1"
    )
    for _ in range(2):
        await rows(url, insert)

    state = sandbox.books[PLACE].state()
    assert state["effects"] == {"a": 2}
    assert state["doubled"] == [["1号", "9141"]]


async def test_what_was_refused_or_rolled_back_is_not_taken_and_keeps_nobody_out(
    sandbox: Sandbox, url: URL
) -> None:
    insert = "insert into frxzcf (cf_wsh, cg_key) values ('1号', 'a')"
    address = url.set(drivername="postgresql").render_as_string(hide_password=False)
    async with await psycopg.AsyncConnection.connect(address) as connection:
        await connection.execute(insert)
        await connection.rollback()
        await connection.execute(insert)
        with pytest.raises(psycopg.errors.UniqueViolation):
            await connection.execute(insert)
        await connection.commit()

    assert await rows(url, "select * from frxzcf") == []
    assert sandbox.books[PLACE].log == []


async def test_a_corrected_row_and_a_withdrawal_are_taken(
    connector: ExchangeDatabase, sandbox: Sandbox, item: ItemFactory
) -> None:
    await connector.send([marked(item, 1, "退回")])
    await connector.send([marked(item, 1, key="key-1b", verb=Verb.CORRECT, earlier=("key-1",))])
    await connector.send([marked(item, 1, key="key-1c", verb=Verb.WITHDRAW, earlier=("key-1b",))])

    state = sandbox.books[PLACE].state()
    assert [(one["key"], one["verb"]) for one in state["entries"]] == [
        ("key-1b", "new"),
        ("key-1c", "withdraw"),
    ]


async def test_the_account_may_only_insert_select_and_delete(url: URL) -> None:
    for refused in (
        "update frxzcf set check_sign = '1'",
        "drop table frxzcf",
        "create table mine (a int)",
        "create temporary table mine (a int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await rows(url, refused)


@pytest.mark.parametrize("changes", [{"username": "postgres"}, {"database": "postgres"}])
async def test_nobody_else_comes_through_and_to_no_other_database(
    url: URL, changes: dict[str, str]
) -> None:
    with pytest.raises(psycopg.OperationalError, match="这里没有库"):
        await rows(url.set(**changes), "select 1")  # type: ignore[arg-type]


async def test_it_is_controlled_and_emptied_over_http_as_the_others(
    connector: ExchangeDatabase, sandbox: Sandbox, item: ItemFactory, url: URL
) -> None:
    async with serve_sandbox(sandbox) as base, httpx.AsyncClient(base_url=base) as client:
        ordered = await client.put(f"/{PLACE}/control/rehearsal", json={"name": "reject"})
        refused = await client.put(f"/{PLACE}/control/rehearsal", json={"name": "html_200"})
        await connector.send([marked(item, 1)])
        assert not (await verdicts(connector))["key-1"][0]
        await client.post(f"/{PLACE}/control/reset")

    assert (ordered.status_code, refused.status_code) == (200, 422)
    assert await rows(url, "select * from frxzcf") == []
