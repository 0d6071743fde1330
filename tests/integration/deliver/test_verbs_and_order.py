"""What is said of a version, in which order, by whom."""

import asyncio

import pytest

from connectors.memory import Step
from gateway.schedule.numbering import publish
from gateway.schedule.tick import Schedule
from schemas.codes import Verb
from tests.conftest import BANK, PLATFORM
from tests.factories import credit_code, event, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.deliver.test_deliverer import NUMBER, platform
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_correction_is_sent_as_one_if_the_destination_has_a_version(world: World) -> None:
    await world.take(penalty())
    await world.turn()

    await world.take(penalty(CF_NR="更正"))
    await world.turn()

    assert world.sent() == [("new", NUMBER), ("correct", NUMBER)]


async def test_a_correction_before_the_first_delivery_is_sent_as_new(world: World) -> None:
    await world.take(penalty())
    await world.take(penalty(CF_NR="更正"))

    await world.turn()

    assert world.sent() == [("new", NUMBER)]
    assert await world.states() == ["superseded", "accepted"]


async def test_a_withdrawal_is_sent_to_a_destination_that_has_the_decision(world: World) -> None:
    await world.take(penalty())
    await world.turn()

    await world.take(penalty(verb="withdraw"))
    await world.turn()

    assert world.sent() == [("new", NUMBER), ("withdraw", NUMBER)]
    assert await world.states() == ["accepted", "accepted"]


async def test_a_withdrawal_before_the_first_delivery_is_not_sent(world: World) -> None:
    await world.take(penalty())

    await world.take(penalty(verb="withdraw"))
    await world.turn()

    assert world.sent() == []
    assert await world.states() == ["superseded"]


async def test_a_withdrawal_waits_until_an_unknown_outcome_is_known(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(verb="withdraw"))
    assert await world.states() == ["unknown", "waiting"]

    await world.pass_time(1)

    assert world.sent() == [("new", NUMBER), ("withdraw", NUMBER)]
    assert await world.states() == ["accepted", "accepted"]


async def test_a_revived_decision_is_sent_as_a_correction_to_past_recipients(world: World) -> None:
    await world.take(penalty())
    await world.turn()
    await world.take(penalty(verb="withdraw"))
    await world.turn()

    await world.take(penalty())
    await world.turn()

    assert [verb for verb, _ in world.sent()] == [Verb.NEW, Verb.WITHDRAW, Verb.CORRECT]


# ---------------------------------------------------------------- order and ownership


async def test_a_withdrawal_that_came_back_is_over_once_its_decision_is_told_anew(
    world: World,
) -> None:
    """It could not be retried any more, and would stand on the work list for ever."""
    await world.take(penalty())
    await world.turn()
    world.connector().play(Step.REJECT)
    await world.take(penalty(verb="withdraw"))
    await world.turn()
    assert await world.states() == ["accepted", "rejected"]

    await world.pass_time(24 * 21)
    await world.take(penalty(CF_NR="更正"))
    await world.turn()

    assert await world.states() == ["accepted", "superseded", "accepted"]
    dues = await world.column(
        "select due_at from delivery where destination = 'platform' order by id"
    )
    assert dues[2] > world.clock() > dues[1]  # its time limit is not that of the withdrawal


async def test_versions_of_a_decision_arrive_in_their_order(world: World) -> None:
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty(CF_NR="一"))
    await world.turn()

    await world.take(penalty(CF_NR="二"))
    await world.take(penalty(CF_NR="三"))
    await world.turn()
    await world.pass_time(2)

    texts = [item.columns["CF_NR"] for item in world.connector().stored.values()]
    assert texts == ["一", "三"]
    assert await world.states() == ["accepted", "superseded", "accepted"]


async def test_an_unknown_outcome_does_not_block_other_decisions(make_world: MakeWorld) -> None:
    world = await make_world(**platform(batch_size=1, concurrency=1))
    world.connector().play(Step.LOSE_ANSWER)
    await world.take(penalty(1), penalty(2))

    await world.turn()

    assert sorted(await world.states()) == ["accepted", "unknown"]


async def test_a_failing_destination_does_not_block_another(make_world: MakeWorld) -> None:
    sick = {**PLATFORM, "name": "sick", "settings": {"always": "call_rejected"}}
    world = await make_world(destinations=[sick, PLATFORM, BANK])
    await world.take(penalty())

    await world.turn()

    assert (await world.states("sick"), await world.states()) == (["deferred"], ["accepted"])


