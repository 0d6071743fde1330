"""Exchange databases 前置库: which rows are a decision's, and one odd row among others."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes import Verb
from schemas.delivery import OutcomeKind
from tests.connectors.conftest import ItemFactory, SteppedClock
from tests.connectors.test_exchange_database import WINDOW, columns
from tests.exchange_place import MOVED, STAGING, Platform

pytestmark = pytest.mark.integration


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
    [again] = await connector.send([item(2, columns=columns(2))])
    assert (again.kind, again.answered) == (OutcomeKind.REJECTED, True)
    assert "odd" in again.reasons[0]
    await connector.close()


async def test_a_trigger_that_refuses_all_rows_for_a_while_rejects_none(
    exchange_database: Platform, clock: SteppedClock, item: ItemFactory
) -> None:
    connector = exchange_database.connector(clock)
    exchange_database.do(
        f"create trigger mending before insert on {STAGING} for each row"
        " signal sqlstate '45000' set message_text = '系统维护中'"
    )
    items = [item(n, columns=columns(n)) for n in range(1, 4)]

    early = [one for _ in range(2) for one in await connector.send(items)]
    exchange_database.do("drop trigger mending")
    later = await connector.send(items)

    assert {(one.kind, one.reasons) for one in early} == {
        (OutcomeKind.DEFERRED, ("前置库出错，没有写成：系统维护中",))
    }
    assert {one.kind for one in later} == {OutcomeKind.SUBMITTED}
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
