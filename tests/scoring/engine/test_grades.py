"""Grades that the score does not give: vetoes that end, promotions, grades computed elsewhere."""

from datetime import date
from decimal import Decimal

from schemas.credit import GradeOrigin
from scoring.consequences.change import compare
from scoring.facts import Fact, Received
from tests.scoring.tiny import AS_OF, DAY, QUOTED, item, rule, scored, tiny

YEAR = {"months": 12}


def received(id_: str, grade: str, on: date = DAY, score: str | None = None) -> Fact:
    points = None if score is None else Decimal(score)
    return Fact(id_, on, received=Received(grade, "某省", points))


def test_a_veto_ends_with_its_validity() -> None:
    rules = tiny(vetoes=[rule("V", "黑", validity=YEAR)])
    fact = Fact("f1", DAY, "V")

    last, after = (
        scored(rules, fact, on=date(2027, 2, 28)),
        scored(rules, fact, on=date(2027, 3, 1)),
    )

    assert (last.grade, last.changes_on) == ("黑", date(2027, 3, 1))
    assert (after.grade, after.veto, after.changes_on) == ("绿", False, None)


def test_a_veto_up_to_the_end_of_the_year_counts_on_its_last_day() -> None:
    rules = tiny(vetoes=[rule("V", "黑", validity={"until": "year_end"})])
    fact = Fact("f1", DAY, "V")

    assert scored(rules, fact, on=date(2026, 12, 31)).grade == "黑"
    assert scored(rules, fact, on=date(2027, 1, 1)).grade == "绿"


def test_a_year_end_after_year_9999_means_no_end() -> None:
    rules = tiny(vetoes=[rule("V", "黑", validity={"until": "year_end"})])

    assert scored(rules, Fact("f1", date(9999, 2, 1), "V"), on=date.max).changes_on is None


def test_a_veto_of_an_item_may_end_before_the_points() -> None:
    rules = tiny(item(), vetoes=[rule("V", "黑", with_items=["A1"], validity=YEAR)])

    after = scored(rules, Fact("f1", DAY, "A1"), on=date(2027, 3, 1))

    assert (after.score, after.grade, after.vetoes) == ("99", "绿", ())


def test_a_veto_of_an_item_may_last_longer_than_the_points() -> None:
    marked = [rule("V", "黑", with_items=["A1"], validity=YEAR)]
    rules = tiny(item(validity={"months": 6}), vetoes=marked)

    after = scored(rules, Fact("f1", DAY, "A1"))

    assert (after.score, after.grade, after.changes_on) == ("100", "黑", date(2027, 3, 1))


def test_a_veto_never_improves_the_grade_of_the_score() -> None:
    rules = tiny(item(points="-50"), vetoes=[rule("V", "蓝")])
    bad = [Fact("f1", DAY, "A1"), Fact("f2", DAY, "V")]

    assert scored(rules, bad[1]).grade == "蓝"
    assert scored(rules, Fact("f0", DAY, "A1"), *bad).grade == "黑"


def test_a_promotion_improves_the_grade_but_not_the_score() -> None:
    rules = tiny(item(points="-50"), promotions=[rule("P", "蓝", validity=YEAR)])
    facts = [Fact("f1", DAY, "A1"), Fact("p", DAY, "P")]

    found, after = scored(rules, *facts), scored(rules, *facts, on=date(2027, 3, 1))

    assert (found.score, found.grade, found.veto) == ("50", "蓝", False)
    assert [(one.item, one.fact) for one in found.promotions] == [("P", "p")]
    assert found.notes == ("promotion",)
    assert (after.grade, after.promotions) == ("黑", ())


def test_a_promotion_never_worsens_the_grade_of_the_score() -> None:
    rules = tiny(promotions=[rule("P", "蓝"), rule("Q", "绿")])

    assert scored(rules, Fact("p", DAY, "P")).grade == "绿"


def test_the_best_promotion_and_the_worst_veto_count() -> None:
    rules = tiny(
        item(points="-50"),
        promotions=[rule("P", "蓝"), rule("Q", "绿")],
        vetoes=[rule("V", "蓝"), rule("W", "黑")],
    )
    lifted = [Fact("f", DAY, "A1"), Fact("p", DAY, "P"), Fact("q", DAY, "Q")]

    assert scored(rules, *lifted).grade == "绿"
    assert scored(rules, *lifted, Fact("v", DAY, "V"), Fact("w", DAY, "W")).grade == "黑"
    assert scored(rules, Fact("q", DAY, "Q"), Fact("v", DAY, "V")).grade == "蓝"


def test_a_bonus_item_may_also_promote() -> None:
    bonus = item("B1", "1", bonus=True, repairable=False)
    rules = tiny(item(points="-50"), bonus, promotions=[rule("P", "绿", with_items=["B1"])])

    found = scored(rules, Fact("f", DAY, "A1"), Fact("b", DAY, "B1"))

    assert (found.score, found.grade) == ("51", "绿")
    assert found.promotions[0].item == "B1"


def test_the_latest_received_grade_wins_and_names_its_issuer() -> None:
    rules = tiny(received_grades=QUOTED)
    facts = [received("r1", "蓝", DAY, "71.50"), received("r2", "绿", date(2026, 1, 1))]

    found = scored(rules, *facts, Fact("f1", DAY, "A1"))

    assert (found.score, found.grade) == ("71.5", "蓝")
    assert found.received == GradeOrigin("r1", "某省", DAY)
    assert [row.item for row in found.deductions] == ["A1"]
    assert found.notes == ("received",)


def test_a_future_received_grade_changes_the_result_on_its_day() -> None:
    rules = tiny(received_grades=QUOTED)

    found = scored(rules, received("r1", "蓝", AS_OF), on=DAY)

    assert (found.grade, found.received, found.changes_on) == ("绿", None, AS_OF)


def test_an_unknown_received_grade_is_not_evaluated() -> None:
    found = scored(tiny(received_grades=QUOTED), received("r1", "紫"))

    assert found.not_evaluated == "unknown_grade:紫"


def test_a_received_grade_is_not_used_without_a_rule_for_it() -> None:
    assert scored(tiny(), received("r1", "蓝")).not_evaluated == "received_grade_not_used:r1"


def test_the_reasons_of_a_change_name_promotions_and_who_computed_the_grade() -> None:
    rules = tiny(promotions=[rule("P", "绿")], received_grades=QUOTED)

    change = compare("绿", scored(rules, Fact("p", DAY, "P"), received("r", "蓝", AS_OF)), rules)

    assert change is not None
    assert change.reasons == ("采用某省评定的等级", "P P 直接升级（第一条）")
