"""The ledger of last month is frozen by itself, unless a person holds it."""

import asyncio
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from gateway.config.account_settings import LedgerSettings
from gateway.ledger import monthly
from gateway.ledger.freeze import freeze_month, freeze_once
from gateway.ledger.month import BadMonth
from gateway.ledger.monthly import (
    BY_ITSELF,
    MonthStanding,
    freeze_months,
    hold_month,
    last_month,
    release_month,
)
from gateway.service.roles import build_schedule
from gateway.store.account import ledgers
from gateway.store.account.ledger_holds import LedgerHold
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.integration.ledger_world import START, World, penalty, world
from tests.integration.reconcile.sides import reconcile

pytestmark = pytest.mark.integration
MONTH = "2026-10"


def step_to(here: World, *time: int) -> None:
    """Move the time forward to that of Beijing."""
    now = datetime(*time, tzinfo=SHANGHAI)  # type: ignore[misc,arg-type]
    here.clock.step(max(timedelta(0), now - here.clock()))


async def frozen_now(here: World, **changes: object) -> list[MonthStanding]:
    built, settings = here.gateway, LedgerSettings.model_validate(changes)
    return await freeze_months(
        built.database, built.ledger_scope, built.keys, settings, here.clock()
    )


async def turned(here: World, day: int, **changes: object) -> MonthStanding:
    """Do the work of a day of November 2026, at nine in the morning; return how October stands."""
    step_to(here, 2026, 11, day, 9)
    [found] = await frozen_now(here, **changes)
    return found


async def versions(database: Database, month: str = MONTH) -> list[Frozen]:
    async with database.transaction() as connection:
        return await ledgers.versions(connection, month)


async def test_it_is_frozen_on_its_day_once(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])

    before = await turned(here, 2)
    assert (before.month, before.frozen, before.due) == (MONTH, None, date(2026, 11, 4))
    assert before.words == "2026-10 台账期限 11-04：11-03 自动冻结"

    after = await turned(here, 3)
    await here.deliver()  # the month changes, and stays as it was frozen
    again = await turned(here, 5)

    [frozen] = await versions(database)
    assert frozen.reason == BY_ITSELF
    assert after.frozen == frozen
    assert not again.is_late(date(2026, 11, 5))


