"""Exchange databases 前置库: check signs of any type, settings that do not fit, what was moved."""

from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.errors import CallRejected, NotSent
from connectors.exchange_database import feeds
from schemas.delivery import OutcomeKind
from tests.connectors.conftest import ItemFactory, SteppedClock
from tests.connectors.test_exchange_database import all_receipts, columns
from tests.exchange_place import IDENTITY, MOVED, STAGING, Platform, tables

pytestmark = pytest.mark.integration


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
        ("modify rksj int", {}, "rksj"),
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
