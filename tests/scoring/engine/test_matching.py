"""What rows match: codes and days of decision, and the refusal of two rows for one fact."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.codes import EventType
from scoring.errors import RuleSetError
from scoring.facts import Fact, Penalty
from tests.scoring.tiny import AS_OF, DAY, item, rows, scored, tiny

OLD = {"to": date(2026, 2, 28)}
NEW = {"from": date(2026, 3, 1)}


def fined(on: date, amount: str = "5") -> Fact:
    return Fact("f1", on, penalty=Penalty(("罚款",), Decimal(amount)))


def test_two_codes_of_one_row_hit_it_once() -> None:
    rules = tiny(item(match={"codes": ["7", "8"]}))

    found = scored(rules, Fact("f1", DAY, codes=("8", "7", "9")))

    assert rows(found) == ["f1 A1 -1"]
    assert found.deductions[0].values["code"] == "7、8"
    assert [one.type for one in found.unmapped] == ["9"]


def test_a_code_without_a_row_is_ignored_if_the_fact_has_a_penalty() -> None:
    rules = tiny(item(match={"penalties": ["罚款"]}))

    found = scored(rules, Fact("f1", DAY, penalty=Penalty(("罚款",), Decimal(1)), codes=("9",)))

    assert (rows(found), found.unmapped) == (["f1 A1 -1"], ())


def test_the_decision_day_selects_the_row_of_a_word() -> None:
    rules = tiny(
        item("A1", match={"penalties": ["罚款"], "decided": OLD}),
        item("A2", "-2", match={"penalties": ["罚款"], "decided": NEW}),
    )

    assert rows(scored(rules, fined(date(2026, 2, 28)))) == ["f1 A1 -1"]
    assert rows(scored(rules, fined(date(2026, 3, 1)))) == ["f1 A2 -2"]


def test_a_word_is_unmapped_on_days_without_a_row() -> None:
    rules = tiny(item(match={"penalties": ["罚款"], "events": ["rectification"], "decided": NEW}))
    event = Fact("f2", date(2026, 2, 1), type=EventType.RECTIFICATION)

    found = scored(rules, fined(date(2026, 2, 28)), event)

    assert [one.type for one in found.unmapped] == ["rectification", "罚款"]


def test_the_fine_selects_the_row_of_a_code() -> None:
    rules = tiny(
        item("A1", match={"codes": ["7"], "amount": {"at_most": "10"}}),
        item("A2", "-2", match={"codes": ["7"], "amount": {"above": "10"}}),
    )
    fine = Penalty(("罚款",), Decimal(20))

    found = scored(rules, Fact("f1", DAY, penalty=fine, codes=("7",)))

    assert rows(found) == ["f1 A2 -2"]
    assert found.deductions[0].values["fine_wan"] == "20"
    assert scored(rules, Fact("f1", DAY, codes=("7",))).not_evaluated == "missing_amount:f1"


REFUSED: dict[str, tuple[list[dict[str, Any]], str]] = {
    "one code in two rows": (
        [{"codes": ["7"]}, {"codes": ["7"]}],
        "tiny：enterprise 代码 7：A0 与 A1 之间重叠",
    ),
    "one event on crossing days": (
        [
            {"events": ["eia.unapproved"], "decided": {"to": date(2026, 3, 1)}},
            {"events": ["eia.unapproved"], "decided": NEW},
        ],
        "tiny：enterprise 事件 eia.unapproved：同一天有 2 个评价项对应",
    ),
    "one word on crossing days": (
        [
            {"penalties": ["罚款"], "decided": {"from": DAY, "to": DAY}},
            {"penalties": ["罚款"]},
        ],
        "tiny：enterprise 处罚类别 罚款：A0 与 A1 之间重叠",
    ),
    "a gap between amounts on some days": (
        [
            {"penalties": ["罚款"], "decided": NEW, "amount": {"at_most": "1"}},
            {"penalties": ["罚款"], "decided": NEW, "amount": {"above": "2"}},
        ],
        "tiny：enterprise 处罚类别 罚款：A0 与 A1 之间有空档",
    ),
    "an amount of an event": (
        [{"events": ["eia.unapproved"], "codes": ["7"], "amount": {"above": "1"}}],
        "评价项 A0：amount 要与 penalties 或 codes 同写",
    ),
    "days that cross": (
        [{"codes": ["7"], "decided": {"from": AS_OF, "to": DAY}}],
        "to 2026-03-01 早于 from 2026-11-01",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_an_ambiguous_or_incomplete_match_is_refused(what: str) -> None:
    matches, message = REFUSED[what]

    with pytest.raises(RuleSetError) as refusal:
        tiny(*(item(f"A{place}", match=match) for place, match in enumerate(matches)))

    assert message in str(refusal.value)


def test_rows_of_one_event_on_different_days_are_allowed() -> None:
    rules = tiny(
        item("A1", match={"events": ["eia.unapproved"], "decided": OLD}),
        item("A2", "-2", match={"events": ["eia.unapproved"], "decided": NEW}),
    )

    assert rows(scored(rules, Fact("f1", DAY, type=EventType.EIA_UNAPPROVED))) == ["f1 A2 -2"]
