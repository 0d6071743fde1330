"""A new text of a rule set scores only after a diff, a second person's approval, and its day."""

from datetime import date, timedelta

import pytest

from gateway.rules.activation import NotActivated
from gateway.score.assess import Assessing
from gateway.score.verify import verify_assessments
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.rules.conftest import (
    HARD,
    MILD,
    PRESENT,
    Town,
    approve,
    approved,
    beside,
    changed_file,
    confirm,
    diffed,
    paused,
    propose,
    start,
)

pytestmark = pytest.mark.integration


async def test_a_changed_file_alone_changes_nothing(town: Town) -> None:
    world = await changed_file(town)

    await world.take(penalty(5, 5))
    await world.pass_time(24 * 30)

    assert await world.column(PRESENT) == ["好"] * 5
    assert await world.value("select count(distinct rule_set_hash) from assessment") == 1


async def test_on_its_day_all_subjects_are_scored_again_and_the_changes_have_the_cause(
    town: Town,
) -> None:
    world = await changed_file(town)
    await diffed(world, flips=4)
    await propose(world, share="1")
    await approve(world)

    await world.pass_time(24 * 2)
    assert await world.column(PRESENT) == ["好"] * 4
    await world.pass_time(24)

    assert await world.column(PRESENT) == ["差"] * 4
    causes = await world.column("select body ->> 'cause' from grade_change order by id")
    assert causes == ["scored"] * 4 + ["rule set"] * 4
    assert (await world.states("bank"))[4:] == ["accepted"] * 4
    assert await world.events() == [
        "rule_set_proposed",
        "rule_set_approved",
        "rule_set_activated",
    ]


async def test_other_processes_score_by_the_new_text_from_its_start_on(town: Town) -> None:
    old = await town(MILD)
    await old.take(penalty(1, 1))
    world = await town(HARD)
    await diffed(world, flips=1, population=1)
    await propose(world, share="1")
    await approve(world)

    await old.take(penalty(2, 2))
    world.clock.step(timedelta(days=3))
    await old.take(penalty(3, 3))
    await start(world)
    await old.take(penalty(4, 4))

    assert await old.column(PRESENT) == ["好", "好", "好", "差"]
    assert (await verify_assessments(old.database, lambda _: None))[1] == []


async def test_a_host_whose_clock_is_behind_does_not_score_by_the_text_before(
    town: Town, make_world: MakeWorld
) -> None:
    world = await changed_file(town)
    await diffed(world, flips=4)
    await propose(world, share="1")
    await approve(world)
    yesterday = world.clock()
    await world.pass_time(24 * 3)
    assert await world.column(PRESENT) == ["差"] * 4

    world.clock.set(yesterday)
    await world.take(penalty(11, 1), penalty(15, 5))

    assert await world.column(PRESENT) == ["差"] * 5
    assert (await verify_assessments(world.database, lambda _: None))[1] == []


async def test_a_start_waits_for_a_batch_that_scores_by_the_text_before(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await approved(town)

    await beside(
        world,
        monkeypatch,
        (Assessing, "write"),
        lambda: world.take(penalty(11, 1)),
        lambda: start(world),
    )
    await world.turn()

    assert await world.column(PRESENT) == ["差"] * 4


async def test_scoring_all_subjects_twice_changes_nothing(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=4)
    await propose(world, share="1")
    await approve(world)
    await world.pass_time(24 * 3)
    count = await world.value("select count(*) from grade_change")

    await world.pass_time(24)

    assert await world.value("select count(*) from grade_change") == count


async def test_more_flips_than_the_share_wait_for_a_further_confirmation(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=4)
    await propose(world)
    await approve(world)

    await world.pass_time(24 * 4)
    assert await world.column(PRESENT) == ["好"] * 4
    await confirm(world)
    await world.turn()

    assert await world.column(PRESENT) == ["差"] * 4


async def test_an_activation_pauses_if_more_grades_change_than_the_diff_showed(town: Town) -> None:
    world = await paused(town)

    assert await world.column(PRESENT) == ["好"] * 4
    assert await world.value("select paused_at is not null from rule_set_activation where "
                             "diff_id is not null")  # fmt: skip
    await confirm(world)
    await world.turn()

    assert await world.column(PRESENT) == ["差"] * 4


async def test_without_a_fresh_diff_nothing_can_be_proposed(town: Town) -> None:
    world = await changed_file(town)

    with pytest.raises(NotActivated, match="没有24小时内的比较"):
        await propose(world)
    await diffed(world, flips=0)
    world.clock.step(timedelta(hours=25))
    with pytest.raises(NotActivated, match="没有24小时内的比较"):
        await propose(world)


async def test_the_proposer_cannot_approve(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=0)
    await propose(world)

    with pytest.raises(NotActivated, match="须由另一人批准"):
        await approve(world, by="张三")
    with pytest.raises(NotActivated, match="尚未经第二人批准"):
        await confirm(world)


async def test_an_approval_of_another_text_is_refused(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=0)
    await propose(world)
    edited = await town(10)

    with pytest.raises(NotActivated, match="又变了"):
        await approve(edited)


async def test_an_approval_that_comes_too_late_needs_a_new_diff(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=0)
    await propose(world)
    world.clock.step(timedelta(hours=25))

    with pytest.raises(NotActivated, match="比较不再新"):
        await approve(world)


@pytest.mark.parametrize(
    ("day", "message"),
    [(date(2026, 10, 11), "早于今天"), (date(2031, 1, 1), "有效期为 2026-01-01 至 2030-12-31")],
)
async def test_an_impossible_day_is_refused(town: Town, day: date, message: str) -> None:
    world = await changed_file(town)
    await diffed(world, flips=0)

    with pytest.raises(NotActivated, match=message):
        await propose(world, day)


async def test_a_text_already_in_force_cannot_be_proposed(town: Town) -> None:
    world = await town(MILD)

    with pytest.raises(NotActivated, match="已经在用"):
        await propose(world)
