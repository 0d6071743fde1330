from collections.abc import Callable
from datetime import date
from typing import Any

from msgspec.structs import replace

from schemas.codes import SubjectKind
from schemas.credit import Assessment, GradeChange
from scoring.consequences.change import compare
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts
from scoring.regulation.ruleset import RuleSet

DAY = date(2026, 3, 1)
AS_OF = date(2026, 11, 1)
Variant = Callable[[Callable[[dict[str, Any]], object]], RuleSet]


def assessed(draft: RuleSet, *items: str, suspect: bool = False) -> Assessment:
    facts = tuple(Fact(f"f{place}", DAY, item) for place, item in enumerate(items))
    subject = Facts("c1", SubjectKind.ENTERPRISE, facts, None, suspect)
    return assess(subject, draft, AS_OF)


def test_the_first_grade_is_a_change_from_no_grade(draft: RuleSet) -> None:
    change = compare(None, assessed(draft), draft)

    assert change == GradeChange(None, "A", "first", ("无扣分项，得100分",))


def test_the_same_grade_is_no_change(draft: RuleSet) -> None:
    assert compare("A", assessed(draft, "E04"), draft) is None


def test_a_worse_grade_is_down_with_items_titles_points_and_articles(draft: RuleSet) -> None:
    change = compare("A", assessed(draft, "E04", "E15", "E38"), draft)

    assert change == GradeChange(
        "A",
        "B",
        "down",
        (
            "E04 没收违法所得、没收非法财物 −3分（附件1）",
            "E15 未批先建 −10分（附件1）",
            "E38 表彰 +3分（附件1）",
        ),
    )


def test_a_better_grade_is_up(draft: RuleSet) -> None:
    change = compare("D", assessed(draft, "E05", "E01"), draft)

    assert change is not None
    assert (change.from_grade, change.to_grade, change.direction) == ("D", "B", "up")


def test_vetoes_are_named_first(draft: RuleSet) -> None:
    change = compare("B", assessed(draft, "E36", "V14-1"), draft)

    assert change is not None
    assert change.reasons == (
        "E36 骗取许可被依法撤销 直接评定（第十四条（一））",
        "V14-1 骗取许可 直接评定（第十四条（一））",
        "E36 骗取许可被依法撤销 −10分（附件1）",
    )


def test_without_the_rule_set_items_are_called_by_the_quoted_text(draft: RuleSet) -> None:
    change = compare("C", assessed(draft, "E04", "V14-1"))

    assert change == GradeChange(
        "C",
        "D",
        "down",
        ("V14-1 直接评定（第十四条（一））", "E04 没收违法所得、没收非法财物 −3分（附件1）"),
    )


def test_a_suspect_of_crime_loses_the_grade(draft: RuleSet) -> None:
    change = compare("B", assessed(draft, suspect=True), draft)

    assert change == GradeChange("B", None, "suspended", ("涉嫌犯罪，不参评",))


def test_a_suspect_without_a_grade_has_no_change(draft: RuleSet) -> None:
    assert compare(None, assessed(draft, suspect=True), draft) is None


def test_a_subject_that_is_not_evaluated_keeps_its_grade(draft: RuleSet) -> None:
    assert compare("A", assessed(draft, "E99"), draft) is None
    assert compare(None, assessed(draft, "E99"), draft) is None


def test_an_assessment_without_grade_changes_nothing(draft: RuleSet) -> None:
    assert compare("A", replace(assessed(draft), grade=None), draft) is None


def test_colours_are_ranked_by_the_order_of_the_bands(variant: Variant) -> None:
    def paint(data: dict[str, Any]) -> None:
        table = data["tables"]["enterprise"]
        for band, colour in zip(table["bands"], ["绿", "蓝", "黄", "黑"], strict=True):
            band["grade"] = colour
        for veto in (*table["vetoes"], table["listing"]):
            veto["grade"] = "黑"

    painted = variant(paint)

    change = compare("绿", assessed(painted, "E05", "E04"), painted)

    assert change is not None
    assert (change.to_grade, change.direction) == ("蓝", "down")


def test_a_grade_of_another_rule_set_is_ranked_by_the_alphabet(draft: RuleSet) -> None:
    change = compare("E", assessed(draft), draft)

    assert change is not None
    assert change.direction == "up"
