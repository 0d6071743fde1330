"""Check the fifteen decisions that real authorities published, unchanged."""

from importlib.resources import files

import pytest

from gateway.check.checked import Checked
from schemas.problem import Problem, Rule
from schemas.verdict import Verdict
from tests.gateway.conftest import Check


def lines(name: str) -> list[bytes]:
    return (files("gateway.demo") / "data" / f"public_{name}.ndjson").read_bytes().splitlines()


@pytest.fixture
def penalties(check: Check) -> list[Checked]:
    return [check(line) for line in lines("penalties")]


@pytest.fixture
def licences(check: Check) -> list[Checked]:
    return [check(line) for line in lines("licences")]


def verdicts(checked: list[Checked]) -> list[int]:
    return [sum(one.verdict is verdict for one in checked) for verdict in Verdict]


def problem(checked: Checked, field: str) -> Problem:
    return next(one for one in checked.problems if one.field == field)


def test_one_published_penalty_is_complete_and_seven_are_refused(penalties: list[Checked]) -> None:
    assert verdicts(penalties) == [1, 3, 7]


def test_one_published_licence_is_incomplete_and_three_are_refused(licences: list[Checked]) -> None:
    assert verdicts(licences) == [0, 1, 3]


def test_a_decision_without_its_date_is_refused_with_the_column_name(
    penalties: list[Checked],
) -> None:
    first = penalties[1].problems[0]

    assert (first.field, first.rule, first.message) == (
        "CF_JDRQ",
        Rule.REQUIRED,
        "处罚决定日期：必填项为空",
    )


def test_a_decision_without_its_number_is_refused_with_the_column_name(
    penalties: list[Checked],
) -> None:
    assert problem(penalties[9], "CF_WSH").message == "行政处罚决定书文号：必填项为空"


def test_an_order_to_correct_is_not_a_penalty_kind(penalties: list[Checked]) -> None:
    found = problem(penalties[5], "CF_CFLB")

    assert found.rule is Rule.CODE_LIST
    assert found.message == "处罚类别：“责令改正”不是行政处罚种类"


def test_a_letter_o_in_a_code_is_reported_with_its_position(licences: list[Checked]) -> None:
    assert "第13位“O”" in problem(licences[1], "XK_XDR_SHXYM").message


def test_a_wrong_check_character_is_reported_with_the_right_one(licences: list[Checked]) -> None:
    found = problem(licences[0], "XK_XDR_SHXYM")

    assert found.rule is Rule.CHECK_DIGIT
    assert "第18位应为“0”，现为“P”" in found.message


def test_the_placeholder_code_of_a_live_feed_is_a_problem(licences: list[Checked]) -> None:
    assert problem(licences[3], "XK_XKJGDM").rule is Rule.CHECK_DIGIT


def test_an_identified_decision_with_missing_columns_is_incomplete(
    penalties: list[Checked],
) -> None:
    fields = {one.field for one in penalties[0].problems}

    assert penalties[0].verdict is Verdict.INCOMPLETE
    assert fields == {"CF_YXQ", "CF_CFJGDM", "CF_SJLYDM"}


def test_every_problem_says_what_to_do(penalties: list[Checked], licences: list[Checked]) -> None:
    problems = [one for checked in penalties + licences for one in checked.problems]

    assert all(one.message and one.fix for one in problems)
