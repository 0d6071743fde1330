"""Exceptions: when they apply, what they change, and two that contradict each other."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes import EventType
from scoring.errors import RuleSetError
from scoring.facts import Fact, Penalty
from tests.scoring.tiny import AS_OF, DAY, item, rows, rule, scored, tiny, unless

FINE = Fact("f1", DAY, "A1", penalty=Penalty(("罚款",), Decimal(5)), codes=("7",))
EVENT = Fact("f1", DAY, type=EventType.PERMIT_BOOKS)
CASES: dict[str, tuple[dict[str, Any], Fact, bool]] = {
    "a word of the decision": ({"penalties": ["罚款"]}, FINE, True),
    "another word": ({"penalties": ["警告"]}, FINE, False),
    "no penalty at all": ({"penalties": ["警告"]}, Fact("f1", DAY, "A1"), False),
    "the amount": ({"amount": {"at_most": "5"}}, FINE, True),
    "another amount": ({"amount": {"above": "5"}}, FINE, False),
    "no amount": ({"amount": {"above": "5"}}, Fact("f1", DAY, "A1"), False),
    "a code": ({"codes": ["7"]}, FINE, True),
    "another code": ({"codes": ["8"]}, FINE, False),
    "an event": ({"events": ["permit.books"]}, EVENT, True),
    "another event": ({"events": ["permit.control"]}, EVENT, False),
    "the day": ({"decided": {"to": DAY}}, FINE, True),
    "a later day": ({"decided": {"from": AS_OF}}, FINE, False),
    "all of several": ({"codes": ["7"], "penalties": ["罚款"]}, FINE, True),
    "one of several": ({"codes": ["7"], "penalties": ["警告"]}, FINE, False),
}


@pytest.mark.parametrize("what", CASES)
def test_an_exception_applies_if_all_its_conditions_hold(what: str) -> None:
    when, fact, applies = CASES[what]
    rules = tiny(item(match={"events": ["permit.books"]}, unless=[unless("x", "-5", **when)]))

    (row,) = scored(rules, fact).deductions

    assert row.points == ("-5" if applies else "-1")
    assert row.values.get("unless") == ("x" if applies else None)


@pytest.mark.parametrize("points", [None, "0"])
def test_a_record_with_an_exception_without_points_does_not_count(points: str | None) -> None:
    rules = tiny(item(unless=[unless("x", points, codes=["7"])]))

    found = scored(rules, FINE)

    assert (found.score, found.deductions) == ("100", ())
    assert "exception" in found.notes


def test_an_exception_for_timely_rectification_applies_from_the_rectification_day() -> None:
    rules = tiny(item(unless=[unless("x", rectified_within_days=10)]))
    intime = Fact("f1", DAY, "A1", rectified_on=date(2026, 3, 11))
    late = Fact("f1", DAY, "A1", rectified_on=date(2026, 3, 12))

    before = scored(rules, intime, on=date(2026, 3, 10))

    assert (before.score, before.changes_on) == ("99", date(2026, 3, 11))
    assert scored(rules, intime).score == "100"
    assert (scored(rules, late).score, scored(rules, FINE).score) == ("99", "99")


def test_a_clean_period_ends_with_another_record_and_can_start_again() -> None:
    rules = tiny(item(), item("B1", "1", bonus=True, repairable=False,
                              unless=[unless("clean", "3", clean_months=12)]))  # fmt: skip
    bonus, misdeed = Fact("b", DAY, "B1"), Fact("f", date(2026, 5, 31), "A1")

    first = scored(rules, bonus, misdeed, on=DAY)
    then = scored(rules, bonus, misdeed, on=date(2026, 5, 31))
    again = scored(rules, bonus, misdeed, on=date(2027, 5, 31))

    assert (rows(first), first.changes_on) == (["b B1 3"], date(2026, 5, 31))
    assert (rows(then), then.changes_on) == (["b B1 1", "f A1 -1"], date(2027, 5, 31))
    assert rows(again) == ["b B1 3", "f A1 -1"]


def test_a_record_does_not_break_its_own_clean_period() -> None:
    rules = tiny(item(unless=[unless("again", "-5", counted_within_months=12)]))

    one = scored(rules, Fact("f1", DAY, "A1"))
    two = scored(rules, Fact("f1", DAY, "A1"), Fact("f2", DAY, "A1"))

    assert (rows(one), rows(two)) == (["f1 A1 -1"], ["f1 A1 -5", "f2 A1 -5"])


def test_conflicting_exceptions_are_named_and_the_subject_is_not_evaluated() -> None:
    rules = tiny(item(unless=[unless("x", "-5", codes=["7"]), unless("y", penalties=["罚款"])]))

    found = scored(rules, FINE)

    assert (found.not_evaluated, found.score) == ("conflicting_exceptions:A1 x y", None)


def test_two_exceptions_with_the_same_result_may_apply_together() -> None:
    rules = tiny(item(unless=[unless("x", codes=["7"]), unless("y", "0", penalties=["罚款"])]))

    assert scored(rules, FINE).score == "100"


def test_a_veto_or_promotion_with_an_exception_sets_no_grade() -> None:
    rules = tiny(
        item(),
        vetoes=[rule("V", "黑", unless=[unless("x", codes=["7"])])],
        promotions=[rule("P", "绿", unless=[unless("y", codes=["7"])])],
    )

    found = scored(rules, Fact("v", DAY, "V", codes=("7",)), Fact("p", DAY, "P", codes=("7",)))

    assert (found.grade, found.vetoes, found.promotions) == ("绿", (), ())


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "one condition with two results": (
        {"unless": [unless("x", "-5", codes=["7"]), unless("y", codes=["7"])]},
        "评价项 A1：例外 x 与 y 条件相同、结果不同",
    ),
    "one name for two": (
        {"unless": [unless("x", codes=["7"]), unless("x", codes=["8"])]},
        "评价项 A1 例外 x：出现 2 次",
    ),
    "a wrong sign": ({"unless": [unless("x", "5", codes=["7"])]}, "points 5 正负号不对"),
    "an empty amount": (
        {"unless": [unless("x", amount={"above": "5", "below": "5"})]},
        "评价项 A1：例外 x：amount：下限不低于上限",
    ),
    "nothing said": ({"unless": [unless("x")]}, "条件是空的"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_invalid_or_ambiguous_exception_is_refused(what: str) -> None:
    more, message = REFUSED[what]

    with pytest.raises(RuleSetError) as refusal:
        tiny(item(**more))

    assert message in str(refusal.value)


def test_an_exception_of_a_grade_rule_with_points_is_refused() -> None:
    with pytest.raises(RuleSetError, match="评价项 V：直接评定的例外不能有 points"):
        tiny(vetoes=[rule("V", "黑", unless=[unless("x", "-1", codes=["7"])])])
