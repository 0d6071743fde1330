"""The way in, on a real database: what a batch writes, and what it must not do."""

import pytest

from gateway.config.keys import Keys
from schemas.verdict import Verdict
from tests.factories import (
    credit_code,
    event,
    licence,
    penalty,
    person_penalty,
)
from tests.integration.world import World

pytestmark = pytest.mark.integration

VERSIONS = "select version, verb, body ->> 'CF_NR' from record_version order by id"
FACTS = "select body from fact where known_to is null order by id"
GRADES = "select to_grade from grade_change order by id"


# ---------------------------------------------------------------- the same, new, or a repeat


async def test_a_new_decision_has_its_version_fact_assessment_and_deliveries(world: World) -> None:
    [result] = await world.take(penalty())

    assert (result.verdict, result.repeat) == (Verdict.OK, False)
    assert await world.rows("select kind, version, verb from decision") == [("penalty", 1, "new")]
    assert await world.value("select count(*) from fact") == 1
    assert await world.column(GRADES) == ["A"]
    assert (await world.states(), await world.states("bank")) == (["ready"], ["waiting"])


SPELT = [
    "样环罚字〔2026〕第1号",
    "样环罚字〔2026〕001号",
    "样环罚字[2026]1",
    "样环罚字〔2026年〕第01",
]


@pytest.mark.parametrize("apart", [True, False], ids=["two batches", "one batch"])
@pytest.mark.parametrize("number", SPELT)
async def test_a_number_that_is_nearly_that_of_another_decision_is_told(
    world: World, number: str, apart: bool
) -> None:
    rows = [penalty(), penalty(CF_WSH=number)]

    batches = [[row] for row in rows] if apart else [rows]
    first, second = [result for batch in batches for result in await world.take(*batch)]

    assert first.checked.warnings == ()
    [warning] = second.checked.warnings
    assert (second.verdict, warning.field) == (Verdict.OK, "CF_WSH")
    assert "与已有的“样环罚字〔2026〕1号”只差" in warning.message


@pytest.mark.parametrize("number", SPELT)
async def test_a_number_is_told_also_where_its_odd_spelling_came_first(
    world: World, number: str
) -> None:
    await world.take(penalty(CF_WSH=number))

    [second] = await world.take(penalty())

    [warning] = second.checked.warnings
    assert (second.verdict, warning.field) == (Verdict.OK, "CF_WSH")


async def test_a_number_of_another_company_series_or_kind_or_withdrawn_is_no_other_spelling(
    world: World,
) -> None:
    spelt = "样环罚字〔2026〕01号"
    await world.take(penalty(), penalty(2), penalty(2, verb="withdraw"))

    told = await world.take(
        penalty(1, 2, CF_WSH=spelt),
        licence(XK_WSH=spelt),
        penalty(11),
        penalty(CF_WSH="样环罚〔2026〕1号"),
        penalty(CF_WSH=spelt, CF_CFJG="样例县生态环境局"),
        penalty(CF_WSH="样环罚字〔2026〕02号"),
        penalty(),
    )

    assert [one.checked.warnings for one in told] == [()] * 7


async def test_the_same_bytes_from_the_same_origin_are_a_repeat(world: World) -> None:
    [first] = await world.take(penalty(), origin="topic")

    [again] = await world.take(penalty(), origin="topic")

    assert (first.repeat, again.repeat) == (False, True)
    assert again.record_version_id == first.record_version_id
    assert await world.value("select count(*) from record_version") == 1


async def test_a_record_from_before_an_upgrade_is_a_repeat_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr(Keys, "content", Keys.former_content)
        await world.take(penalty(), person_penalty(2))

    again = await world.take(penalty(), person_penalty(2))

    assert [one.repeat for one in again] == [True, True]
    assert await world.value("select count(*) from record_version") == 2


async def test_the_same_content_from_another_origin_is_a_repeat(world: World) -> None:
    await world.take(penalty(), origin="topic")

    [again] = await world.take(penalty(), origin="file")

    assert again.repeat
    assert await world.value("select count(*) from record_version") == 1


async def test_another_spelling_of_the_number_makes_a_version_of_the_same_decision(
    world: World,
) -> None:
    await world.take(penalty())

    [result] = await world.take(penalty(CF_WSH="样环罚字 [2026] 1號"))

    assert not result.repeat
    assert await world.rows("select version, document_number from decision") == [
        (2, "样环罚字 [2026] 1號")
    ]


