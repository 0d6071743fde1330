"""Rescoring the stored population gives the same as the service."""

from datetime import timedelta
from typing import Any

import pytest

from gateway.population import batches as populations
from gateway.population.batches import PERSON, flips_of, from_store, results
from schemas.base import today
from tests.factories import (
    REGION,
    about,
    credit_code,
    event,
    grade,
    participant,
    penalty,
    person_penalty,
)
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration
Rows = list[tuple[object, ...]]


async def some_history(world: World) -> None:
    await world.take(penalty(1), penalty(2, 2, CF_NR_FK="60"), event(3), person_penalty(4))
    await world.take(penalty(5, 5), event(6, type="rectification", decision=about(1),
                                          rectified_on="2026-10-10"))  # fmt: skip
    await world.take(penalty(2, 2, CF_NR_FK="30"))
    await world.take(event(7, 5, type="criminal_suspicion"))


async def rescored(world: World) -> tuple[Rows, list[Any]]:
    day, rows, errors = today(world.clock()), [], []
    async for rule_set, one in from_store(world.database, world.gateway.rulebook, day):
        frame = results(rule_set, one.population, day)
        rows += frame.select("id", "grade", "not_evaluated", "changes_on").rows()
        errors += one.errors
    return sorted(rows, key=repr), errors


async def assessed(world: World) -> Rows:
    """Return the last assessment of each subject."""
    rows = await world.rows(
        "select distinct on (s.id) case when s.person then :person else s.code end, a.grade, "
        "a.not_evaluated, a.changes_on from assessment a join subject s on s.id = a.subject_id "
        "order by s.id, a.id desc",
        person=PERSON,
    )
    return sorted(rows, key=repr)


async def test_rescoring_gives_the_same_results_as_the_service(world: World) -> None:
    await some_history(world)

    rows, errors = await rescored(world)

    assert rows == await assessed(world)
    assert errors == []
    assert (PERSON, None, "no_rule_set", None) in rows


async def test_reading_in_pages_gives_the_whole_population(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_history(world)
    monkeypatch.setattr(populations, "PAGE", 1)

    rows, _ = await rescored(world)

    assert rows == await assessed(world)


async def test_a_store_without_assessments_has_no_population(make_world: MakeWorld) -> None:
    assert await rescored(await make_world()) == ([], [])


async def test_flips_are_computed_only_for_subjects_bound_to_the_rule_set(world: World) -> None:
    await some_history(world)
    rules = world.gateway.rulebook.load("nm-2023-draft").rule_set
    day = today(world.clock()) + timedelta(days=1)

    for names, subjects in ((frozenset({rules.name}), 3), (frozenset({"other"}), 0)):
        stored = from_store(world.database, world.gateway.rulebook, day, bound=names)
        found = [part async for part, _ in flips_of(stored, (rules, rules), day)]
        assert sum(part.subjects for part in found) == subjects
        assert not any(part.frame.height for part in found)


async def test_a_subject_with_a_received_grade_is_not_rescored(world: World) -> None:
    await world.take(penalty(1), grade(1, 2))

    rows, _ = await rescored(world)

    assert len(rows) == 1


async def test_sites_of_the_register_are_averaged_as_in_the_service(world: World) -> None:
    await world.take(participant(permit="P1", weight="300"), participant(permit="P2", weight="100"))
    await world.take(event(1, type="eia.unapproved", details={"site": "P2"}))

    [(_, found, _, _)], _ = await rescored(world)

    assert found == "A"
    assert (await world.column("select grade from assessment order by id"))[-1] == "A"


async def test_the_kind_of_a_branch_is_not_that_of_its_legal_person(make_world: MakeWorld) -> None:
    bound = {"rule_set": "nm-2023-draft", "regions": [REGION], "kinds": ["enterprise", "agency"]}
    world = await make_world(scoring={"bindings": [bound]})
    await world.take(
        participant(2, subject_kind="agency", parent_code=credit_code(1)),
        event(1, 1),
        event(2, 2),
    )

    rows, _ = await rescored(world)

    served = "select grade from assessment a join subject s on s.id = a.subject_id where s.code = "
    last = await world.column(f"{served} :code order by a.id", code=credit_code(1))
    assert [row[1] for row in rows if row[0] == credit_code(1)] == last[-1:]


async def test_the_register_places_subjects_as_in_the_service(make_world: MakeWorld) -> None:
    bound = {"rule_set": "nm-2023-draft", "regions": [REGION], "participants_only": True}
    bound |= {"kinds": ["enterprise", "agency"]}
    world = await make_world(scoring={"bindings": [bound]})
    await world.take(
        participant(1, subject_kind="机构", agency_kinds="环境监测服务机构"),
        participant(2, parent_code=credit_code(3)),
        participant(3),
        event(1, 1, type="agency.untrained_monitoring"),
        event(2, 2, type="eia.unapproved"),
        event(4, 4, type="eia.unapproved"),
    )

    rows, _ = await rescored(world)

    served = await world.rows(
        "select distinct on (a.subject_id) s.code, a.grade, a.not_evaluated, a.changes_on "
        "from assessment a join subject s on s.id = a.subject_id order by a.subject_id, a.id desc"
    )
    assert sorted(rows) == sorted(served)
    assert {row[0]: row[1] or row[2] for row in rows} == {
        credit_code(1): "C",
        credit_code(2): "branch",
        credit_code(3): "B",
        credit_code(4): "not_participant",
    }
