"""Hints of concealed decisions are kept, closed by a person, and open again with new evidence."""

from datetime import datetime, timedelta

import pytest

from gateway.cli.hints import hint_line
from gateway.reconcile.hints import close, look
from schemas.base import SHANGHAI
from tests.factories import penalty
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
    assert "缺 2 个：4、7" in opened.words
    assert "hint_closed" in await world.events()
    assert hint_line(opened).endswith("；样例经办人 此前关闭过：4号作废")
    assert "关闭" not in hint_line(hint)


async def test_a_hint_that_nothing_speaks_for_any_more_is_not_open(world: World) -> None:
    await world.take(*(penalty(n) for n in (1, 2, 3, 5, 6)))
    await look(world.gateway.database, world.clock())
    world.clock.step(timedelta(days=1))
    await world.take(penalty(4))

    assert await look(world.gateway.database, world.clock()) == []
    assert len(await look(world.gateway.database, world.clock(), every=True)) == 1


async def test_the_last_numbers_of_a_year_are_missed_in_the_next_one_too(world: World) -> None:
    world.clock.step(datetime(2026, 12, 31, 12, tzinfo=SHANGHAI) - world.clock())
    await world.take(*(penalty(n, CF_JDRQ="2026-12-28") for n in (1, 2, 3, 5, 6)))
    before = await look(world.database, world.clock())
    world.clock.step(timedelta(days=3))
    await world.take(*(penalty(n, CF_JDRQ="2026-12-31") for n in (7, 9)))

    [after] = await look(world.database, world.clock())

    assert [one.id for one in before] == [after.id]
    assert "1–9 号中缺 2 个：4、8" in after.words
