"""Which records are ok, incomplete, refused or excluded 校验."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.check.checker import Checker
from gateway.config.keys import Keys, Master
from gateway.intake.files.problem_workbook import faulty_row
from gateway.intake.files.report import FileReport
from schemas.codes import Verb
from schemas.event import CreditEvent, ReceivedGrade
from schemas.licence import LONG_TERM, AdministrativeLicence
from schemas.penalty import AdministrativePenalty
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import (
    IDENTITY,
    about,
    credit_code,
    event,
    grade,
    licence,
    penalty,
    person_penalty,
    raw,
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
    [("长" * 513, Rule.LENGTH), ("〔〕", Rule.FORMAT), ("……", Rule.FORMAT)],
    ids=["longer than any key", "brackets only", "dots only"],
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


# ---------------------------------------------------------------- keys and persons


def test_two_spellings_of_a_document_number_give_the_same_key(check: Check) -> None:
    assert check(penalty(CF_WSH="样 环罚字[２０２６] 1號")).key == check(penalty()).key


def test_the_code_of_the_authority_is_not_part_of_the_key(check: Check) -> None:
    assert check(penalty(CF_CFJGDM=None)).key == check(penalty()).key


def test_the_name_of_a_company_is_not_part_of_the_key(check: Check) -> None:
    assert check(penalty(CF_XDR_MC="改名以后")).key == check(penalty()).key


def test_a_penalty_and_a_licence_with_one_number_have_different_keys(check: Check) -> None:
    number = "样环罚字〔2026〕1号"

    assert check(licence(XK_WSH=number)).key != check(penalty(CF_WSH=number)).key


def test_no_key_of_a_person_contains_the_identity_number(check: Check) -> None:
    checked = check(person_penalty())

    assert checked.person
    assert IDENTITY not in f"{checked.key}{checked.shown_key}{checked.pseudonym}"


def test_the_shown_key_does_not_contain_the_stored_code_of_a_person(check: Check) -> None:
    checked = check(person_penalty())

    assert checked.key is not None
    assert checked.key.subject not in str(checked.shown_key)


def test_two_spellings_of_an_identity_number_give_the_same_key(check: Check) -> None:
    assert check(person_penalty(CF_XDR_ZJHM="11010519491231002x ")).key == (
        check(person_penalty()).key
    )


def test_another_master_key_gives_a_person_another_key(check: Check) -> None:
    other = Checker(Keys(Master(b"another master key"))).check(raw(person_penalty()), TODAY)

    assert other.shown_key != check(person_penalty()).shown_key


@pytest.mark.parametrize(
    "word", ["withdraw", "WITHDRAW", " withdraw ", "撤回", "撤销", "撤回\u200b"]
)
def test_a_withdrawal_is_understood_in_every_usual_word(check: Check, word: str) -> None:
    assert check(penalty(verb=word)).verb is Verb.WITHDRAW


@pytest.mark.parametrize("word", ["作废", "delete", "repair"])
def test_an_unknown_verb_refuses_since_it_may_be_a_withdrawal(check: Check, word: str) -> None:
    checked = check(penalty(verb=word))

    assert checked.verdict is Verdict.REFUSED
    assert [problem.field for problem in checked.problems] == ["verb"]


@pytest.mark.parametrize("state", ["3", "其他", "注销", "无效"])
def test_an_old_state_that_is_not_understood_refuses(check: Check, state: str) -> None:
    checked = check(penalty(CF_ZT=state))

    assert checked.verdict is Verdict.REFUSED
    assert [problem.field for problem in checked.problems] == ["CF_ZT"]


def test_a_natural_person_is_not_taken_for_the_company_of_a_code(check: Check) -> None:
    checked = check(person_penalty(CF_XDR_ZJHM=None, CF_XDR_SHXYM=credit_code(1)))

    assert checked.verdict is Verdict.REFUSED
    assert "CF_XDR_ZJHM" in {problem.field for problem in checked.problems}


def test_an_identity_number_that_passes_for_a_credit_code_is_refused(check: Check) -> None:
    checked = check(penalty(CF_XDR_LB="个体工商户", CF_XDR_SHXYM="110105198001019985"))

    assert checked.verdict is Verdict.REFUSED
    assert "居民身份证号" in checked.problems[0].message


def test_a_credit_code_that_passes_the_rule_of_identity_numbers_is_taken(check: Check) -> None:
    """Its digits 7 to 14 are a day, yet nobody has a number of region 914101 or year 2401."""
    checked = check(penalty(CF_XDR_SHXYM="914101002401302501"))

    assert checked.verdict is Verdict.OK


@pytest.mark.parametrize("name", ["CF_ZT ", "\ufeffCF_ZT", "cf_zt", "CF_ZT\u200b", "ＣＦ_ZT"])
def test_the_old_state_column_counts_in_every_spelling(check: Check, name: str) -> None:
    assert check(penalty(**{name: "1"})).verb is Verb.WITHDRAW
    assert check(penalty(**{name: "0"})).verb is None


@pytest.mark.parametrize("verb", ["new", "correct", "新增", "更正"])
def test_the_old_state_column_withdraws_beside_another_verb(check: Check, verb: str) -> None:
    assert check(penalty(CF_ZT="1", verb=verb)).verb is Verb.WITHDRAW


@pytest.mark.parametrize("given", [None, ""])
def test_the_old_state_column_withdraws_beside_an_empty_verb(
    check: Check, given: str | None
) -> None:
    assert check(penalty(CF_ZT="1", verb=given)).verb is Verb.WITHDRAW


@pytest.mark.parametrize(
    "row",
    [
        penalty(CF_JDRQ=IDENTITY),
        penalty(CF_CFLB=IDENTITY),
        penalty(CF_XDR_LB=IDENTITY),
        penalty(verb=IDENTITY),
        event(**{IDENTITY: "1"}),
    ],
    ids=["date", "kind", "category", "verb", "name of a field"],
)
def test_no_problem_repeats_an_identity_number(check: Check, row: dict[str, Any]) -> None:
    checked = check(row)

    assert checked.problems
    assert IDENTITY not in str(checked.problems)


def test_a_record_of_very_many_fields_is_one_problem(check: Check) -> None:
    row = event() | {f"k{n}": 1 for n in range(600)}

    assert len(check(row).problems) == len(check({**event(), "长" * 200: 1}).problems) == 1


@pytest.mark.parametrize(
    "kind", ["香港永久性居民身份证", "澳门居民身份证", "台湾身份证", "军人身份证件", "护照号"]
)
def test_only_a_resident_identity_card_has_a_number_by_its_standard(
    check: Check, kind: str
) -> None:
    row = person_penalty(CF_XDR_ZJLX=kind, CF_XDR_ZJHM="A123456(7)")

    assert check(row).verdict is not Verdict.REFUSED


def test_a_mended_row_of_the_problem_workbook_is_read_also_of_an_event(check: Check) -> None:
    given = event(decision=about(), codes=["A1", "B2"], details={"where": "样例路"})
    cells = dict(faulty_row(FileReport(), check(given)).row) | {"填报问题": "…", "修改办法": "…"}

    mended = check(cells)

    assert mended.problems == ()
    assert mended.record == check(given).record


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026/3/1", date(2026, 3, 1)), ("2026-03-01", date(2026, 3, 1)), (0, None), ("三月", None)],
)
def test_the_date_of_an_event_is_read_as_in_decisions(
    check: Check, written: object, day: date | None
) -> None:
    checked = check(event(occurred_on=written))

    assert checked.decided_on == day
    assert day is not None or "不是日期" in checked.problems[0].message


@pytest.mark.parametrize(
    "name", ["CF_XDR_SHXYM", "CF_XDR_ZJHM", "CF_JDRQ", "CF_NR_FK", "CF_XDR_LB", "CF_CFLB", "verb"]
)
@pytest.mark.parametrize("letter", ["9", "\u0315\u0300", "\ufdfa"])
def test_a_huge_value_is_refused_before_it_is_compared(
    check: Check, name: str, letter: str
) -> None:
    """Comparing it took a time that grew with the square of its length."""
    checked = check(penalty(**{name: letter * 300_000 + "X"}))

    assert checked.verdict is not Verdict.OK
    assert name in {problem.field for problem in checked.problems}


@pytest.mark.parametrize(
    "name", ["occurred_on", "rectified_on", "repair_applied_on", "repair_confirmed_on"]
)
def test_an_event_of_the_future_is_refused(check: Check, name: str) -> None:
    tomorrow = (TODAY + timedelta(days=1)).isoformat()

    checked = check(event(1, **{name: tomorrow}))

    assert checked.verdict is Verdict.REFUSED
    assert [(one.field, one.rule) for one in checked.problems] == [(name, Rule.FUTURE)]


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2e2", "200"),
        ("0e999999999", "0"),
        ("0E-400", "0.000000"),
        ("-0", "0"),
        ("2.5000000000", "2.500000"),
        ("2.50", "2.50"),
        (2, "2"),
    ],
)
def test_an_amount_is_a_plain_number(check: Check, given: object, read: str) -> None:
    record = check(penalty(CF_NR_FK=given)).record

    assert record is not None
    assert record.model_dump(mode="json", by_alias=True)["CF_NR_FK"] == read


# ---------------------------------------------------------------- events and grades


def test_the_key_of_an_event_is_its_id_and_subject(check: Check) -> None:
    checked = check(event(7, details={"where": "样例路"}))

    assert isinstance(checked.record, CreditEvent)
    assert checked.key is not None
    assert (checked.key.number, checked.key.subject) == ("E-7", credit_code())


def test_the_key_of_a_received_grade_is_its_issuer_and_id(check: Check) -> None:
    checked = check(grade(3))

    assert isinstance(checked.record, ReceivedGrade)
    assert checked.key is not None
    assert (checked.key.number, checked.key.authority) == ("G-3", "样例省生态环境厅")


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"subject_code": "91110000600037340L"}, "subject_code", Rule.FORMAT),
        ({"subject_code": None}, "subject_code", Rule.REQUIRED),
        ({"type": "nonsense"}, "type", Rule.FORMAT),
        ({"type": None}, "type", Rule.REQUIRED),
        ({"colour": "red"}, "colour", Rule.FORMAT),
        ({"type": "repair"}, "decision", Rule.REQUIRED),
        ({"occurred_on": "2026-02-30"}, "occurred_on", Rule.FORMAT),
        ({"principal_points": "1e-999999999"}, "principal_points", Rule.FORMAT),
    ],
)
def test_an_invalid_event_is_refused_with_the_faulty_field(
    check: Check, changes: dict[str, Any], field: str, rule: Rule
) -> None:
    checked = check(event(**changes))

    assert checked.verdict is Verdict.REFUSED
    assert (checked.problems[0].field, checked.problems[0].rule) == (field, rule)


def test_a_repair_that_names_its_decision_is_ok(check: Check) -> None:
    row = event(type="repair", decision=about(1), repair_confirmed_on="2026-10-10")

    assert check(row).verdict is Verdict.OK


def test_a_score_with_a_huge_exponent_is_refused(check: Check) -> None:
    checked = check(grade(score="1e999999999"))

    assert checked.verdict is Verdict.REFUSED
    assert checked.problems[0].field == "score"
