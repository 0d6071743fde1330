"""Beyond the calendar the work list says which due times are lower bounds only."""

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.store.base.engine import Database
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.look import WorkList, look
from gateway.worklist.rows import Grouping, Late
from tests.integration.ledger_world import PLATFORM, START, World, penalty, world

pytestmark = pytest.mark.integration
DECIDED = START + timedelta(days=71)


async def eight_days_later(database: Database, state: Path, *clocks: str) -> WorkList:
    """Return the work list eight days after a decision of 21 December 2026, which nobody sent."""
    here = await world(database, state, {**PLATFORM, "clocks": [*clocks]}, start=DECIDED)
    await here.take_in([penalty(1, CF_JDRQ="2026-12-21", CF_YXQ="2027-12-21")])
    here.clock.step(timedelta(days=8))
    return await looked(here)


async def looked(here: World) -> WorkList:
    settings, now = here.gateway.settings, here.clock()
    async with here.gateway.database.transaction() as connection:
        known = settings.destinations, settings.all_clocks
        return await look(connection, *known, Wanted(), now, Grouping.DESTINATION, 10)


async def test_a_lower_bound_that_has_passed_is_no_breach(
    database: Database, tmp_path: Path
) -> None:
    found = await eight_days_later(database, tmp_path, "working-7")

    assert [(row.provisional, row.late) for row in found.rows] == [(True, Late.UNSETTLED)]
    assert [(group.open, group.overdue) for group in found.groups] == [(1, 0)]


async def test_a_due_time_by_plain_days_is_known_beside_it(
    database: Database, tmp_path: Path
) -> None:
    found = await eight_days_later(database, tmp_path, "calendar-7", "working-7")

    assert [(row.provisional, row.late) for row in found.rows] == [(False, Late.OVERDUE)]
    assert [(group.open, group.overdue) for group in found.groups] == [(1, 1)]
