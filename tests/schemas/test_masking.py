"""Masks and pseudonyms of natural persons."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.masking import keyed_hash, mask_identity, mask_name, pseudonym

NUMBER = "11010519491231002X"


def test_the_middle_of_an_identity_number_is_masked() -> None:
    assert mask_identity(NUMBER) == "110105********002X"


@pytest.mark.parametrize("number", ["", "G1234567", "1234567890"])
def test_a_short_number_is_masked_completely(number: str) -> None:
    assert mask_identity(number) == "*" * len(number)


@pytest.mark.parametrize(("name", "masked"), [("张三", "张*"), ("欧阳样例", "欧***"), ("", "")])
def test_only_the_first_character_of_a_name_is_shown(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@given(st.text())
def test_a_mask_is_as_long_as_what_it_hides(text: str) -> None:
    assert len(mask_identity(text)) == len(mask_name(text)) == len(text)


def test_a_hash_depends_on_its_key() -> None:
    assert keyed_hash(b"one", NUMBER) != keyed_hash(b"other", NUMBER)


def test_a_lone_surrogate_can_be_hashed() -> None:
    assert len(keyed_hash(b"key", "\ud800")) == 32


def test_a_pseudonym_shows_its_key_version_and_nothing_of_the_person() -> None:
    name = pseudonym(b"key", 3, NUMBER)

    assert name.startswith("p3-")
    assert NUMBER not in name
