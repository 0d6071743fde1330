"""What becomes of an assessment by itself, and with a repair."""

from datetime import date
from decimal import Decimal
from typing import Any

from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from schemas.codes import SubjectKind
from scoring.consequences.outlook import endings, outlook, repairs
from scoring.facts import Fact, Facts, Penalty, RegisterEntry

RULES = Rulebook(ScoringSettings()).load("nm-2023-draft").rule_set
TODAY = date(2026, 11, 1)
DECIDED = date(2026, 3, 1)


def company(*facts: Fact) -> Facts:
    return Facts("c1", SubjectKind.ENTERPRISE, facts)


def test_a_bonus_ends_after_a_year_but_a_penalty_has_no_end() -> None:
    facts = company(
        Fact("bonus", date(2026, 3, 1), item="E38"), Fact("fine", date(2026, 4, 1), item="E03")
    )

    results = outlook(facts, RULES, TODAY)

    ends = {one.fact: one.ends_on for one in endings(results)}
    assert ends == {"fine": None, "bonus": date(2027, 3, 1)}
    assert [(one.as_of, one.score) for one in results] == [
        (TODAY, "101.5"),
        (date(2027, 3, 1), "98.5"),
    ]


def test_a_repair_is_possible_from_the_end_of_its_wait() -> None:
    facts = company(Fact("stop", date(2026, 4, 1), item="E09", rectified_on=date(2026, 10, 15)))

    [one] = repairs(facts, RULES, TODAY)

    assert (one.rectified_on, one.assumed) == (date(2026, 10, 15), False)
    assert one.confirmed_on == date(2026, 12, 15)
    assert (one.without.grade, one.without.score) == ("A", "95")
    assert (one.result.grade, one.result.score) == ("A", "100")


def test_without_a_rectification_date_today_is_assumed() -> None:
    facts = company(Fact("fine", date(2026, 4, 1), item="E01"))

    [one] = repairs(facts, RULES, TODAY)

    assert (one.rectified_on, one.assumed, one.confirmed_on) == (TODAY, True, TODAY)


def test_a_decision_with_several_rows_is_repaired_when_the_longest_wait_is_over() -> None:
    penalty = Penalty(("罚款", "吊销许可证"), Decimal(60))
    facts = company(Fact("two", date(2026, 4, 1), penalty=penalty, rectified_on=TODAY))

    [one] = repairs(facts, RULES, TODAY)

    assert one.confirmed_on == date(2027, 1, 1)
    assert one.result.deductions == ()


def test_a_veto_is_lifted_by_a_repair() -> None:
    facts = company(Fact("fraud", date(2026, 4, 1), item="E36", rectified_on=date(2026, 5, 1)))

    [one] = repairs(facts, RULES, TODAY)

    assert (one.without.grade, one.result.grade) == ("D", "A")
    assert one.confirmed_on == TODAY


def test_without_a_repairable_record_there_are_no_repairs() -> None:
    bonus = company(Fact("bonus", date(2026, 3, 1), item="E38"))
    person = Facts("p1", SubjectKind.SITE, ())

    assert repairs(bonus, RULES, TODAY) == []
    assert repairs(person, RULES, TODAY) == []


def part(id_: str, *words: str, branch: str | None = None, **more: Any) -> Fact:
    fine = Decimal(8) if "罚款" in words else None
    named: dict[str, Any] = {"document_number": "环罚〔2026〕1号", "department": "某局"}
    return Fact(id_, DECIDED, penalty=Penalty(words, fine), branch=branch, **named, **more)


def named_with_its_branch(*facts: Fact) -> Facts:
    entry = RegisterEntry(SubjectKind.ENTERPRISE, parent="c1")
    return company(Fact("r1", date(2026, 1, 1), entry=entry, branch="b1"), *facts)


STOP = "责令停产整治"


def test_what_a_part_ends_is_told_of_the_decision_and_what_goes_on_is_not() -> None:
    warned = part("f1", "罚款", warning_until=date(2026, 12, 31))
    repaired = part("f1", "罚款", rectified_on=DECIDED, repair_confirmed_on=date(2026, 12, 1))
    stopped = part("f2", STOP, branch="b1")

    of_warned = outlook(named_with_its_branch(warned, stopped), RULES, TODAY)
    of_repaired = outlook(named_with_its_branch(repaired, stopped), RULES, TODAY)

    assert [(one.item, one.ends_on) for one in endings(of_warned)] == [("E09", None)]
    assert [(one.item, one.ends_on) for one in endings(of_repaired)] == [
        ("E01", date(2026, 12, 1)),
        ("E09", None),
    ]


def test_each_part_of_a_decision_can_be_repaired() -> None:
    facts = named_with_its_branch(
        part("f1", "罚款"), part("f2", STOP, branch="b1", rectified_on=DECIDED)
    )

    found = {one.fact: one.result.score for one in repairs(facts, RULES, TODAY)}

    assert found == {"f1": "95", "f2": "99.5"}


def test_a_person_can_be_repaired_a_year_after_the_grade_or_the_last_record_since() -> None:
    days = [date(2025, 3, 1), date(2025, 12, 1), date(2026, 2, 1)]
    facts = [
        Fact(f"f{n}", day, item="P01", department=f"{n}局", rectified_on=day)
        for n, day in enumerate(days)
    ]

    until_then = repairs(Facts("p1", SubjectKind.INDIVIDUAL, tuple(facts[:2])), RULES, TODAY)
    anew = repairs(Facts("p1", SubjectKind.INDIVIDUAL, tuple(facts)), RULES, TODAY)

    assert {one.confirmed_on for one in until_then} == {date(2026, 12, 1)}
    assert {one.confirmed_on for one in anew} == {date(2027, 2, 1)}
