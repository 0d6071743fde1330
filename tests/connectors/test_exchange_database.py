"""The exchange database 前置库 on a real MariaDB: rows, checks, moves, taking back, and faults."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from connectors import BadSettings, build
from connectors.errors import CallRejected, NotSent, OutcomeUnknown
from connectors.exchange_database import ExchangeDatabase, feeds
from schemas.codes import Verb
from schemas.delivery import OutcomeKind, Receipt
from tests.connectors.conftest import ItemFactory, SteppedClock
from tests.exchange_place import MOVED, SETTINGS, STAGING, Platform
from tests.mariadb import MariaDb

pytestmark = pytest.mark.integration
#: The key of the first version of a decision.
BEFORE = ("key-1",)
#: The clock stands at 10:00 in China.
WINDOW = {"begin": "08:00", "end": "23:50"}
#: A row of the same decision that somebody else wrote.
TWICE = (
    f"insert into {STAGING} (cf_wsh, cf_xdr_shxym, cf_zt, rksj)"
    f" select cf_wsh, cf_xdr_shxym, cf_zt, rksj from {STAGING}"
)


def columns(number: int = 1, **changes: Any) -> dict[str, Any]:
    given = {
        "CF_WSH": f"豫环罚决字〔2026〕{number}号",
        "CF_XDR_MC": "样例公司（样例）",
        "CF_XDR_SHXYM": "91410100MA44TEAT5F",
        "CF_NR": "罚款贰万元",
        "CF_NR_FK": "2.000001",
        "CF_JDRQ": "2026-11-20",
    }
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


async def all_receipts(connector: ExchangeDatabase, cursor: str = "") -> tuple[list[Receipt], str]:
    """Read as the gateway does: until a page is empty, or begins where one began before."""
    told, seen = [], {cursor}
    while True:
        found, cursor = await connector.receipts(cursor)
        told += found
        if not found or cursor in seen:
            return told, cursor
        seen.add(cursor)


async def test_a_row_has_the_names_and_types_of_the_platforms_table(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)

    [outcome] = await connector.send([item(columns=columns())])

    [row] = exchange_database.rows()
    assert outcome.kind is OutcomeKind.SUBMITTED
    assert row["jdrq"] == date(2026, 11, 20)
    assert row["cf_nr_fk"] == Decimal("2.000001")
    assert (row["datasource"], row["cf_zt"], row["cg_key"]) == ("环保", "0", "key-1")
    assert row["rksj"] == datetime(2026, 11, 21, 10, 0)  # noqa: DTZ001  as the platform has it
    await connector.close()


async def test_the_account_needs_no_more_than_insert_select_and_delete(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock, pull_back=WINDOW)

    await connector.send([item(1, columns=columns())])
    exchange_database.refuse("名称不一致")
    await connector.send([item(2, verb=Verb.CORRECT, columns=columns(), earlier=BEFORE)])
    await connector.send(
        [item(3, verb=Verb.WITHDRAW, columns=columns(), earlier=("key-2", *BEFORE))]
    )
    await connector.receipts("")

    def update(connection: Any) -> None:
        connection.exec_driver_sql(f"update {STAGING} set check_sign = '1'")

    with pytest.raises(CallRejected, match="UPDATE command denied"):
        await connector._place.run(update)
    await connector.close()


async def test_what_the_platform_refuses_is_told_with_its_cause_and_the_mended_row_takes_its_place(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns())])
    exchange_database.refuse("未查询到主体")

    [told], cursor = await all_receipts(connector)
    [again] = await connector.look_up([item(1, columns=columns())])
    [mended] = await connector.send(
        [item(2, columns=columns(CF_XDR_MC="样例公司"), earlier=BEFORE)]
    )

    assert (told.key, told.accepted) == ("key-1", False)
    assert told.reasons == again.reasons == ("平台校验未通过：未查询到主体",)
    assert mended.kind is OutcomeKind.SUBMITTED
    assert [row["cg_key"] for row in exchange_database.rows()] == ["key-2"]
    assert (await all_receipts(connector, cursor))[0] == []
    await connector.close()


async def test_a_refused_row_that_a_person_sends_again_is_checked_again(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns())])
    exchange_database.refuse("未查询到主体")

    [outcome] = await connector.send([item(1, columns=columns())])

    assert outcome.kind is OutcomeKind.SUBMITTED
    assert [row["check_sign"] for row in exchange_database.rows()] == [None]
    await connector.close()


async def test_what_the_platform_moves_is_accepted_at_its_time(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns()), item(2, columns=columns(2))])
    assert await all_receipts(connector) == ([], '[1,0,"",null,{}]')
    exchange_database.move("2026-11-21 22:00:00")

    told, cursor = await all_receipts(connector)
    [outcome] = await connector.look_up([item(2, columns=columns(2))])
    [resent] = await connector.send([item(2, resend=True, columns=columns(2))])

    assert {(one.key, one.accepted, one.platform_at) for one in told} == {
        (key, True, datetime(2026, 11, 21, 14, tzinfo=UTC)) for key in ("key-1", "key-2")
    }
    assert outcome.kind is resent.kind is OutcomeKind.ACCEPTED
    assert exchange_database.rows() == []
    exchange_database.do(  # committed late, with an earlier time
        f"insert into {MOVED} (cf_wsh, cg_key, sync_date) values ('x', 'key-3', :at)",
        at="2026-11-21 21:55:00",
    )
    assert "key-3" in {one.key for one in (await all_receipts(connector, cursor))[0]}
    await connector.close()


async def test_every_row_of_many_pages_is_told_whatever_came_in_between(
    exchange_database: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 3)
    connector = exchange_database.connector(clock)
    await connector.send([item(n, columns=columns(n)) for n in range(1, 8)])
    exchange_database.move("2026-11-21 22:00:00")
    await connector.send([item(n, columns=columns(n)) for n in range(11, 16)])
    exchange_database.refuse("重复")

    told, cursor = await all_receipts(connector)
    await connector.send([item(99, columns=columns(99))])
    exchange_database.refuse("晚到")
    more, _ = await all_receipts(connector, cursor)

    assert {one.key for one in told if one.accepted} == {f"key-{n}" for n in range(1, 8)}
    assert {one.key for one in told if not one.accepted} == {f"key-{n}" for n in range(11, 16)}
    assert "key-99" in {one.key for one in more}
    await connector.close()


@pytest.mark.parametrize(
    ("hours", "change", "left"),
    [
        (0, None, []),  # before the pick-up: it was never there
        (13.9, None, ["0", "1"]),  # 23:54: the platform is picking up
        (24, None, ["0", "1"]),  # yesterday's row was picked up at night
        (0, TWICE, ["0"]),  # a row of the same decision that somebody else wrote
        (0, f"update {STAGING} set check_sign = '1'", ["0", "1"]),
    ],
)
async def test_a_row_is_taken_back_only_before_the_pick_up(
    exchange_database: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    hours: float,
    change: str | None,
    left: list[str],
) -> None:
    connector = exchange_database.connector(clock, pull_back=WINDOW)
    await connector.send([item(1, columns=columns())])
    if change is not None:
        exchange_database.do(f"alter table {STAGING} drop index cf_wsh", change)
    clock.move(timedelta(hours=hours))

    [outcome] = await connector.send(
        [item(2, verb=Verb.WITHDRAW, columns=columns(), earlier=BEFORE)]
    )

    assert sorted(row["cf_zt"] for row in exchange_database.rows()) == left
    assert outcome.kind is (OutcomeKind.SUBMITTED if "1" in left else OutcomeKind.ACCEPTED)
    await connector.close()


async def test_a_correction_takes_the_place_of_a_row_that_was_not_picked_up(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock, pull_back=WINDOW)
    await connector.send([item(1, columns=columns())])

    [outcome] = await connector.send(
        [item(2, verb=Verb.CORRECT, columns=columns(CF_NR="罚款叁万元"), earlier=BEFORE)]
    )

    [row] = exchange_database.rows()
    assert outcome.kind is OutcomeKind.SUBMITTED
    assert (row["cg_key"], row["cf_nr"]) == ("key-2", "罚款叁万元")
    await connector.close()


async def test_a_correction_waits_for_the_pick_up_where_the_table_takes_one_row_of_a_number(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns())])
    mended = item(2, verb=Verb.CORRECT, columns=columns(CF_NR="罚款叁万元"), earlier=BEFORE)

    [early] = await connector.send([mended])
    exchange_database.move("2026-11-21 22:00:00")
    [later] = await connector.send([mended])

    assert (early.kind, early.retry_after) == (OutcomeKind.DEFERRED, timedelta(hours=1))
    assert "还在等平台提取" in early.reasons[0]
    assert later.kind is OutcomeKind.SUBMITTED
    await connector.close()


async def test_a_withdrawal_that_the_table_cannot_hold_waits_for_a_person(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    table = {**SETTINGS["tables"]["penalty"], "status_column": None}
    connector = exchange_database.connector(clock, tables={"penalty": table})
    await connector.send([item(1, columns=columns())])

    [outcome] = await connector.send(
        [item(2, verb=Verb.WITHDRAW, columns=columns(), earlier=BEFORE)]
    )

    assert outcome.kind is OutcomeKind.REJECTED
    assert "没有状态列" in outcome.reasons[0]
    await connector.close()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"CF_XDR_SHXYM": "9" * 19}, "cf_xdr_shxym：前置库这一列最长18，现为19"),
        ({"CF_NR_FK": "两万"}, "cf_nr_fk：“两万”不是前置库这一列的类型"),
        ({"CF_WSH": None}, "cf_wsh"),  # not null in their table
        ({"CF_WSH": "豫环罚决字〔2026〕3号"}, "Duplicate entry"),
    ],
)
async def test_one_row_that_does_not_fit_keeps_no_other_out(
    exchange_database: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    wrong: dict[str, Any],
    said: str,
) -> None:
    connector = exchange_database.connector(clock)
    items = [item(3, columns=columns(3)), item(2, columns=columns(2, **wrong)), item(1)]

    outcomes = await connector.send(items)

    rejected = [one for one in outcomes if one.kind is OutcomeKind.REJECTED]
    assert [one.kind for one in outcomes].count(OutcomeKind.SUBMITTED) == 2
    assert said in rejected[0].reasons[0]
    assert rejected[0].reasons[0].startswith("前置库不收这一行：")
    await connector.close()


async def test_a_kind_without_a_table_is_told(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)

    outcomes = await connector.send([item(1), item(2, record_kind="licence")])

    assert [one.kind for one in outcomes] == [OutcomeKind.SUBMITTED, OutcomeKind.REJECTED]
    assert "没有配置 licence 的表" in outcomes[1].reasons[0]
    await connector.close()


async def test_a_server_that_is_away_loses_nothing_and_is_found_again(
    exchange_database: Platform,
    mariadb_server: MariaDb,
    clock: SteppedClock,
    item: ItemFactory,
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns())])
    exchange_database.close()
    mariadb_server.stop()
    try:
        with pytest.raises(NotSent, match="前置库没有答复") as told:
            await connector.send([item(2, columns=columns(2))])
        ill = await connector.health()
    finally:
        mariadb_server.start()

    [outcome] = await connector.send([item(2, columns=columns(2))])

    assert told.value.theirs
    assert not ill.ok
    assert outcome.kind is OutcomeKind.SUBMITTED
    assert (await connector.health()).ok
    await connector.close()


async def test_a_table_that_is_locked_is_waited_for_within_the_call_and_nothing_is_written_later(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock, call_timeout=3)
    await connector.send([item(1, columns=columns())])

    with exchange_database.engine.connect() as held:
        held.exec_driver_sql(f"lock tables {STAGING} write, {MOVED} write")
        with pytest.raises((NotSent, OutcomeUnknown)):
            await connector.send([item(2, columns=columns(2))])
        held.exec_driver_sql("unlock tables")

    [found] = await connector.look_up([item(2, columns=columns(2))])
    assert found.absent
    assert len(exchange_database.rows()) == 1
    await connector.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"name": "frxzcf"}, "前置库里没有表 frxzcf"),
        ({"cause_column": "why"}, f"前置库的表 {STAGING} 没有列 why"),
        ({"columns": {"CF_WSH": "wh"}}, f"前置库的表 {STAGING} 没有列 wh"),
    ],
)
async def test_a_name_that_the_database_does_not_have_is_told(
    exchange_database: Platform, clock: SteppedClock, change: dict[str, Any], said: str
) -> None:
    tables = {"penalty": {**SETTINGS["tables"]["penalty"], **change}}
    connector = exchange_database.connector(clock, tables=tables)

    health = await connector.health()

    assert (health.ok, said in health.detail) == (False, True), health.detail
    await connector.close()


async def test_a_column_that_is_added_later_is_found(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    [early] = await connector.send([item(1, columns=columns(CF_YJ="第一条"))])
    exchange_database.do(f"alter table {STAGING} add column cf_yj varchar(200)")

    [outcome] = await connector.send([item(1, columns=columns(CF_YJ="第一条"))])

    assert (early.kind, early.answered) == (OutcomeKind.DEFERRED, False)
    assert "没有列 CF_YJ" in early.reasons[0]
    assert outcome.kind is OutcomeKind.SUBMITTED
    await connector.close()


async def test_a_wrong_password_is_told_without_it(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    url = exchange_database.account.replace("p%40ss%2Fword", "s3cret%40pw")
    connector = build("exchange-database", {**SETTINGS, "url": url}, clock)

    with pytest.raises(CallRejected) as told:
        await connector.send([item(1)])
    health = await connector.health()

    assert "Access denied" in str(told.value)
    assert not told.value.theirs
    assert "s3cret" not in f"{told.value}{health.detail}"
    await connector.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"url": "mysql//root@x"}, "不是 SQLAlchemy 认识的数据库地址"),
        ({"url": "dameng+dmPython://u:p4ss@x/y"}, "不是 SQLAlchemy 认识的数据库地址"),
        ({"url": "postgresql+asyncpg://u:p4ss@x/y"}, "异步驱动"),
        ({"url": "mysql+mysqldb://u:p4ss@x/y"}, "没有装数据库驱动 MySQLdb"),
        ({"tables": {}}, "tables"),
        ({"pull_back": {"begin": "23:00", "end": "08:00"}}, "begin 应早于 end"),
        (
            {"pull_back": {}, "tables": {"penalty": {"name": "t", "key_column": "k"}}},
            "inserted_column",
        ),
        (
            {"tables": {"penalty": {"name": "t", "key_column": "k", "failed": ["1"]}}},
            "passed 和 failed 都有 1",
        ),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(
    clock: SteppedClock, change: dict[str, Any], said: str
) -> None:
    given = {**SETTINGS, "url": "mysql+pymysql://root@127.0.0.1/x", **change}

    with pytest.raises(BadSettings) as told:
        build("exchange-database", given, clock)

    assert said in str(told.value)
    assert "p4ss" not in str(told.value)


def test_the_test_platform_refuses_what_its_table_refuses(exchange_database: Platform) -> None:
    with pytest.raises(DBAPIError):
        exchange_database.do(f"insert into {STAGING} (cf_wsh) values (null)")
