"""Differences over the runs: open, explained, mended, open again; what a listing proves."""

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from gateway.reconcile.daily import reconcile_daily
from gateway.reconcile.keep import Reconciled, explain
from gateway.reconcile.run import ReconciledDays, begin, reconcile_platform
from gateway.store.account.differences import DifferenceState
from gateway.store.account.reconcile_runs import Run
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.integration.ledger_world import PLATFORM, START, World, penalty, world
from tests.integration.reconcile.sides import OCTOBER, found, kept, kinds, reconcile

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)


async def one_hidden(database: Database, state: Path) -> World:
    """Return a world in which the platform does not show the first of two decisions."""
    here = await world(database, state)
    await here.take_in([penalty(1), penalty(2)])
    await here.deliver()
    here.clock.step(2 * DAY)
    hide(here)
    return here


def hide(here: World) -> None:
    platform = here.connectors["platform"]
    key = next(k for k, item in platform.stored.items() if item.document_number == NUMBER)
    here.hidden = (key, platform.stored.pop(key))  # type: ignore[attr-defined]


def show_again(here: World) -> None:
    key, item = here.hidden  # type: ignore[attr-defined]
    here.connectors["platform"].stored[key] = item


NUMBER = "样环罚〔2026〕1号"


async def test_a_difference_lasts_from_its_first_run_until_one_finds_it_no_more(
    database: Database, tmp_path: Path
) -> None:
    here = await one_hidden(database, tmp_path)
    began = here.clock()
    await reconcile(here)
    here.clock.step(DAY)
    again = await reconcile(here)
    [open_] = await kept(here)
    show_again(here)
    here.clock.step(DAY)
    mending = await reconcile(here)
    [mended] = await kept(here, every=True)
    hide(here)
    here.clock.step(DAY)
    back = await reconcile(here)
    [anew] = await kept(here)

    assert (open_.first_seen, open_.last_seen) == (began, began + DAY)
    assert open_.state is DifferenceState.OPEN
    assert again.changes is not None
    assert (again.changes.opened, again.changes.mended) == (0, 0)
    assert mending.changes is not None
    assert mending.changes.mended == 1
    assert (mended.state, mended.mended_at) == (DifferenceState.MENDED, began + 2 * DAY)
    assert back.changes is not None
    assert back.changes.opened == 1
    assert (anew.id, anew.first_seen) == (open_.id, began + 3 * DAY)


async def test_a_run_over_other_days_mends_nothing(database: Database, tmp_path: Path) -> None:
    here = await one_hidden(database, tmp_path)
    await reconcile(here)
    september = ReconciledDays(OCTOBER.first.replace(month=9), OCTOBER.first)

    await reconcile(here, september)

    assert len(await kept(here)) == 1


async def test_an_explanation_holds_until_the_difference_is_another(
    database: Database, tmp_path: Path
) -> None:
    here = await one_hidden(database, tmp_path)
    await reconcile(here)
    [difference] = await kept(here)
    done = await explain(database, difference.id, "样例经办人", "平台已受理", here.clock())
    here.clock.step(DAY)
    await reconcile(here)
    explained = await kept(here, every=True)
    left = await kept(here)
    await database.run(_make_late)
    await reconcile(here)
    [open_] = await kept(here)

    assert done
    assert left == []
    assert [one.state for one in explained] == [DifferenceState.EXPLAINED]
    assert explained[0].reason == "平台已受理"
    assert kinds(open_.flags) == "not_visible,late"
    assert open_.state is DifferenceState.OPEN
    assert not await explain(database, 1, "样例经办人", "没有这一处", here.clock())


async def _make_late(connection) -> None:  # type: ignore[no-untyped-def]
    await connection.execute(
        text(
            "update delivery set dues = jsonb_build_object('calendar-7', '2026-10-11T00:00:00Z')"
            " where id = (select min(id) from delivery)"
        )
    )


async def test_a_run_that_ends_after_a_later_one_changes_no_difference(
    database: Database, tmp_path: Path
) -> None:
    here = await one_hidden(database, tmp_path)
    late = here.clock() - timedelta(minutes=5)
    await reconcile(here)
    show_again(here)

    done = await reconcile_platform(
        database,
        here.gateway.reconcile_scope,
        here.gateway.settings.destinations[0],
        here.connectors["platform"],
        await begin(database, "platform", OCTOBER, late),
    )

    assert done.changes is None
    assert len(await kept(here)) == 1


