"""What one item, one answer or one lost server can do to a destination: nothing beyond itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import NotSent
from connectors.memory import MemoryConnector, Step
from gateway.deliver.receipts import receive
from gateway.store.base.engine import Database, DatabaseAway
from gateway.store.deliver import ends
from schemas.delivery import Finish, Item, Outcome, OutcomeKind, Receipt
from tests.conftest import BANK, PLATFORM
from tests.factories import licence, penalty, person_penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

NASTY = "拒收\0：\ud800" + "长" * 100_000


async def with_settings(make_world: MakeWorld, **settings: object) -> World:
    return await make_world(destinations=[{**PLATFORM, "settings": settings}, BANK])


# ---------------------------------------------------------------- one item


async def test_an_item_that_cannot_be_made_is_parked_and_the_others_are_sent(
    make_world: MakeWorld, caplog: pytest.LogCaptureFixture
) -> None:
    world = await with_settings(make_world, batch_size=3, concurrency=2)
    await world.take(*(penalty(n) for n in range(1, 9)), person_penalty(9))
    await world.run("update record_version set secret = '\\x00' where secret is not null")

    await world.turn()

    assert sorted(await world.states()) == ["accepted"] * 8 + ["parked"]
    [reasons] = await world.column("select reasons from delivery where state = 'parked'")
    [entry] = [one for one in caplog.records if one.message == "item_failed"]
    assert entry.reference in reasons[0]  # type: ignore[attr-defined]


async def test_rounds_go_on_after_any_number_of_failing_items(make_world: MakeWorld) -> None:
    world = await with_settings(make_world, batch_size=1, concurrency=2)

    for round_ in range(4):
        await world.take(person_penalty(round_ + 1), penalty(round_ + 10))
        await world.run("update record_version set secret = '\\x00' where secret is not null")
        async with asyncio.timeout(20):
            await world.turn()

    assert sorted(await world.states()) == ["accepted"] * 4 + ["parked"] * 4


async def test_database_and_network_may_go_away_together(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The breaker opens while the database is away: calls end all the same, and it is stored."""
    await world.take(penalty())
    away = False

    async def send(items: Sequence[Item]) -> list[Outcome]:
        nonlocal away
        away = True
        raise NotSent

    def transaction(self: Database, real: Any = Database.transaction) -> Any:
        if away:
            raise DatabaseAway("gone")
        return real(self)

    monkeypatch.setattr(world.connector(), "send", send)
    monkeypatch.setattr(Database, "transaction", transaction)
    monkeypatch.setattr("gateway.deliver.writer.FINISH_PATIENCE", 0.2)
    monkeypatch.setattr("gateway.deliver.breaker.THRESHOLD", 1)
    async with asyncio.timeout(20):
        with pytest.raises(DatabaseAway):
            await world.deliverer().round()
    away = False
    monkeypatch.undo()

    await world.deliverer().round()

    assert await world.value("select breaker from destination where name = 'platform'") == "open"
    assert "breaker_opened" in await world.events()


# ---------------------------------------------------------------- words


async def test_any_words_of_a_destination_are_stored_with_the_outcome(world: World) -> None:
    async def send(items: Sequence[Item]) -> list[Outcome]:
        outcome = Outcome(kind=OutcomeKind.REJECTED, reasons=(NASTY,) * 200, reference="\0" * 9)
        return [outcome] * len(items)

    world.connector().send = send  # type: ignore[method-assign]
    await world.take(penalty(1), licence(2))

    await world.turn()

    assert await world.states() == ["rejected", "rejected"]
    [reasons, _] = await world.column("select reasons from delivery where state = 'rejected'")
    assert reasons[0].startswith("拒收\ufffd：\ufffd长")
    assert len(reasons) == 50


