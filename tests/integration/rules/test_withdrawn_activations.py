"""Activations that are paused, confirmed and taken back."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

import pytest

from gateway.config.errors import BadConfiguration
from gateway.rules.activation import NotActivated
from gateway.score.assess import Assessing
from gateway.store.score import activations
from tests.factories import penalty
from tests.integration.conftest import MakeWorld
from tests.integration.rules.conftest import (
    DAY,
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
    withdraw,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_only_one_proposal_is_open_until_it_is_withdrawn(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=0)
    await propose(world)
    with pytest.raises(NotActivated, match="已有未完成的启用"):
        await propose(world)

    await withdraw(world)
    await propose(world)
    await approve(world)
    with pytest.raises(NotActivated, match="已由 李四 批准"):
        await approve(world)


@pytest.mark.parametrize("as_of", [date(2000, 1, 1), date(2026, 10, 11), date(2026, 10, 16)])
async def test_a_diff_for_a_day_outside_the_span_is_refused(town: Town, as_of: date) -> None:
    world = await changed_file(town)
    await diffed(world, flips=0, as_of=as_of)

    with pytest.raises(NotActivated, match="应在比较当天与启用日期"):
        await propose(world)


async def test_a_paused_text_scores_nobody_until_it_is_confirmed(town: Town) -> None:
    world = await paused(town)

    await world.take(penalty(5, 1))
    assert await world.column(PRESENT) == ["好"] * 4
    await confirm(world)
    await world.turn()

    assert await world.column(PRESENT) == ["差"] * 4


async def test_a_paused_activation_is_not_due(town: Town) -> None:
    world = await paused(town)

    async with world.database.transaction() as connection:
        assert await activations.due(connection, DAY) is None


async def test_withdrawing_a_text_that_scored_restores_the_one_before(town: Town) -> None:
    world = await approved(town)
    await start(world)
    await world.take(penalty(5, 1))
    assert await world.column(PRESENT) == ["差", "好", "好", "好"]

    await withdraw(world)
    await world.turn()

    assert await world.column(PRESENT) == ["好"] * 4
    assert await world.column("select body ->> 'cause' from grade_change order by id desc limit 1"
                              ) == ["rule set"]  # fmt: skip


async def test_a_text_that_scored_is_taken_back_though_the_clock_of_its_approver_was_ahead(
    town: Town,
) -> None:
    world = await changed_file(town)
    before = await world.column(PRESENT)
    await diffed(world, flips=4)
    world.clock.step(timedelta(days=3))
    await diffed(world, flips=4, as_of=DAY)
    await propose(world, share="1")
    world.clock.step(timedelta(minutes=10))
    await approve(world)
    world.clock.step(-timedelta(minutes=10))
    await start(world)
    await world.schedule.rescoring.activate(world.clock())
    scored = await world.column(PRESENT)

    world.clock.step(timedelta(minutes=20))
    await withdraw(world)
    for _ in range(5):
        await world.pass_time(1)

    assert scored != before
    assert await world.column(PRESENT) == before


async def test_a_confirmation_needs_too_many_flips_and_another_person(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=0)
    await propose(world)
    await approve(world)
    with pytest.raises(NotActivated, match="不需再次确认"):
        await confirm(world)

    await world.pass_time(24 * 3)
    with pytest.raises(NotActivated, match="是提出人"):
        await confirm(world, by="张三")


async def test_a_changed_binding_of_scored_companies_is_refused(
    town: Town, make_world: MakeWorld
) -> None:
    world = await town(MILD)
    await world.take(penalty(1, 1))

    with pytest.raises(BadConfiguration, match="rules activate nm-2023-draft --replaces"):
        await make_world()


async def test_a_rule_set_outside_its_effective_dates_scores_nobody(town: Town) -> None:
    world = await town(MILD)
    world.clock.step(timedelta(days=365 * 5))

    await world.take(penalty(1, 1))

    assert await world.column("select not_evaluated from assessment") == ["no_rule_set"]


async def test_a_finished_activation_cannot_be_withdrawn(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=4)
    await propose(world, share="1")
    await approve(world)
    await world.pass_time(24 * 3)

    with pytest.raises(NotActivated, match="没有提出过"):
        await withdraw(world)


@pytest.mark.parametrize(
    ("held", "scores"),
    [
        ((activations, "advance"), lambda world: world.schedule.rescoring.activate(world.clock())),
        ((Assessing, "write"), lambda world: world.take(penalty(11, 1))),
    ],
    ids=["slice", "batch"],
)
async def test_a_withdrawal_waits_for_what_scores_by_the_text_and_takes_it_back(
    town: Town,
    monkeypatch: pytest.MonkeyPatch,
    held: tuple[object, str],
    scores: Callable[[World], Awaitable[object]],
) -> None:
    world = await approved(town)
    await start(world)

    await beside(world, monkeypatch, held, lambda: scores(world), lambda: withdraw(world))
    await world.pass_time(24)

    assert await world.column(PRESENT) == ["好"] * 4
