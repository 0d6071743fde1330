"""Identity documents: which rule each has, and what is never told of their numbers."""

from typing import Any

import pytest

from schemas.verdict import Verdict
from tests.factories import (
    IDENTITY,
    event,
    penalty,
    person_penalty,
)
from tests.gateway.conftest import Check


def test_an_identity_number_that_passes_for_a_credit_code_is_refused(check: Check) -> None:
    checked = check(penalty(CF_XDR_LB="个体工商户", CF_XDR_SHXYM="110105198001019985"))

    assert checked.verdict is Verdict.REFUSED
    assert "居民身份证号" in checked.problems[0].message


def test_a_credit_code_that_passes_the_rule_of_identity_numbers_is_taken(check: Check) -> None:
    """Its digits 7 to 14 are a day, yet nobody has a number of region 914101 or year 2401."""
    checked = check(penalty(CF_XDR_SHXYM="914101002401302501"))

    assert checked.verdict is Verdict.OK


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


@pytest.mark.parametrize(
    "kind", ["香港永久性居民身份证", "澳门居民身份证", "台湾身份证", "军人身份证件", "护照号"]
)
def test_only_a_resident_identity_card_has_a_number_by_its_standard(
    check: Check, kind: str
) -> None:
    row = person_penalty(CF_XDR_ZJLX=kind, CF_XDR_ZJHM="A123456(7)")

    assert check(row).verdict is not Verdict.REFUSED


@pytest.mark.parametrize(
    "kind", ["居民身份证号", "身份证号码", "二代身份证", "居民身份证（18位）", "公民身份号码", ""]
)
@pytest.mark.parametrize("number", ["410105********1234", "110105194912310021"])
def test_a_resident_identity_card_has_a_whole_number_however_it_is_called(
    check: Check, kind: str, number: str
) -> None:
    checked = check(person_penalty(CF_XDR_ZJLX=kind, CF_XDR_ZJHM=number))

    assert checked.verdict is Verdict.REFUSED
    assert checked.problems[0].field == "CF_XDR_ZJHM"


@pytest.mark.parametrize(
    "kind",
    [
        "身份證",
        "身分证",
        "身分證號碼",
        "身份证号码：",
        "居民身份证（非港澳台）",
        "111",
        "ID",
        "ID Card No.",
    ],
)
def test_a_resident_card_by_another_name_has_a_number_by_its_standard(
    check: Check, kind: str
) -> None:
    row = person_penalty(CF_XDR_ZJLX=kind)

    assert check(row).verdict is not Verdict.REFUSED
    assert check({**row, "CF_XDR_ZJHM": "110105491231002"}).verdict is Verdict.REFUSED


@pytest.mark.parametrize(
    "kind",
    ["身份证/护照", "身份证或护照", "护照", "居民户口簿", "驾驶证", "社会保障号", "其他", "身份證"],
)
def test_a_number_of_a_resident_card_passes_its_rule_whatever_the_document_is_called(
    check: Check, kind: str
) -> None:
    checked = check(person_penalty(CF_XDR_ZJLX=kind, CF_XDR_ZJHM="110105194912310021"))

    assert "居民身份证号校验码不符" in checked.problems[0].message
    assert checked.verdict is Verdict.REFUSED
    assert check(person_penalty(CF_XDR_ZJLX=kind)).verdict is not Verdict.REFUSED


@pytest.mark.parametrize(
    "kind",
    [
        "外国人永久居留身份证",
        "臺灣居民來往大陸通行證",
        "澳門居民身份證",
        "港澳台居民居住证",
        "外国护照",
    ],
)
def test_documents_from_outside_have_rules_of_their_own(check: Check, kind: str) -> None:
    row = person_penalty(CF_XDR_ZJLX=kind, CF_XDR_ZJHM="911156198812260013")

    assert check(row).verdict is not Verdict.REFUSED


@pytest.mark.parametrize("kind", ["护照", "其他", "港澳居民来往内地通行证"])
@pytest.mark.parametrize(
    "number", ["E********", "见附件", "H1234XXXX", "无号码", "E12", "0000", "111111111", "0" * 15]
)
def test_two_persons_whose_numbers_are_not_told_do_not_become_one(
    check: Check, kind: str, number: str
) -> None:
    checked = check(person_penalty(CF_XDR_ZJLX=kind, CF_XDR_ZJHM=number))

    assert checked.verdict is Verdict.REFUSED
    assert "不是完整的证件号码" in checked.problems[0].message


def test_a_document_number_that_is_an_identity_number_is_shown_masked(check: Check) -> None:
    found = check(penalty(CF_WSH=IDENTITY))

    assert found.key is not None
    assert found.key.number == IDENTITY
    assert IDENTITY not in str(found.shown_key)