async def test_unknown_columns_make_no_new_version(world: World) -> None:
    await world.take(penalty())

    [again] = await world.take(penalty(SJC="2026-10-12 09:00:00"))

    assert again.repeat


async def test_the_same_item_twice_in_a_batch_is_one_version(world: World) -> None:
    results = await world.take(penalty(), penalty())

    assert [one.repeat for one in results] == [False, True]


async def test_returning_to_an_earlier_content_makes_a_third_version(world: World) -> None:
    await world.take(penalty(CF_NR="甲"))
    await world.take(penalty(CF_NR="乙"))
    await world.take(penalty(CF_NR="甲"))

    assert await world.rows(VERSIONS) == [
        (1, "new", "甲"),
        (2, "correct", "乙"),
        (3, "correct", "甲"),
    ]


async def test_returning_to_an_earlier_content_in_one_batch_makes_a_third_version(
    world: World,
) -> None:
    await world.take(penalty(CF_NR="甲"), penalty(CF_NR="乙"), penalty(CF_NR="甲"))

    assert [version for version, _, _ in await world.rows(VERSIONS)] == [1, 2, 3]
    assert await world.states() == ["superseded", "superseded", "ready"]


async def test_other_bytes_at_a_known_origin_are_processed_and_audited(world: World) -> None:
    await world.take(penalty(1), origin="kafka:main/topic/0")

    [result] = await world.take(penalty(2), origin="kafka:main/topic/0")

    assert not result.repeat
    assert await world.value("select count(*) from decision") == 2
    assert await world.events() == ["origin_reused"]


async def test_two_spellings_of_an_authority_name_are_one_authority(world: World) -> None:
    await world.take(penalty(1, CF_CFJG="样例市生态环境局（直属）"))
    await world.take(penalty(2, CF_CFJG="样例市 生态环境局(直属)"))

    assert await world.value("select count(*) from authority") == 1


async def test_all_records_of_one_company_have_one_subject(world: World) -> None:
    await world.take(penalty(), licence(), event())

    assert await world.column("select code from subject") == [credit_code()]


# ---------------------------------------------------------------- corrections


async def test_a_correction_closes_the_fact_and_keeps_it_readable(world: World) -> None:
    await world.take(penalty(CF_NR_FK="2"))

    await world.take(penalty(CF_NR_FK="60"))

    rows = await world.rows(
        "select body -> 'penalty' ->> 'fine_wan', known_to is null from fact order by id"
    )
    assert rows == [("2", False), ("60", True)]


async def test_a_stored_version_is_never_changed(world: World) -> None:
    await world.take(penalty(CF_NR="甲"))
    before = await world.rows("select * from record_version where version = 1")

    await world.take(penalty(CF_NR="乙"))
    await world.take(penalty(verb="withdraw"))

    assert await world.rows("select * from record_version where version = 1") == before


async def test_a_correction_that_changes_no_fact_does_not_change_the_grade(world: World) -> None:
    await world.take(penalty())

    await world.take(penalty(BZ="备注"))

    assert await world.column(GRADES) == ["A"]
    assert await world.value("select count(*) from fact where known_to is null") == 1


async def test_a_withdrawal_closes_the_fact_and_restores_the_grade(world: World) -> None:
    heavy = [penalty(number, CF_NR_FK="60", CF_CFLB="罚款、责令停产停业") for number in range(1, 5)]
    await world.take(*heavy)

    await world.take(*[{**row, "verb": "withdraw"} for row in heavy])

    first, last = await world.column(GRADES)
    assert first > last == "A"
    assert await world.column(FACTS) == []
    assert await world.column("select verb from decision order by id") == ["withdraw"] * 4


async def test_a_withdrawn_decision_that_comes_again_is_revived(world: World) -> None:
    await world.take(penalty())
    await world.take(penalty(verb="withdraw"))

    await world.take(penalty())

    assert [verb for _, verb, _ in await world.rows(VERSIONS)] == ["new", "withdraw", "revive"]
    assert await world.value("select count(*) from fact where known_to is null") == 1


async def test_a_subject_is_scored_if_its_decision_is_withdrawn_in_the_same_batch(
    world: World,
) -> None:
    await world.take(penalty(), penalty(verb="withdraw"))

    assert await world.column(GRADES) == ["A"]


async def test_a_subject_without_facts_has_the_start_score(world: World) -> None:
    await world.take(penalty())
    await world.take(penalty(verb="withdraw"))

    assert (
        await world.value("select result ->> 'score' from assessment order by id desc limit 1")
        == "100"
    )