async def test_an_outcome_that_cannot_be_stored_takes_no_other_with_it(
    make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a text came that no check of ours knows: the outcome is kept without the words."""
    world = await with_settings(make_world, batch_size=10)
    await world.take(*(penalty(n) for n in range(1, 9)))
    finish = ends.finish

    async def choosy(connection: Any, finished: Sequence[Finish], now: Any) -> set[int]:
        changed = [
            replace(one, reference="\0") if (one.reference or "").endswith("-3") else one
            for one in finished
        ]
        return await finish(connection, changed, now)

    monkeypatch.setattr(ends, "finish", choosy)
    await world.turn()

    assert await world.states() == ["accepted"] * 8


async def test_a_cursor_with_any_characters_stops_no_receipts(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    [key] = world.connector().stored
    accepted = Receipt(key=key, accepted=True, platform_at=world.clock())
    pages = {"0": ([], "\x00\ud800"), "\x00\ud800": ([accepted], "end")}

    async def receipts(cursor: str) -> tuple[list[Receipt], str]:
        return pages.get(cursor, ([], cursor))

    world.connector().receipts = receipts  # type: ignore[method-assign]
    for _ in range(2):  # an empty page is the last one for now
        await receive(world.deliverer())

    assert (await world.states())[0] == "accepted"
    assert await world.value("select receipts_cursor from destination where name = 'platform'")


@pytest.mark.parametrize(
    "key",
    ["{}-" + "9" * 30, "{}-1\0", "\ud800", "", "{}-٣"],
    ids=["long", "nul", "half", "no", "٣"],
)
async def test_a_receipt_with_any_key_or_words_stops_no_other(world: World, key: str) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    [mine] = world.connector().stored
    name = world.deliverer().installation
    answer = {"accepted": True, "platform_at": world.clock(), "reasons": (NASTY,)}
    world.connector()._receipts += [
        Receipt(key=key.format(name), **answer), Receipt(key=mine, **answer)
    ]  # fmt: skip

    await receive(world.deliverer())

    assert await world.states() == ["accepted"]


# ---------------------------------------------------------------- pages of receipts


class Pages(MemoryConnector):
    """A destination whose pages of receipts are given by the test."""

    pages: dict[str, tuple[list[Receipt], str]]
    asked = 0

    async def receipts(self, cursor: str) -> tuple[list[Receipt], str]:
        self.asked += 1
        return self.pages.get(cursor, ([], cursor))


def serve(world: World, *pages: tuple[str, int, str]) -> Pages:
    """Let the platform give, after a cursor, so many receipts of its one item, and a cursor."""
    connector = world.connector()
    connector.__class__ = Pages
    assert isinstance(connector, Pages)
    [mine] = connector.stored
    one = Receipt(key=mine, accepted=True, platform_at=world.clock())
    connector.pages = {after: ([one] * count, following) for after, count, following in pages}
    return connector


@pytest.mark.parametrize(
    ("pages", "turns", "asked"),
    [
        ([("", 1, "")], 1, 1),
        ([("", 1, "a"), ("a", 1, "")], 1, 2),
        ([("", 0, "a"), ("a", 1, "b")], 2, 3),
    ],
    ids=["a cursor that stays", "cursors in a circle", "an empty page with a new cursor"],
)
async def test_every_page_is_read_once(
    world: World, pages: list[tuple[str, int, str]], turns: int, asked: int
) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.turn()
    await world.run("update destination set receipts_cursor = ''")
    connector = serve(world, *pages)

    async with asyncio.timeout(20):
        for _ in range(turns):
            await receive(world.deliverer())

    assert await world.states() == ["accepted"]
    assert connector.asked == asked
    assert await world.value("select count(*) from receipt") == 1


async def test_a_rejection_that_is_read_before_the_acceptance_is_written_counts(
    world: World,
) -> None:
    send = world.connector().send

    async def rejecting(items: Sequence[Item]) -> list[Outcome]:
        outcomes = await send(items)
        later = world.clock() + timedelta(seconds=1)
        [item] = items
        world.connector()._receipts.append(
            Receipt(key=item.key, accepted=False, reasons=("退回",), platform_at=later)
        )
        await receive(world.deliverer())
        return outcomes

    world.connector().send = rejecting  # type: ignore[method-assign]
    await world.take(penalty())

    await world.turn()

    assert await world.states() == ["rejected"]
