"""Exchange databases 前置库 whose tables, rows, answers or neighbours are odd."""

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event

from connectors.errors import CallRejected, NotSent
from connectors.exchange_database import feeds, statements
from schemas.codes import Verb
from schemas.delivery import Item, OutcomeKind
from tests.connectors.conftest import SteppedClock
from tests.connectors.test_exchange_database import WINDOW, all_receipts, columns
from tests.exchange_place import MOVED, SETTINGS, STAGING, Platform

pytestmark = pytest.mark.integration
ItemFactory = Callable[..., Item]
TABLE = SETTINGS["tables"]["penalty"]
#: An identity number that is nobody's.
IDENTITY = "410102199003070011"


def tables(**changes: Any) -> dict[str, Any]:
    return {"penalty": {**TABLE, **changes}}


# ---------------------------------------------------------------- which rows are a decision's


async def test_a_mended_name_takes_the_place_of_the_row_that_was_refused_for_it(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns(CF_XDR_SHXYM="91410100MA44TEAT5G"))])
    exchange_database.refuse("未查询到主体")

    [outcome] = await connector.send([item(2, columns=columns(), earlier=("key-1",))])

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    assert [row["cg_key"] for row in exchange_database.rows()] == ["key-2"]
    await connector.close()


async def test_a_row_of_another_decision_or_of_somebody_else_is_left_alone(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    """A penalty of two persons has one number, and persons have no credit code."""
    exchange_database.do(f"alter table {STAGING} drop index cf_wsh")
    connector = exchange_database.connector(clock, pull_back=WINDOW)
    person = columns(CF_XDR_SHXYM=None)
    await connector.send([item(1, columns={**person, "CF_XDR_MC": "甲（样例）"})])
    exchange_database.do(
        f"insert into {STAGING} (cf_wsh, cf_zt, rksj) select cf_wsh, cf_zt, rksj from {STAGING}"
    )
    exchange_database.refuse("未查询到主体")

    await connector.send([item(2, columns={**person, "CF_XDR_MC": "乙（样例）"})])

    assert [row["cg_key"] for row in exchange_database.rows()] == [None, "key-1", "key-2"]
    exchange_database.do(f"update {STAGING} set check_sign = null, check_unpass_cause = null")
    exchange_database.do(f"delete from {STAGING} where cg_key in ('key-1', 'key-2')")
    await connector.send([item(3, verb=Verb.CORRECT, columns=person, earlier=("key-1",))])
    assert [row["cg_key"] for row in exchange_database.rows()] == [None, "key-3"]
    await connector.close()


async def test_a_withdrawal_is_told_though_todays_correction_can_be_taken_back(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock, pull_back=WINDOW)
    await connector.send([item(1, columns=columns())])
    exchange_database.move("2026-11-20 23:55:00")
    await connector.send([item(2, verb=Verb.CORRECT, columns=columns(), earlier=("key-1",))])

    [outcome] = await connector.send(
        [item(3, verb=Verb.WITHDRAW, columns=columns(), earlier=("key-2", "key-1"))]
    )

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    assert [row["cf_zt"] for row in exchange_database.rows()] == ["1"]
    await connector.close()


async def test_a_row_that_is_moved_and_still_lies_there_is_not_taken_back(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock, pull_back=WINDOW)
    await connector.send([item(1, columns=columns())])
    exchange_database.do(f"insert into {MOVED} (cf_wsh, cg_key) values ('x', 'key-1')")

    [outcome] = await connector.send(
        [item(2, verb=Verb.WITHDRAW, columns=columns(), earlier=("key-1",))]
    )

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    await connector.close()


async def test_a_repair_does_not_take_back_what_is_to_be_repaired(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock, pull_back=WINDOW)
    await connector.send([item(1, columns=columns())])

    await connector.send([item(2, verb=Verb.REPAIR, columns=columns(), earlier=("key-1",))])

    assert sorted(row["cf_zt"] for row in exchange_database.rows()) == ["0", "2"]
    await connector.close()


async def test_a_correction_waits_for_a_row_that_passed_and_is_not_moved_yet(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns())])
    exchange_database.do(f"update {STAGING} set check_sign = '1'")

    [outcome] = await connector.send(
        [item(2, verb=Verb.CORRECT, columns=columns(), earlier=("key-1",))]
    )

    assert outcome.kind is OutcomeKind.DEFERRED, outcome
    await connector.close()


async def test_a_refused_row_is_sent_again_though_the_platform_changed_what_is_in_it(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns())])
    exchange_database.refuse("文号格式不对")
    exchange_database.do(f"update {STAGING} set cf_wsh = '豫环罚决字[2026]1号'")

    [outcome] = await connector.send([item(1, columns=columns())])

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    assert [row["check_sign"] for row in exchange_database.rows()] == [None]
    await connector.close()


