"""A destination that takes an item and says nothing more of it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from connectors.errors import OutcomeUnknown
from connectors.memory import Step
from gateway.deliver.receipts import receive
from gateway.deliver.silence import ask
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.look import look
from gateway.worklist.rows import Actor, Grouping
from schemas.delivery import Item, Outcome, OutcomeKind
from tests.conftest import BANK, PLATFORM
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


async def handed_over(world: World) -> None:
    world.connector().play(Step.SUBMIT)
    await world.take(penalty())
    await world.deliverer().drain()


async def test_what_stays_silent_is_looked_up_once_and_then_a_person_must_act(
    world: World,
) -> None:
    await handed_over(world)
    world.clock.step(4 * DAY)
    await world.deliverer().drain()
    before = await ask(world.deliverer())
    world.clock.step(2 * DAY)
    await world.deliverer().drain()
    [key] = world.connector().stored
    asked = list[str]()

    async def look_up(items: Sequence[Item]) -> list[Outcome]:
        asked.extend(item.key for item in items)
        return [Outcome(kind=OutcomeKind.SUBMITTED)] * len(items)

    world.connector().look_up = look_up  # type: ignore[method-assign]
    for _ in range(3):
        await ask(world.deliverer())
        await world.deliverer().drain()

    assert before == 0
    assert asked == [key]
    assert await world.states() == ["submitted"]
    async with world.database.transaction() as connection:
        settings = world.gateway.settings
        known = settings.destinations, settings.all_clocks
        found = await look(connection, *known, Wanted(), world.clock(), Grouping.ACTOR, 10)
    [row] = [row for row in found.rows if row.destination == "platform"]
    assert row.actor is Actor.OPERATOR
    assert row.why.startswith("送达 6 天没有回执")
    assert {group.name for group in found.groups} >= {Actor.OPERATOR.value}


async def test_a_definite_answer_moves_it_and_an_absent_one_is_a_persons(world: World) -> None:
    await handed_over(world)
    await world.take(penalty(2, 2), penalty(3, 3))
    world.connector().play(Step.SUBMIT, Step.SUBMIT)
    await world.deliverer().drain()
    world.clock.step(6 * DAY)
    await world.deliverer().drain()
    answers = [
        Outcome(kind=OutcomeKind.ACCEPTED, platform_at=world.clock() - 5 * DAY),
        Outcome(kind=OutcomeKind.DEFERRED, absent=True),
        Outcome(kind=OutcomeKind.REJECTED, reasons=("代码不存在",)),
    ]

    async def look_up(items: Sequence[Item]) -> list[Outcome]:
        return answers[: len(items)]

    world.connector().look_up = look_up  # type: ignore[method-assign]
    assert await ask(world.deliverer()) == 3
    assert await ask(world.deliverer()) == 0

    assert await world.states() == ["accepted", "submitted", "rejected"]
    said = await world.column("select words from evidence order by about_id")
    assert "对方没有这一条" in said[1]


async def test_a_look_up_that_fails_blocks_no_correction(world: World) -> None:
    await handed_over(world)
    world.clock.step(6 * DAY)
    await world.deliverer().drain()

    async def look_up(items: Sequence[Item]) -> list[Outcome]:
        raise OutcomeUnknown

    world.connector().look_up = look_up  # type: ignore[method-assign]
    assert await ask(world.deliverer()) == 1
    await world.take(penalty(CF_NR="罚款人民币三万元"))
    await world.deliverer().drain()

    assert await world.states() == ["submitted", "accepted"]
    assert await world.value("select count(*) from evidence") == 0


async def test_one_of_which_no_item_can_be_made_keeps_no_other_from_being_asked_for(
    world: World,
) -> None:
    await handed_over(world)
    world.connector().play(Step.SUBMIT)
    await world.take(penalty(2, 2))
    await world.deliverer().drain()
    await world.run(
        "update record_version set secret = :damaged, key_version = 1 "
        "where id = (select min(id) from record_version)",
        damaged=b"damaged" * 8,
    )
    world.clock.step(6 * DAY)
    await world.deliverer().drain()

    async def look_up(items: Sequence[Item]) -> list[Outcome]:
        return [Outcome(kind=OutcomeKind.ACCEPTED)] * len(items)

    world.connector().look_up = look_up  # type: ignore[method-assign]
    assert await ask(world.deliverer()) == 2
    assert await ask(world.deliverer()) == 0

    assert await world.states() == ["submitted", "accepted"]
    said = await world.column("select words from evidence order by about_id")
    assert said[0].startswith("送达后无回执，不能查询：无法生成报送内容（日志编号 ")


@pytest.mark.parametrize("together", [1, 3])
async def test_one_whose_look_up_gets_no_answer_keeps_no_other_from_being_asked_for(
    make_world: MakeWorld, together: int
) -> None:
    """Neither the others that are silent nor those whose arrival is unknown."""
    asks = {**PLATFORM, "settings": {"batch_size": together, "on_unknown": "look_up"}}
    world = await make_world(destinations=[asks, BANK])
    connector = world.connector()
    connector.play(*[Step.SUBMIT] * 3, Step.LOSE_ANSWER)
    for number in range(1, 4):
        await world.take(penalty(number, number))
        await world.deliverer().drain()
    world.clock.step(6 * DAY)
    await world.take(penalty(4, 4))
    await world.deliverer().drain()
    first, real = next(iter(connector.stored)), connector.look_up

    async def look_up(items: Sequence[Item]) -> list[Outcome]:
        if first in [item.key for item in items]:
            raise OutcomeUnknown
        return await real(items)

    connector.look_up = look_up  # type: ignore[method-assign]
    for _ in range(60):
        await ask(world.deliverer())
        world.clock.step(timedelta(minutes=1))
    await world.deliverer().drain()

    said = await world.column("select about_id from evidence")
    assert len(said) == 2
    assert await world.states() == ["submitted", "submitted", "submitted", "accepted"]


async def test_where_nobody_can_look_up_a_person_is_asked_at_once(make_world: MakeWorld) -> None:
    world = await make_world(
        destinations=[{**PLATFORM, "settings": {"on_unknown": "resend"}}, BANK]
    )
    await handed_over(world)
    world.clock.step(6 * DAY)
    await world.deliverer().drain()

    assert await ask(world.deliverer()) == 0
    assert await world.states() == ["submitted"]


async def test_an_older_version_is_not_asked_for(world: World) -> None:
    await handed_over(world)
    await world.take(penalty(CF_NR="罚款人民币三万元"))
    await world.deliverer().drain()
    world.clock.step(6 * DAY)
    await world.deliverer().drain()

    assert await ask(world.deliverer()) == 0


async def test_an_answer_counts_as_of_the_time_of_asking(world: World) -> None:
    """What the platform says by a receipt meanwhile is later."""
    await handed_over(world)
    world.clock.step(6 * DAY)
    await world.deliverer().drain()

    async def look_up(items: Sequence[Item]) -> list[Outcome]:
        world.clock.step(timedelta(minutes=2))
        world.connector().issue_receipt(items[0].key, accepted=False, reasons=("重复",))
        await receive(world.deliverer())
        world.clock.step(timedelta(minutes=2))
        return [Outcome(kind=OutcomeKind.ACCEPTED)]

    world.connector().look_up = look_up  # type: ignore[method-assign]
    await ask(world.deliverer())

    assert await world.states() == ["rejected"]


async def test_nothing_is_kept_where_another_process_owns_the_destination_by_now(
    world: World,
) -> None:
    await handed_over(world)
    world.clock.step(6 * DAY)
    await world.deliverer().drain()

    async def look_up(items: Sequence[Item]) -> list[Outcome]:
        await world.run("update destination set owner = 'another', fencing = fencing + 1")
        return [Outcome(kind=OutcomeKind.REJECTED, reasons=("旧",))] * len(items)

    world.connector().look_up = look_up  # type: ignore[method-assign]
    await ask(world.deliverer())

    assert await world.states() == ["submitted"]
    assert await world.value("select count(*) from evidence") == 0
