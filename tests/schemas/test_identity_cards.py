"""居民身份证号 (GB 11643): the vectors of ARCHITECTURE.md, "Identifiers"."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identifiers import IDENTITY_CHECKS, identity_card_problem


@pytest.mark.parametrize("number", ["11010519491231002X", "360426199101010071"])
def test_valid_numbers_have_no_problem(number: str) -> None:
    assert identity_card_problem(number) is None


def test_an_unknown_region_code_is_accepted() -> None:
    assert identity_card_problem("440524188001010014") is None


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("110105194912310021", "校验码不符"),
        ("11010519491331002X", "出生日期不存在"),
        ("110105491231002", "应为17位数字加1位校验码"),
        ("11010519491231002x", "应为17位数字加1位校验码"),
        ("", "应为17位数字加1位校验码"),
    ],
)
def test_the_problem_of_an_invalid_number_is_named(number: str, words: str) -> None:
    problem = identity_card_problem(number)

    assert problem is not None
    assert words in problem


@given(st.integers(100000, 999999), st.dates(), st.integers(0, 999))
def test_exactly_one_check_character_is_valid(place: int, born: object, order: int) -> None:
    start = f"{place}{str(born).replace('-', '')}{order:03d}"

    fitting = [c for c in IDENTITY_CHECKS if identity_card_problem(start + c) is None]

    assert len(fitting) == 1
