"""The life of a decision in an exchange database 前置库: refused, mended, moved, withdrawn."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.config.clock import SteppedClock
from gateway.deliver.manual import retry_all
from gateway.store.base.engine import Database
from schemas.columns import columns_of
from schemas.penalty import AdministrativePenalty
from tests.conftest import BuildGateway
from tests.exchange_place import COLUMNS, SETTINGS, Platform
from tests.factories import penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration
DESTINATION = {
    "name": "platform",
    "title": "市信用平台前置库",
    "connector": "exchange-database",
    "takes": ["penalty"],
    "clocks": ["calendar-7"],
}
LEFT_OUT = [one.wire for one in columns_of(AdministrativePenalty) if one.wire not in COLUMNS]


def settings_of(platform: Platform, **changes: Any) -> dict[str, Any]:
    table = {**SETTINGS["tables"]["penalty"], "left_out": LEFT_OUT}
    given = {**SETTINGS, "url": platform.account, "tables": {"penalty": table}, **changes}
    return {**DESTINATION, "settings": given}


async def test_a_decision_goes_through_the_exchange_database_to_its_withdrawal(
    database: Database,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    exchange_database: Platform,
) -> None:
    gateway = await build_gateway(database, destinations=[settings_of(exchange_database)])
    world = World(gateway, clock)

    await world.take(penalty(1))
    await world.turn()
    assert await world.states() == ["submitted"]
    exchange_database.refuse("未查询到主体或查询到的主体信息不匹配")
    await world.pass_time(1)
    assert await world.states() == ["rejected"]
    assert "未查询到主体" in await world.value("select reasons ->> 0 from delivery")

    await world.take(penalty(1, CF_XDR_MC="样例一号公司"))
    await world.turn()
    [row] = exchange_database.rows()
    assert (row["cf_xdr_mc"], row["cf_zt"]) == ("样例一号公司", "0")
    moved = clock() + timedelta(hours=9)
    exchange_database.move(f"{moved:%Y-%m-%d %H:%M:%S}")
    await world.pass_time(10)
    assert await world.states() == ["superseded", "accepted"]
    assert await world.value("select platform_at from delivery where state = 'accepted'") == moved

    await world.take(penalty(1, verb="withdraw"))
    await world.turn()
    [row] = exchange_database.rows()
    assert row["cf_zt"] == "1"
    exchange_database.move(f"{clock():%Y-%m-%d %H:%M:%S}")
    await world.pass_time(1)
    assert (await world.states())[-1] == "accepted"
    await world.deliverer().close()


async def test_a_row_that_is_refused_twice_with_the_same_words_is_told_twice(
    database: Database,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    exchange_database: Platform,
) -> None:
    gateway = await build_gateway(database, destinations=[settings_of(exchange_database)])
    world = World(gateway, clock)
    await world.take(penalty(1))
    await world.turn()
    exchange_database.refuse("未查询到主体")
    await world.pass_time(1)
    [id_] = await world.column("select id from delivery")
    clock.step(timedelta(minutes=1))
    await retry_all(database, [id_], "tester", clock())
    await world.deliverer().drain()  # no receipts are read before the platform checks it again
    assert await world.states() == ["submitted"]
    exchange_database.refuse("未查询到主体")

    await world.pass_time(1)

    assert await world.states() == ["rejected"]
    await world.deliverer().close()


async def test_a_corrected_name_takes_the_place_of_a_row_and_of_no_other(
    database: Database,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    exchange_database: Platform,
) -> None:
    exchange_database.do("alter table l_xzcf_temp drop index cf_wsh")
    destination = settings_of(exchange_database, pull_back={"begin": "00:00", "end": "23:59"})
    gateway = await build_gateway(database, destinations=[destination])
    world = World(gateway, clock)
    await world.take(penalty(1), penalty(2))
    await world.turn()

    await world.take(penalty(1, CF_XDR_MC="样例一号公司"))
    await world.turn()
    assert len(exchange_database.rows()) == 2
    await world.take(penalty(2, verb="withdraw"))
    await world.turn()

    [row] = exchange_database.rows()
    assert row["cf_xdr_mc"] == "样例一号公司"
    await world.deliverer().close()


async def test_a_correction_and_a_withdrawal_of_one_day_leave_a_revocation(
    database: Database,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    exchange_database: Platform,
) -> None:
    """The first version may have been picked up: that its row is gone does not say why."""
    destination = settings_of(exchange_database, pull_back={"begin": "00:00", "end": "23:59"})
    gateway = await build_gateway(database, destinations=[destination])
    world = World(gateway, clock)
    await world.take(penalty(1))
    await world.turn()
    exchange_database.move(f"{clock():%Y-%m-%d %H:%M:%S}")
    await world.take(penalty(1, CF_NR="罚款叁万元"))
    await world.turn()

    await world.take(penalty(1, verb="withdraw"))
    await world.turn()

    assert [row["cf_zt"] for row in exchange_database.rows()] == ["1"]
    assert (await world.states())[-1] == "submitted"
    await world.deliverer().close()
