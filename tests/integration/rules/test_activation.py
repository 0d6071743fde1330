"""A new text of a rule set scores only after a diff, a second person's approval, and its day."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from gateway.config.errors import BadConfiguration
from gateway.rules import activation as lives
from gateway.rules.activation import NotActivated, Proposal
from gateway.score.assess import Assessing
from gateway.score.verify import verify_assessments
from gateway.store.score import activations
from tests.factories import REGION, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.world import World
from tests.town_rules import NAME, write_town_rules

pytestmark = pytest.mark.integration

DAY = date(2026, 10, 15)
MILD, HARD = 5, 30
PRESENT = (
    "select distinct on (s.id) g.to_grade from grade_change g join subject s "
    "on s.id = g.subject_id order by s.id, g.id desc"
)
WAITS = (
    "select exists (select from pg_stat_activity "
    "where datname = current_database() and wait_event_type = 'Lock')"
)
Town = Callable[[int], Awaitable[World]]


async def start(world: World) -> None:
    """Start the activation that is due; its subjects are not scored yet."""
    assert await world.schedule.rescoring.activate(world.clock())


async def approved(town: Town) -> World:
    """Approve a stricter text for four companies, and come to its day; it has not started."""
    world = await changed_file(town)
    await diffed(world, flips=4)
    await propose(world, share="1")
    await approve(world)
    world.clock.step(timedelta(days=3))
    return world


async def beside(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    place: tuple[object, str],
    first: Callable[[], Awaitable[object]],
    second: Callable[[], Awaitable[object]],
) -> None:
    """Stop the first act after this function, let the second wait for its locks, then end both."""
    there, go = asyncio.Event(), asyncio.Event()
    owner, name = place
    function = getattr(owner, name)

    async def slowly(*arguments: Any) -> Any:
        done = await function(*arguments)
        there.set()
        await go.wait()
        return done

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, slowly)
        one = asyncio.ensure_future(first())
        async with asyncio.timeout(20):
            await there.wait()
        other = asyncio.ensure_future(second())
        async with asyncio.timeout(20):
            while not await world.value(WAITS):  # noqa: ASYNC110  the database has no event
                await asyncio.sleep(0.02)
        assert not other.done()
        go.set()
        await asyncio.gather(one, other)


@pytest.fixture
def town(make_world: MakeWorld, tmp_path: Path) -> Town:
    """Start the gateway with the rules of the town as they are now in the file."""

    async def start(points: int) -> World:
        write_town_rules(tmp_path, points)
        bindings = [{"rule_set": NAME, "regions": [REGION]}]
        return await make_world(scoring={"bindings": bindings, "rule_set_folders": [str(tmp_path)]})

    return start


async def diffed(world: World, flips: int, population: int = 4, as_of: date = DAY) -> None:
    """Store what `rules diff --store` stores."""
    rulebook = world.gateway.rulebook
    standing, new = rulebook.in_force(NAME, DAY), rulebook.load(NAME).rule_set
    async with world.database.transaction() as connection:
        await activations.add_diff(
            connection,
            {
                "old_hash": standing.version,
                "new_hash": new.version,
                "as_of": as_of,
                "population": population,
                "flips": flips,
                "totals": {},
                "made_by": "张三",
                "made_at": world.clock(),
            },
        )


async def propose(world: World, day: date = DAY, share: str = "0.3", by: str = "张三") -> None:
    rulebook, now = world.gateway.rulebook, world.clock()
    proposal = Proposal(NAME, rulebook.load(NAME), day, Fraction(share), by)
    async with world.database.transaction() as connection:
        await lives.propose(connection, rulebook, proposal, now)


async def approve(world: World, by: str = "李四") -> None:
    version = world.gateway.rulebook.load(NAME).rule_set.version
    async with world.database.transaction() as connection:
        await lives.approve(connection, NAME, version, by, world.clock())


async def confirm(world: World, by: str = "王五") -> None:
    async with world.database.transaction() as connection:
        await lives.confirm(connection, NAME, by, world.clock())


async def withdraw(world: World) -> None:
    async with world.database.transaction() as connection:
        await lives.withdraw(connection, NAME, "张三", world.clock())


async def changed_file(town: Town) -> World:
    """Score four companies with one fine each, then write stricter rules to the file."""
    before = await town(MILD)
    await before.take(*(penalty(n, n) for n in range(1, 5)))
    return await town(HARD)


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
    world = await changed_file(town)
    await diffed(world, flips=1)
    await propose(world)
    await approve(world)

    await world.pass_time(24 * 3)
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
    world = await changed_file(town)
    await diffed(world, flips=1)
    await propose(world)
    await approve(world)
    await world.pass_time(24 * 3)

    await world.take(penalty(5, 1))
    assert await world.column(PRESENT) == ["好"] * 4
    await confirm(world)
    await world.turn()

    assert await world.column(PRESENT) == ["差"] * 4


async def test_a_paused_activation_is_not_due(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=1)
    await propose(world)
    await approve(world)
    await world.pass_time(24 * 3)

    async with world.database.transaction() as connection:
        assert await activations.due(connection, DAY) is None


async def test_withdrawing_a_text_that_scored_restores_the_one_before(town: Town) -> None:
    world = await changed_file(town)
    await diffed(world, flips=4)
    await propose(world, share="1")
    await approve(world)
    world.clock.step(timedelta(days=3))
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
