"""Receipts whose time cannot be read: they count once, in the order in which they are read."""

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest

from connectors.platform_api.feeds import Feeds
from connectors.shared.http_read import Answer
from connectors.shared.wrapper import JsonWrapper
from gateway.deliver.manual import retry_all
from gateway.deliver.receipts import receive
from tests.factories import penalty
from tests.integration.deliver.late import ids
from tests.integration.world import World

pytestmark = pytest.mark.integration

HALF_AN_HOUR = timedelta(minutes=30)


class Told:
    """A feed of rows behind a cursor, or one last page that is always given again."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.page: list[dict[str, Any]] | None = None
        #: Pages by cursor, each with the next cursor.
        self.cycle: dict[str, tuple[list[dict[str, Any]], str]] = {}

    async def ask(self, _method: str, url: str) -> Answer:
        if self.page is not None:
            return self._answer(self.page, "p1")
        if self.cycle:
            asked = parse_qs(urlsplit(url).query).get("cursor", ["a"])[0]
            rows, following = self.cycle["a" if asked == "0" else asked]
            return self._answer(rows, following)
        cursor = parse_qs(urlsplit(url).query).get("cursor", ["0"])[0]
        return self._answer(self.rows[int(cursor) :], str(len(self.rows)))

    def _answer(self, rows: list[dict[str, Any]], cursor: str) -> Answer:
        return Answer(200, {}, orjson.dumps({"receipts": rows, "cursor": cursor}))


async def delivered(world: World) -> tuple[Told, str]:
    """Deliver one record; return its feed and its key."""
    told: Any = Told()
    await world.take(penalty())
    await world.turn()
    feeds = Feeds(told, JsonWrapper(), zoned=False)
    connector = world.connector()
    connector.receipts = lambda cursor: feeds.receipts("http://x/receipts", cursor)  # type: ignore[method-assign]
    [key] = connector.stored
    return told, key


async def retried(world: World) -> None:
    world.clock.step(HALF_AN_HOUR)
    await retry_all(world.database, await ids(world), "me", world.clock())
    await world.deliverer().drain()


async def test_a_second_rejection_after_a_retry_counts(world: World) -> None:
    told, key = await delivered(world)
    row = {"key": key, "accepted": False, "reasons": ["法人姓名有误"], "platform_at": None}
    told.rows.append(row)
    await receive(world.deliverer())
    await retried(world)
    world.clock.step(HALF_AN_HOUR)
    told.rows.append(row)

    await receive(world.deliverer())

    assert await world.states() == ["rejected"]


async def test_each_verdict_of_a_day_counts_in_its_order(world: World) -> None:
    told, key = await delivered(world)
    for accepted in (False, True, False):
        world.clock.step(HALF_AN_HOUR)
        told.rows.append({"key": key, "accepted": accepted, "platform_at": ""})

        await receive(world.deliverer())

        assert await world.states() == ["accepted" if accepted else "rejected"]


async def test_a_rejection_without_a_time_counts_after_an_acceptance_with_one(
    world: World,
) -> None:
    told, key = await delivered(world)
    world.clock.step(HALF_AN_HOUR)
    told.rows.append({"key": key, "accepted": True, "platform_at": world.clock().isoformat()})
    await receive(world.deliverer())
    world.clock.step(HALF_AN_HOUR)
    told.rows.append({"key": key, "accepted": False, "platform_at": "昨天"})

    await receive(world.deliverer())

    assert await world.states() == ["rejected"]


async def test_a_time_of_the_far_future_does_not_win_over_a_later_row(world: World) -> None:
    told, key = await delivered(world)
    world.clock.step(HALF_AN_HOUR)
    told.rows.append({"key": key, "accepted": True, "platform_at": "9999-12-31T23:59:59Z"})
    told.rows.append({"key": key, "accepted": False, "platform_at": None})

    await receive(world.deliverer())

    assert await world.states() == ["rejected"]


async def test_a_page_that_is_given_again_undoes_nothing_on_any_day(world: World) -> None:
    told, key = await delivered(world)
    told.page = [{"key": key, "accepted": False, "reasons": ["错"], "platform_at": None}]
    await receive(world.deliverer())
    assert await world.states() == ["rejected"]
    await retried(world)
    before = await world.states()

    for _ in range(3):
        world.clock.step(timedelta(days=1))
        await receive(world.deliverer())

    assert await world.states() == before
    assert await world.value("select count(*) from receipt") == 1


async def test_a_new_verdict_on_a_page_that_is_given_whole_counts(world: World) -> None:
    told, key = await delivered(world)
    rows = [{"key": key, "accepted": a, "platform_at": None} for a in (False, True, False)]
    states = []
    for count in (1, 2, 3, 3):
        world.clock.step(timedelta(days=2))
        told.page = rows[:count]
        await receive(world.deliverer())
        states += await world.states()

    assert states == ["rejected", "accepted", "rejected", "rejected"]


async def test_a_feed_that_ends_with_its_first_cursor_undoes_nothing(world: World) -> None:
    told, key = await delivered(world)
    rejected = {"key": key, "accepted": False, "reasons": ["错"], "platform_at": None}
    told.cycle = {"a": ([rejected], "1"), "1": ([], "0")}
    await receive(world.deliverer())
    await retried(world)

    for _ in range(3):
        world.clock.step(HALF_AN_HOUR)
        await receive(world.deliverer())

    assert await world.states() == ["accepted"]


async def test_a_page_that_comes_after_another_process_took_over_changes_nothing(
    world: World,
) -> None:
    told, key = await delivered(world)
    told.rows.append({"key": key, "accepted": False, "platform_at": None})
    given = world.connector().receipts

    async def late(cursor: str) -> Any:
        found = await given(cursor)
        await world.run("update destination set owner = 'another', fencing = fencing + 1")
        return found

    world.connector().receipts = late  # type: ignore[method-assign]

    assert await receive(world.deliverer()) == 0
    assert await world.states() == ["accepted"]


async def test_pages_that_lead_back_to_each_other_add_nothing_at_each_poll(world: World) -> None:
    told, key = await delivered(world)
    rows = [{"key": key, "accepted": accepted, "platform_at": None} for accepted in (True, False)]
    told.cycle = {"a": ([rows[0]], "b"), "b": ([rows[1]], "a")}
    deliverer = world.deliverer()

    for _ in range(5):
        world.clock.step(HALF_AN_HOUR)
        await receive(deliverer)

    assert await world.value("select count(*) from receipt") == 2


async def test_a_cycle_of_many_pages_undoes_nothing(world: World) -> None:
    told, key = await delivered(world)
    rejected = {"key": key, "accepted": False, "reasons": ["错"], "platform_at": None}
    other = {"key": "another", "accepted": True, "platform_at": None}
    told.cycle = {
        "a" if n == 0 else str(n): ([rejected if n == 3 else other], str((n + 1) % 60))
        for n in range(60)
    }
    await receive(world.deliverer())
    await retried(world)

    await receive(world.deliverer())

    assert await world.states() == ["accepted"]


async def test_a_queue_that_is_emptied_tells_the_same_again_as_news(world: World) -> None:
    told, key = await delivered(world)
    rows = [{"key": key, "accepted": a, "platform_at": None} for a in (True, False, True)]
    for row in rows:
        for page in ([row], []):
            told.page = page
            world.clock.step(HALF_AN_HOUR)
            await receive(world.deliverer())

    assert await world.states() == ["accepted"]


async def test_a_page_that_breaks_the_connector_stops_no_sending(world: World) -> None:
    await delivered(world)

    async def broken(_: str) -> None:
        raise TypeError

    world.connector().receipts = broken  # type: ignore[method-assign,assignment]

    assert await receive(world.deliverer()) == 0


@pytest.mark.parametrize("form", ["{}", '"{}"'], ids=["number", "text"])
@pytest.mark.parametrize("factor", [1, 1000], ids=["seconds", "milliseconds"])
async def test_times_since_1970_are_times(world: World, form: str, factor: int) -> None:
    told, key = await delivered(world)
    at = world.clock().replace(microsecond=0)
    number = orjson.loads(form.format(int(at.timestamp()) * factor))
    told.rows = [{"key": key, "accepted": True, "platform_at": number}]

    [receipt], _ = await world.connector().receipts("")

    assert receipt.platform_at == at


async def test_an_acceptance_before_a_rejection_that_comes_with_every_page_undoes_nothing(
    world: World,
) -> None:
    told, key = await delivered(world)
    accepted, rejected = {"key": key, "accepted": True}, {"key": key, "accepted": False}
    pages = [[accepted], *[[accepted, rejected]] * 4]

    for page in pages:
        told.rows = [{}] * len(told.rows) + page
        world.clock.step(HALF_AN_HOUR)
        await receive(world.deliverer())

    assert await world.states() == ["rejected"]
    assert await world.value("select count(*) from receipt") == 2
