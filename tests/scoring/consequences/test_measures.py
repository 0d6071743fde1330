"""What a grade leads to in a place, as data."""

from datetime import date
from typing import Any

import pytest

from gateway.config.errors import BadConfiguration
from gateway.config.settings import ScoringSettings
from gateway.rules.policybook import Policybook
from gateway.rules.rulebook import Rulebook
from schemas.codes import SubjectKind
from scoring.cases.policy_cases import MeasureCase, run_measure_case, uncovered_measures
from scoring.consequences.measures import (
    MeasurePolicy,
    Standing,
    StandingChange,
    in_force,
    shift,
)
from scoring.errors import RuleSetError

DAY = date(2026, 11, 1)
BOOK = Policybook(ScoringSettings())
CASES = [(policy, case) for policy, cases in BOOK.measures.values() for case in cases]


def policy(*measures: dict[str, Any], **more: Any) -> MeasurePolicy:
    return MeasurePolicy.load(
        {
            "name": "place-2026",
            "title": "某地措施",
            "jurisdiction": "某地",
            "document_number": None,
            "rule_sets": ["some-rules"],
            "effective_from": date(2026, 1, 1),
            "effective_to": None,
            "measures": measures,
            **more,
        }
    )


def live(before: str, after: str) -> StandingChange:
    return StandingChange(Standing(before), Standing(after), "down")


def measure(**more: Any) -> dict[str, Any]:
    return {
        "id": "m1",
        "title": "措施一",
        "grades": ["D"],
        "kinds": ["enterprise"],
        "article": "第一条",
        "text": "……",
        **more,
    }


@pytest.mark.parametrize(("one", "case"), CASES, ids=lambda value: getattr(value, "name", "?"))
def test_every_shipped_case_passes(one: MeasurePolicy, case: MeasureCase) -> None:
    assert run_measure_case(one, case) == []


def test_a_failing_case_shows_the_expected_measures() -> None:
    case = MeasureCase(name="wrong", on=DAY, grade="A", expect=("m1",))

    [line] = run_measure_case(policy(measure()), case)

    assert line == "wrong：expect 应为 ('m1',)，实为 ()"


def test_a_change_keeps_measures_that_both_grades_bring() -> None:
    one = policy(
        measure(id="both", grades=["C", "D"]),
        measure(id="old", grades=["C"]),
        measure(id="new"),
        measure(id="tell", grades=[], occasion="downgrade", tell=["人民银行"]),
    )

    moved = shift([one], live("C", "D"), SubjectKind.ENTERPRISE, DAY)

    assert [a.measure.id for a in moved.begin] == ["new"]
    assert [a.measure.id for a in moved.end] == ["old"]
    assert [a.measure.id for a in moved.notices] == ["tell"]


def test_a_measure_applies_on_its_days_to_its_kinds_only() -> None:
    one = policy(
        measure(effective_from=date(2026, 2, 1), effective_to=date(2026, 3, 31)),
    )

    def held(day: date, kind: SubjectKind = SubjectKind.ENTERPRISE) -> int:
        return len(in_force([one], Standing("D"), kind, day))

    assert [held(date(2026, 1, 31)), held(date(2026, 2, 1))] == [0, 1]
    assert [held(date(2026, 3, 31)), held(date(2026, 4, 1))] == [1, 0]
    assert held(date(2026, 3, 1), SubjectKind.AGENCY) == 0


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ([measure(), measure()], "措施 m1：出现 2 次"),
        ([measure(grades=[])], "occasion 为 grade 时要写 grades"),
        ([measure(occasion="penalty")], "occasion 为 grade 时要写 grades"),
        ([measure(effective_to=date(2025, 1, 1))], "日期颠倒，或早于"),
        ([measure(effective_from=date(2025, 1, 1))], "日期颠倒，或早于"),
        ([measure(article="")], "place-2026：measures m1 article"),
        ([measure(colour="red")], "place-2026：measures m1 colour"),
    ],
)
def test_a_broken_policy_is_refused_by_name(broken: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(RuleSetError, match=message):
        policy(*broken)


def test_a_measure_or_an_edge_day_without_a_case_is_named() -> None:
    one = policy(measure())
    cases = [MeasureCase(name="c", on=date(2026, 1, 1), grade="D", expect=())]

    assert uncovered_measures(one, cases) == ["m1", "day 2025-12-31"]


def test_a_policy_cannot_be_bound_to_a_rule_set_with_other_grades() -> None:
    with pytest.raises(BadConfiguration, match="不对应 nm-2023-draft"):
        BOOK.measures_of("nm-2023-draft", ["zhengzhou-2022"])
    with pytest.raises(BadConfiguration, match="没有监管措施 nowhere"):
        BOOK.measures_of("nm-2023-draft", ["nowhere"])


@pytest.mark.parametrize("one", [p for p, _ in BOOK.measures.values()], ids=lambda p: p.name)
def test_a_shipped_policy_uses_only_grades_of_its_rule_sets(one: MeasurePolicy) -> None:
    rulebook = Rulebook(ScoringSettings())
    for name in one.rule_sets:
        tables = rulebook.load(name).rule_set.tables.values()
        given = {band.grade for table in tables for band in table.bands}
        given |= {table.listing.title for table in tables if table.listing}

        assert {grade for measure in one.measures for grade in measure.grades} <= given


def test_a_measure_by_the_published_grade_does_not_follow_the_live_one() -> None:
    one = policy(measure(by="snapshot"))
    enterprise = SubjectKind.ENTERPRISE

    assert in_force([one], Standing(grade="D"), enterprise, DAY) == ()
    assert len(in_force([one], Standing(grade="A", published="D"), enterprise, DAY)) == 1
    assert shift([one], live("A", "D"), enterprise, DAY).begin == ()
