"""How records stack: points that the fact brings, limits, the latest, departments, activation."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from scoring.errors import RuleSetError
from scoring.facts import Fact
from tests.scoring.tiny import AS_OF, DAY, QUOTED, item, rows, rule, scored, tiny

LATER = date(2026, 4, 1)
STATED = item(points=None, points_from="stated")
DELAY = {"days": 15, "counted_from": "created_on", **QUOTED}


def indicator(id_: str, weight: str) -> dict[str, Any]:
    return item(id_, None, points_from="indicator", weight=weight, stacking="latest")


def stated(points: str | None, item_: str = "A1", on: date = DAY, id_: str = "f1") -> Fact:
    return Fact(id_, on, item_, stated_points=None if points is None else Decimal(points))


def of(department: str | None, id_: str, on: date = DAY, **more: Any) -> Fact:
    return Fact(id_, on, "A1", department=department, **more)


def test_an_item_can_take_the_points_that_the_decision_states() -> None:
    found = scored(tiny(STATED), stated("2.50"))

    assert rows(found) == ["f1 A1 -2.5"]
    assert found.deductions[0].values["stated_points"] == "2.5"


def test_a_bonus_can_add_the_points_that_the_decision_states() -> None:
    rules = tiny({**STATED, "bonus": True, "repairable": False})

    assert rows(scored(rules, stated("2"))) == ["f1 A1 2"]


def test_a_subject_is_not_evaluated_if_stated_points_are_missing() -> None:
    assert scored(tiny(STATED), stated(None)).not_evaluated == "missing_stated_points:f1"


def test_an_indicator_counts_by_its_weight_exactly() -> None:
    rules = tiny(indicator("I1", "33.3"), indicator("I2", "66.7"))

    found = scored(rules, stated("70.1", "I1"))

    assert (rows(found), found.score) == (["f1 I1 -9.9567"], "90.0433")
    assert "not_assessed" in found.notes


def test_a_subject_is_not_evaluated_if_an_indicator_exceeds_100() -> None:
    rules = tiny(indicator("I1", "100"))

    assert scored(rules, stated("100.5", "I1")).not_evaluated == "beyond_indicator_scale:f1"


def test_only_the_latest_record_of_a_row_counts() -> None:
    rules = tiny(indicator("I1", "50"), indicator("I2", "50"))
    facts = [stated("0", "I1"), stated("90", "I1", LATER, "f2"), stated("80", "I2", id_="f3")]

    before, after = scored(rules, *facts, on=DAY), scored(rules, *facts)

    assert (rows(before), before.changes_on) == (["f1 I1 -50", "f3 I2 -10"], LATER)
    assert rows(after) == ["f3 I2 -10", "f2 I1 -5"]
    assert "not_assessed" not in after.notes


def test_only_the_first_record_of_a_department_counts() -> None:
    rules = tiny(once_per="department")

    found = scored(rules, of("甲", "f2"), of("甲", "f1", LATER), of("乙", "f3", LATER))

    assert rows(found) == ["f2 A1 -1", "f3 A1 -1"]
    assert found.deductions[0].values["department"] == "甲"
    assert found.notes == ("department",)


def test_one_department_written_in_two_ways_is_one() -> None:
    rules = tiny(once_per="department")
    names = ("样例市生态环境局（高新分局）", "样例市 生态环境局(高新分局)")

    found = scored(rules, of(names[0], "f1"), of(names[1], "f2"))

    assert rows(found) == ["f1 A1 -1"]


def test_when_the_first_record_ends_the_next_of_its_department_counts() -> None:
    rules = tiny(item(validity={"months": 3}), once_per="department")
    facts = [of("甲", "f1"), of("甲", "f2", LATER)]

    found = scored(rules, *facts, on=LATER)

    assert (rows(found), found.changes_on) == (["f1 A1 -1"], date(2026, 6, 1))
    assert rows(scored(rules, *facts, on=date(2026, 6, 1))) == ["f2 A1 -1"]


def test_a_subject_is_not_evaluated_if_a_needed_department_is_missing() -> None:
    rules = tiny(once_per="department")

    assert scored(rules, of(None, "f1")).not_evaluated == "missing_department:f1"


def test_a_decision_takes_no_less_and_no_more_than_the_limits_and_the_rows_add_up() -> None:
    bonus = item("B1", "3", bonus=True, repairable=False)
    limit = {"per_decision": {"at_least": "2", "at_most": "5"}, **QUOTED}
    rules = tiny(item(), item("A9", "-9"), bonus, caps=limit)
    facts = [Fact("f1", DAY, "A1"), Fact("f2", DAY, "A9"), Fact("f3", DAY, "B1")]

    found = scored(rules, *facts)

    assert rows(found) == [
        "f1 A1 -1",
        "f1 per_decision -1",
        "f2 A9 -9",
        "f2 per_decision 4",
        "f3 B1 3",
    ]
    assert (found.score, found.notes) == ("96", ("capped",))
    assert found.deductions[1].values == {"before": "-1"}


def test_a_decision_limit_may_have_only_one_end() -> None:
    least = tiny(item(), caps={"per_decision": {"at_least": "2"}, **QUOTED})
    most = tiny(item(points="-9"), caps={"per_decision": {"at_most": "5"}, **QUOTED})

    assert scored(least, Fact("f1", DAY, "A1")).score == "98"
    assert scored(most, Fact("f1", DAY, "A1")).score == "95"


def test_the_cut_to_the_highest_score_is_a_separate_row() -> None:
    bonus = item("B1", "3", bonus=True, repairable=False)
    rules = tiny(bonus, caps={"highest": "101", **QUOTED})

    assert rows(scored(rules, Fact("b", DAY, "B1"))) == ["b B1 3", "c1 highest -2"]


def test_the_rise_to_the_lowest_score_is_a_separate_row() -> None:
    rules = tiny(item(points="-150"), caps={"lowest": "0", **QUOTED})

    assert rows(scored(rules, Fact("f", DAY, "A1"))) == ["f A1 -150", "c1 lowest 50"]


def test_a_record_takes_effect_some_days_after_its_creation() -> None:
    rules = tiny(item(validity={"months": 1}), activation=DELAY)
    fact = Fact("f1", DAY, "A1", created_on=date(2026, 3, 10))

    waiting = scored(rules, fact, on=date(2026, 3, 24))
    counting = scored(rules, fact, on=date(2026, 3, 25))

    assert (waiting.score, waiting.changes_on) == ("100", date(2026, 3, 25))
    assert waiting.notes == counting.notes == ("activation",)
    assert (counting.score, counting.changes_on) == ("99", date(2026, 4, 25))


def test_without_a_creation_day_the_delay_counts_from_the_decision() -> None:
    rules = tiny(activation=DELAY)

    assert scored(rules, Fact("f1", DAY, "A1"), on=date(2026, 3, 15)).score == "100"
    assert scored(rules, Fact("f1", DAY, "A1"), on=date(2026, 3, 16)).score == "99"


def test_a_record_created_before_its_decision_does_not_count_before_it() -> None:
    rules = tiny(activation=DELAY)
    fact = Fact("f1", AS_OF, "A1", created_on=DAY)

    assert scored(rules, fact, on=date(2026, 10, 31)).score == "100"
    assert scored(rules, fact).score == "99"


def test_dated_points_may_change_the_validity_too() -> None:
    dated = [{"decided_from": LATER, "points": "-2", "validity": {"months": 1}}]
    rules = tiny(item(validity={"months": 12}, dated=dated))

    old = scored(rules, Fact("f1", DAY, "A1"), on=LATER)
    new = scored(rules, Fact("f1", LATER, "A1"), on=LATER)

    assert (rows(old), old.changes_on) == (["f1 A1 -1"], date(2027, 3, 1))
    assert (rows(new), new.changes_on) == (["f1 A1 -2"], date(2026, 5, 1))


REFUSED: dict[str, tuple[list[dict[str, Any]], dict[str, Any], str]] = {
    "weights that do not add up": (
        [indicator("I1", "50"), indicator("I2", "49")],
        {},
        "weight：权重合计 99，应为 100",
    ),
    "a weight of nothing": (
        [indicator("I1", "0"), indicator("I2", "100")],
        {},
        "weight：权重应为正数",
    ),
    "indicators among others": (
        [indicator("I1", "100"), item()],
        {},
        "weight：有权重的指标不能与其他评价项混用",
    ),
    "indicators that pile up": (
        [indicator("I1", "100")],
        {"direction": "accumulate"},
        "weight：指标是扣分的",
    ),
    "an indicator without a weight": (
        [item(points=None, points_from="indicator")],
        {},
        "评价项 A1：points_from 为 indicator 时要写 weight",
    ),
    "a limit without its article": (
        [],
        {"caps": {"per_decision": {"at_least": "1"}}},
        "caps：写了限值，就要写 article 和 text",
    ),
    "limits that cross": (
        [],
        {"caps": {"lowest": "5", "highest": "4", **QUOTED}},
        "caps：highest 小于 lowest",
    ),
    "a limit with an open end": (
        [],
        {"caps": {"per_decision": {"above": "1"}, **QUOTED}},
        "caps：per_decision 用 at_least 和 at_most 写，都是正数",
    ),
    "results that are not published for no reason": (
        [],
        {"public": False},
        "public：写了 false，就要写 public_rule",
    ),
    "a period of a live result": (
        [],
        {"snapshot": {"cadence": "live", "counts": "of_period", **QUOTED}},
        "snapshot：cadence 为 live 时没有评价周期",
    ),
    "a list of an unknown grade": (
        [],
        {"listing": {"title": "黑名单", "grade": "紫", "years": 3, **QUOTED}},
        "listing：等级分段里没有等级 紫",
    ),
    "sites weighted by nothing": (
        [],
        {"sites": {"combined": "weighted", **QUOTED}},
        "sites：combined 为 weighted 时要写 weight",
    ),
    "a rule by item with a match": (
        [],
        {"vetoes": [rule("V", "黑", match={"codes": ["7"]}) | {"by_item": True}]},
        "评价项 V：by_item 与 match 不能同写",
    ),
    "a validity of two kinds": (
        [item(validity={"months": 1, "until": "year_end"})],
        {},
        "months 与 until 写且只写一个",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_values_that_contradict_each_other_are_refused(what: str) -> None:
    items, table, message = REFUSED[what]

    with pytest.raises(RuleSetError) as refusal:
        tiny(*items, **table)

    assert message in str(refusal.value)


def test_the_months_of_validity_may_count_from_the_creation_and_not_from_the_effect() -> None:
    delay = {**DELAY, "validity_from": "counted_from"}
    rules = tiny(item(validity={"months": 1}), activation=delay)
    created = Fact("f1", DAY, "A1", created_on=date(2026, 3, 10))
    decided = Fact("f1", DAY, "A1", created_on=date(2026, 2, 1))

    days = [date(2026, 3, 24), date(2026, 3, 25), date(2026, 4, 9), date(2026, 4, 10)]
    assert [scored(rules, created, on=day).score for day in days] == ["100", "99", "99", "100"]
    assert scored(rules, created, on=days[1]).changes_on == date(2026, 4, 10)
    assert scored(rules, decided, on=date(2026, 3, 31)).changes_on == date(2026, 4, 1)
