"""A frozen month that is different by now is told, until a person makes a new version."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connectors.memory import Step
from gateway.config.account_settings import LedgerSettings
from gateway.ledger import month as ledgers
from gateway.ledger.freeze import freeze_month
from gateway.ledger.monthly import (
    MonthStanding,
    freeze_months,
    hold_month,
    review_months,
    standings,
)
from gateway.service.roles import build_schedule
from gateway.service.watching import Watching
from gateway.store.account.ledger_holds import LedgerHold
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.integration.ledger_world import World, penalty, world

pytestmark = pytest.mark.integration
LATE_OCTOBER = {"CF_JDRQ": "2026-10-30", "CF_YXQ": "2027-10-30"}


def step_to(here: World, *time: int) -> None:
    """Move the time forward to that of Beijing."""
    here.clock.step(datetime(*time, tzinfo=SHANGHAI) - here.clock())  # type: ignore[misc,arg-type]


async def work(here: World, *time: int) -> dict[str, MonthStanding]:
    """Freeze and review as on a day; return how the months stand that a person is told of."""
    step_to(here, *time)
    built = here.gateway
    settings = built.settings.ledger
    await freeze_months(built.database, built.ledger_scope, built.keys, settings, here.clock())
    while not await review_months(built.database, built.ledger_scope, here.clock()):
        pass
    async with built.database.transaction() as connection:
        found = await standings(connection, LedgerSettings(), here.clock())
    return {one.month: one for one in found}


async def month_with_open_ends(database: Database, state: Path) -> World:
    """Freeze an October of which one decision has no answer yet, and one is held."""
    here = await world(database, state)
    step_to(here, 2026, 10, 31, 9)
    await here.take_in([penalty(1, **LATE_OCTOBER), penalty(2, CF_SY="", **LATE_OCTOBER)])
    here.connectors["platform"].play(Step.SUBMIT)
    await here.deliver()
    return here


async def test_what_is_late_and_missed_only_after_the_freeze_is_told(
    database: Database, tmp_path: Path
) -> None:
    here = await month_with_open_ends(database, tmp_path)

    same = await work(here, 2026, 11, 3, 9)
    later = await work(here, 2026, 11, 20, 9)

    assert same["2026-10"].changed is None
    assert later["2026-10"].words == (
        "2026-10 台账有变动，出新版：与第 1 版比，"
        "信用郑州 7个自然日 迟报 0 → 1，7个自然日 漏报 0 → 1，"
        "7个工作日 迟报 0 → 1，7个工作日 漏报 0 → 1；"
        "明细 2 条不同；用 ledger 2026-10 --reason 写明原因，冻结新版"
    )


async def test_what_is_entered_months_later_is_told_until_there_is_a_new_version(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    await here.deliver()
    await work(here, 2026, 11, 3, 9)
    assert "2026-10" not in await work(here, 2027, 1, 4, 9)

    await here.take_in([penalty(2, CF_JDRQ="2026-10-12", CF_YXQ="2027-10-12")])
    await here.deliver()
    found = await work(here, 2027, 1, 5, 9)
    await Watching(here.gateway).look()
    told = here.gateway.metrics.registry.get_sample_value("credit_gateway_ledgers_changed")
    built = here.gateway
    await freeze_month(
        database, built.ledger_scope, built.keys, "2026-10", here.clock(), "补录一件"
    )
    after = await work(here, 2027, 1, 5, 10)

    changed = found["2026-10"].changed
    assert changed is not None
    assert "应报 1 → 2" in changed
    assert "迟报 0 → 1" in changed
    assert told == 1
    assert "2026-10" not in after


async def test_a_hold_is_respected_and_said(database: Database, tmp_path: Path) -> None:
    here = await month_with_open_ends(database, tmp_path)
    await work(here, 2026, 11, 3, 9)
    await hold_month(database, LedgerHold("2026-10", "张三", "等平台补收", here.clock()))

    found = await work(here, 2026, 11, 20, 9)

    assert "张三 暂缓冻结（等平台补收）；解除后用 ledger 2026-10" in found["2026-10"].words


async def test_an_old_month_in_which_nothing_was_stored_is_not_computed_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1), penalty(2, CF_SY="")])
    await here.deliver()
    await work(here, 2027, 1, 3, 9)
    computed = []
    real = ledgers.month

    async def counted(database: Database, scope: object, month: str, now: datetime) -> object:
        computed.append(month)
        return await real(database, scope, month, now)  # type: ignore[arg-type]

    monkeypatch.setattr(ledgers, "month", counted)
    await work(here, 2027, 1, 4, 9)
    quiet = list(computed)
    await work(here, 2027, 1, 4, 15)
    again = list(computed)
    await here.take_in([penalty(2)])
    await work(here, 2027, 1, 5, 9)

    assert quiet == again == ["2026-12", "2026-11"]
    assert computed[2:] == ["2026-12", "2026-11", "2026-10"]


async def test_a_month_that_cannot_be_computed_keeps_no_other_from_it(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await month_with_open_ends(database, tmp_path)
    await work(here, 2026, 12, 3, 9)
    real = ledgers.month

    async def failing(database: Database, scope: object, month: str, now: datetime) -> object:
        if month == "2026-11":
            raise ValueError(month)
        return await real(database, scope, month, now)  # type: ignore[arg-type]

    monkeypatch.setattr(ledgers, "month", failing)
    here.connectors["platform"].stored.clear()
    await here.take_in([penalty(3, **LATE_OCTOBER)])
    with pytest.raises(ValueError, match="2026-11"):
        await work(here, 2026, 12, 4, 9)
    found = await work(here, 2026, 12, 4, 10)

    assert found["2026-10"].changed is not None


async def test_another_try_of_an_open_delivery_is_no_change(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    here.connectors["platform"].play(Step.DEFER)
    await here.deliver()
    await work(here, 2026, 11, 3, 9)
    here.connectors["platform"].play(Step.DEFER)
    await here.deliver()

    found = await work(here, 2026, 11, 20, 9)

    assert found["2026-10"].changed is None


async def test_the_schedule_reviews_once_a_day(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    here = await month_with_open_ends(database, tmp_path)
    schedule = build_schedule(here.gateway)
    for day in (3, 20):
        step_to(here, 2026, 11, day, 9)
        for _ in range(3):
            await schedule.tick()
            here.clock.step(timedelta(minutes=1))

    assert [one.message for one in caplog.records].count("ledger_changed") == 1