# ---------------------------------------------------------------- one odd row


@pytest.mark.parametrize(
    ("odd", "kind", "said"),
    [
        ({"CF_NR": "拒收"}, OutcomeKind.REJECTED, "平台触发器不收"),
        ({"CF_NR_FK": "NaN"}, OutcomeKind.REJECTED, "不是前置库这一列的类型"),
        ({"CF_YJ": "第一条"}, OutcomeKind.DEFERRED, "没有列 CF_YJ"),
        ({"CF_JDRQ": "2026-11-20左右"}, OutcomeKind.REJECTED, "不是前置库这一列的类型"),
        ({"CF_NR_FK": "2.0000001"}, OutcomeKind.REJECTED, "小数"),
    ],
)
async def test_one_odd_row_keeps_no_other_out(
    exchange_database: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    odd: dict[str, Any],
    kind: OutcomeKind,
    said: str,
) -> None:
    exchange_database.do(
        f"create trigger refusing before insert on {STAGING} for each row"
        " if new.cf_nr = '拒收' then signal sqlstate '45000'"
        " set message_text = '平台触发器不收'; end if"
    )
    connector = exchange_database.connector(clock)
    items = [item(n, columns=columns(n)) for n in range(1, 4)]
    items[1] = item(2, columns=columns(2, **odd))

    outcomes = await connector.send(items)

    assert [one.kind for one in outcomes] == [OutcomeKind.SUBMITTED, kind, OutcomeKind.SUBMITTED]
    assert said in outcomes[1].reasons[0]
    await connector.close()


