"""Subjects that no rule set covered are scored once one does, without a new fact."""

from typing import Any

import pytest

from tests.factories import REGION, event, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.publications import at
from tests.integration.test_pipeline import GRADES
from tests.integration.world import World

pytestmark = pytest.mark.integration
CAUSES = "select body ->> 'cause' from grade_change order by id"
ASSESSED = "select count(*) from assessment"


async def test_what_came_before_a_rule_set_was_bound_is_scored_then(make_world: MakeWorld) -> None:
    before = await make_world(scoring={})
    await before.take(event(1, type="dishonesty.permit_fraud"), penalty(2, 2))
    assert await before.column(GRADES) == []
    now = await make_world()

    await now.schedule.tick()

    assert await now.column(GRADES) == ["D", "A"]
    assert await now.column(CAUSES) == ["rule set"] * 2


async def test_a_region_that_is_added_to_a_binding_is_scored_then(make_world: MakeWorld) -> None:
    def scoring(*regions: str) -> dict[str, Any]:
        return {"bindings": [{"rule_set": "nm-2023-draft", "regions": regions}]}

    before = await make_world(scoring=scoring("999999"))
    await before.take(penalty())
    assert await before.column(GRADES) == []
    now = await make_world(scoring=scoring("999999", REGION))

    await now.schedule.tick()

    assert await now.column(GRADES) == ["A"]


async def test_what_the_engine_could_not_score_is_tried_once_a_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("gateway.score.scorer.again", _fail)
        await world.take(penalty())
    assert await world.column(GRADES) == []

    for _ in range(3):
        await world.schedule.tick()

    assert await world.column(GRADES) == ["A"]
    assert await world.value(ASSESSED) == 2


async def test_what_cannot_be_scored_is_not_assessed_again(make_world: MakeWorld) -> None:
    world = await make_world(scoring={})
    await world.take(penalty())

    for day in (12, 13, 14):
        world.clock.set(at(f"2026-10-{day}"))
        await world.schedule.tick()

    assert await world.value(ASSESSED) == 1


def _fail(*_: object) -> None:
    raise ZeroDivisionError
