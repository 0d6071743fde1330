"""Process events, grade changes and received grades, through the whole pipeline."""

from itertools import permutations
from typing import Any

import pytest

from tests.factories import (
    about,
    event,
    grade,
    licence,
    penalty,
    person_penalty,
)
from tests.integration.test_pipeline import FACTS, GRADES
from tests.integration.world import World

pytestmark = pytest.mark.integration


async def test_a_rectification_rewrites_the_fact_of_its_decision(world: World) -> None:
    await world.take(penalty())

    await world.take(event(type="rectification", decision=about(), rectified_on="2026-10-10"))

    [fact] = await world.column(FACTS)
    assert (fact["rectified_on"], fact["decided_on"]) == ("2026-10-10", "2026-10-09")


async def test_a_repair_before_its_decision_is_applied_when_the_decision_comes(
    world: World,
) -> None:
    repair = event(type="repair", decision=about(), repair_confirmed_on="2026-10-11")
    await world.take(repair)
    assert await world.column(FACTS) == []

    await world.take(penalty())

    [fact] = await world.column(FACTS)
    assert fact["repair_confirmed_on"] == "2026-10-11"


async def test_a_repair_and_its_decision_may_come_in_one_batch(world: World) -> None:
    repair = event(type="repair", decision=about(), repair_confirmed_on="2026-10-11")

    await world.take(repair, penalty())

    [fact] = await world.column(FACTS)
    assert fact["repair_confirmed_on"] == "2026-10-11"


async def test_process_dates_survive_a_correction(world: World) -> None:
    await world.take(penalty())
    await world.take(event(type="rectification", decision=about(), rectified_on="2026-10-10"))

    await world.take(penalty(CF_NR_FK="3"))

    [fact] = await world.column(FACTS)
    assert (fact["penalty"]["fine_wan"], fact["rectified_on"]) == ("3", "2026-10-10")


async def test_a_process_event_finds_its_decision_by_another_spelling(world: World) -> None:
    await world.take(penalty())
    reference = {**about(), "document_number": "样环罚字 [2026] 1號"}

    await world.take(event(type="rectification", decision=reference, rectified_on="2026-10-10"))

    [fact] = await world.column(FACTS)
    assert fact["rectified_on"] == "2026-10-10"


async def test_a_process_event_makes_no_fact_of_its_own(world: World) -> None:
    await world.take(event(type="warning", decision=about(), warning_until="2027-01-01"))

    assert await world.value("select count(*) from fact") == 0


async def test_a_repeat_of_a_process_event_rewrites_no_fact(world: World) -> None:
    rectified = event(type="rectification", decision=about(), rectified_on="2026-10-10")
    await world.take(penalty())
    await world.take(rectified, origin="topic")

    [again] = await world.take(rectified, origin="file")

    assert again.repeat
    assert await world.value("select count(*) from fact") == 2
    assert await world.value("select count(*) from assessment") == 2


async def test_an_event_about_an_event_rewrites_its_fact(world: World) -> None:
    await world.take(event(1))
    reference = {"kind": "event", "document_number": "E-1", "authority": "样例市生态环境局"}

    await world.take(event(2, type="rectification", decision=reference, rectified_on="2026-10-10"))

    [fact] = await world.column(FACTS)
    assert fact["rectified_on"] == "2026-10-10"


# ---------------------------------------------------------------- grades


@pytest.mark.parametrize(
    "becomes",
    [{"type": "criminal_suspicion"}, {"type": "rectification", "decision": about(1)}],
    ids=["suspicion", "rectification"],
)
async def test_an_event_that_is_corrected_to_another_type_counts_no_longer_as_it_did(
    world: World, becomes: dict[str, Any]
) -> None:
    await world.take(penalty(1, 1), event(2, 1))
    counted = "select count(*) from fact where known_to is null"
    assert await world.value(counted) == 2

    await world.take(event(2, 1, **becomes))

    assert await world.value(counted) == 1
    scored = await world.column("select cardinality(fact_ids) from assessment order by id")
    assert scored[-1] == 1


async def test_criminal_suspicion_removes_the_grade_until_it_ends(
    world: World,
) -> None:
    await world.take(penalty())
    await world.take(event(1, type="criminal_suspicion"))
    await world.take(event(2, type="criminal_suspicion", suspected=False))

    assert await world.column(GRADES) == ["A", None, "A"]


async def test_a_received_grade_replaces_our_own(world: World) -> None:
    await world.take(penalty())
    await world.take(grade(grade="警示"))

    await world.take(penalty(2, CF_NR_FK="60", CF_CFLB="罚款、责令停产停业"))

    assert await world.column(GRADES) == ["A", "警示"]
    causes = await world.column("select body ->> 'cause' from grade_change order by id")
    assert causes == ["scored", "received"]


async def test_a_received_grade_equal_to_the_last_one_makes_no_change(world: World) -> None:
    await world.take(grade(1, grade="警示"))

    await world.take(grade(2, grade="警示"))

    assert await world.column(GRADES) == ["警示"]


async def test_the_last_of_several_received_grades_in_a_batch_counts(world: World) -> None:
    await world.take(
        grade(1, grade="警示"), grade(2, grade="诚信"), grade(1, grade="良好"), penalty()
    )

    assert (await world.column(GRADES))[-1] == "良好"


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_received_grade_of_the_latest_day_stands_in_whatever_order_they_come(
    world: World, order: tuple[int, ...]
) -> None:
    rows = [
        grade(1, grade="警示", effective_on="2026-05-01"),
        grade(2, grade="诚信", effective_on="2026-08-01"),
        grade(3, grade="警示", effective_on="2026-10-01"),
    ]

    for place in order:
        await world.take(rows[place])

    assert (await world.column(GRADES))[-1] == "警示"


@pytest.mark.parametrize("apart", [True, False], ids=["two batches", "one batch"])
@pytest.mark.parametrize("day", ["2026-10-08", "2026-10-09", "2026-10-10"])
async def test_a_correction_of_the_received_grade_in_force_counts(
    world: World, apart: bool, day: str
) -> None:
    rows = [grade(grade="警示"), grade(grade="诚信", effective_on=day)]

    for batch in [[row] for row in rows] if apart else [rows]:
        await world.take(*batch)

    assert (await world.column(GRADES))[-1] == "诚信"


async def test_a_received_grade_that_is_moved_to_an_earlier_day_gives_way_to_the_other(
    world: World,
) -> None:
    await world.take(grade(1, grade="诚信", effective_on="2026-10-08"), grade(2, grade="警示"))

    await world.take(grade(2, grade="警示", effective_on="2026-10-01"))

    assert await world.column(GRADES) == ["警示", "诚信"]


async def test_a_subject_with_licences_only_has_no_assessment(world: World) -> None:
    await world.take(licence())

    assert await world.value("select count(*) from assessment") == 0


async def test_a_grade_change_of_a_person_is_not_sent_to_a_bank(world: World) -> None:
    await world.take(person_penalty())

    assert await world.states("bank") == []


async def test_a_grade_change_by_a_draft_is_marked_as_a_trial(world: World) -> None:
    await world.take(penalty())

    assert await world.value("select body -> 'trial' from grade_change") is True
