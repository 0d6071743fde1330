"""Process events, grade changes and received grades, through the whole pipeline."""

from collections.abc import Awaitable, Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from schemas.verdict import Verdict
from tests.factories import (
    REGION,
    about,
    credit_code,
    event,
    grade,
    licence,
    participant,
    penalty,
    person_penalty,
)
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.publications import at
from tests.integration.test_pipeline import FACTS, GRADES
from tests.integration.world import World
from tests.receiving_rules import NAME as RECEIVING
from tests.receiving_rules import receiving

pytestmark = pytest.mark.integration

HENAN = {"rule_set": "henan-2018", "regions": [REGION]}
DAY = "2026-10-01"  #: before the other grades
CAUSES = "select body ->> 'cause' from grade_change order by id"


def received(number: int = 1, company: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return a grade by a rule set that takes grades."""
    return grade(number, company, rule_set=RECEIVING, **changes)


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


async def test_a_received_grade_replaces_our_own(receiving_world: World) -> None:
    await receiving_world.take(penalty())
    await receiving_world.take(received(grade="D"))

    await receiving_world.take(penalty(2, CF_NR_FK="60", CF_CFLB="罚款、责令停产停业"))

    assert await receiving_world.column(GRADES) == ["A", "D"]
    causes = await receiving_world.column("select body ->> 'cause' from grade_change order by id")
    assert causes == ["scored", "received"]


async def test_a_received_grade_equal_to_the_last_one_makes_no_change(
    receiving_world: World,
) -> None:
    await receiving_world.take(received(1, grade="D"))

    await receiving_world.take(received(2, grade="D"))

    assert await receiving_world.column(GRADES) == ["D"]


async def test_the_last_of_several_received_grades_in_a_batch_counts(
    receiving_world: World,
) -> None:
    await receiving_world.take(
        received(1, grade="D"), received(2, grade="A"), received(1, grade="B"), penalty()
    )

    assert (await receiving_world.column(GRADES))[-1] == "B"


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_the_received_grade_of_the_latest_day_stands_in_whatever_order_they_come(
    receiving_world: World, order: tuple[int, ...]
) -> None:
    rows = [
        received(1, grade="D", effective_on="2026-05-01"),
        received(2, grade="A", effective_on="2026-08-01"),
        received(3, grade="D", effective_on="2026-10-01"),
    ]

    for place in order:
        await receiving_world.take(rows[place])

    assert (await receiving_world.column(GRADES))[-1] == "D"


@pytest.mark.parametrize("apart", [True, False], ids=["two batches", "one batch"])
@pytest.mark.parametrize("day", ["2026-10-08", "2026-10-09", "2026-10-10"])
async def test_a_correction_of_the_received_grade_in_force_counts(
    receiving_world: World, apart: bool, day: str
) -> None:
    rows = [received(grade="D"), received(grade="A", effective_on=day)]

    for batch in [[row] for row in rows] if apart else [rows]:
        await receiving_world.take(*batch)

    assert (await receiving_world.column(GRADES))[-1] == "A"


async def test_a_received_grade_that_is_moved_to_an_earlier_day_gives_way_to_the_other(
    receiving_world: World,
) -> None:
    await receiving_world.take(
        received(1, grade="A", effective_on="2026-10-08"), received(2, grade="D")
    )

    await receiving_world.take(received(2, grade="D", effective_on="2026-10-01"))

    assert await receiving_world.column(GRADES) == ["D", "A"]


async def test_a_grade_of_a_rule_set_that_is_not_bound_is_refused_and_silences_nothing(
    world: World,
) -> None:
    await world.take(penalty())

    [result] = await world.take(grade(grade="诚信"))
    await world.take(event(1, type="dishonesty.permit_fraud"))

    [problem] = result.problems
    assert (result.verdict, problem.field) == (Verdict.REFUSED, "rule_set")
    assert await world.column(GRADES) == ["A", "D"]


async def test_a_grade_that_was_taken_before_silences_another_rule_set_no_more(
    make_world: MakeWorld,
) -> None:
    """Of older releases, or of the region before it was bound to another rule set."""
    before = await make_world(scoring={"bindings": [HENAN]})
    await before.take(grade(grade="诚信"))
    now = await make_world()

    await now.take(event(1, type="dishonesty.permit_fraud"))

    assert await now.column(GRADES) == ["诚信", "D"]


@pytest.fixture
def elsewhere_receiving(make_world: MakeWorld, tmp_path: Path) -> Callable[[], Awaitable[World]]:
    """Bind the region, which had henan-2018, to a rule set that takes other grades."""
    scoring = receiving(tmp_path)
    return lambda: make_world(scoring=scoring)


async def test_a_grade_of_another_rule_set_of_a_later_day_hides_no_withdrawal(
    make_world: MakeWorld, elsewhere_receiving: Callable[[], Awaitable[World]]
) -> None:
    """Proven: a received C that was withdrawn stayed C."""
    before = await make_world(scoring={"bindings": [HENAN]})
    await before.take(grade(1, grade="诚信", effective_on="2026-10-08"))
    now = await elsewhere_receiving()
    await now.take(
        event(1, type="dishonesty.permit_fraud"), received(2, grade="C", effective_on=DAY)
    )
    assert (await now.column(GRADES))[-1] == "C"

    await now.take({**received(2, grade="C", effective_on=DAY), "verb": "withdraw"})

    assert (await now.column(GRADES))[-1] == "D"
    assert (await now.column(CAUSES))[-1] == "scored"


async def test_a_grade_of_another_rule_set_of_a_later_day_hides_no_right_one(
    make_world: MakeWorld, elsewhere_receiving: Callable[[], Awaitable[World]]
) -> None:
    before = await make_world(scoring={"bindings": [HENAN]})
    await before.take(grade(1, grade="诚信", effective_on="2026-10-08"))
    now = await elsewhere_receiving()

    await now.take(received(2, grade="B", effective_on=DAY))

    assert (await now.column(GRADES))[-1] == "B"


async def test_a_received_grade_with_the_letter_of_another_rule_set_counts_for_itself(
    make_world: MakeWorld, elsewhere_receiving: Callable[[], Awaitable[World]]
) -> None:
    """Proven: it was not recorded, so that our own grade replaced it."""
    before = await make_world(scoring={})
    await before.take(grade(1, rule_set="elsewhere-2020", grade="B", effective_on=DAY))
    now = await elsewhere_receiving()

    await now.take(received(2, grade="B"))
    await now.take(event(1, type="dishonesty.permit_fraud"))

    assert await now.column(GRADES) == ["B", "B"]
    assert await now.column(CAUSES) == ["received", "received"]


async def test_received_grades_are_looked_at_once_more_where_another_rule_set_is_bound(
    make_world: MakeWorld, elsewhere_receiving: Callable[[], Awaitable[World]]
) -> None:
    """By the work of the day, which every process does when it starts."""
    before = await make_world(scoring={})
    await before.take(event(1, type="dishonesty.permit_fraud"), grade(2, grade="诚信"))
    await before.take(received(3, 2, grade="B"), grade(4, 2, grade="警示"))
    await before.take(grade(5, 3, grade="诚信"))
    assert await before.column(GRADES) == ["诚信", "警示", "诚信"]
    now = await elsewhere_receiving()

    await now.schedule.tick()

    last = "select distinct on (subject_id) to_grade from grade_change order by subject_id, id desc"
    assert await now.column(last) == ["D", "B", "A"]
    told = await now.value("select count(*) from grade_change")
    again = await elsewhere_receiving()
    await again.schedule.tick()
    assert await again.value("select count(*) from grade_change") == told
    reasons = await now.column("select body -> 'reasons' ->> 0 from grade_change order by id")
    assert reasons.count("外部评定的等级不再采用") == 2


@pytest.mark.parametrize("fact", [False, True], ids=["the day's work", "a new fact"])
async def test_the_received_grade_that_counts_now_is_told_alone(
    make_world: MakeWorld, elsewhere_receiving: Callable[[], Awaitable[World]], fact: bool
) -> None:
    """Proven: the bank was told of an own A first, also by a new fact before the day's work."""
    before = await make_world(scoring={})
    await before.take(penalty(), received(2, grade="D", effective_on=DAY), grade(3, grade="诚信"))
    now = await elsewhere_receiving()

    await now.take(*[penalty(4)] * fact)
    await now.schedule.tick()

    assert await now.column(GRADES) == ["诚信", "D"]
    assert await now.column(CAUSES) == ["received", "received"]


async def test_who_comes_into_the_register_is_told_the_received_grade_alone(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    scoring = receiving(tmp_path)
    [binding] = scoring["bindings"]
    scoring["bindings"] = [{**binding, "participants_only": True}]
    world = await make_world(scoring=scoring)
    await world.take(received(1, grade="D", effective_on=DAY), penalty(2))
    await world.take(participant(since="2026-10-20"))
    assert await world.column(GRADES) == []

    world.clock.set(at("2026-10-20"))
    await world.schedule.tick()

    assert await world.column(GRADES) == ["D"]


async def test_a_grade_of_the_rule_set_of_another_kind_of_subject_does_not_count(
    make_world: MakeWorld,
) -> None:
    agencies = {**HENAN, "kinds": ["agency"]}
    own = {"rule_set": "nm-2023-draft", "regions": [REGION]}
    world = await make_world(scoring={"bindings": [agencies, own]})

    await world.take(grade(grade="诚信"))
    await world.take(event(1, type="dishonesty.permit_fraud"))

    assert await world.column(GRADES) == ["D"]


@pytest.mark.parametrize("verb", ["withdraw", "撤回"])
async def test_a_withdrawn_grade_gives_way_to_our_own(receiving_world: World, verb: str) -> None:
    world = receiving_world
    await world.take(event(1, type="dishonesty.permit_fraud"), received(grade="B"))

    await world.take({**received(grade="B"), "verb": verb})

    assert await world.column(GRADES) == ["B", "D"]
    assert (await world.column(CAUSES))[-1] == "scored"


async def test_after_a_withdrawal_our_own_grade_goes_on_even_if_it_was_the_same(
    receiving_world: World,
) -> None:
    world = receiving_world
    await world.take(penalty(), received(grade="A"))
    await world.take({**received(grade="A"), "verb": "withdraw"})

    await world.take(event(1, type="dishonesty.permit_fraud"))

    assert await world.column(GRADES) == ["A", "A", "D"]
    assert await world.column(CAUSES) == ["received", "scored", "scored"]


@pytest.mark.parametrize("scoring", [{"bindings": [HENAN]}, {}], ids=["no tariff", "not bound"])
async def test_a_withdrawn_grade_leaves_none_where_we_have_none(
    make_world: MakeWorld, scoring: dict[str, Any]
) -> None:
    world = await make_world(scoring=scoring)
    await world.take(grade(1, grade="诚信"))

    await world.take({**grade(1, grade="诚信"), "verb": "withdraw"})
    again = await world.take(grade(2, grade="警示"))

    assert [one.verdict for one in again] == [Verdict.OK]
    assert await world.column(GRADES) == ["诚信", None, "警示"]


async def test_of_two_received_grades_the_other_stands_when_one_is_withdrawn(
    receiving_world: World,
) -> None:
    world = receiving_world
    await world.take(received(1, grade="B", effective_on="2026-05-01"), received(2, grade="D"))

    await world.take({**received(2, grade="D"), "verb": "withdraw"})

    assert await world.column(GRADES) == ["D", "B"]


async def test_of_an_event_and_a_grade_of_one_batch_only_what_counts_is_told(
    receiving_world: World,
) -> None:
    """Proven: the bank was told of a grade of ours that never held, with its measures."""
    await receiving_world.take(event(1, type="dishonesty.permit_fraud"), received(2, grade="B"))

    assert await receiving_world.column(GRADES) == ["B"]


@pytest.mark.parametrize("changes", [{"subject_name": "改名公司"}, {"score": "80"}])
async def test_a_corrected_name_or_score_overrides_no_other_grade_of_the_day(
    receiving_world: World, changes: dict[str, Any]
) -> None:
    await receiving_world.take(received(1, grade="B"))
    await receiving_world.take(received(2, grade="D"))

    await receiving_world.take(received(1, grade="B", **changes))

    assert await receiving_world.column(GRADES) == ["B", "D"]


async def test_a_rule_set_that_is_not_effective_yet_takes_no_grade_away(
    make_world: MakeWorld, tmp_path: Path
) -> None:
    """Proven: binding it in advance withdrew the received grades, and refused new ones."""
    before = await make_world(scoring={})
    await before.take(grade(1, rule_set="elsewhere-2020", grade="D", effective_on=DAY))
    scoring = receiving(tmp_path, effective_from="2027-01-01")
    now = await make_world(scoring=scoring)

    await now.schedule.tick()
    [result] = await now.take(grade(2, 2, rule_set="elsewhere-2020", grade="C"))

    assert result.verdict is Verdict.OK
    assert await now.column(GRADES) == ["D", "C"]
    now.clock.set(at("2027-01-01"))
    now = await make_world(scoring=scoring)
    await now.schedule.tick()
    assert await now.column(GRADES) == ["D", "C", "A", "A"]


async def test_the_same_letter_by_another_rule_set_is_no_downgrade_and_brings_its_measures(
    make_world: MakeWorld,
) -> None:
    before = await make_world(scoring={})
    await before.take(grade(1, rule_set="elsewhere-2020", grade="不良", effective_on=DAY))
    now = await make_world(scoring={"bindings": [{**HENAN, "measures": ["zhengzhou-2022"]}]})

    await now.take(grade(2, grade="不良"), grade(3, 2, grade="不良", effective_on="2022-01-10"))

    told = await now.column("select body from grade_change order by id")
    assert [one["direction"] for one in told] == ["first", "external", "first"]
    begun = [[measure["id"] for measure in one["measures_begin"]] for one in told]
    assert begun[1] == begun[2] != []  # by what is in force when it is told


async def test_our_own_letter_that_is_given_elsewhere_is_unchanged(receiving_world: World) -> None:
    await receiving_world.take(event(1, type="dishonesty.permit_fraud"))

    await receiving_world.take(received(2, grade="D"))

    told = await receiving_world.column("select body -> 'direction' from grade_change order by id")
    assert told == ["first", "unchanged"]


@pytest.mark.parametrize("first", [True, False], ids=["suspicion first", "grade first"])
async def test_who_is_suspected_has_no_received_grade_until_it_ends(
    receiving_world: World, first: bool
) -> None:
    suspected, graded = event(1, type="criminal_suspicion"), received(2, grade="B")
    for row in (suspected, graded) if first else (graded, suspected):
        await receiving_world.take(row)
    assert (await receiving_world.column(GRADES) or [None])[-1] is None

    await receiving_world.take(event(3, type="criminal_suspicion", suspected=False))

    assert (await receiving_world.column(GRADES))[-1] == "B"


async def test_a_received_grade_that_cannot_be_read_stops_no_other(
    receiving_world: World,
) -> None:
    world = receiving_world
    await world.take(received(1, grade="D"), received(2, 2, grade="D"))
    async with world.database.transaction() as connection:
        await connection.execute(
            text("update record_version set body = '{\"grade\": 1}' where body ->> 'id' = 'G-1'")
        )

    await world.schedule.tick()
    await world.take(received(3, 1, grade="B"), received(4, 2, grade="B"))

    assert (await world.column(GRADES))[-2:] == ["B", "B"]


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
async def test_a_grade_of_a_number_that_stands_for_another_company_is_refused(
    receiving_world: World, together: bool
) -> None:
    """Proven: both companies kept it; withdrawing it under the one left the other graded."""
    rows = [received(1, 1, grade="D"), received(1, 2, grade="D")]
    batches = [rows] if together else [[row] for row in rows]
    results = [one for batch in batches for one in await receiving_world.take(*batch)]
    [again] = await receiving_world.take({**received(1, 2, grade="D"), "verb": "withdraw"})

    assert [one.verdict for one in results] == [Verdict.OK, Verdict.REFUSED]
    assert [one.field for one in (*results[1].problems, *again.problems)] == ["id", "id"]
    assert credit_code(1) in results[1].problems[0].message

    await receiving_world.take({**received(1, 1, grade="D"), "verb": "withdraw"}, rows[1])

    assert await receiving_world.column(GRADES) == ["D", "A", "D"]


async def test_a_subject_with_licences_only_has_no_assessment(world: World) -> None:
    await world.take(licence())

    assert await world.value("select count(*) from assessment") == 0


async def test_a_grade_change_of_a_person_is_not_sent_to_a_bank(world: World) -> None:
    await world.take(person_penalty())

    assert await world.states("bank") == []


async def test_a_grade_change_by_a_draft_is_marked_as_a_trial(world: World) -> None:
    await world.take(penalty())

    assert await world.value("select body -> 'trial' from grade_change") is True
