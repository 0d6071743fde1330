"""文书号 and 机关名称: which spellings are one."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import identifiers
from schemas.identifiers import authority_key, document_number_key, fold, half_width

BRACKETS = (
    *("〔〕", "【】", "［］", "[]", "()", "（）", "〖〗"),
    *("《》", "〈〉", "「」", "<>", "＜＞", "﹤﹥"),
)
texts = st.text(
    st.sampled_from(
        "豫环罚决字号號2026０１２ 〔〕【】［］()（）《》<＞「」ab Ａ-—–−。\ue5e5\u3000\u00a0"
    )
)


def test_a_number_printed_with_stray_spaces_is_the_same_number() -> None:
    assert document_number_key("豫 0185 环罚决字〔2023〕22号") == document_number_key(
        "豫0185环罚决字〔2023〕22号"
    )


@pytest.mark.parametrize("brackets", BRACKETS)
def test_the_kind_of_brackets_does_not_change_the_key(brackets: str) -> None:
    key = document_number_key(f"德环罚字{brackets[0]}2019{brackets[1]}0013号")

    assert key == "德环罚字〔2019〕0013号"


def test_the_old_and_new_character_hao_give_one_key() -> None:
    assert document_number_key("样环罚〔2026〕1號") == document_number_key("样环罚〔2026〕1号")


@pytest.mark.parametrize("dash", "-－—–−‐―﹣")
def test_the_kind_of_dash_does_not_change_the_key(dash: str) -> None:
    assert document_number_key(f"样环罚字〔2026〕1{dash}2号") == "样环罚字〔2026〕1-2号"


@pytest.mark.parametrize("number", ["样环罚〔2026〕1号。", "样环罚〔2026〕\ue5e51号"])
def test_a_full_stop_and_the_blank_of_gbk_do_not_change_the_key(number: str) -> None:
    assert document_number_key(number) == "样环罚〔2026〕1号"


def test_the_width_of_digits_does_not_change_the_key() -> None:
    assert document_number_key("样环罚〔２０２６〕１号") == document_number_key("样环罚〔2026〕1号")


def test_different_numbers_have_different_keys() -> None:
    assert document_number_key("样环罚〔2026〕1号") != document_number_key("样环罚〔2026〕11号")


@given(texts)
def test_the_key_of_a_key_is_the_same_key(number: str) -> None:
    key = document_number_key(number)

    assert document_number_key(key) == key


@given(texts, st.integers(0, 20), st.sampled_from([" ", "\u3000", "\u00a0", "\t", "\ue5e5"]))
def test_a_space_anywhere_does_not_change_the_key(number: str, place: int, space: str) -> None:
    spaced = number[:place] + space + number[place:]

    assert document_number_key(spaced) == document_number_key(number)


@given(texts)
def test_folding_twice_gives_the_same_as_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_brackets_and_spaces_do_not_change_the_key_of_an_authority() -> None:
    assert authority_key("样例市 生态环境局（样例）") == authority_key("样例市生态环境局(样例)")


def test_a_long_text_is_normalised_in_short_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []

    def normalize(form: str, text: str) -> str:
        lengths.append(len(text))
        return {"NFKC": text}[form]

    monkeypatch.setattr(identifiers, "unicodedata", SimpleNamespace(normalize=normalize))
    half_width("\u0315\u0327" * 40_000)

    assert max(lengths) < 300