async def test_what_the_listing_need_not_show_yet_is_no_difference(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path, PLATFORM | {"shown_within": "P3D"})
    await here.take_in([penalty(1)])
    await here.deliver()
    hide(here)
    here.clock.step(3 * DAY - timedelta(minutes=1))
    before = await reconcile(here)
    here.clock.step(timedelta(minutes=2))

    assert found(before) == {}
    assert found(await reconcile(here)) == {NUMBER: "not_visible"}


async def test_what_nobody_answered_for_is_accepted_by_the_listing_that_shows_the_same(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1), penalty(2), penalty(3)])
    await here.deliver()
    await database.run(_make_blind)
    platform = here.connectors["platform"]
    keys = {item.document_number: key for key, item in platform.stored.items()}
    altered = platform.stored[keys["样环罚〔2026〕2号"]]
    platform.stored[keys["样环罚〔2026〕2号"]] = altered.model_copy(
        update={"columns": altered.columns | {"CF_NR_FK": "20"}}
    )
    del platform.stored[keys["样环罚〔2026〕3号"]]

    done = await reconcile(here)

    assert await _states(database) == ["accepted", "accepted_blind", "accepted_blind"]
    assert done.run.unproven == 2
    assert found(done)["样环罚〔2026〕2号"] == "wrong_value"


async def _make_blind(connection) -> None:  # type: ignore[no-untyped-def]
    await connection.execute(
        text("update delivery set state = 'accepted_blind', accepted_at = null, platform_at = null")
    )


async def _states(database: Database) -> list[str]:
    async with database.transaction() as connection:
        rows = await connection.scalars(text("select state from delivery order by id"))
        return list(rows)


async def test_values_may_differ_by_the_configured_tolerance(
    database: Database, tmp_path: Path
) -> None:
    reconciling = {"tolerances": {"CF_NR_FK": "0.01", "CF_JDRQ": "1"}, "ignored": ["CF_SY"]}
    here = await world(database, tmp_path, reconcile=reconciling)
    await here.take_in([penalty(n) for n in (1, 2, 3)])
    await here.deliver()
    for item, change in zip(
        list(here.connectors["platform"].stored.items()),
        [
            {"CF_NR_FK": "2.01", "CF_JDRQ": "2026-10-11", "CF_SY": "别的事由"},
            {"CF_NR_FK": "2.02"},
            {"CF_JDRQ": "2026-10-12"},
        ],
        strict=True,
    ):
        key, stored = item
        here.connectors["platform"].stored[key] = stored.model_copy(
            update={"columns": stored.columns | change}
        )

    assert found(await reconcile(here)) == {
        "样环罚〔2026〕2号": "wrong_value",
        "样环罚〔2026〕3号": "wrong_value",
    }


async def test_every_side_is_compared_once_a_day_and_again_after_a_failure(
    database: Database, tmp_path: Path
) -> None:
    here = await one_hidden(database, tmp_path)
    runs: list[Run] = []

    async def compare(run: Run) -> Reconciled:
        runs.append(run)
        connector = here.connectors["platform"]
        scope, [platform] = here.gateway.reconcile_scope, here.gateway.settings.destinations
        return await reconcile_platform(database, scope, platform, connector, run)

    async def pass_at(hour: int, day: int = 14) -> bool:
        local = START.astimezone(SHANGHAI).replace(day=day, hour=hour, minute=0)
        here.clock.step(local - here.clock())
        at = START.astimezone(SHANGHAI).time().replace(hour=2, minute=30)
        done = await reconcile_daily(database, "platform", at, here.clock, compare)
        return done is not None

    did = [await pass_at(1), await pass_at(3), await pass_at(4), await pass_at(2, 15)]
    await database.run(_cut_off)
    again = [await pass_at(3, 15), await pass_at(4, 15)]

    assert did == [False, True, False, False]
    assert again == [True, False]
    assert (runs[0].first, runs[0].end) == (date(2026, 9, 1), date(2026, 10, 15))


async def _cut_off(connection) -> None:  # type: ignore[no-untyped-def]
    await connection.execute(text("update reconcile_run set finished_at = null"))
