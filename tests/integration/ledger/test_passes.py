"""What counts as 一次通过 and as 更正入库 where a correction is rejected."""

from datetime import timedelta
from pathlib import Path

import pytest

from connectors.memory import Step
from gateway.ledger.causes import Cause
from gateway.store.base.engine import Database
from tests.integration.ledger_world import PLATFORM, World, penalty, world

pytestmark = pytest.mark.integration


async def told(here: World, step: Step, reason: str) -> None:
    here.connectors["platform"].play(step)
    await here.take_in([penalty(1, CF_SY=reason)])
    await here.deliver()
    here.clock.step(timedelta(days=1))


async def counted(here: World) -> tuple[int, int, int, int | None]:
    """Return how many passed at once, were rejected, were mended, and after how many days."""
    [one] = (await here.ledger()).quality
    return one.first_pass, one.rejected, one.mended, one.longest_days


async def test_a_rejected_correction_is_not_mended_by_what_was_accepted_before(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await told(here, Step.ACCEPT, "超标排放")
    await told(here, Step.REJECT, "超标排放二")
    before = await counted(here)

    await told(here, Step.ACCEPT, "超标排放三")

    assert before == (1, 1, 0, None)
    assert await counted(here) == (1, 1, 1, 1)


async def test_one_that_was_rejected_first_is_no_first_pass_whatever_comes_later(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await told(here, Step.REJECT, "超标排放")
    before = await counted(here)

    await told(here, Step.ACCEPT, "超标排放二")
    await told(here, Step.REJECT, "超标排放三")

    assert before == (0, 1, 0, None)
    assert await counted(here) == (0, 1, 1, 1)


async def test_one_that_was_held_first_is_no_first_pass(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await told(here, Step.ACCEPT, "")
    await told(here, Step.ACCEPT, "超标排放")

    assert await counted(here) == (0, 0, 0, None)


async def test_what_a_destination_does_not_require_is_held_nowhere(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path, {**PLATFORM, "not_required": ["CF_CFJGDM"]})

    here.connectors["platform"].play(Step.ACCEPT)
    await here.take_in([penalty(1, CF_CFJGDM="")])
    await here.deliver()

    assert await counted(here) == (1, 0, 0, None)


async def test_what_lacks_a_column_that_a_destination_names_was_held(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path, {**PLATFORM, "requires": ["CF_GSJZQ"]})
    await here.take_in([penalty(1)])
    here.clock.step(timedelta(days=20))
    await here.take_in([penalty(1, CF_GSJZQ="2027-10-10")])
    await here.deliver()

    [row] = (await here.ledger()).rows

    assert row.standings["platform"].cause is Cause.HELD
    assert await counted(here) == (0, 0, 0, None)
