"""What differs still is looked at again each day, however old its decision is."""

import os
from datetime import datetime, time
from pathlib import Path

import pytest

from gateway.reconcile.daily import reconcile_daily
from gateway.reconcile.keep import Reconciled
from gateway.reconcile.run import reconcile_platform
from gateway.service.reconciling import compare_register
from gateway.store.account.differences import DifferenceState
from gateway.store.account.reconcile_runs import Run
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from schemas.register import Register
from tests.integration.ledger_world import World
from tests.integration.reconcile.sides import compare, kept, reconcile
from tests.integration.reconcile.test_lasting import one_hidden, show_again
from tests.integration.reconcile.test_registers import five_decisions, row, written

pytestmark = pytest.mark.integration


async def daily(here: World) -> Reconciled:
    """Compare the platform as the schedule does in January."""
    here.clock.step(datetime(2027, 1, 20, 9, tzinfo=SHANGHAI) - here.clock())

    async def work(run: Run) -> Reconciled:
        built, connector = here.gateway, here.connectors["platform"]
        destination = built.settings.destinations[0]
        return await reconcile_platform(
            built.database, built.reconcile_scope, destination, connector, run
        )

    done = await reconcile_daily(here.gateway.database, "platform", time(8), here.clock, work)
    assert done is not None
    return done


async def test_an_old_difference_is_mended_by_a_daily_run(
    database: Database, tmp_path: Path
) -> None:
    here = await one_hidden(database, tmp_path)
    await reconcile(here)
    [before] = await kept(here)
    show_again(here)

    done = await daily(here)

    assert [one.state for one in await kept(here, every=True)] == [DifferenceState.MENDED]
    assert before.day is not None
    assert done.run.first > before.day  # the older month was not compared as a whole


async def in_january(here: World, file: Path) -> None:
    """Compare the register as the schedule does in January."""
    register = Register.model_validate({"name": "cases", "title": "案件系统", "file": str(file)})
    here.clock.step(datetime(2027, 1, 20, 9, tzinfo=SHANGHAI) - here.clock())
    os.utime(file, (here.clock().timestamp(),) * 2)

    async def work(run: Run) -> Reconciled:
        return (await compare_register(here.gateway, register, run)).done

    assert await reconcile_daily(here.gateway.database, "cases", time(8), here.clock, work)


async def test_a_register_of_the_last_months_leaves_older_differences_as_they_were(
    database: Database, tmp_path: Path
) -> None:
    here = await five_decisions(database, tmp_path)
    wrong = {"罚款金额（元）": "30000"}
    rows = [row(1, **wrong), row(2, **wrong), row(3), row(8)]
    await compare(here, file=str(written(tmp_path / "十月.csv", *rows)))
    before = {one.key.split("|")[1][-2:]: one.kinds for one in await kept(here)}
    january = row(20, 处罚决定日期="2027-01-05")

    await in_january(here, written(tmp_path / "一月.csv", row(1), january))

    after = {one.key.split("|")[1][-2:]: one.kinds for one in await kept(here)}
    assert before == {
        "1号": ["wrong_value"],
        "2号": ["wrong_value"],
        "4号": ["over_reported"],
        "8号": ["missing"],
    }
    assert after == {name: before[name] for name in ("2号", "4号", "8号")} | {"0号": ["missing"]}
