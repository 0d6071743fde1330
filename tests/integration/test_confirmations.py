"""What a participant uploads counts once the authority has confirmed it."""

from typing import Any

import pytest

from tests.factories import REGION, about, event
from tests.integration.conftest import MakeWorld
from tests.integration.test_participants import grades
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_what_a_participant_uploads_counts_once_it_is_confirmed(
    make_world: MakeWorld,
) -> None:
    world = await make_world(
        scoring={"bindings": [{"rule_set": "henan-2018", "regions": [REGION]}]}
    )
    await world.take(event(1, type=None, item="N1", self_reported=True))
    before = await grades(world)
    confirmation = {
        "type": "confirmation",
        "decision": {"kind": "event", "document_number": "E-1", "authority": "样例市生态环境局"},
        "confirmed_by": "样例市生态环境局",
        "occurred_on": "2026-10-12",
    }

    await world.take(event(2, **confirmation))

    assert before == []
    assert [row[2] for row in await grades(world)] == ["不良"]
    kept = "select body ->> 'confirmed_by' from record_version order by id"
    assert (await world.column(kept))[-1] == "样例市生态环境局"


async def test_a_confirmation_is_of_the_version_that_it_found(make_world: MakeWorld) -> None:
    bound = {"rule_set": "henan-2018", "regions": [REGION]}
    world = await make_world(scoring={"bindings": [bound]})
    await world.take(event(1, type=None, item="N1", self_reported=True))
    confirmation = {
        "type": "confirmation",
        "decision": {"kind": "event", "document_number": "E-1", "authority": "样例市生态环境局"},
        "confirmed_by": "样例市生态环境局",
    }
    await world.take(event(2, **confirmation, occurred_on="2026-10-12"))
    await world.take(event(3, type="rectification", decision=confirmation["decision"]))
    kept = await world.column("select body ->> 'confirmed_on' from fact where known_to is null")

    await world.take(event(1, type=None, item="N2", self_reported=True))
    await world.take(event(4, type="rectification", decision=confirmation["decision"]))

    assert kept == ["2026-10-12"]
    facts = "select body ->> 'item', body ->> 'confirmed_on' from fact where known_to is null"
    assert await world.rows(facts) == [("N2", None)]


async def test_a_confirmation_is_of_its_version_in_one_batch_too(make_world: MakeWorld) -> None:
    world = await make_world(
        scoring={"bindings": [{"rule_set": "henan-2018", "regions": [REGION]}]}
    )

    def confirmation(number: int) -> dict[str, Any]:
        about_it = {"kind": "event", "document_number": f"E-{number}", "authority": "样例市局"}
        given = {"type": "confirmation", "decision": about_it, "confirmed_by": "样例市局"}
        return event(number + 100, **given, occurred_on="2026-10-12")

    await world.take(
        event(1, type=None, item="N1", self_reported=True),
        confirmation(1),
        event(1, type=None, item="N2", self_reported=True),
        confirmation(2),
        event(2, type=None, item="N3", self_reported=True),
        event(3, type=None, item="N4", self_reported=True),
        confirmation(3),
    )

    facts = "select body ->> 'item', body ->> 'confirmed_on' from fact where known_to is null"
    assert sorted(await world.rows(facts)) == [("N2", None), ("N3", None), ("N4", "2026-10-12")]


async def test_an_upload_cannot_carry_its_own_confirmation(world: World) -> None:
    [result] = await world.take(event(1, self_reported=True, confirmed_on="2026-10-10"))

    [problem] = result.checked.problems
    assert (problem.field, problem.message) == ("confirmed_on", "审核确认：不能随信息一起填")


async def test_a_confirmation_says_who_confirmed(world: World) -> None:
    [result] = await world.take(event(2, type="confirmation", decision=about(1)))

    [problem] = result.checked.problems
    assert (problem.field, problem.message) == ("confirmed_by", "审核确认机关：必填项为空")
