"""Business keys, natural persons, withdrawals, and events."""

import pytest

from gateway.check.checker import Checker
from gateway.config.keys import Keys, Master
from gateway.intake.files.problem_workbook import faulty_row
from gateway.intake.files.report import FileReport
from schemas.codes import Verb
from schemas.event import CreditEvent, ReceivedGrade
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


def test_the_shown_key_has_no_identity_number_as_number_or_authority(check: Check) -> None:
    checked = check(penalty(CF_WSH=IDENTITY, CF_CFJG=IDENTITY))

    assert checked.shown_key is not None
    assert IDENTITY[4:14] not in checked.shown_key


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


def test_a_record_of_very_many_fields_is_one_problem(check: Check) -> None:
    row = event() | {f"k{n}": 1 for n in range(600)}

    assert len(check(row).problems) == len(check({**event(), "长" * 200: 1}).problems) == 1


def test_a_mended_row_of_the_problem_workbook_is_read_also_of_an_event(check: Check) -> None:
    given = event(decision=about(), codes=["A1", "B2"], details={"where": "样例路"})
    cells = dict(faulty_row(FileReport(), check(given)).row) | {"填报问题": "…", "修改办法": "…"}

    mended = check(cells)

    assert mended.problems == ()
    assert mended.record == check(given).record


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


def test_a_score_with_a_huge_exponent_is_refused(check: Check) -> None:
    checked = check(grade(score="1e999999999"))

    assert checked.verdict is Verdict.REFUSED
    assert checked.problems[0].field == "score"
