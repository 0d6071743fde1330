"""What was entered or handed over long after its decision is compared, too."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.reconcile.run import begin, usual_span
from gateway.service.reconciling import compare_register
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from schemas.register import Register
from tests.integration.ledger_world import World, penalty, world
from tests.integration.reconcile.sides import found, kept, reconcile
from tests.integration.reconcile.test_registers import row, written

pytestmark = pytest.mark.integration


def step_to(here: World, *time: int) -> None:
    """Move the time forward to that of Beijing."""
    here.clock.step(datetime(*time, tzinfo=SHANGHAI) - here.clock())  # type: ignore[misc,arg-type]


async def entered_in_december(database: Database, state: Path) -> World:
    """Enter one decision of October at its time, and another one at the end of December."""
    here = await world(database, state)
    await here.take_in([penalty(1)])
    await here.deliver()
    step_to(here, 2026, 12, 20, 9)
    await here.take_in([penalty(2, CF_JDRQ="2026-10-12", CF_YXQ="2027-10-12")])
    await here.deliver()
    return here


async def test_a_platform_that_lost_what_was_entered_late_is_told(
    database: Database, tmp_path: Path
) -> None:
    here = await entered_in_december(database, tmp_path)
    step_to(here, 2027, 1, 10, 9)
    there = await reconcile(here, usual_span(here.clock()))
    stored = here.connectors["platform"].stored
    for key, item in list(stored.items()):
        if "2号" in (item.document_number or ""):
            del stored[key]

    lost = await reconcile(here, usual_span(here.clock()))

    assert found(there) == {"样环罚〔2026〕2号": "late"}
    assert found(lost) == {"样环罚〔2026〕2号": "not_visible,late"}


async def test_what_was_handed_over_long_after_it_came_is_compared(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    step_to(here, 2026, 12, 20, 9)
    await here.deliver()
    here.connectors["platform"].stored.clear()
    step_to(here, 2027, 1, 10, 9)

    done = await reconcile(here, usual_span(here.clock()))

    assert found(done) == {"样环罚〔2026〕1号": "not_visible,late"}


async def test_a_register_is_read_back_to_it_and_older_strangers_are_left_alone(
    database: Database, tmp_path: Path
) -> None:
    """This installation may not have had the days between."""
    here = await entered_in_december(database, tmp_path)
    step_to(here, 2027, 1, 10, 9)
    rows = [
        row(1),
        row(2, **{"罚款金额（元）": "30000", "处罚决定日期": "2026-10-12"}),
        row(3, 处罚决定日期="2026-10-20"),
        row(4, 处罚决定日期="2026-12-20"),
    ]
    file = written(tmp_path / "登记.csv", *rows)
    register = Register.model_validate({"name": "cases", "title": "案件系统", "file": str(file)})
    run = await begin(database, "cases", usual_span(here.clock()), here.clock())

    done = (await compare_register(here.gateway, register, run)).done

    assert run.first == date(2026, 12, 1)
    assert found(done) == {
        "样环罚〔2026〕2号": "wrong_value",
        "样环罚〔2026〕4号": "missing",
    }


async def test_what_came_and_went_at_its_time_is_not_read_again(
    database: Database, tmp_path: Path
) -> None:
    here = await entered_in_december(database, tmp_path)
    step_to(here, 2027, 3, 10, 9)
    here.connectors["platform"].stored.clear()
    here.clock.step(timedelta(days=1))

    done = await reconcile(here, usual_span(here.clock()))

    assert done.run.ours == 0
    assert await kept(here) == []
