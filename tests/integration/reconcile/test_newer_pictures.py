"""Of two pictures the newer one stands, also where it shows a part of the days."""

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from gateway.reconcile.run import ReconciledDays
from gateway.store.base.engine import Database
from schemas.delivery import Listed, ListingMark
from tests.integration.ledger_world import penalty, world
from tests.integration.reconcile.sides import OCTOBER, found, kept, reconcile

pytestmark = pytest.mark.integration
LATER_DAYS = ReconciledDays(date(2026, 10, 5), date(2026, 11, 1))


@pytest.mark.parametrize("inner", [OCTOBER, LATER_DAYS])
async def test_a_run_says_nothing_of_days_that_a_later_one_has_compared(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: ReconciledDays
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1), penalty(2, CF_JDRQ="2026-10-04", CF_YXQ="2027-10-04")])
    await here.deliver()
    here.clock.step(timedelta(days=1))
    platform = here.connectors["platform"]
    real = platform.listing

    async def stale(since: datetime) -> AsyncIterator[Listed | ListingMark]:
        """Show what the platform had a while ago, nothing; a person compares meanwhile."""
        monkeypatch.setattr(platform, "listing", real)
        here.clock.step(timedelta(minutes=5))
        assert found(await reconcile(here, inner)) == {}
        for row in [one async for one in real(since)][:0]:
            yield row

    monkeypatch.setattr(platform, "listing", stale)
    await reconcile(here)

    numbers = [one.key.split("|")[1] for one in await kept(here)]
    assert numbers == ([] if inner == OCTOBER else ["样环罚〔2026〕2号"])