async def test_an_error_that_nobody_knows_keeps_back_its_row_and_no_other(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    exchange_database.do(
        f"create trigger odd before insert on {STAGING} for each row"
        " if new.cf_wsh like '%2号' then signal sqlstate '99999'"
        " set mysql_errno = 5999, message_text = 'odd'; end if"
    )
    outcomes = await connector.send([item(n, columns=columns(n)) for n in range(1, 4)])

    kinds = [one.kind for one in outcomes]
    assert kinds == [OutcomeKind.SUBMITTED, OutcomeKind.DEFERRED, OutcomeKind.SUBMITTED]
    assert not outcomes[1].answered
    [alone] = await connector.send([item(2, columns=columns(2))])
    assert (alone.kind, alone.answered) == (OutcomeKind.DEFERRED, False)
    await connector.close()


async def test_an_amount_is_never_rounded(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    exchange_database.do(f"alter table {STAGING} modify cf_nr_fk decimal(18, 2)")
    connector = exchange_database.connector(clock)

    outcomes = await connector.send(
        [item(1, columns=columns(1)), item(2, columns=columns(2, CF_NR_FK="2.500000"))]
    )

    assert [one.kind for one in outcomes] == [OutcomeKind.REJECTED, OutcomeKind.SUBMITTED]
    assert "cf_nr_fk" in outcomes[0].reasons[0]
    assert [row["cf_nr_fk"] for row in exchange_database.rows()] == [Decimal("2.50")]
    await connector.close()


async def test_a_time_keeps_its_hour_and_is_written_as_in_china(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    exchange_database.do(f"alter table {STAGING} modify jdrq datetime")
    connector = exchange_database.connector(clock)

    await connector.send([item(1, columns=columns(CF_JDRQ="2026-11-20T18:30:00Z"))])

    [row] = exchange_database.rows()
    assert row["jdrq"] == datetime(2026, 11, 21, 2, 30)  # noqa: DTZ001  as the platform has it
    await connector.close()


async def test_a_row_alone_and_in_a_batch_has_the_same_defaults(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    exchange_database.do(f"alter table {STAGING} modify cf_nr varchar(200) default '无'")
    connector = exchange_database.connector(clock)

    await connector.send([item(1, columns=columns(1)), item(2, columns=columns(2, CF_NR=None))])

    assert [row["cf_nr"] for row in exchange_database.rows()] == ["罚款贰万元", "无"]
    await connector.close()


async def test_a_column_that_is_widened_takes_what_it_did_not(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    long = item(1, columns=columns(CF_XDR_MC="样" * 201))
    await connector.send([long])
    exchange_database.do(f"alter table {STAGING} modify cf_xdr_mc varchar(300)")

    [outcome] = await connector.send([long])

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    await connector.close()


async def test_a_short_column_for_the_time_holds_the_day(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    exchange_database.do(f"alter table {STAGING} modify rksj varchar(10)")
    connector = exchange_database.connector(clock)

    [outcome] = await connector.send([item(1, columns=columns())])

    assert outcome.kind is OutcomeKind.SUBMITTED, outcome
    assert exchange_database.rows()[0]["rksj"] == "2026-11-21"
    await connector.close()


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


# ---------------------------------------------------------------- checks


@pytest.mark.parametrize(
    ("type_", "passed", "value", "accepted"),
    [
        ("int", ["01"], "1", True),
        ("decimal(3, 1)", ["1"], "1.0", True),
        ("bit(1)", ["1"], "b'1'", True),
        ("char(4)", ["Y"], "'y'", True),
        ("enum('0', '1', '2')", ["1"], "'1'", True),
        ("text", ["1"], "'1 '", True),
        ("varbinary(2)", ["1"], "'1'", True),
        ("varchar(2)", ["1"], "'9'", None),
    ],
)
async def test_a_check_sign_of_any_type_is_read(  # noqa: PLR0917
    exchange_database: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    type_: str,
    passed: list[str],
    value: str,
    accepted: bool | None,
) -> None:
    exchange_database.do(f"alter table {STAGING} modify check_sign {type_}")
    failed = {"bit(1)": ["0"], "char(4)": ["N"]}.get(type_, ["2"])
    connector = exchange_database.connector(clock, tables=tables(passed=passed, failed=failed))
    await connector.send([item(1, columns=columns())])
    exchange_database.do(f"update {STAGING} set check_sign = {value}")

    told, _ = await all_receipts(connector)
    [found] = await connector.look_up([item(1, columns=columns())])

    assert [one.accepted for one in told] == ([] if accepted is None else [accepted])
    assert found.kind is (OutcomeKind.ACCEPTED if accepted else OutcomeKind.SUBMITTED)
    await connector.close()


@pytest.mark.parametrize(
    ("change", "settings", "said"),
    [
        ("modify check_sign int", {"passed": ["Y"]}, "check_sign"),
        ("modify datasource varchar(1)", {}, "datasource"),
        ("modify cf_zt int", {"statuses": {"new": "有效"}}, "cf_zt"),
        ("modify cg_key int", {}, "CG_KEY"),
    ],
)
async def test_a_setting_that_fits_no_column_refuses_the_call_and_no_row(
    exchange_database: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    change: str,
    settings: dict[str, Any],
    said: str,
) -> None:
    exchange_database.do(f"alter table {STAGING} {change}")
    connector = exchange_database.connector(clock, tables=tables(**settings))

    health = await connector.health()
    with pytest.raises(CallRejected, match=said):
        await connector.send([item(1, columns=columns())])

    assert (health.ok, said in health.detail) == (False, True), health.detail
    await connector.close()


async def test_a_key_that_is_too_long_for_its_column_refuses_the_call_and_no_row(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    exchange_database.do(f"alter table {STAGING} modify cg_key varchar(3)")
    connector = exchange_database.connector(clock)

    with pytest.raises(CallRejected, match="cg_key"):
        await connector.send([item(1, columns=columns())])
    await connector.close()


async def test_a_right_that_is_missing_is_told_by_the_check(
    exchange_database: Platform, clock: SteppedClock
) -> None:
    name = exchange_database.engine.url.database
    exchange_database.do(f"revoke delete on {name}.* from {name}@localhost")
    connector = exchange_database.connector(clock)

    health = await connector.health()

    assert (health.ok, "DELETE command denied" in health.detail) == (False, True), health.detail
    await connector.close()


async def test_no_identity_number_is_in_what_is_told(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    await connector.send([item(1, columns=columns())])
    exchange_database.refuse(f"证件号码{IDENTITY}不正确")

    [told], _ = await all_receipts(connector)
    [found] = await connector.look_up([item(1)])
    [wrong] = await connector.send([item(2, columns=columns(2, CF_JDRQ=IDENTITY))])

    assert IDENTITY not in repr((told, found, wrong))
    assert "证件号码" in told.reasons[0]
    await connector.close()


# ---------------------------------------------------------------- what was moved


async def moved_keys(
    platform: Platform, clock: SteppedClock, late: str = "2026-11-21 10:00:00"
) -> list[set[str]]:
    """Return the keys that two rounds tell, the second after another row came."""
    connector = platform.connector(clock)
    first, cursor = await all_receipts(connector)
    platform.do(
        f"insert into {MOVED} (cf_wsh, cg_key, sync_date) values ('x', 'late', :at)",
        at=late,
    )
    second, _ = await all_receipts(connector, cursor)
    await connector.close()
    return [{one.key for one in first}, {one.key for one in second}]


@pytest.mark.parametrize(
    ("type_", "at", "late"),
    [
        ("datetime", "9999-12-31 00:00:00", "2026-11-21 10:00:00"),
        ("datetime", "0000-00-00 00:00:00", "2026-11-21 10:00:00"),
        ("datetime", "1000-01-01 00:00:00", "2026-11-21 10:00:00"),
        ("date", "0001-01-01", "2026-11-21"),
        ("varchar(30)", "2026/11/21 09:00:00", "2026/11/21 10:00:00"),
        ("varchar(30)", "20261121090000", "20261121100000"),
        ("varchar(30)", "2026-9-1 09:00:00", "2026-11-21 10:00:00"),
        ("varchar(30)", "长期", "2026-11-21 10:00:00"),
        ("varchar(30)", "", "2026-11-21 10:00:00"),
    ],
)
async def test_an_odd_time_in_the_table_of_the_platform_stops_nothing(
    exchange_database: Platform,
    clock: SteppedClock,
    monkeypatch: pytest.MonkeyPatch,
    type_: str,
    at: str,
    late: str,
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 2)
    exchange_database.do(f"alter table {MOVED} modify sync_date {type_}")
    exchange_database.do("set global sql_mode = ''")
    exchange_database.engine.dispose()
    for number in range(5):
        exchange_database.do(
            f"insert into {MOVED} (cf_wsh, cg_key, sync_date) values ('x', 'key-{number}', :at)",
            at=at,
        )

    first, second = await moved_keys(exchange_database, clock, late)

    assert first == {f"key-{number}" for number in range(5)}
    assert "late" in second


async def test_many_rows_that_were_moved_in_one_instant_are_all_told(
    exchange_database_on_postgresql: Platform,
    clock: SteppedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 2)
    platform = exchange_database_on_postgresql
    platform.do(
        f"insert into {MOVED} (cf_wsh, cg_key, sync_date)"
        " select 'x', 'key-' || n, timestamp '2026-11-21 09:00:00.123456'"
        " from generate_series(1, 7) n"
    )

    first, second = await moved_keys(platform, clock)

    assert first == {f"key-{number}" for number in range(1, 8)}
    assert "late" in second


async def test_a_time_with_a_zone_is_one_instant_wherever_the_server_stands(
    exchange_database_on_postgresql: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    platform = exchange_database_on_postgresql
    platform.do(
        "alter role all set timezone to 'UTC'",
        f"alter table {MOVED} alter column sync_date type timestamptz",
        f"alter table {STAGING} alter column rksj type timestamptz",
    )
    connector = platform.connector(clock)
    await connector.send([item(1, columns=columns())])
    [row] = platform.rows()
    assert row["rksj"] == datetime(2026, 11, 21, 2, tzinfo=UTC)
    platform.move("2026-11-21 09:00:00+08")
    [told], cursor = await all_receipts(connector)
    platform.do(
        f"insert into {MOVED} (cf_wsh, cg_key, sync_date)"
        " values ('x', 'later', '2026-11-21 09:30:00+08')"
    )
    later, _ = await all_receipts(connector, cursor)

    assert told.platform_at == datetime(2026, 11, 21, 1, tzinfo=UTC)
    assert "later" in {one.key for one in later}
    await connector.close()


async def test_a_timestamp_of_mysql_is_a_time_of_china(
    exchange_database: Platform, clock: SteppedClock
) -> None:
    exchange_database.do(f"alter table {MOVED} modify sync_date timestamp null")
    exchange_database.do(
        "set time_zone = '+08:00'",
        f"insert into {MOVED} (cf_wsh, cg_key, sync_date)"
        " values ('x', 'key-1', '2026-11-21 09:00:00')",
    )
    connector = exchange_database.connector(clock)

    [told], _ = await all_receipts(connector)

    assert told.platform_at == datetime(2026, 11, 21, 1, tzinfo=UTC)
    await connector.close()


async def test_keys_of_others_hide_none_of_ours(
    exchange_database: Platform,
    clock: SteppedClock,
    item: ItemFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "PAGE", 2)
    connector = exchange_database.connector(clock)
    await connector.send([item(n, columns=columns(n)) for n in range(1, 4)])
    exchange_database.do(
        f"insert into {STAGING} (cf_wsh, cg_key) values ('a', '  0'), ('b', '  zz'), ('c', '')"
    )
    exchange_database.refuse("重复")

    told, _ = await all_receipts(connector)

    assert {one.key for one in told} >= {"key-1", "key-2", "key-3"}
    await connector.close()


async def test_a_name_that_nobody_resolves_is_no_outage_of_the_platform(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    wrong = "mysql+pymysql://u:p@no-such-host.invalid:3306/x"
    connector = exchange_database.connector(clock, url=wrong)

    with pytest.raises(NotSent) as told:
        await connector.send([item(1)])

    assert not told.value.theirs
    await connector.close()


async def test_a_lock_is_told_in_chinese(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    exchange_database.do("set global innodb_lock_wait_timeout = 1")
    try:
        with exchange_database.engine.connect() as other:
            other.exec_driver_sql(f"insert into {STAGING} (cf_wsh, cg_key) values ('x', 'key-1')")
            with pytest.raises(NotSent, match="前置库"):
                await connector.send([item(1, columns=columns())])
            other.rollback()
    finally:
        exchange_database.do("set global innodb_lock_wait_timeout = 50")
    await connector.close()
