"""A published grade is what was known on the day of its publication: nothing later rewrites it."""

from datetime import date, timedelta
from typing import Any

import pytest

from gateway.rules.files import parse_rule_set
from gateway.rules.rulebook import InForce
from gateway.score.explain import Explanation, explain_code
from tests.factories import about, credit_code, event, participant, penalty
from tests.integration.schedule.publications import at
from tests.integration.world import World

pytestmark = pytest.mark.integration

#: A fine of 2026 and its repair of 2028, which the published grade of 2026 does not know.
REPAIRED = {
    "type": "repair",
    "decision": about(1),
    "rectified_on": "2026-11-01",
    "repair_applied_on": "2028-01-10",
    "repair_confirmed_on": "2028-01-20",
    "occurred_on": "2028-01-20",
}


async def explained(world: World) -> Explanation:
    gateway, now = world.gateway, world.clock()
    found = await explain_code(
        gateway.database,
        gateway.scorer,
        gateway.policybook.regimes,
        gateway.keys,
        credit_code(1),
        as_of=now.date(),
        known_at=now,
        past=False,
    )
    assert found is not None
    return found


async def test_a_later_repair_rewrites_no_published_grade(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.step(timedelta(days=365))
    before = [one.assessment for one in (await explained(world)).published]
    world.clock.step(timedelta(days=120))

    await world.take(event(9, 1, **REPAIRED))

    found = await explained(world)
    after = {one.assessment.as_of: one for one in found.published}
    assert before[0].as_of == date(2026, 12, 31)
    assert after[date(2026, 12, 31)].assessment == before[0]
    assert after[date(2026, 12, 31)].recorded
    assert found.assessment.score != before[0].score


async def test_a_grade_is_published_once_its_day_is_over(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))

    world.clock.set(at("2027-06-30"))
    on_the_day = (await explained(world)).published
    world.clock.set(at("2027-07-01"))

    assert (len(on_the_day), len((await explained(world)).published)) == (0, 1)


async def test_a_history_that_came_later_is_marked(world: World) -> None:
    world.clock.step(timedelta(days=400))

    await world.take(penalty(1, CF_NR_FK="60"))

    [one] = (await explained(world)).published
    assert (one.published_on, one.recorded) == (date(2027, 6, 30), False)
    assert one.assessment.grade is not None


@pytest.mark.parametrize(
    "later", [penalty(1, verb="withdraw"), penalty(1, CF_JDRQ="2027/02/09", CF_YXQ="2028/02/09")]
)
async def test_a_published_grade_stays_whatever_becomes_of_its_decisions(
    world: World, later: dict[str, Any]
) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.step(timedelta(days=365))
    before = [one.assessment for one in (await explained(world)).published]

    await world.take(later)

    assert [one.assessment for one in (await explained(world)).published] == before != []


async def test_a_stored_grade_is_shown_as_stored(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.step(timedelta(days=365))
    await world.schedule.tick()
    [before] = (await explained(world)).published

    await world.take(penalty(1, verb="withdraw"))

    [after] = (await explained(world)).published
    assert before == after
    assert after.stored_at == world.clock()
    assert after.published_on == date(2027, 6, 30)


async def test_a_legal_person_is_published_by_what_its_branch_did(world: World) -> None:
    await world.take(penalty(1, 2, CF_NR_FK="60"), participant(2, parent_code=credit_code(1)))

    world.clock.step(timedelta(days=365))

    [one] = (await explained(world)).published
    assert [row.item for row in one.assessment.deductions] == ["E03"]


async def test_a_published_grade_is_that_of_the_text_of_its_day(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.step(timedelta(days=365))
    before = [one.assessment for one in (await explained(world)).published]
    rulebook = world.gateway.rulebook
    name = "nm-2023-draft"
    text = rulebook.load(name).content.replace('start: "100"', 'start: "70"')
    rulebook.put_in_force([InForce(name, date.min, parse_rule_set(text))])

    found = await explained(world)

    assert [one.assessment for one in found.published] == before
    assert found.assessment.score != before[0].score