async def test_the_earliest_due_delivery_is_sent_first(make_world: MakeWorld) -> None:
    world = await make_world(**platform(batch_size=1, concurrency=1))
    await world.take(*[penalty(n, n, CF_JDRQ=f"2026-10-{day:02d}") for n, day in
                       enumerate((9, 7, 12, 8), 1)])  # fmt: skip

    await world.turn()

    items = world.connector().stored.values()
    assert [str(item.decision_date) for item in items] == [
        "2026-10-07", "2026-10-08", "2026-10-09", "2026-10-12",
    ]  # fmt: skip


async def test_a_destination_belongs_to_one_process_at_a_time(make_world: MakeWorld) -> None:
    one, other = await make_world(), await make_world()
    await one.take(penalty())
    await one.deliverer().round()

    refused = await other.deliverer().round()
    await one.deliverer().close()
    owned = await other.deliverer().round()

    assert (refused.owned, owned.owned) == (False, True)


async def test_a_change_of_owner_raises_the_fencing_number(make_world: MakeWorld) -> None:
    one, other = await make_world(), await make_world()
    await one.deliverer().round()
    await one.deliverer().round()
    await one.deliverer().close()
    await other.deliverer().round()

    assert await one.value("select fencing from destination where name = 'platform'") == 2


async def test_two_deliverers_at_once_send_everything_once(make_world: MakeWorld) -> None:
    one, other = await make_world(), await make_world()
    await one.take(*[penalty(n, n) for n in range(50)])

    await asyncio.gather(
        one.deliverer().drain(), other.deliverer().drain(), other.deliverer().drain()
    )

    sent = one.connector().effects + other.connector().effects
    assert len(sent) == 50
    assert set(sent.values()) == {1}


# ---------------------------------------------------------------- grade changes


async def test_grade_changes_are_sent_in_order_once_they_are_numbered(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60", CF_CFLB="罚款、责令停产停业"))
    await world.take(event(2, type="criminal_suspicion"))
    await world.take(event(3, type="criminal_suspicion", suspected=False))
    await world.deliverer("bank").drain()
    assert world.sent("bank") == []

    await world.turn()

    items = list(world.connector("bank").stored.values())
    assert [item.columns["number"] for item in items] == [1, 2, 3]
    assert items[0].columns["subject_code"] == credit_code(1)
    assert [item.columns["to_grade"] for item in items][1] is None


async def test_a_grade_change_that_a_later_release_wrote_is_sent_as_far_as_it_is_known(
    world: World,
) -> None:
    """Both run side by side for a roll."""
    await world.take(penalty(1, 1))
    await world.run(
        "update grade_change set body = body || jsonb_build_object('of_a_later_release', 1)"
    )
    await world.turn()

    assert await world.states("bank") == ["accepted"]
    [sent] = world.connector("bank").stored.values()
    assert "of_a_later_release" not in sent.columns


async def test_grade_changes_are_numbered_without_gaps(world: World) -> None:
    await world.take(penalty(1, 1))
    await world.run("select nextval('gateway_id') from generate_series(1, 10)")
    await world.take(penalty(2, 2), penalty(3, 3))

    await publish(world.database)
    await publish(world.database)
    await world.take(penalty(4, 4))
    await publish(world.database)

    assert await world.column("select number from grade_change order by id") == [1, 2, 3, 4]


async def test_two_publishers_at_once_number_each_grade_change_once(make_world: MakeWorld) -> None:
    world, other = await make_world(), await make_world()
    await world.take(*[penalty(n, n) for n in range(20)])
    schedules: list[Schedule] = [world.schedule, other.schedule]

    counts = await asyncio.gather(*[publish(schedule.database) for schedule in schedules * 3])

    assert sum(counts) == 20
    numbers = await world.column("select number from grade_change order by number")
    assert numbers == list(range(1, 21))


async def test_a_bank_that_failed_gets_every_change_later_in_order(world: World) -> None:
    world.connector("bank").play(Step.CALL_REJECTED, Step.LOSE_ANSWER)
    await world.take(penalty())
    await world.take(event(2, type="criminal_suspicion"))

    for _ in range(6):
        await world.pass_time(1)

    items = world.connector("bank").stored.values()
    assert [item.columns["number"] for item in items] == [1, 2]
    assert set(world.connector("bank").effects.values()) == {1}
