"""Which records are ok, incomplete, refused or excluded 校验."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schemas.licence import LONG_TERM, AdministrativeLicence
from schemas.penalty import AdministrativePenalty
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import (
    about,
    event,
    grade,
    licence,
    penalty,
    person_penalty,
)
from tests.gateway.conftest import TODAY, Check


@pytest.mark.parametrize("row", [penalty(), licence(), person_penalty(), event(), grade()])
def test_a_complete_record_is_ok(check: Check, row: dict[str, Any]) -> None:
    checked = check(row)

    assert (checked.verdict, checked.problems) == (Verdict.OK, ())


# ---------------------------------------------------------------- refused


@pytest.mark.parametrize("column", ["CF_WSH", "CF_CFJG", "CF_JDRQ", "CF_XDR_SHXYM"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_a_part_of_its_key_a_decision_is_refused(
    check: Check, column: str, value: str | None
) -> None:
    checked = check(penalty(**{column: value}))

    assert checked.verdict is Verdict.REFUSED
    assert checked.key is None
    assert (checked.problems[0].field, checked.problems[0].rule) == (column, Rule.REQUIRED)


@pytest.mark.parametrize("column", ["CF_WSH", "CF_CFJG"])
@pytest.mark.parametrize(
    ("text", "rule"),
    [("长" * 513, Rule.LENGTH), ("〔〕", Rule.FORMAT), ("……", Rule.FORMAT), ("0", Rule.FORMAT)],
    ids=["longer than any key", "brackets only", "dots only", "nothing found"],
)
def test_a_text_that_cannot_be_part_of_a_key_is_refused(
    check: Check, column: str, text: str, rule: Rule
) -> None:
    checked = check(penalty(**{column: text}))

    assert checked.verdict is Verdict.REFUSED
    assert (checked.problems[0].field, checked.problems[0].rule) == (column, rule)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"item": ""}, "item"),
        ({"item": "  "}, "item"),
        ({"codes": ["100", " "]}, "codes.1"),
        ({"id": " "}, "id"),
        ({"decision": about(1) | {"document_number": " "}}, "decision.document_number"),
    ],
)
def test_a_blank_word_of_an_event_is_refused(
    check: Check, changes: dict[str, Any], field: str
) -> None:
    checked = check(event(1, 1, **changes))

    assert checked.verdict is Verdict.REFUSED
    assert [(p.field, p.fix) for p in checked.problems] == [(field, "填写内容，或删去该字段")]


def test_a_code_with_a_wrong_check_digit_is_refused(check: Check) -> None:
    checked = check(penalty(CF_XDR_SHXYM="91110000600037340L"))

    assert checked.verdict is Verdict.REFUSED
    assert checked.problems[0].rule is Rule.CHECK_DIGIT


def test_a_person_without_an_identity_number_is_refused(check: Check) -> None:
    checked = check(person_penalty(CF_XDR_ZJHM=None))

    assert checked.verdict is Verdict.REFUSED
    assert checked.problems[0].field == "CF_XDR_ZJHM"


def test_a_wrong_identity_number_is_refused_and_not_shown(check: Check) -> None:
    checked = check(person_penalty(CF_XDR_ZJHM="110105194912310021"))

    assert checked.verdict is Verdict.REFUSED
    assert "校验码不符" in checked.problems[0].message
    assert all("110105194912310021" not in str(problem) for problem in checked.problems)


def test_another_kind_of_document_is_not_checked_as_an_identity_card(check: Check) -> None:
    checked = check(person_penalty(CF_XDR_ZJLX="护照号", CF_XDR_ZJHM="G12345678"))

    assert checked.verdict is Verdict.OK


def test_an_impossible_decision_date_is_refused_with_its_own_message(check: Check) -> None:
    checked = check(penalty(CF_JDRQ="2026/02/30"))

    assert checked.verdict is Verdict.REFUSED
    assert checked.problems[0].message == "处罚决定日期：“2026/02/30”这一天不存在"


# ---------------------------------------------------------------- incomplete


@pytest.mark.parametrize("column", ["CF_WFXW", "CF_SY", "CF_YJ", "CF_CFLB", "CF_NR", "CF_YXQ"])
def test_without_a_required_column_a_decision_is_incomplete(check: Check, column: str) -> None:
    checked = check(penalty(**{column: None}))

    assert checked.verdict is Verdict.INCOMPLETE
    assert [(p.field, p.rule) for p in checked.problems] == [(column, Rule.REQUIRED)]


def test_a_fine_without_its_amount_is_incomplete(check: Check) -> None:
    checked = check(penalty(CF_NR_FK=None))

    assert [p.field for p in checked.problems] == ["CF_NR_FK"]


def test_a_warning_needs_no_amount(check: Check) -> None:
    assert check(penalty(CF_CFLB="警告", CF_NR_FK=None)).verdict is Verdict.OK


def test_a_confiscation_without_its_amount_is_incomplete(check: Check) -> None:
    checked = check(penalty(CF_CFLB="没收违法所得", CF_NR_FK=None))

    assert [p.field for p in checked.problems] == ["CF_NR_WFFF"]


def test_a_suspension_without_the_permit_is_incomplete(check: Check) -> None:
    checked = check(penalty(CF_CFLB="吊销许可证", CF_NR_FK=None))

    assert [p.field for p in checked.problems] == ["CF_NR_ZKDX"]


def test_a_decision_dated_tomorrow_is_incomplete(check: Check) -> None:
    checked = check(penalty(CF_JDRQ="2026-10-13", CF_YXQ="2027-10-13"), TODAY)

    assert [(p.field, p.rule) for p in checked.problems] == [("CF_JDRQ", Rule.FUTURE)]


def test_a_decision_dated_today_is_ok(check: Check) -> None:
    assert check(penalty(CF_JDRQ="2026-10-12"), TODAY).verdict is Verdict.OK


def test_an_end_before_its_start_is_incomplete(check: Check) -> None:
    checked = check(licence(XK_YXQZ="2026-10-09", XK_YXQZI="2026-10-08"))

    assert [(p.field, p.rule) for p in checked.problems] == [("XK_YXQZI", Rule.ORDER)]


def test_a_text_that_is_too_long_is_incomplete_and_kept(check: Check) -> None:
    checked = check(penalty(BZ="长" * 513))

    assert [(p.field, p.rule) for p in checked.problems] == [("BZ", Rule.LENGTH)]
    assert isinstance(checked.record, AdministrativePenalty)
    assert checked.record.remark == "长" * 513


def test_an_unknown_category_is_reported_with_the_allowed_ones(check: Check) -> None:
    checked = check(penalty(CF_XDR_LB="公司"))

    assert checked.problems[0].rule is Rule.CODE_LIST
    assert "个体工商户" in checked.problems[0].fix


def test_an_unknown_verb_is_a_problem(check: Check) -> None:
    checked = check(penalty(verb="delete"))

    assert [(p.field, p.rule) for p in checked.problems] == [("verb", Rule.CODE_LIST)]


def test_an_unreadable_column_is_not_also_reported_as_empty(check: Check) -> None:
    checked = check(penalty(CF_YXQ="一年"))

    assert [(p.field, p.rule) for p in checked.problems] == [("CF_YXQ", Rule.FORMAT)]


@pytest.mark.parametrize("verb", [["withdraw"], {"a": 1}, 1])
def test_a_verb_that_is_not_a_text_is_a_problem(check: Check, verb: object) -> None:
    assert check(penalty(verb=verb)).problems[0].field == "verb"


# ---------------------------------------------------------------- values


def test_values_are_read_by_their_type(check: Check) -> None:
    record = check(
        penalty(CF_NR_FK="12.50 万元", CF_CFLB="罚款，没收非法财物", CF_NR_WFFF=3)
    ).record

    assert isinstance(record, AdministrativePenalty)
    assert record.penalty_kinds == ("罚款", "没收非法财物")
    assert (record.fine_wan, record.confiscated_wan) == (Decimal("12.50"), Decimal(3))
    assert record.decision_date == date(2026, 10, 9)


def test_the_last_day_of_2099_means_no_end(check: Check) -> None:
    record = check(licence(XK_YXQZI="2099/12/31")).record

    assert isinstance(record, AdministrativeLicence)
    assert record.valid_until == LONG_TERM


def test_unknown_columns_are_kept_without_a_problem(check: Check) -> None:
    checked = check(penalty(CF_SYFW="0"))

    assert checked.verdict is Verdict.OK
    assert checked.unknown == {"CF_SYFW": "0"}


def test_a_row_in_the_old_layout_gives_the_same_key(check: Check) -> None:
    row = penalty()
    row["CF_XZJG"] = row.pop("CF_CFJG")
    row["CF_JG"] = row.pop("CF_NR")

    assert check(row).key == check(penalty()).key


@pytest.mark.parametrize("word", ["nan", "NaN", "NaT", "<NA>", "\\N", "NULL", "None", "N/A"])
def test_nan_and_null_count_as_empty(check: Check, word: str) -> None:
    checked = check(penalty(CF_FRDB=word, CF_GSJZQ=word, CF_WSH=word))

    assert [one.rule for one in checked.problems] == [Rule.REQUIRED]
    assert checked.problems[0].field == "CF_WSH"


@pytest.mark.parametrize("word", ["同上", " 〃 ", "同上\u200b"])
def test_what_points_to_the_row_above_is_no_value(check: Check, word: str) -> None:
    for column in penalty():
        checked = check(penalty(**{column: word}))

        assert any(
            one.field == column and "没有写出内容" in one.message for one in checked.problems
        ), column


@pytest.mark.parametrize("day", ["0226/10/09", "1026-10-09", "1989-12-31"])
def test_the_day_of_a_decision_of_long_ago_is_a_slip_of_the_pen(check: Check, day: str) -> None:
    checked = check(penalty(CF_JDRQ=day))

    assert checked.verdict is Verdict.REFUSED
    assert [(one.field, one.fix) for one in checked.problems] == [("CF_JDRQ", "按决定书核对年份")]


def test_a_decision_dated_1990_is_accepted(check: Check) -> None:
    assert check(penalty(CF_JDRQ="1990-01-01")).verdict is Verdict.OK


@pytest.mark.parametrize("kind", ["按日连续处罚", "其他-按日连续处罚", "其他-罚款"])
def test_daily_fines_have_an_amount_as_any_fine(check: Check, kind: str) -> None:
    checked = check(penalty(CF_CFLB=kind, CF_NR_FK=None))

    assert checked.verdict is Verdict.INCOMPLETE
    assert [problem.field for problem in checked.problems] == ["CF_NR_FK"]
    assert check(penalty(CF_CFLB=kind)).verdict is Verdict.OK
