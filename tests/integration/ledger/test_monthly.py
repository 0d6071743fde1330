"""The ledger of last month is frozen by itself, unless a person holds it."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.config.account_settings import LedgerSettings
from gateway.ledger.monthly import (
    BY_ITSELF,
    MonthStanding,
    freeze_last_month,
    hold_month,
    last_month,
    release_month,
)
from gateway.store.account import ledgers
from gateway.store.account.ledger_holds import LedgerHold
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.integration.ledger_world import START, World, penalty, world

pytestmark = pytest.mark.integration
MONTH = "2026-10"


async def turned(here: World, day: int, **changes: object) -> MonthStanding | None:
    """Do the work of a day of November 2026, at nine in the morning."""
    now = datetime(2026, 11, day, 9, tzinfo=SHANGHAI)
    here.clock.step(max(timedelta(0), now - here.clock()))
    built, settings = here.gateway, LedgerSettings.model_validate(changes)
    return await freeze_last_month(
        built.database, built.ledger_scope, built.keys, settings, here.clock()
    )


async def versions(database: Database) -> list[Frozen]:
    async with database.transaction() as connection:
        return await ledgers.versions(connection, MONTH)


async def test_it_is_frozen_on_its_day_once(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])

    before = await turned(here, 2)
    assert before is not None
    assert (before.month, before.frozen, before.due) == (MONTH, None, date(2026, 11, 4))
    assert before.words == "2026-10 台账期限 11-04：11-03 自动冻结"

    after = await turned(here, 3)
    await here.deliver()  # the month changes, and stays as it was frozen
    again = await turned(here, 5)

    [frozen] = await versions(database)
    assert frozen.reason == BY_ITSELF
    assert after is not None
    assert after.frozen == frozen
    assert again is not None
    assert not again.is_late(date(2026, 11, 5))


async def test_a_person_holds_it_and_then_it_is_late(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    held = LedgerHold(MONTH, "张三", "等平台补收", START)
    assert await hold_month(database, held)
    assert not await hold_month(database, held)

    found = await turned(here, 5)

    assert await versions(database) == []
    assert found is not None
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
    assert found is not None
    assert found.words == "2026-10 台账期限 11-04：尚未冻结，用 ledger 2026-10 冻结"


async def test_a_month_of_zero_is_frozen_and_one_before_the_start_is_not(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    async with database.transaction() as connection:
        assert await ledgers.versions(connection, "2026-09") == []
    built = here.gateway

    young = await freeze_last_month(
        built.database, built.ledger_scope, built.keys, LedgerSettings(), START
    )
    await turned(here, 3)

    assert young is None
    [frozen] = await versions(database)
    assert frozen.figures["decisions"] == 0


def test_the_month_before_january_is_december() -> None:
    assert last_month(date(2027, 1, 3)) == "2026-12"
    assert last_month(date(2026, 3, 31)) == "2026-02"
