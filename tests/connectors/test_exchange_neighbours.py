"""Exchange databases 前置库: others at the same time, and odd servers, tables and rights."""

import asyncio
import signal
import threading
import time
from typing import Any

import pytest
from sqlalchemy import event

from connectors.errors import CallRejected, NotSent, OutcomeUnknown
from connectors.exchange_database import statements
from schemas.codes import Verb
from schemas.delivery import OutcomeKind
from tests.connectors.conftest import ItemFactory, SteppedClock
from tests.connectors.test_exchange_database import WINDOW, all_receipts, columns
from tests.exchange_place import MOVED, STAGING, Platform, tables
from tests.mariadb import MariaDb

pytestmark = pytest.mark.integration


# ---------------------------------------------------------------- others at the same time


async def test_a_row_of_ours_that_came_meanwhile_is_not_refused_as_a_second_one(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.health()
    with exchange_database.engine.connect() as other:
        other.exec_driver_sql(f"insert into {STAGING} (cf_wsh, cg_key) values ('x', 'key-1')")
        sending = asyncio.create_task(connector.send([item(1, columns=columns())]))
        await asyncio.sleep(0.5)
        other.commit()
    [outcome] = await sending

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    await connector.close()


@pytest.mark.parametrize("verb", [Verb.CORRECT, Verb.WITHDRAW])
async def test_a_row_that_is_being_picked_up_is_not_taken_back(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory, verb: Verb
) -> None:
    connector = exchange_database.connector(clock, pull_back=WINDOW)
    await connector.send([item(1, columns=columns())])
    with exchange_database.engine.connect() as other:
        other.exec_driver_sql(f"insert into {MOVED} (cf_wsh, cg_key) values ('x', 'key-1')")
        other.exec_driver_sql(f"delete from {STAGING} where cg_key = 'key-1'")
        later = item(2, verb=verb, columns=columns(), earlier=("key-1",))
        sending = asyncio.create_task(connector.send([later]))
        await asyncio.sleep(0.5)
        other.commit()
    [outcome] = await sending

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    assert [row["cg_key"] for row in exchange_database.rows()] == ["key-2"]
    await connector.close()


async def test_what_was_written_is_told_though_the_next_row_finds_the_server_away(
    exchange_database: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connector = exchange_database.connector(clock)
    name = "refused" if hasattr(statements, "refused") else "waits"

    def away(*_: Any) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(statements, name, away)
    mended = item(2, verb=Verb.CORRECT, columns=columns(1))
    outcomes = await connector.send([item(1, columns=columns(1)), mended])

    assert [one.kind for one in outcomes] == [OutcomeKind.SUBMITTED, OutcomeKind.DEFERRED]
    await connector.close()


async def test_nothing_more_is_asked_once_nobody_waits(
    exchange_database: Platform, clock: SteppedClock
) -> None:
    connector = exchange_database.connector(clock)
    asked, go = [], threading.Event()

    def work(connection: Any) -> None:
        go.wait(5)
        for number in range(3):
            connection.exec_driver_sql("select 1")
            asked.append(number)

    running = asyncio.create_task(connector._place.run(work))
    await asyncio.sleep(0.3)
    running.cancel()
    await asyncio.wait([running])
    go.set()
    await asyncio.sleep(0.3)

    assert asked == []
    await connector.close()


async def test_a_check_of_the_settings_takes_no_table_from_a_call(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)

    def work(connection: Any) -> Any:
        known = connector._of(connection)
        asyncio.run(connector.health())
        return set(known)

    assert await connector._place.run(work) == {"penalty"}
    await connector.close()


async def test_a_large_batch_takes_few_statements(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock, batch_size=5000, call_timeout=60)
    asked: list[str] = []
    event.listen(
        connector._place._engine,
        "before_cursor_execute",
        lambda _c, _u, statement, *_: asked.append(statement),
    )
    items = [item(n, columns=columns(n)) for n in range(1, 5001)]
    items[4000] = item(4001, columns=columns(4001, CF_XDR_SHXYM="9" * 19))
    began = time.monotonic()

    outcomes = await connector.send(items)

    kinds = [one.kind for one in outcomes]
    assert kinds.count(OutcomeKind.SUBMITTED) == 4999
    assert len(asked) < 400, len(asked)
    assert time.monotonic() - began < 30
    await connector.close()


# ---------------------------------------------------------------- other servers, other tables


@pytest.mark.parametrize("type_", ["boolean", "char(4)", "numeric(3, 1)", "smallint"])
async def test_postgresql_reads_a_check_sign_of_any_type(
    exchange_database_on_postgresql: Platform, clock: SteppedClock, item: ItemFactory, type_: str
) -> None:
    platform = exchange_database_on_postgresql
    platform.do(
        f"alter table {STAGING} alter check_sign type {type_} using check_sign::{type_}",
        f"alter table {STAGING} alter cg_key type char(64)",
        f"alter table {MOVED} alter cg_key type char(64)",
    )
    failed = ["0"] if type_ == "boolean" else ["2"]
    connector = platform.connector(clock, tables=tables(failed=failed), pull_back=WINDOW)
    await connector.send([item(n, columns=columns(n)) for n in (1, 2, 3)])
    sign = "false" if type_ == "boolean" else "2"
    platform.do(f"update {STAGING} set check_sign = {sign} where cg_key = 'key-1'")

    [told], _ = await all_receipts(connector)
    [again] = await connector.send([item(1, columns=columns())])
    [gone] = await connector.send(
        [item(4, verb=Verb.WITHDRAW, columns=columns(2), earlier=("key-2",))]
    )

    assert (told.key, told.accepted) == ("key-1", False)
    assert again.kind is OutcomeKind.SUBMITTED
    assert gone.kind is OutcomeKind.ACCEPTED
    assert (await connector.health()).ok
    await connector.close()


async def test_a_trigger_of_postgresql_refuses_its_row_only(
    exchange_database_on_postgresql: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    platform = exchange_database_on_postgresql
    platform.do(
        "create function refuse() returns trigger language plpgsql as $$ begin"
        " if new.cf_wsh like '%2号' then raise exception '文号不存在'; end if; return new; end $$",
        f"create trigger refuse before insert on {STAGING} for each row execute function refuse()",
    )
    connector = platform.connector(clock)

    items = [item(n, columns=columns(n)) for n in (1, 2, 3)]
    early, later = await connector.send(items), await connector.send(items)

    assert [one.kind for one in early] == [
        OutcomeKind.SUBMITTED,
        OutcomeKind.DEFERRED,
        OutcomeKind.SUBMITTED,
    ]
    assert later[1].kind is OutcomeKind.REJECTED
    assert "文号不存在" in later[1].reasons[0]
    await connector.close()


async def test_a_rule_that_is_checked_at_the_commit_refuses_its_row_only(
    exchange_database_on_postgresql: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    platform = exchange_database_on_postgresql
    platform.do(
        f"alter table {STAGING} add constraint once unique (cf_nr) deferrable initially deferred"
    )
    connector = platform.connector(clock)

    outcomes = await connector.send(
        [item(n, columns=columns(n, CF_NR=nr)) for n, nr in ((1, "甲"), (2, "甲"), (3, "乙"))]
    )

    assert [one.kind for one in outcomes] == [
        OutcomeKind.SUBMITTED,
        OutcomeKind.REJECTED,
        OutcomeKind.SUBMITTED,
    ]
    await connector.close()


async def test_names_in_capitals_and_a_schema_are_found(
    exchange_database_on_postgresql: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    platform = exchange_database_on_postgresql
    account = platform.connector(clock)._place.address.username
    platform.do(
        f'alter table {STAGING} rename to "FRXZCF"',
        'alter table "FRXZCF" rename cg_key to "CG_Key"',
        "create schema dbo",
        'alter table "FRXZCF" set schema dbo',
        f"grant usage on schema dbo to {account}",
    )
    connector = platform.connector(clock, tables=tables(name="dbo.FRXZCF"))

    [outcome] = await connector.send([item(1, columns=columns())])

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    assert (await connector.health()).ok
    await connector.close()


@pytest.mark.parametrize("charset", ["latin1", "gbk", "utf8mb3"])
async def test_a_letter_that_the_table_cannot_hold_refuses_its_row_only(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory, charset: str
) -> None:
    exchange_database.do(f"alter table {STAGING} modify cf_xdr_mc varchar(200) charset {charset}")
    connector = exchange_database.connector(clock)
    items = [item(1, columns=columns(1, CF_XDR_MC="A")), item(2, columns=columns(2))]
    items[1] = item(2, columns=columns(2, CF_XDR_MC="𠮷公司"))

    outcomes = await connector.send(items)

    assert [one.kind for one in outcomes] == [OutcomeKind.SUBMITTED, OutcomeKind.REJECTED]
    await connector.close()


async def test_a_table_without_transactions_has_each_row_once(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    exchange_database.do(f"alter table {STAGING} engine = myisam, drop index cg_key")
    connector = exchange_database.connector(clock)
    items = [item(n, columns=columns(n)) for n in (1, 2, 3)]
    items[2] = item(3, columns=columns(1))

    outcomes = await connector.send(items)

    assert [one.kind for one in outcomes] == [
        OutcomeKind.SUBMITTED,
        OutcomeKind.SUBMITTED,
        OutcomeKind.REJECTED,
    ]
    assert [row["cg_key"] for row in exchange_database.rows()] == ["key-1", "key-2"]
    await connector.close()


async def test_a_row_that_the_platform_has_taken_up_is_not_taken_back(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock, pull_back=WINDOW)
    await connector.send([item(1, columns=columns())])
    exchange_database.do(f"update {STAGING} set check_sign = '9'")  # 处理中

    [outcome] = await connector.send(
        [item(2, verb=Verb.WITHDRAW, columns=columns(), earlier=("key-1",))]
    )

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    await connector.close()


async def test_a_server_that_stands_still_ends_neither_calls_nor_the_close(
    exchange_database: Platform,
    mariadb_server: MariaDb,
    clock: SteppedClock,
    item: ItemFactory,
) -> None:
    connector = exchange_database.connector(clock, call_timeout=3)
    await connector.send([item(1, columns=columns())])
    process = mariadb_server._process
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(2):
            with pytest.raises((NotSent, OutcomeUnknown)):
                await connector.send([item(2, columns=columns(2))])
        await connector.close()
        assert time.monotonic() - began < 8
    finally:
        process.send_signal(signal.SIGCONT)

    [found] = await connector.look_up([item(2, columns=columns(2))])
    assert found.absent
    await connector.close()


async def test_a_password_that_is_changed_and_a_connection_that_is_killed(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns())])
    name = exchange_database.engine.url.database
    exchange_database.do(f"set password for {name}@localhost = password('another')")
    exchange_database.do(f"kill user {name}@localhost")

    with pytest.raises(CallRejected, match="Access denied"):
        await connector.send([item(2, columns=columns(2))])
    exchange_database.do(f"set password for {name}@localhost = password('p@ss/word')")
    [outcome] = await connector.send([item(2, columns=columns(2))])

    assert outcome.kind is OutcomeKind.SUBMITTED
    await connector.close()


async def test_the_check_names_what_will_make_trouble_later(
    exchange_database: Platform, clock: SteppedClock
) -> None:
    exchange_database.do(f"alter table {STAGING} drop index cg_key")
    connector = exchange_database.connector(clock)

    health = await connector.health()

    assert health.ok
    assert "CG_KEY 没有唯一索引" in health.detail
    assert "CF_CFLB" in health.detail
    assert "left_out" in health.detail
    await connector.close()
