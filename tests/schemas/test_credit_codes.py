"""统一社会信用代码 (GB 32100-2015): vectors of ARCHITECTURE.md, and python-stdnum as the oracle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from schemas.identifiers import USCC_ALPHABET, credit_code_problem, fold, region
from tests.factories import credit_code, with_check_character

VALID = (
    "91110000600037341L",
    "91350100M000100Y43",
    "11230500001755309F",
    "91230500MA1B3N1N2M",
    "91320105780688132K",
    "91330000755918469E",
    "91330203674737244W",
    "91330282L07196379D",
    "91410100MA44TEAT5F",
    "92410102MA4100X13Y",
    "114101000052003192",
    "12410100415800018R",
    "52410100505300017Y",
    "93410122MA40ABCD1T",
    "91150100MA0N999929",
)
starts = st.tuples(
    st.text("123456789ABCDEFGHJKLMNPQRTUWXY0", min_size=2, max_size=2),
    st.text("0123456789", min_size=6, max_size=6),
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
).map("".join)
digit_starts = st.tuples(
    st.text("0123456789", min_size=8, max_size=8),
    st.text(USCC_ALPHABET, min_size=9, max_size=9),
).map("".join)


@pytest.mark.parametrize("code", VALID)
def test_real_and_synthetic_codes_are_valid(code: str) -> None:
    assert credit_code_problem(code) is None


def test_a_code_that_begins_with_a_letter_is_valid() -> None:
    assert credit_code_problem("N2410122MF12345678") is None


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("91110000600037341O", "第18位“O”不是统一社会信用代码允许的字符（疑为数字0）"),
        ("91110000600I37341L", "第12位“I”不是统一社会信用代码允许的字符（疑为数字1）"),
        ("91110000600037340L", "校验位不符"),
        ("00000000000000000X", "校验位不符：第18位应为“0”，现为“X”"),
        ("9111000060003734", "应为18位，现为16位"),
        ("91A10000600037341L", "第3至8位"),
        ("", "应为18位，现为0位"),
    ],
)
def test_the_problem_of_an_invalid_code_is_named(code: str, words: str) -> None:
    problem = credit_code_problem(code)

    assert problem is not None
    assert words in problem


@pytest.mark.parametrize(
    "written",
    ["91110000600037341l", " 9111 0000 6000 3734 1L\n", "９１１１００００６０００３７３４１Ｌ"],
)
def test_letter_case_spaces_and_widths_do_not_matter(written: str) -> None:
    assert fold(written) == "91110000600037341L"


@given(starts)
def test_exactly_one_check_character_is_valid(start: str) -> None:
    fitting = [c for c in USCC_ALPHABET if credit_code_problem(start + c) is None]

    assert [start + c for c in fitting] == [with_check_character(start)]


@given(digit_starts, st.sampled_from(USCC_ALPHABET))
def test_codes_that_begin_with_digits_are_checked_like_stdnum(start: str, check: str) -> None:
    code = start + check

    assert (credit_code_problem(code) is None) == uscc.is_valid(code)


@given(starts, st.integers(0, 16), st.sampled_from(USCC_ALPHABET))
def test_one_changed_character_is_always_detected(start: str, place: int, letter: str) -> None:
    code = with_check_character(start)
    changed = code[:place] + letter + code[place + 1 :]

    assert changed == code or credit_code_problem(changed) is not None


def test_the_region_is_the_third_to_eighth_place() -> None:
    assert region(credit_code(1, region="410100")) == "410100"
