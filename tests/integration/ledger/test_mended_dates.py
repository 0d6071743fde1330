"""A decision date that was mistyped and mended leaves no trace in the due times."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.ledger.timeliness import Timeliness
from gateway.store.base.engine import Database
from schemas.base import SHANGHAI
from tests.integration.ledger_world import PLATFORM, World, penalty, world
from tests.integration.reconcile.sides import found, reconcile

pytestmark = pytest.mark.integration
TYPED = {"CF_JDRQ": "2026-10-01", "CF_YXQ": "2027-10-01"}


async def mended(database: Database, state: Path, typed: dict[str, Any], *, sent: bool) -> World:
    """Type a date, mend it to the tenth of October, and deliver it on the eleventh."""
    here = await world(database, state)
    await here.take_in([penalty(1, **typed)])
    if sent:
        await here.deliver()
    here.clock.step(timedelta(minutes=30))
    await here.take_in([penalty(1)])
    await here.deliver()
    await here.deliver()
    return here


@pytest.mark.parametrize("sent", [False, True])
async def test_a_date_typed_too_early_makes_nothing_late(
    database: Database, tmp_path: Path, sent: bool
) -> None:
    here = await mended(database, tmp_path, TYPED, sent=sent)
    here.clock.step(timedelta(days=10))

    [row] = (await here.ledger()).rows
    compared = await reconcile(here)

    standing = row.standings["platform"]
    assert set(standing.timeliness.values()) == {Timeliness.TIMELY}
    assert standing.due["calendar-7"].date() == date(2026, 10, 17)
    assert standing.why is None
    assert "late" not in str(found(compared))


async def test_a_date_typed_too_late_hides_nothing_late(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    here.clock.step(timedelta(days=14))
    await here.take_in([penalty(1, CF_JDRQ="2026-10-24", CF_YXQ="2027-10-24")])
    await here.deliver()
    await here.take_in([penalty(1)])
    await here.deliver()

    [row] = (await here.ledger()).rows

    standing = row.standings["platform"]
    assert set(standing.timeliness.values()) == {Timeliness.LATE}
    assert standing.due["calendar-7"].date() == date(2026, 10, 17)


async def test_corrections_with_the_same_date_inherit_the_first_due_time(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    await here.deliver()
    before = [row.standings["platform"].due for row in (await here.ledger()).rows]
    here.clock.step(timedelta(days=20))
    await here.take_in([penalty(1, CF_SY="超标排放二")])
    await here.deliver()

    after = [row.standings["platform"].due for row in (await here.ledger()).rows]

    assert after == before


async def test_a_clock_that_came_later_counts_from_the_decision_not_from_a_correction(
    database: Database, tmp_path: Path
) -> None:
    before = await world(database, tmp_path, {**PLATFORM, "clocks": ["calendar-7"]})
    await before.take_in([penalty(1)])
    before.clock.step(timedelta(days=20))
    await before.deliver()
    here = await world(database, tmp_path, start=before.clock())
    here.sent = before.sent
    await here.take_in([penalty(1, CF_NR="罚款人民币二万元")])
    await here.deliver()

    [row] = (await here.ledger()).rows

    standing = row.standings["platform"]
    assert set(standing.timeliness.values()) == {Timeliness.LATE}
    assert standing.due["working-7"].astimezone(SHANGHAI).date() == date(2026, 10, 21)
