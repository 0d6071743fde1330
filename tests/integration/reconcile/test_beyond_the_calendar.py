"""Beyond the calendar of working days nobody is told to have been late: the end is not known."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.ledger.timeliness import Timeliness
from gateway.reconcile.run import ReconciledDays, begin
from gateway.service.reconciling import compare_register
from gateway.store.base.engine import Database
from schemas.register import Register
from tests.integration.ledger_world import PLATFORM, START, penalty, world
from tests.integration.reconcile.sides import found, reconcile

pytestmark = pytest.mark.integration
DECEMBER = ReconciledDays(date(2026, 12, 1), date(2027, 1, 1))
DECIDED = {"CF_JDRQ": "2026-12-21", "CF_YXQ": "2027-12-21"}
#: The lower bound of both time limits has passed; they end on no day that is known.
AFTER = START + timedelta(days=79)


async def test_a_provisional_due_time_is_no_breach_at_a_platform(
    database: Database, tmp_path: Path
) -> None:
    start = START + timedelta(days=71)
    here = await world(database, tmp_path, {**PLATFORM, "clocks": ["working-7"]}, start=start)
    await here.take_in([penalty(1, **DECIDED), penalty(2, **DECIDED, CF_SY="")])
    here.clock.step(AFTER - start)
    await here.deliver()

    rows = (await here.ledger("2026-12")).rows
    compared = await reconcile(here, DECEMBER)

    assert {row.standings["platform"].timeliness["working-7"] for row in rows} == {
        Timeliness.UNKNOWN
    }
    assert found(compared) == {}


async def test_a_known_due_time_beside_it_is(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path, start=START + timedelta(days=71))
    await here.take_in([penalty(1, **DECIDED)])
    here.clock.step(timedelta(days=8))

    assert found(await reconcile(here, DECEMBER)) == {"样环罚〔2026〕1号": "missing"}


async def test_a_provisional_clock_of_entry_makes_nothing_late(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path, entry_clock="entry-5", start=AFTER)
    await here.take_in([penalty(1, **DECIDED)])
    file = tmp_path / "register.csv"
    file.write_text("行政处罚决定书文号,处罚决定日期\n样环罚〔2026〕1号,2026-12-21")
    register = Register(name="cases", title="案件系统", file=str(file))
    run = await begin(database, register.name, DECEMBER, here.clock())

    compared = await compare_register(here.gateway, register, run)

    assert [one.unknown for one in (await here.ledger("2026-12")).entries] == [1]
    assert compared.done.differences == ()
