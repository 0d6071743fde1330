from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes import EventType, SubjectKind
from schemas.credit import Deduction, RuleSetRef
from scoring.engine import repair, tariff
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Penalty
from scoring.regulation.ruleset import RuleSet

DAY = date(2026, 3, 1)
AS_OF = date(2026, 11, 1)
LIMIT = {"article": "1", "text": "限"}
DELAY = {"days": 15, "counted_from": "decided_on", "article": "1", "text": "十五日"}
Variant = Callable[[Callable[[dict[str, Any]], object]], RuleSet]


def subject(*facts: Fact, kind: SubjectKind = SubjectKind.ENTERPRISE) -> Facts:
    return Facts("c1", kind, facts)


def table(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["tables"]["enterprise"]
    return found


def item(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in table(data)["items"] if row["id"] == name)


def test_a_deduction_names_item_points_fact_article_text_and_values(draft: RuleSet) -> None:
    penalty = Penalty(("罚款", "没收违法所得", "没收非法财物"), Decimal("12.50"))
    fact = Fact("f1", DAY, penalty=penalty, document_number="蒙环罚〔2026〕1号")

    fine, seized = assess(subject(fact), draft, AS_OF).deductions

    number = {"decided_on": "2026-03-01", "document_number": "蒙环罚〔2026〕1号"}
    assert fine == Deduction(
        "E02",
        "-1",
        "f1",
        "附件1",
        "10万<罚款金额≤50万",
        number | {"penalty": "罚款", "fine_wan": "12.5"},
    )
    assert seized == Deduction(
        "E04",
        "-3",
        "f1",
        "附件1",
        "没收违法所得、没收非法财物",
        number | {"penalty": "没收违法所得、没收非法财物"},
    )


def test_a_deduction_shows_the_dates_that_were_looked_at(draft: RuleSet) -> None:
    fact = Fact(
        "f1",
        DAY,
        type=EventType.PERMIT_BOOKS,
        rectified_on=date(2026, 5, 2),
        repair_applied_on=date(2026, 5, 1),
        repair_confirmed_on=date(2026, 5, 3),
        warning_until=date(2026, 4, 1),
    )

    (row,) = assess(subject(fact), draft, AS_OF).deductions

    assert row.values == {
        "decided_on": "2026-03-01",
        "type": "permit.books",
        "rectified_on": "2026-05-02",
        "repair_applied_on": "2026-05-01",
        "repair_confirmed_on": "2026-05-03",
        "warning_until": "2026-04-01",
    }


def test_a_passed_through_deduction_shows_the_clients_points(draft: RuleSet) -> None:
    fact = Fact("f1", DAY, "A08", principal_points=Decimal("1.50"))

    assessment = assess(subject(fact, kind=SubjectKind.AGENCY), draft, AS_OF)

    (row,) = assessment.deductions
    assert (row.points, row.values["principal_points"]) == ("-1.5", "1.5")
    assert assessment.score == "98.5"


def test_an_item_takes_precedence_over_the_event_type(draft: RuleSet) -> None:
    fact = Fact("f1", DAY, "E31", type=EventType.INCIDENT_MAJOR)

    assert [row.item for row in assess(subject(fact), draft, AS_OF).deductions] == ["E31"]


def test_an_item_given_directly_needs_no_amount(draft: RuleSet) -> None:
    fact = Fact("f1", DAY, "E02", penalty=Penalty(("责令改正",)))

    (row,) = assess(subject(fact), draft, AS_OF).deductions

    assert row.values == {"decided_on": "2026-03-01"}


def test_an_item_and_a_penalty_that_hit_the_same_row_count_once(draft: RuleSet) -> None:
    fact = Fact("f1", DAY, "E04", penalty=Penalty(("没收违法所得",)))

    assert assess(subject(fact), draft, AS_OF).score == "97"


def test_the_assessment_names_subject_day_and_rule_set(draft: RuleSet) -> None:
    assessment = assess(subject(), draft, AS_OF)

    assert (assessment.id, assessment.as_of) == ("c1", AS_OF)
    assert assessment.rule_set == RuleSetRef("nm-2023-draft", draft.version, "draft")


def test_the_first_fact_that_cannot_be_evaluated_gives_the_reason(draft: RuleSet) -> None:
    later = Fact("a", date(2026, 4, 1), "E98")
    earlier = Fact("b", DAY, penalty=Penalty(("罚款",)))

    assert assess(subject(later, earlier), draft, AS_OF).not_evaluated == "missing_amount:b"


def test_a_date_at_the_end_of_the_calendar_raises_no_error(draft: RuleSet) -> None:
    facts = subject(
        Fact("f1", date.max, "E38"),
        Fact("f2", DAY, "E05", rectified_on=date.max, repair_confirmed_on=date.max),
        Fact("f3", DAY, "E31", warning_until=date.max),
    )

    assessment = assess(facts, draft, AS_OF)

    assert (assessment.score, assessment.changes_on) == ("95", date.max)


def test_free_words_do_not_grow_the_cache_without_limit(
    draft: RuleSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tariff, "MEMORY", 0)
    monkeypatch.setattr(repair, "MEMORY", 0)
    fact = Fact("f1", DAY, penalty=Penalty(("其他-闻所未闻",)))
    repaired = Fact("f2", DAY, "A08", rectified_on=DAY, principal_points=Decimal("7.777"))

    first = assess(subject(fact, repaired, kind=SubjectKind.AGENCY), draft, AS_OF)

    assert [row.type for row in first.unmapped] == ["其他-闻所未闻"]
    assert first.score == "92.223"


def test_a_table_can_accumulate_points(variant: Variant) -> None:
    def pile_up(data: dict[str, Any]) -> None:
        rows = table(data)
        rows.update(direction="accumulate", start="0", vetoes=[], listing=None)
        for row in rows["items"]:
            row["points"] = row["points"].removeprefix("-")
            if row.get("bonus"):
                row["points"] = "-" + row["points"]
        rows["items"].append(
            {**item(data, "E31"), "id": "X01", "match": {}, "points": None}
            | {"points_from": "principal"}
        )
        rows["bands"] = [
            {"grade": "绿", "title": "绿", "colour": "green", "below": "3", "article": "1"},
            {"grade": "黑", "title": "黑", "at_least": "3", "article": "1"},
        ]

    piled = variant(pile_up)

    light = assess(subject(Fact("f1", DAY, "E26")), piled, AS_OF)
    heavy = assess(
        subject(Fact("f1", DAY, "E26"), Fact("f2", DAY, "X01", principal_points=Decimal(1))),
        piled,
        AS_OF,
    )

    assert (light.score, light.grade) == ("2", "绿")
    assert (heavy.score, heavy.grade) == ("3", "黑")


def test_amount_ranges_may_have_open_or_closed_ends(variant: Variant) -> None:
    def open_end(data: dict[str, Any]) -> None:
        item(data, "E01")["match"]["amount"] = {"below": "10"}
        item(data, "E02")["match"]["amount"] = {"at_least": "10", "at_most": "50"}

    opened = variant(open_end)
    fines = ["9.99", "10", "10.01", "50", "50.01"]
    facts = [Fact("f1", DAY, penalty=Penalty(("罚款",), Decimal(fine))) for fine in fines]

    scores = [assess(subject(fact), opened, AS_OF).score for fact in facts]

    assert scores == ["99.5", "99", "99", "99", "98.5"]


def test_a_table_can_limit_the_score(variant: Variant) -> None:
    limits = {"lowest": "0", "highest": "100", "article": "1", "text": "限"}
    capped = variant(lambda data: table(data)["caps"].update(limits))

    high = assess(subject(Fact("f1", DAY, "E38")), capped, AS_OF)
    low = assess(subject(*(Fact(f"f{n:02d}", DAY, "E15") for n in range(11))), capped, AS_OF)

    assert (high.score, low.score) == ("100", "0")


def test_a_table_can_limit_the_score_on_one_side_only(variant: Variant) -> None:
    floored = variant(lambda data: table(data)["caps"].update(LIMIT, lowest="0"))
    ceiled = variant(lambda data: table(data)["caps"].update(LIMIT, highest="100"))
    bonus = subject(Fact("f1", DAY, "E38"))

    assert assess(bonus, floored, AS_OF).score == "103"
    assert assess(bonus, ceiled, AS_OF).score == "100"


def test_a_table_without_a_scale_has_no_note_for_leaving_it(variant: Variant) -> None:
    unscaled = variant(lambda data: table(data).pop("caps"))

    assessment = assess(subject(Fact("f1", DAY, "E38")), unscaled, AS_OF)

    assert "c15-no-bounds" not in assessment.notes


def test_a_table_can_delay_the_effect_of_records(variant: Variant) -> None:
    delayed = variant(lambda data: table(data).update(activation=DELAY))
    facts = subject(Fact("f1", DAY, "E31"), Fact("f2", date.max, "E31"))

    before = assess(facts, delayed, date(2026, 3, 15))
    after = assess(facts, delayed, date(2026, 3, 16))

    assert (before.score, before.changes_on) == ("100", date(2026, 3, 16))
    assert after.score == "99"


def test_an_item_can_have_a_validity(variant: Variant) -> None:
    half_year = variant(lambda data: item(data, "E31").update(validity={"months": 6}))
    facts = subject(Fact("f1", DAY, "E31"))

    last = assess(facts, half_year, date(2026, 8, 31))
    after = assess(facts, half_year, date(2026, 9, 1))

    assert (last.score, last.changes_on) == ("99", date(2026, 9, 1))
    assert after.score == "100"


def test_a_validity_and_a_repair_end_a_record_on_the_earlier_day(variant: Variant) -> None:
    half_year = variant(lambda data: item(data, "E31").update(validity={"months": 6}))
    repaired = date(2026, 5, 1)
    fact = Fact("f1", DAY, "E31", rectified_on=DAY, repair_confirmed_on=repaired)

    assessment = assess(subject(fact), half_year, DAY)

    assert assessment.changes_on == repaired


def test_a_changed_value_holds_for_decisions_from_its_day_on(variant: Variant) -> None:
    dated = [{"decided_from": date(2026, 3, 2), "points": "-4"}]
    changed = variant(lambda data: item(data, "E31").update(dated=dated))

    before = assess(subject(Fact("f1", DAY, "E31")), changed, AS_OF)
    after = assess(subject(Fact("f1", date(2026, 3, 2), "E31")), changed, AS_OF)

    assert (before.score, after.score) == ("99", "96")


def test_an_item_can_count_once_per_word(variant: Variant) -> None:
    each = variant(lambda data: item(data, "E04").update(stacking="each_word"))
    fact = Fact("f1", DAY, penalty=Penalty(("没收违法所得", "没收非法财物")))

    assessment = assess(subject(fact), each, AS_OF)

    assert [row.points for row in assessment.deductions] == ["-3", "-3"]


def test_without_a_repair_rule_a_repaired_record_still_counts(variant: Variant) -> None:
    unrepaired = variant(lambda data: table(data).pop("repair"))
    fact = Fact("f1", DAY, "E31", rectified_on=DAY, repair_confirmed_on=DAY)
    veto = Fact("f2", DAY, "V14-1", rectified_on=DAY, repair_confirmed_on=DAY)

    assessment = assess(subject(fact, veto), unrepaired, AS_OF)

    assert (assessment.score, assessment.grade) == ("99", "D")


def test_without_a_warning_rule_a_warned_record_counts_at_once(variant: Variant) -> None:
    unwarned = variant(lambda data: table(data).pop("warning"))
    fact = Fact("f1", DAY, "E31", warning_until=date(2027, 1, 1))

    assert assess(subject(fact), unwarned, AS_OF).score == "99"


def test_the_worst_grade_of_several_vetoes_counts(variant: Variant) -> None:
    milder = variant(lambda data: table(data)["vetoes"][0].update(grade="C"))

    both = assess(subject(Fact("f1", DAY, "E37"), Fact("f2", DAY, "V14-1")), milder, AS_OF)
    one = assess(subject(Fact("f2", DAY, "V14-1")), milder, AS_OF)

    assert (both.grade, one.grade) == ("D", "C")
