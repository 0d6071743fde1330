"""Hints of concealed decisions are kept, closed by a person, and open again with new evidence."""

from datetime import datetime, timedelta

import pytest

from gateway.cli.hints import hint_line
from gateway.reconcile.hints import close, look
from gateway.store.account.hints import count_open
from schemas.base import SHANGHAI
from tests.factories import licence, penalty
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_hint_is_kept_closed_and_opens_again_when_its_evidence_changes(
    world: World,
) -> None:
    await world.take(*(penalty(n) for n in (1, 2, 3, 5, 6)))
    database, start = world.gateway.database, world.clock()

    [hint] = await look(database, start)
    world.clock.step(timedelta(days=1))
    [again] = await look(database, world.clock())
    closed = await close(database, hint.id, "样例经办人", "4号作废", world.clock())
    twice = await close(database, hint.id, "样例经办人", "4号作废", world.clock())
    after = await look(database, world.clock())
    await world.take(penalty(8))
    [opened] = await look(database, world.clock())

    assert "缺 1 个：4" in hint.words
    assert (again.first_seen, again.last_seen) == (start, start + timedelta(days=1))
    assert [closed, twice, after] == [True, False, []]
    assert (opened.id, opened.closed_at) == (hint.id, None)
    assert opened.words.endswith("缺 1 个：7；另有 1 个已说明")
    assert "hint_closed" in await world.events()
    assert hint_line(opened).endswith("；样例经办人 此前关闭过：4号作废")
    assert "关闭" not in hint_line(hint)


async def test_what_was_settled_once_stays_settled(world: World) -> None:
    database = world.database
    await world.take(*(penalty(n) for n in (1, 2, 3, 5, 6, 8)))
    [first] = await look(database, world.clock())
    await close(database, first.id, "样例经办人", "4、7号作废", world.clock())
    await world.take(penalty(10))
    [second] = await look(database, world.clock())
    await close(database, second.id, "样例经办人", "9号作废", world.clock())

    await world.take(penalty(7))
    after = await look(database, world.clock())
    await world.take(penalty(12))
    [third] = await look(database, world.clock())

    assert (second.missing, after, third.missing) == ([9], [], [11])
    assert "缺 1 个：11；另有 2 个已说明" in third.words


async def test_decisions_of_two_kinds_may_share_their_numbers(world: World) -> None:
    await world.take(*(penalty(n, CF_WSH=f"样环〔2026〕{n}号") for n in (1, 3, 5, 7, 11)))
    licences = [licence(n, XK_WSH=f"样环〔2026〕{n}号") for n in (2, 4, 6, 8, 10)]
    authority = penalty(1)["CF_CFJG"]
    await world.take(*({**one, "XK_XKJG": authority} for one in licences))

    [hint] = await look(world.database, world.clock())

    assert hint.words == "行政许可、行政处罚 1–11 号中缺 1 个：9"


async def test_a_hint_that_nothing_speaks_for_any_more_is_not_open(world: World) -> None:
    await world.take(*(penalty(n) for n in (1, 2, 3, 5, 6)))
    await look(world.gateway.database, world.clock())
    world.clock.step(timedelta(days=1))
    await world.take(penalty(4))

    assert await look(world.gateway.database, world.clock()) == []
    [gone] = await look(world.gateway.database, world.clock(), every=True)
    assert gone.gone_at == world.clock()
    async with world.database.transaction() as connection:
        assert await count_open(connection) == 0


async def test_the_last_numbers_of_a_year_are_missed_in_the_next_one_too(world: World) -> None:
    world.clock.step(datetime(2026, 12, 31, 12, tzinfo=SHANGHAI) - world.clock())
    await world.take(*(penalty(n, CF_JDRQ="2026-12-28") for n in (1, 2, 3, 5, 6)))
    before = await look(world.database, world.clock())
    world.clock.step(timedelta(days=3))
    await world.take(*(penalty(n, CF_JDRQ="2026-12-31") for n in (7, 9)))

    [after] = await look(world.database, world.clock())

    assert [one.id for one in before] == [after.id]
    assert "1–9 号中缺 2 个：4、8" in after.words
