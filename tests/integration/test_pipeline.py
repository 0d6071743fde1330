"""The way in, on a real database: what a batch writes, and what it must not do."""

import logging
from collections.abc import Sequence
from datetime import date
from typing import Any

import orjson
import pytest

from gateway.check.checked import Checked
from gateway.check.raw import Raw
from gateway.config.keys import Keys
from gateway.rules.rulebook import InForce
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import (
    about,
    credit_code,
    event,
    grade,
    licence,
    penalty,
    person_penalty,
    raw,
)
from tests.integration.conftest import MakeWorld
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


# ---------------------------------------------------------------- process events


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
    assert await world.column("select from_grade from grade_change order by id desc limit 1") == [
        "诚信"
    ]


async def test_a_subject_with_licences_only_has_no_assessment(world: World) -> None:
    await world.take(licence())

    assert await world.value("select count(*) from assessment") == 0


async def test_a_grade_change_of_a_person_is_not_sent_to_a_bank(world: World) -> None:
    await world.take(person_penalty())

    assert await world.states("bank") == []


async def test_a_grade_change_by_a_draft_is_marked_as_a_trial(world: World) -> None:
    await world.take(penalty())

    assert await world.value("select body -> 'trial' from grade_change") is True


# ---------------------------------------------------------------- scoring never delays reporting


async def test_a_record_is_delivered_even_without_a_rule_set(
    make_world: MakeWorld,
) -> None:
    world = await make_world(scoring={})

    await world.take(penalty())
    await world.turn()

    assert await world.column("select not_evaluated from assessment") == ["no_rule_set"]
    assert await world.states() == ["accepted"]


async def test_a_record_is_delivered_even_after_an_engine_error(world: World) -> None:
    rulebook = world.gateway.rulebook
    broken = rulebook.load("nm-2023-draft").rule_set.model_copy(
        update={"tables": {"enterprise": None}}
    )
    rulebook.put_in_force([InForce("nm-2023-draft", date.min, broken)])

    await world.take(penalty())
    await world.turn()

    assert await world.column("select not_evaluated from assessment") == ["engine_error"]
    assert await world.column(GRADES) == []
    assert await world.states() == ["accepted"]


async def test_a_fine_without_its_amount_is_recorded_but_not_evaluated(world: World) -> None:
    [result] = await world.take(penalty(CF_NR_FK=None))

    assert result.verdict is Verdict.INCOMPLETE
    assert await world.column("select not_evaluated from assessment") != [None]
    assert await world.value("select count(*) from decision") == 1


# ---------------------------------------------------------------- excluded and held


async def test_an_excluded_decision_is_recorded_without_fact_or_delivery(world: World) -> None:
    [result] = await world.take(penalty(state_secret="是"))

    assert result.excluded == "state_secret"
    assert await world.column("select excluded from decision") == ["state_secret"]
    assert await world.value("select count(*) from fact") == 0
    assert await world.states() == []


async def test_a_held_delivery_is_sent_after_its_correction(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    await world.turn()
    assert await world.states() == ["held"]

    await world.take(penalty())
    await world.turn()

    assert await world.states() == ["superseded", "accepted"]
    assert world.sent() == [("new", "样环罚字〔2026〕1号")]


async def test_a_correction_of_a_held_delivery_inherits_its_due_time(world: World) -> None:
    await world.take(penalty(CF_YXQ=None))
    await world.take(penalty(CF_JDRQ="2026/10/11"))

    [held, ready] = await world.column("select due_at from delivery where item_kind = "
                                       "'record_version' order by id")  # fmt: skip
    assert ready == held


async def test_an_environmental_credit_repair_tells_the_platforms_nothing(world: World) -> None:
    await world.take(penalty())

    await world.take(event(type="repair", decision=about(), repair_confirmed_on="2026-10-11"))
    await world.turn()

    assert [verb for verb, _ in world.sent()] == ["new"]
    assert await world.column("select verb from decision where kind = 'penalty'") == ["new"]


async def test_a_bug_in_check_refuses_one_item_and_not_its_batch(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    checker = world.gateway.pipeline.checker
    check_all = checker.check_all
    broken = {raw(penalty(2)).body: "fault of the second", raw(penalty(4)).body: "of the fourth"}

    def fail_on_some(raws: Sequence[Raw], today: date) -> list[Checked]:
        for one in raws:
            if one.body in broken:
                raise ZeroDivisionError(broken[one.body])
        return check_all(raws, today)

    checker.check_all = fail_on_some  # type: ignore[method-assign]
    results = await world.take(*map(penalty, range(1, 6)))

    ok, refused = Verdict.OK, Verdict.REFUSED
    assert [result.verdict for result in results] == [ok, refused, ok, refused, ok]
    assert results[1].problems[0].rule is Rule.INTERNAL
    told = [logging.Formatter().format(record) for record in caplog.records]
    assert ["second" in told[0], "fourth" in told[0]] == [True, False]
    assert ["second" in told[1], "fourth" in told[1]] == [False, True]


# ---------------------------------------------------------------- bodies


async def test_a_huge_integer_in_an_unknown_column_is_kept(world: World) -> None:
    [result] = await world.take(orjson.dumps(penalty())[:-1] + b',"X":' + b"9" * 100 + b"}")

    assert result.verdict is Verdict.OK
    sealed = await world.value("select unknown_columns from record_version")
    assert world.gateway.keys.decrypt(sealed, 1) == b'{"X": ' + b"9" * 100 + b"}"


async def test_extreme_dates_do_not_stop_a_batch(world: World) -> None:
    results = await world.take(
        penalty(1, CF_JDRQ="9999-12-31", CF_YXQ=None),
        penalty(2, CF_JDRQ="0001-01-01"),
        event(3, 2, occurred_on="9999-12-31"),
        event(4, 3, occurred_on="0001-01-01"),
        penalty(5),
    )

    assert results[-1].verdict is Verdict.OK


async def test_an_empty_batch_writes_nothing(world: World) -> None:
    assert await world.take() == []
    assert await world.value("select count(*) from origin") == 0
