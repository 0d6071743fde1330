"""Masks and pseudonyms of natural persons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.identifiers import masked
from schemas.masking import keyed_hash, mask_identity, mask_name, pseudonym

NUMBER = "11010519491231002X"


def test_the_middle_of_an_identity_number_is_masked() -> None:
    assert mask_identity(NUMBER) == "110105********002X"


@pytest.mark.parametrize("number", ["", "G1234567", "1234567890"])
def test_a_short_number_is_masked_completely(number: str) -> None:
    assert mask_identity(number) == "*" * len(number)


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("H1234567801", "H12******01"),
        ("M123456789012", "M123*******12"),
        ("110105491231002", "11010********02"),
    ],
)
def test_at_least_half_of_a_number_of_another_kind_is_hidden(number: str, shown: str) -> None:
    assert mask_identity(number) == shown


@pytest.mark.parametrize(("name", "shown"), [("张三", "张*"), ("欧阳样例", "欧***"), ("", "")])
def test_only_the_first_character_of_a_name_is_shown(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@given(st.text())
def test_a_mask_is_as_long_as_what_it_hides(text: str) -> None:
    assert len(mask_identity(text)) == len(mask_name(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("11010519491231002X", "110105**********2X"),
        ("１１０１０５１９４９１２３１００２Ｘ", "１１０１０５**********２Ｘ"),
        ("110105 19491231 002X", "110105**********2X"),
        ("110105-1949-12-31-002X", "110105**********2X"),
        ("证件ID11010519491231002X", "证件ID110105**********2X"),
        ("11010519491231002XA", "110105**********2XA"),
        ("旧证110105491231002号", "旧证110105**********02号"),
        ("1101 0519 4912 3100 2X", "110105**********2X"),
        ("1 1 0 1 0 5 1 9 4 9 1 2 3 1 0 0 2 X", "110105**********2X"),
        ("110105.19491231.002X", "110105**********2X"),
        ("110,105,194,912,310,021", "110105**********21"),
        ("110105\u200b\u200b\u200b19491231002X", "110105**********2X"),
        ("110105\t\t\t19491231   002x", "110105**********2x"),
        ("110105，19491231002X和别的", "110105**********2X和别的"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "١١٠١٠٥**********٢X"),
        ("11010519491231002X110105194912310021", "110105**********2X110105**********21"),
    ],
)
def test_identity_numbers_within_a_text_are_masked_as_people_write_them(
    text: str, shown: str
) -> None:
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "91410100MA0000001X",
        "2026-10-12 12:00:00",
        "样环罚字〔2026〕123456号 410105 2026 10 12",
        "410105199001011234567",
        "注册号410100000012345",
        "410105和19491231002X",
        "2026-10-09 12:30:00、2026-10-10 08:00:00",
    ],
)
def test_other_numbers_are_not_masked(text: str) -> None:
    assert masked(text) == text


@given(st.text("01259X -\u200b", max_size=200))
def test_what_is_masked_is_masked_once(text: str) -> None:
    assert masked(masked(text)) == masked(text)


def test_a_hash_depends_on_its_key() -> None:
    assert keyed_hash(b"one", NUMBER) != keyed_hash(b"other", NUMBER)


def test_a_lone_surrogate_can_be_hashed() -> None:
    assert len(keyed_hash(b"key", "\ud800")) == 32


def test_a_pseudonym_shows_its_key_version_and_nothing_of_the_person() -> None:
    name = pseudonym(b"key", 3, NUMBER)

    assert name.startswith("p3-")
    assert NUMBER not in name