async def test_a_person_holds_it_and_then_it_is_late(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    held = LedgerHold(MONTH, "张三", "等平台补收", START)
    assert await hold_month(database, held)
    assert not await hold_month(database, held)

    found = await turned(here, 5)

    assert await versions(database) == []
    assert found.is_late(date(2026, 11, 5))
    assert "张三 暂缓冻结（等平台补收）" in found.words

    assert await release_month(database, held)
    assert not await release_month(database, held)
    await turned(here, 6)
    assert [one.reason for one in await versions(database)] == [BY_ITSELF]


async def test_without_a_day_only_a_person_freezes(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)

    found = await turned(here, 28, freeze_day=None)

    assert await versions(database) == []
    assert found.words == "2026-10 台账期限 11-04：尚未冻结，用 ledger 2026-10 冻结"


async def test_a_month_of_zero_is_frozen_and_one_before_the_start_is_not(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    async with database.transaction() as connection:
        assert await ledgers.versions(connection, "2026-09") == []
    built = here.gateway

    young = await freeze_months(
        built.database, built.ledger_scope, built.keys, LedgerSettings(), START
    )
    await turned(here, 3)

    assert young == []
    [frozen] = await versions(database)
    assert frozen.figures["decisions"] == 0


def test_the_month_before_january_is_december() -> None:
    assert last_month(date(2027, 1, 3)) == "2026-12"
    assert last_month(date(2026, 3, 31)) == "2026-02"


async def test_a_month_that_was_frozen_early_is_frozen_again_at_its_end(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    built = here.gateway
    here.clock.step(datetime(2026, 10, 20, 9, tzinfo=SHANGHAI) - here.clock())
    await freeze_month(database, built.ledger_scope, built.keys, MONTH, here.clock())

    after = await turned(here, 3)
    again = await turned(here, 6)

    assert [one.version for one in await versions(database)] == [2, 1]
    assert after.frozen is not None
    assert not again.is_late(date(2026, 11, 6))


async def test_a_month_of_zero_before_the_installation_is_not_frozen(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1, CF_JDRQ="2025-06-10")])
    built = here.gateway

    with pytest.raises(BadMonth, match="那时本系统也还没有运行"):
        await freeze_month(database, built.ledger_scope, built.keys, "2025-10", here.clock())
    _, frozen, made = await freeze_month(
        database, built.ledger_scope, built.keys, "2025-06", here.clock(), None, "样例经办人"
    )

    assert (frozen.version, made) == (1, True)
    async with database.transaction() as connection:
        actor = await connection.scalar(
            text("select actor from audit_event where event = 'ledger_frozen'")
        )
    assert actor == "样例经办人"


async def test_who_gives_a_reason_gets_a_version(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    built = here.gateway
    await freeze_month(database, built.ledger_scope, built.keys, MONTH, here.clock())
    again = await freeze_month(database, built.ledger_scope, built.keys, MONTH, here.clock())
    why = "重新对账"
    with_reason = await freeze_month(
        database, built.ledger_scope, built.keys, MONTH, here.clock(), why
    )

    assert [again[2], with_reason[2]] == [False, True]
    assert (with_reason[1].version, with_reason[1].reason) == (2, why)


async def test_what_the_platform_shows_is_left_open_if_it_was_read_too_early(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    await here.deliver()
    here.clock.step(timedelta(hours=1))
    await reconcile(here)
    read = [kind.shown for unit in (await here.ledger()).units for kind in unit.kinds]
    here.clock.step(timedelta(hours=1))
    await here.take_in([penalty(2)])
    await here.deliver()
    early = [kind.shown for unit in (await here.ledger()).units for kind in unit.kinds]

    assert (read, early) == ([0, 1], [None, None])


async def test_two_processes_freeze_a_month_once(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    step_to(here, 2026, 11, 3, 9)

    await asyncio.gather(frozen_now(here), frozen_now(here), frozen_now(here))

    assert [one.version for one in await versions(database)] == [1]


async def test_a_hold_that_was_confirmed_stops_the_freeze_under_way(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    step_to(here, 2026, 11, 3, 9)
    real = freeze_once
    held = LedgerHold(MONTH, "张三", "等平台补收", here.clock())

    async def held_meanwhile(*given: Any) -> None:
        assert await hold_month(database, held)
        await real(*given)

    monkeypatch.setattr(monthly, "freeze_once", held_meanwhile)
    [found] = await frozen_now(here)

    assert await versions(database) == []
    assert "张三 暂缓冻结" in found.words


async def test_a_hold_waits_for_the_freeze_under_way(database: Database, tmp_path: Path) -> None:
    await world(database, tmp_path)
    held = LedgerHold(MONTH, "张三", "等平台补收", START)
    async with database.transaction() as freezing:
        await ledgers.lock_month(freezing, MONTH)
        holding = asyncio.create_task(hold_month(database, held))
        done, _ = await asyncio.wait([holding], timeout=0.3)
        assert not done

    assert await holding


async def test_a_month_that_was_held_over_its_days_is_still_owed(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    held = LedgerHold(MONTH, "张三", "等平台补收", START)
    await hold_month(database, held)
    step_to(here, 2026, 12, 5, 9)

    still = await frozen_now(here)
    await release_month(database, held)
    released = await frozen_now(here)

    assert [(one.month, one.frozen is None) for one in still] == [(MONTH, True), ("2026-11", False)]
    assert still[0].is_late(date(2026, 12, 5))
    assert still[0].words.startswith("2026-10 台账期限 11-04：张三 暂缓冻结")
    assert [one.month for one in released] == ["2026-11"]
    assert [one.reason for one in await versions(database)] == [BY_ITSELF]


async def test_months_in_which_nothing_ran_are_frozen_when_it_runs_again(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    step_to(here, 2027, 1, 5, 9)

    await frozen_now(here)

    frozen = [await versions(database, month) for month in (MONTH, "2026-11", "2026-12")]
    assert [len(one) for one in frozen] == [1, 1, 1]
    assert await versions(database, "2026-09") == []


async def test_a_month_that_is_released_on_its_last_day_is_frozen_on_that_day(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = await world(database, tmp_path)
    held = LedgerHold(MONTH, "张三", "等平台补收", START)
    await hold_month(database, held)
    schedule = build_schedule(here.gateway)
    step_to(here, 2026, 11, 5, 8)
    await schedule.tick()
    await schedule.tick()
    before = await versions(database)

    await release_month(database, held)
    step_to(here, 2026, 11, 5, 15)
    await schedule.tick()

    assert before == []
    assert [one.reason for one in await versions(database)] == [BY_ITSELF]
    assert [one.message for one in caplog.records].count("ledger_late") == 1
