"""What is over and old is deleted, and nothing else."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from connectors.memory import Step
from gateway.ledger.month import month as account_of_month
from gateway.schedule import retention
from gateway.store.account import ledgers
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.conftest import OLD, ask, counts, forget, receipt
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_finished_rows_of_every_class_go(keeping: World) -> None:
    await keeping.take(penalty(1))
    await keeping.turn()
    await keeping.take(penalty(1, CF_NR="更正"))
    await keeping.turn()
    await receipt(keeping)
    await ask(keeping, "key")

    await forget(keeping)

    assert await counts(keeping) == {
        "attempt": 0,
        "receipt": 0,
        "inbox": 0,
        "origin": 0,
        "intake_request": 0,
        "assessment": 2,  # the last one of its subject, and that of its grade change
    }
    kept = "select count(*) from record_version union all select count(*) from delivery"
    assert await keeping.column(kept) == [2, 4]  # a delivery of the publication, too
    events = await keeping.column("select distinct event from audit_event order by event")
    assert events == ["grades_published", "retention_applied"]


async def test_nothing_goes_where_nothing_is_configured(world: World) -> None:
    world.clock.step(OLD - world.clock())
    await world.take(penalty(1))
    await world.turn()
    before = await counts(world)

    await forget(world)

    assert await counts(world) == before


async def test_younger_rows_stay(keeping: World) -> None:
    keeping.clock.step(timedelta(days=31))
    await keeping.take(penalty(1))
    await keeping.turn()
    await ask(keeping, "key")
    before = await counts(keeping)

    await forget(keeping)

    assert await counts(keeping) == before


async def test_what_is_not_finished_stays_until_it_is(keeping: World) -> None:
    keeping.connector().play(Step.REJECT)
    await keeping.take(penalty(1), b"not json")
    await keeping.turn()
    await receipt(keeping)
    before = await counts(keeping)

    await forget(keeping)
    unfinished = await counts(keeping)
    await keeping.run("update delivery set state = 'accepted'")
    await keeping.run("update quarantine set resolved_at = :now", now=keeping.clock())
    await keeping.pass_time(24)

    assert (before["attempt"], before["receipt"]) == (2, 2)
    assert (unfinished["attempt"], unfinished["receipt"]) == (1, 1)
    assert (unfinished["inbox"], unfinished["origin"]) == (1, 1)
    after = await counts(keeping)
    assert (after["receipt"], after["inbox"], after["origin"]) == (0, 0, 0)
    assert await keeping.column("select outcome from attempt") == ["rejected"]  # for the ledger


async def test_the_last_message_of_a_partition_stays(keeping: World) -> None:
    """Intake goes by it after a restart, and checks by it that nothing is lost."""
    await keeping.take(*(penalty(n, n) for n in range(1, 5)), origin="kafka:main/penalty/0")
    await keeping.take(penalty(5, 5), origin="http:bureau/1")
    await keeping.turn()

    await forget(keeping)

    assert await keeping.column("select position from inbox") == [3]
    assert await keeping.column("select name from origin") == ["kafka:main/penalty/0"]


async def test_an_assessment_that_changed_a_grade_stays(keeping: World) -> None:
    await keeping.take(penalty(1))
    for number in (2, 3, 4):
        await keeping.take(penalty(number))

    await forget(keeping)

    kept = await keeping.column("select id from assessment order by id")
    last = await keeping.value("select max(id) from assessment")
    changed = await keeping.column(
        "select assessment_id from grade_change where assessment_id is not null order by id"
    )
    assert kept == sorted({*changed, last})


async def test_more_than_a_slice_goes_in_several(
    keeping: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "SLICE", 3)
    for number in range(10):
        await ask(keeping, f"key {number}")

    await forget(keeping)

    assert (await counts(keeping))["intake_request"] == 0
    rows = await keeping.column(
        "select (detail ->> 'rows')::int from audit_event where detail ->> 'class' = "
        "'intake_requests' order by at, detail ->> 'rows' desc"
    )
    assert sorted(rows) == [1, 3, 3, 3]


async def test_a_long_reader_delays_a_month_and_nobody_else(keeping: World) -> None:
    await keeping.take(penalty(1))
    await keeping.turn()
    month = "select to_regclass('attempt_2026_12') is not null"

    async with keeping.database.transaction() as reader:
        await reader.execute(text("select count(*) from attempt"))
        await forget(keeping)
        beside = await keeping.value(month)
    keeping.clock.step(timedelta(days=1))
    await keeping.schedule.daily.run(keeping.clock())

    assert (beside, await keeping.value(month)) == (True, False)


async def test_a_clock_that_is_wrong_once_deletes_no_years(keeping: World) -> None:
    await keeping.take(penalty(1), origin="topic")
    await keeping.take(penalty(1, CF_NR="更正"), origin="topic", first=1)
    await keeping.turn()
    right = keeping.clock()

    for years in (11, 12):
        keeping.clock.step(timedelta(days=365 * years))
        await keeping.schedule.survey()
        keeping.clock.step(right - keeping.clock())
    await keeping.take(penalty(1), origin="topic")
    await keeping.turn()

    assert [item.columns["CF_NR"] for item in keeping.connector().stored.values()][-1] == "更正"
    assert (await counts(keeping))["attempt"] > 0


async def test_after_a_standstill_the_deletion_catches_up(make_world: MakeWorld) -> None:
    world = await make_world(retention={"intake_requests": 1})
    start = world.clock()
    await ask(world, "key")
    await world.schedule.daily.run(world.clock())

    gone = []
    world.clock.step(timedelta(days=60))
    for _ in range(8):
        world.clock.step(timedelta(days=1))
        await world.schedule.daily.run(world.clock())
        gone.append((await counts(world))["intake_request"] == 0)

    assert world.clock() - start == timedelta(days=68)
    assert gone[0] is False
    assert gone[-1] is True


async def test_a_ledger_that_is_being_made_sees_every_attempt(
    keeping: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.connector().play(Step.REJECT)
    await keeping.take(penalty(1))
    await keeping.turn()
    await keeping.run("update delivery set state = 'superseded'")
    gateway = keeping.gateway
    month = str(await keeping.value("select to_char(decision_date, 'YYYY-MM') from decision"))
    values = (gateway.database, gateway.ledger_scope, month, keeping.clock())
    before = await account_of_month(*values)
    question = ledgers.month_decisions

    async def slow(*arguments: Any) -> AsyncIterator[Any]:
        await forget(keeping)
        async for part in question(*arguments):
            yield part

    monkeypatch.setattr(ledgers, "month_decisions", slow)
    during = await account_of_month(*values)

    assert during.hash == before.hash
    assert before.figures[0].handed_over == 1
