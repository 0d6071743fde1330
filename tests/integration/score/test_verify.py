"""Every grade can be computed again exactly, and a manipulated one is found."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.config.clock import SteppedClock
from gateway.score.stored_result import fact_of, short
from gateway.score.verify import verify_assessments
from schemas.codes import SubjectKind
from scoring.engine.assess import assess
from scoring.facts import Facts, Site
from tests.factories import (
    REGION,
    about,
    credit_code,
    event,
    participant,
    penalty,
    person_penalty,
)
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def verified(world: World) -> tuple[int, list[dict[str, Any]]]:
    return await verify_assessments(world.database, lambda _: None)


async def some_history(world: World) -> None:
    await world.take(penalty(1), penalty(2, 2, CF_NR_FK="60"), event(3), person_penalty(4))
    await world.take(penalty(1, CF_NR_FK="30"))
    await world.take(event(5, type="rectification", decision=about(1), rectified_on="2026-10-10"))
    await world.take(penalty(1, verb="withdraw"))
    await world.take(event(6, type="criminal_suspicion"))


async def test_every_past_assessment_is_computed_again_with_the_same_result(world: World) -> None:
    await some_history(world)

    count, wrong = await verified(world)

    assert (count, wrong) == (await world.value("select count(*) from assessment"), [])
    assert count >= 7


@pytest.mark.parametrize(
    "tampering",
    [
        "update assessment set result = jsonb_set(result::jsonb, '{digest}', '\"0\"') "
        "where id = :id",
        "update assessment set criminal_suspect = not criminal_suspect where id = :id",
        "update assessment set fact_ids = '{}' where id = :id",
        "update assessment set grade = 'Z' where id = :id",
        "update assessment set changes_on = '2031-01-01' where id = :id",
        "update assessment set result = jsonb_set(result::jsonb, '{score}', '\"1\"') "
        "where id = :id",
        "update grade_change set to_grade = 'Z' where assessment_id = :id",
        "update fact set body = jsonb_set(body::jsonb, '{penalty,fine_wan}', '\"61\"') where id = "
        "(select fact_ids[1] from assessment where id = :id)",
    ],
)
async def test_a_manipulated_assessment_is_found(world: World, tampering: str) -> None:
    await world.take(penalty(1), penalty(2, 2, CF_NR_FK="60"))
    await world.take(penalty(3, 3))
    id_ = await world.value("select min(a.id) from assessment a join subject s on "
                            "s.id = a.subject_id where s.code like '%2_'")  # fmt: skip

    await world.run(tampering, id=id_)

    _, wrong = await verified(world)
    assert [one["id"] for one in wrong] == [id_]


async def test_a_missing_rule_set_text_is_reported(world: World) -> None:
    await world.take(penalty())
    await world.run("delete from rule_set_version")

    _, [wrong] = await verified(world)

    assert "没有版本" in wrong["problem"]


async def test_an_assessment_without_a_rule_set_is_verified_too(make_world: MakeWorld) -> None:
    world = await make_world(scoring={})
    await world.take(penalty())

    assert await verified(world) == (1, [])


async def test_an_empty_store_is_verified_without_a_problem(world: World) -> None:
    assert await verified(world) == (0, [])


async def test_an_average_over_sites_is_computed_again_with_the_same_result(
    make_world: MakeWorld,
) -> None:
    bound = {"rule_set": "nm-2023-draft", "regions": [REGION], "participants_only": True}
    world = await make_world(scoring={"bindings": [bound]})
    unbound = await make_world()

    await world.take(
        participant(permit="P1", weight="300"),
        participant(permit="P2", weight="100"),
        event(1, type="eia.unapproved", details={"site": "P2"}),
        event(2, 2, type="eia.unapproved"),
        participant(3, parent_code=credit_code(1), until="2027-01-01"),
        participant(4, since="2027-01-01"),
    )

    results = await world.column("select result ->> 'score' from assessment order by subject_id")
    assert results == ["97.5", None, None, None]
    assert await verified(unbound) == (4, [])


async def test_a_result_with_sites_of_an_earlier_release_is_computed_again(world: World) -> None:
    await world.take(event(1, type="eia.unapproved", details={"site": "P2"}))
    [body] = await world.column("select body from fact")
    rule_set = world.gateway.rulebook.load("nm-2023-draft").rule_set
    sites = (Site("P1", Decimal(300)), Site("P2", Decimal(100)))
    subject = Facts(credit_code(1), SubjectKind.ENTERPRISE, (fact_of(body),), sites=sites)
    result = assess(subject, rule_set, date(2026, 10, 12))

    await world.run(
        "update assessment set result = cast(:result as json), grade = :grade",
        result=short(result, subject).decode(),
        grade=result.grade,
    )
    await world.run("update grade_change set to_grade = :grade", grade=result.grade)

    assert result.score == "97.5"
    assert await verified(world) == (1, [])


async def test_a_penalty_counts_at_the_site_whose_permit_it_names(world: World) -> None:
    code = credit_code(1)
    await world.take(
        participant(permit=f"{code}001P", weight="100"),
        participant(permit=f"{code}002P", weight="300"),
    )

    named = f"责令停产整治，排污许可证编号{code}001P"
    await world.take(penalty(1, 1, CF_CFLB="责令停产整治", CF_NR=named, CF_NR_FK=None))

    scores = await world.column("select result ->> 'score' from assessment order by id")
    assert scores == ["100", "98.75"]
    assert await verified(world) == (2, [])


async def test_what_is_known_of_a_subject_never_goes_back_in_time(
    make_world: MakeWorld, clock: SteppedClock
) -> None:
    """A host whose clock is an hour behind closes a fact that another host has just written."""
    world = await make_world()
    await world.take(penalty(1, 1))
    clock.step(timedelta(hours=-1))

    await world.take(penalty(1, 1, CF_NR_FK="3"), penalty(2, 2))

    facts = await world.rows("select known_from, known_to from fact order by id")
    assert all(until is None or until >= since for since, until in facts)
    assert [until for _, until in facts if until is not None] == [facts[0][0]]
    assert facts[1][0] >= facts[0][0]
