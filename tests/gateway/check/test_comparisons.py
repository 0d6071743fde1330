"""Columns compared with each other: warnings that hold nothing, unless configured."""

from typing import Any

import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.keys import Keys
from schemas.input_rules import Comparison, InputRules
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import licence, penalty, raw
from tests.gateway.conftest import TODAY

#: Comparison → a row that does not fit together, and words of the warning.
ODD: dict[Comparison, tuple[dict[str, Any], str]] = {
    Comparison.AMOUNT_IN_WORDS: (penalty(CF_NR_FK="3"), "与处罚内容里的20000元不一致"),
    Comparison.PUBLISHED_UNTIL: (penalty(CF_GSJZQ="2026/10/08"), "早于决定日期"),
    Comparison.WARNING_WITH_AMOUNT: (penalty(CF_CFLB="警告"), "处罚类别只有警告"),
    Comparison.AMOUNT_WITHOUT_KIND: (penalty(CF_CFLB="责令停产停业"), "处罚类别没有罚款"),
    Comparison.VALID_BEFORE_DECISION: (licence(XK_YXQZ="2026/10/08"), "早于决定日期"),
    Comparison.OBJECTION: (penalty(CF_ZT="异议"), "当前状态：异议"),
}


def checked(keys: Keys, row: Any, *hold: Comparison) -> Checked:
    checker = Checker(keys, rules=InputRules(hold=frozenset(hold)))
    return checker.check(raw(row), TODAY)


def test_every_comparison_has_a_case() -> None:
    assert set(ODD) == set(Comparison)


@pytest.mark.parametrize("comparison", Comparison)
def test_what_does_not_fit_warns_and_holds_nothing(keys: Keys, comparison: Comparison) -> None:
    row, words = ODD[comparison]

    found = checked(keys, row)

    assert (found.verdict, found.problems) == (Verdict.OK, ())
    [warning] = found.warnings
    assert words in warning.message


@pytest.mark.parametrize("comparison", Comparison)
def test_what_is_configured_to_hold_is_a_problem(keys: Keys, comparison: Comparison) -> None:
    row, words = ODD[comparison]

    found = checked(keys, row, comparison)

    assert (found.verdict, found.warnings) == (Verdict.INCOMPLETE, ())
    assert words in found.problems[0].message


@pytest.mark.parametrize(
    "row",
    [
        penalty(),
        penalty(CF_NR="罚款贰万元整"),
        penalty(CF_NR="罚款2万元，没收违法所得1万元", CF_CFLB="罚款、没收违法所得", CF_NR_WFFF="1"),
        penalty(CF_NR="对甲行为罚款15000元，对乙行为罚款5000元，合计20000元"),
        penalty(CF_NR="对甲行为罚款15000元，对乙行为罚款5000元"),
        penalty(CF_NR="责令改正"),
        penalty(CF_GSJZQ="2029/10/09"),
        licence(),
    ],
)
def test_what_fits_together_is_not_told(keys: Keys, row: dict[str, Any]) -> None:
    assert checked(keys, row).warnings == ()


@pytest.mark.parametrize(
    ("given", "words", "right"),
    [("罚款100000元", "100000", "10"), ("罚款人民币20,000元", "20000", "2")],
)
def test_yuan_typed_into_a_column_of_ten_thousand_yuan_are_a_problem(
    keys: Keys, given: str, words: str, right: str
) -> None:
    found = checked(keys, penalty(CF_NR=given, CF_NR_FK=words))

    [problem] = found.problems
    assert (found.verdict, problem.rule) == (Verdict.INCOMPLETE, Rule.AMOUNT)
    assert problem.fix == f"单位是万元，{words} 元填 {right}"
    assert found.record is not None
    assert found.record.fine_wan is None  # type: ignore[union-attr]


def test_a_confiscated_amount_in_yuan_is_a_problem_too(keys: Keys) -> None:
    row = penalty(CF_NR="罚款20000元，没收违法所得35000元", CF_NR_FK="2", CF_NR_WFFF="35000")

    found = checked(keys, row | {"CF_CFLB": "罚款、没收违法所得"})

    assert [(one.field, one.rule) for one in found.problems] == [("CF_NR_WFFF", Rule.AMOUNT)]
    assert found.problems[0].fix == "单位是万元，35000 元填 3.5"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CF_CFLB": "警告", "CF_NR": "警告，并处罚款60万元", "CF_NR_FK": None}, "写有罚款"),
        ({"CF_CFLB": "警告", "CF_NR": "处以人民币贰万元整的罚款", "CF_NR_FK": "0"}, "写有罚款"),
        ({"CF_CFLB": "警告", "CF_NR": "警告", "CF_NR_FK": "60"}, "按罚款计"),
        ({"CF_CFLB": "没收违法所得", "CF_NR_WFFF": "1", "CF_NR": "没收"}, "没有罚款，却有 2 万元"),
        ({"CF_CFLB": "其他-责令改正", "CF_NR": "责令改正"}, "没有罚款，却有 2 万元"),
        ({"CF_CFLB": "其他-罚款"}, ""),
        ({"CF_CFLB": "按日连续处罚"}, ""),
        ({"CF_CFLB": "警告", "CF_NR": "警告，不予罚款20000元", "CF_NR_FK": None}, ""),
        ({"CF_CFLB": "警告", "CF_NR": "逾期每日按罚款数额的3%加处罚款", "CF_NR_FK": None}, ""),
    ],
)
def test_a_fine_that_the_kinds_do_not_name_is_told(
    keys: Keys, changes: dict[str, Any], words: str
) -> None:
    found = checked(keys, penalty(**changes))

    assert found.verdict is Verdict.OK
    assert words in "".join(one.message for one in found.warnings)
    assert bool(found.warnings) == bool(words)
