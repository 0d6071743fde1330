"""Reconciliation on a real database with the listing of the in-memory connector."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from connectors.memory import MemoryConnector, Step
from gateway.store.base.engine import Database
from tests.integration.ledger_world import PLATFORM, identity, penalty, person, world
from tests.integration.reconcile.sides import found, kept, kinds, reconcile

pytestmark = pytest.mark.integration


async def test_equal_sides_give_no_difference_and_an_audit_event(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1), penalty(2), person(3)])
    await here.deliver()
    here.clock.step(timedelta(days=30))

    done = await reconcile(here)

    assert (done.run.ours, done.run.shown, done.differences) == (3, 3, ())
    async with database.transaction() as connection:
        noted = await connection.scalar(
            text("select detail->>'differences' from audit_event where event = 'reconciled'")
        )
    assert noted == "0"


def _tamper(platform: MemoryConnector) -> None:
    """Let the platform lose, alter, double and invent rows."""
    keys = {item.document_number: key for key, item in platform.stored.items()}
    first, second, third, fourth = (keys[f"样环罚〔2026〕{n}号"] for n in (1, 2, 3, 4))
    del platform.stored[first]
    altered = platform.stored[second]
    platform.stored[second] = altered.model_copy(
        update={"columns": altered.columns | {"CF_NR_FK": "20"}}
    )
    for copy in ("again", "alien"):
        platform.stored[copy] = platform.stored[third]
        platform._times[copy] = platform._times[third]
    platform.stored["alien"] = platform.stored[fourth].model_copy(
        update={"document_number": "样环罚〔2026〕999号"}
    )


async def test_each_kind_of_difference_is_found_and_stored(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    platform = here.connectors["platform"]
    await here.take_in([penalty(number) for number in (1, 2, 3, 4, 5)])
    await here.take_in([penalty(9, CF_JDRQ="2026-09-30")])
    await here.deliver()
    here.clock.step(timedelta(days=1))
    await here.take_in([penalty(6, CF_WFXW="")])
    platform.play(Step.SUBMIT)
    await here.take_in([penalty(7)])
    await here.deliver()
    _tamper(platform)
    await here.take_in([penalty(4, verb="withdraw")])
    here.clock.step(timedelta(days=30))

    done = await reconcile(here)

    assert found(done) == {
        "样环罚〔2026〕1号": "not_visible",
        "样环罚〔2026〕2号": "wrong_value",
        "样环罚〔2026〕3号": "duplicate",
        "样环罚〔2026〕4号": "over_reported",
        "样环罚〔2026〕6号": "missing",
        "样环罚〔2026〕7号": "late",
        "样环罚〔2026〕999号": "over_reported",
    }
    stored = await kept(here)
    assert {one.key: one.flags for one in stored} == {
        one.key: one.flags for one in done.differences
    }
    assert all(flag["action"] for one in stored for flag in one.flags)


async def test_the_version_last_handed_over_is_compared(database: Database, tmp_path: Path) -> None:
    here = await world(database, tmp_path)
    await here.take_in([penalty(1)])
    await here.deliver()
    await here.take_in([penalty(1, CF_NR_FK=3)])

    assert (await reconcile(here)).differences == ()


async def test_no_difference_contains_the_identity_of_a_person(
    database: Database, tmp_path: Path
) -> None:
    here = await world(database, tmp_path)
    await here.take_in([person(7)])
    await here.deliver()
    platform = here.connectors["platform"]
    (key,) = platform.stored
    item = platform.stored[key]
    platform.stored[key] = item.model_copy(
        update={"subject_code": identity(7), "columns": item.columns | {"CF_NR_FK": "9"}}
    )

    done = await reconcile(here)

    (only,) = done.differences
    assert kinds(only.flags) == "wrong_value"
    assert identity(7) not in str(only)
    assert "person:" not in str(only)
    assert "张三丰" not in str(only)


async def test_deliveries_to_another_destination_do_not_count(
    database: Database, tmp_path: Path
) -> None:
    other = PLATFORM | {"name": "other", "headline": False}
    here = await world(database, tmp_path, PLATFORM, other)
    await here.take_in([penalty(1)])
    await here.deliver("other")
    here.clock.step(timedelta(days=30))

    assert found(await reconcile(here)) == {"样环罚〔2026〕1号": "missing"}
