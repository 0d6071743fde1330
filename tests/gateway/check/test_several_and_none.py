"""A row for several decisions, and one for none, are warnings: a row is one penalty."""

import pytest

from schemas.verdict import Verdict
from tests.factories import penalty
from tests.gateway.conftest import Check


@pytest.mark.parametrize(
    "number",
    [
        "样环罚字〔2026〕3、4号",
        "样环罚字〔2026〕5-7号",
        "样环罚字[2026]3号、4号",
        "样环罚字〔2026〕第3号至第9号",
        "样环罚字〔2026〕3号、样环罚字〔2026〕4号",
    ],
)
def test_a_number_of_several_decisions_is_a_warning(check: Check, number: str) -> None:
    checked = check(penalty(CF_WSH=number))

    [warning] = checked.warnings
    assert (checked.verdict, warning.field) == (Verdict.OK, "CF_WSH")
    assert "几个决定" in warning.message
    assert warning.fix == "一个决定写一行，各写各的文号"


@pytest.mark.parametrize(
    "number",
    [
        "样环罚字〔2026〕5-1号",
        "样环罚字〔2026〕3号",
        "样环（和）罚字〔2026〕34号",
        "样环罚字〔2026〕3号之一",
        "样-1环罚〔2026〕12号",
    ],
)
def test_a_number_of_one_decision_is_none(check: Check, number: str) -> None:
    assert check(penalty(CF_WSH=number)).warnings == ()


@pytest.mark.parametrize(
    "content", ["不予行政处罚", "决定不予行政处罚。", "免予处罚", "决定：不予处罚，责令改正"]
)
def test_a_penalty_whose_content_imposes_none_is_a_warning(check: Check, content: str) -> None:
    checked = check(penalty(CF_NR=content))

    assert checked.verdict is Verdict.OK
    assert any("写有不予处罚，而处罚类别是罚款" in one.message for one in checked.warnings)


@pytest.mark.parametrize("content", ["罚款2万元", "对张某不予行政处罚，对单位罚款2万元"])
def test_a_penalty_whose_content_imposes_one_is_none(check: Check, content: str) -> None:
    assert not any("不予处罚" in one.message for one in check(penalty(CF_NR=content)).warnings)
