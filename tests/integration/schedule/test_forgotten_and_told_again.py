"""What was forgotten may be told again: it changes nothing."""

import asyncio
from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from gateway.store.deliver.deliveries import retry
from gateway.store.deliver.receipts import MatchedReceipt, apply_receipts
from gateway.store.record import inbox
from gateway.store.score import known_subject
from gateway.store.score.known_subject import KnownSubject
from schemas.verdict import Verdict
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.conftest import forget
from tests.integration.world import World

pytestmark = pytest.mark.integration


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
