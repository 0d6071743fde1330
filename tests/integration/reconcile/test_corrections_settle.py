"""After a correction a platform's list may still show the row before, for a while."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gateway.store.base.engine import Database
from schemas.delivery import Listed, ListingMark
from tests.integration.ledger_world import PLATFORM, World, penalty, world
from tests.integration.reconcile.sides import found, kept, reconcile

pytestmark = pytest.mark.integration


async def corrected(database: Database, state: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """Correct a decision at a platform whose listing still has the row before."""
    here = await world(database, state, {**PLATFORM, "shown_within": "P3D"})
    await here.take_in([penalty(1)])
    await here.deliver()
    platform = here.connectors["platform"]
    old = [one async for one in platform.listing(here.clock() - timedelta(days=1))]
    here.clock.step(timedelta(days=4))
    await here.take_in([penalty(1, CF_SY="超标排放二")])
    await here.deliver()
    here.clock.step(timedelta(hours=1))

    async def listing(since: datetime) -> AsyncIterator[Listed | ListingMark]:
        for one in old:
            yield one

    monkeypatch.setattr(platform, "listing", listing)
    return here


async def test_the_row_before_a_correction_is_no_difference_until_it_had_to_be_gone(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await corrected(database, tmp_path, monkeypatch)

    early = found(await reconcile(here))
    here.clock.step(timedelta(days=3))
    late = found(await reconcile(here))

    assert early == {}
    assert late == {"样环罚〔2026〕1号": "wrong_value"}


async def test_a_difference_stands_while_its_correction_settles(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = await corrected(database, tmp_path, monkeypatch)
    here.clock.step(timedelta(days=3))
    await reconcile(here)
    await here.take_in([penalty(1, CF_SY="超标排放三")])
    await here.deliver()
    here.clock.step(timedelta(hours=1))

    again = found(await reconcile(here))

    assert again == {}
    assert [one.state.value for one in await kept(here)] == ["open"]
