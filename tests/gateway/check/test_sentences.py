"""Every rule that input can break is told in Chinese: field, value, what is wrong, what to do."""

import re
from typing import Any

import orjson
import pytest

from gateway.check.checker import Checker
from gateway.config.keys import Keys
from gateway.record.quarantine import refused_by_bug, refused_by_database
from gateway.record.repairs import refusal
from schemas.cell import conflict, cut, formula, merged, struck
from schemas.problem import Problem, Rule
from tests.factories import IDENTITY, event, penalty, person_penalty, publicity_repair, raw
from tests.gateway.conftest import TODAY, Check

CHINESE = re.compile(r"[\u4e00-\u9fff]")
#: Rule → inputs that break it, with the value that the message names, if it names one.
BROKEN: dict[Rule, list[tuple[Any, str]]] = {
    Rule.REQUIRED: [(penalty(CF_WSH=""), ""), (event(type=None, item=None), "")],
    Rule.FORMAT: [
        (penalty(CF_JDRQ="昨天"), "昨天"),
        (penalty(CF_NR_FK="约2万元"), "约2万元"),
        (penalty(CF_SY=["x"]), ""),
    ],
    Rule.LENGTH: [(penalty(CF_XDR_ZZJG="1" * 10), "10")],
    Rule.CODE_LIST: [
        (penalty(CF_XDR_LB="公司"), "公司"),
        (penalty(verb="改"), "改"),
        (penalty(CF_ZT="3"), "3"),
        (penalty(state_secret="也许"), "也许"),
    ],
    Rule.CHECK_DIGIT: [(penalty(CF_XDR_SHXYM="91159900MA0000001A"), "A")],
    Rule.FUTURE: [(penalty(CF_JDRQ="2026/12/09", CF_YXQ="2027/12/09"), "2026-12-09")],
    Rule.ORDER: [(penalty(CF_YXQ="2025/10/09"), "2025-10-09")],
    Rule.BYTES: [(b"{", ""), (b"\xff", ""), (b"[]", ""), ({"payload": None}, "")],
    Rule.SIZE: [(b" " * (8 * 2**20 + 1), "8388609字节，超过上限8388608字节")],
    Rule.STORABLE: [(b'{"CF_SY":"a\\u0000b"}', "")],
    Rule.KIND: [({"a": 1}, "")],
    Rule.PRECISION: [(penalty(CF_XDR_SHXYM=911599000000028032), "")],
    Rule.GARBLED: [
        (penalty(CF_XDR_MC="样例\ufffd公司"), "样例\ufffd公司"),
        (penalty(CF_XDR_MC="????公司"), "????"),
        (penalty(CF_SY=cut("单元格 F2", "超标\ufffd")), "F2"),
    ],
    Rule.CONFLICT: [(penalty(CF_XDR_MC=conflict({"A2": "甲", "Q2": "乙"})), "Q2 是“乙”")],
    Rule.FORMULA: [(penalty(CF_NR_FK="#N/A"), "#N/A"), (penalty(CF_NR_FK=formula("J2")), "J2")],
    Rule.AMOUNT: [(penalty(CF_NR_FK="20000"), "20000")],
}
CASES = [(rule, given, value) for rule, cases in BROKEN.items() for given, value in cases]


def problems(keys: Keys, given: Any) -> tuple[Problem, ...]:
    return Checker(keys).check(raw(given), TODAY).problems


def test_every_rule_has_a_sentence(keys: Keys) -> None:
    item = Checker(keys).check(raw(penalty()), TODAY)
    repair = Checker(keys).check(raw(publicity_repair()), TODAY).event
    assert repair is not None
    standing = refusal(repair, None, None, ())
    assert standing is not None
    stored = {
        one.rule
        for one in (
            standing,
            *refused_by_database(item).problems,
            *refused_by_bug(item, "1").problems,
        )
    }

    assert set(BROKEN) | stored == set(Rule)


@pytest.mark.parametrize(("rule", "given", "value"), CASES)
def test_a_broken_rule_is_told_with_field_value_and_fix(
    keys: Keys, rule: Rule, given: Any, value: str
) -> None:
    found = [one for one in problems(keys, given) if one.rule is rule]

    assert found
    for one in found:
        assert CHINESE.search(one.message)
        assert CHINESE.search(one.fix)
    assert any(value in one.message for one in found)


def test_a_personal_number_is_masked_in_every_sentence(keys: Keys) -> None:
    for column in person_penalty():
        row = person_penalty() | {column: f"甲{IDENTITY}"}
        said = orjson.dumps([one.model_dump() for one in problems(keys, row)]).decode()
        assert IDENTITY not in said


@pytest.mark.parametrize("name", ["是否涉密", "verb", "CF_ZT"])
@pytest.mark.parametrize(
    ("value", "said"),
    [
        (formula("T2"), "单元格 T2 是公式"),
        (struck("T2"), "划掉的字"),
        (merged("T2"), "与上面的合并"),
        (conflict({"S2": "x", "T2": formula("T2")}), "S2 是“x”，单元格 T2 是公式"),
        ("#N/A", "公式错误"),
        ("同上", "没有写出内容"),
        ({"a": None}, '{"a":null}'),
        ([True], "[true]"),
        (2.5, "“2.5”"),
    ],
)
def test_a_cell_that_decides_is_told_as_people_know_it(
    check: Check, name: str, value: Any, said: str
) -> None:
    [problem] = check({**penalty(), name: value}).problems

    assert said in problem.message
    assert "$cell" not in problem.message
    assert "'" not in problem.message


@pytest.mark.parametrize("value", [["罚款", None], ["罚款", True], ["罚款", {"a": 1}]])
def test_what_is_no_text_in_a_list_of_kinds_is_told_in_chinese(check: Check, value: Any) -> None:
    [problem] = check(penalty(CF_CFLB=value)).problems

    assert problem.message == "处罚类别：列表里有空值，或者不是文字的值"


def test_a_value_of_a_message_is_told_as_json_has_it(check: Check) -> None:
    checked = check({**event(), "self_reported": {"a": None}})

    assert '{"a":null}' in "".join(problem.message for problem in checked.problems)
