"""What is kept no longer goes, class by class; what is not finished stays."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from connectors.memory import Step
from gateway.ledger.month import month as account_of_month
from gateway.schedule import retention
from gateway.store.account import ledgers
from gateway.store.deliver.deliveries import retry
from gateway.store.deliver.receipts import MatchedReceipt, apply_receipts
from gateway.store.record import inbox
from gateway.store.score import known_subject
from gateway.store.score.known_subject import KnownSubject
from schemas.base import SHANGHAI
from schemas.verdict import Verdict
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

KEPT_MONTHS = 6
ALL = dict.fromkeys(
    ("attempts", "receipts", "audit", "inbox", "intake_requests", "assessments"), KEPT_MONTHS
)
#: A time in a month that is over by more than the classes are kept; it has partitions.
OLD = datetime(2026, 12, 20, 9, tzinfo=SHANGHAI)
LATER = datetime(2027, 7, 20, 9, tzinfo=SHANGHAI)
COUNTS = ("attempt", "receipt", "inbox", "origin", "intake_request", "assessment")


@pytest.fixture
async def keeping(make_world: MakeWorld) -> World:
    """A gateway that keeps every class for six months, some months ago, and deletes each day."""
    world = await make_world(retention=ALL)
    world.clock.step(OLD - world.clock())
    await deleted(world, OLD)
    return world


async def deleted(world: World, at: datetime) -> None:
    """Note that the deletion of that day was done."""
    await world.run(
        "insert into job_run values ('retention', :day, :now) on conflict do nothing",
        day=at.date(),
        now=at,
    )


async def counts(world: World) -> dict[str, int]:
    return {table: await world.value(f"select count(*) from {table}") for table in COUNTS}


async def forget(world: World) -> None:
    """Run the daily work of a day in the following year, as if there had been one each day."""
    await deleted(world, LATER)
    world.clock.step(LATER - world.clock())
    await world.schedule.daily.run(world.clock())


async def ask(world: World, key: str) -> None:
    async with world.database.transaction() as connection:
        await inbox.request_hash(connection, key, b"hash", world.clock())


async def receipt(world: World) -> None:
    await world.run(
        "insert into receipt (delivery_id, accepted, platform_at, received_at) "
        "select id, true, :now, :now from delivery",
        now=world.clock(),
    )


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
    assert await keeping.column(kept) == [2, 3]
    assert await keeping.column("select distinct event from audit_event") == ["retention_applied"]


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


async def test_an_assessment_that_changed_a_grade_stays(keeping: World) -> None:
    await keeping.take(penalty(1))
    for number in (2, 3, 4):
        await keeping.take(penalty(number))

    await forget(keeping)

    kept = await keeping.column("select id from assessment order by id")
    last = await keeping.value("select max(id) from assessment")
    changed = await keeping.column("select assessment_id from grade_change order by id")
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


async def test_a_rejection_that_is_told_again_does_not_count_again(keeping: World) -> None:
    async def say(id_: int, at: datetime) -> int:
        answer = MatchedReceipt(id_, False, ("格式",), at, None)
        async with keeping.database.transaction() as connection:
            return await apply_receipts(connection, "platform", [answer], keeping.clock())

    await keeping.take(penalty(1))
    await keeping.turn()
    number = await keeping.value("select id from delivery where destination = 'platform'")
    rejected_at = keeping.clock()
    assert await say(number, rejected_at) == 1
    async with keeping.database.transaction() as connection:
        await retry(connection, [number], keeping.clock())
    await keeping.turn()

    await forget(keeping)

    assert await say(number, rejected_at) == 0
    assert (await keeping.states())[0] == "accepted"


async def test_a_past_explanation_stays_the_same(keeping: World) -> None:
    """The second assessment was by another text, and of a suspect, and changed no grade."""
    await keeping.take(penalty(1))
    keeping.clock.step(timedelta(hours=1))
    await keeping.take(penalty(2))
    second = keeping.clock()
    keeping.clock.step(timedelta(hours=1))
    await keeping.take(penalty(3))
    await keeping.run(
        "insert into rule_set_version select 'other', name, 'another text', recorded_at "
        "from rule_set_version limit 1"
    )
    await keeping.run(
        "update assessment set rule_set_hash = 'other', criminal_suspect = true "
        "where recorded_at = :at",
        at=second,
    )
    code = await keeping.value("select code from subject")

    async def known() -> KnownSubject | None:
        async with keeping.database.transaction() as connection:
            return await known_subject.known(connection, code, second)

    before = await known()
    await forget(keeping)

    assert before is not None
    assert before.rule_set_text == "another text"
    assert await known() == before


async def test_two_batches_of_an_origin_that_is_deleted_are_both_taken(
    make_world: MakeWorld,
) -> None:
    world, other = await make_world(), await make_world()
    await world.take(penalty(1), origin="upload")
    async with world.database.transaction() as deleting:
        await deleting.execute(text("delete from inbox"))
        await deleting.execute(text("delete from origin"))
        both = asyncio.gather(
            world.take(penalty(2), origin="upload"), other.take(penalty(2), origin="upload")
        )
        await asyncio.sleep(0.5)

    [[one], [again]] = await both
    assert {one.verdict, again.verdict} == {Verdict.OK}


async def test_an_origin_that_intake_is_using_stays(keeping: World) -> None:
    """Its old rows go, and a new one comes at the same moment: a repeat is found by it later."""
    await keeping.take(penalty(1), origin="topic")

    async with keeping.database.transaction() as intake:
        [origin] = (await inbox.origins(intake, ["topic"])).values()
        await forget(keeping)
        row = (origin, 1, b"hash", "ok", None, None, keeping.clock())
        await inbox.add(intake, [row])

    assert await keeping.column("select name from origin") == ["topic"]
    assert await keeping.column("select origin_id from inbox") == [origin]


async def test_intake_waits_for_an_origin_that_is_being_deleted(keeping: World) -> None:
    await keeping.take(penalty(1), origin="topic")
    async with keeping.database.transaction() as deleting:
        await deleting.execute(text("delete from inbox"))
        await deleting.execute(text("delete from origin"))
        taking = asyncio.create_task(keeping.take(penalty(2), origin="topic", first=1))
        await asyncio.sleep(0.3)
        assert not taking.done()

    await taking

    [[name, row]] = await keeping.rows(
        "select o.name, i.position from inbox i join origin o on o.id = i.origin_id"
    )
    assert (name, row) == ("topic", 1)
