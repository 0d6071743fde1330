"""What stands in a field of a message and is no value: told as in decisions."""

from typing import Any

import pytest

from schemas.cell import conflict, formula
from schemas.event import CreditEvent
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import event, grade, participant
from tests.gateway.conftest import Check

REGISTER = {"subject_name": "样例1号有限公司", "batch": "第一批"}


@pytest.mark.parametrize("row", [participant(**REGISTER), event(item="A1"), grade(score="80")])
@pytest.mark.parametrize(
    ("value", "rule", "words"),
    [
        ("同上", Rule.FORMAT, "写的是“同上”"),
        ("〃", Rule.FORMAT, "写的是“〃”"),
        ("#REF!", Rule.FORMULA, "单元格是公式错误 #REF!"),
        (formula("J2"), Rule.FORMULA, "单元格 J2 是公式"),
        (conflict({"A2": "甲", "B2": "乙"}), Rule.CONFLICT, "A2 是“甲”，B2 是“乙”"),
    ],
)
def test_what_is_no_value_is_told_in_each_field(
    check: Check, row: dict[str, Any], value: Any, rule: Rule, words: str
) -> None:
    name = list(row)[-1]

    [problem] = check({**row, name: value}).problems

    assert (problem.field, problem.rule) == (name, rule)
    assert words in problem.message
    assert "$cell" not in problem.message


def test_a_placeholder_is_no_value_of_an_event(check: Check) -> None:
    checked = check(event(item="/", rectified_on="nan"))

    assert isinstance(checked.record, CreditEvent)
    assert (checked.record.item, checked.record.rectified_on) == (None, None)


def test_a_code_that_lost_digits_is_told_as_such(check: Check) -> None:
    [problem] = check(participant(subject_code=9.11599e17)).problems

    assert (problem.field, problem.rule) == ("subject_code", Rule.PRECISION)


def test_a_day_of_an_event_is_read_as_one_of_a_decision(check: Check) -> None:
    assert check(event(occurred_on="2026年10月9日")).verdict is Verdict.OK
    assert "这一天不存在" in check(event(occurred_on="2026-02-30")).problems[0].message


def test_all_faults_of_a_message_are_told_at_once(check: Check) -> None:
    found = check(event(item="同上", type="nonsense", occurred_on="x")).problems

    assert {one.field for one in found} == {"item", "type", "occurred_on"}


@pytest.mark.parametrize(
    ("row", "fix"),
    [
        (participant(weight="1.1234567"), "四舍五入到6位小数"),
        (participant(subject_kind="工厂"), "填 企事业单位、第三方服务机构、从业人员 或 厂址"),
        (event(severity="很重"), "填其中之一：轻微、一般、严重"),
        (event(principal_points="x"), "只填数字"),
    ],
)
def test_a_fix_says_what_to_write(check: Check, row: dict[str, Any], fix: str) -> None:
    [problem] = check(row).problems

    assert problem.fix == fix
