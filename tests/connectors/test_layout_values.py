"""What a layout makes of values: a platform's words, the unit of an amount, masks."""

from typing import Any

import pytest

from connectors.shared.layout import RowLayout, shown_as_ours
from gateway.reconcile.columns import mismatches
from tests.connectors.conftest import make_item

NUMBER = "11010519491231002X"
OTHER = {"CF_CFLB": {"责令停产整治": "其他-责令停产整治"}}


def sent(layout: RowLayout, **columns: Any) -> dict[str, Any]:
    return layout.values(make_item(1, columns=columns))


# ------------------------------------------------------------------------- words of the platform


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("责令停产整治", "其他-责令停产整治"),
        ("罚款、责令停产整治", "罚款、其他-责令停产整治"),
        ("责令停产整治、罚款", "其他-责令停产整治、罚款"),
    ],
)
def test_each_of_several_penalties_is_translated(given: str, told: str) -> None:
    layout = RowLayout(words=OTHER)

    assert sent(layout, CF_CFLB=given) == {"CF_CFLB": told}
    assert layout.ours({"CF_CFLB": told}) == {"CF_CFLB": given}


def test_a_text_with_the_sign_between_codes_is_one_value() -> None:
    layout = RowLayout(words={"CF_SY": {"超标": "X"}})

    assert sent(layout, CF_SY="超标、偷排") == {"CF_SY": "超标、偷排"}


@pytest.mark.parametrize(
    ("words", "given"),
    [
        ({"责令停产整治": "其他", "限制从业": "其他"}, "责令停产整治"),  # two of ours
        ({"责令停产整治": "其他", "限制从业": "其他"}, "罚款、限制从业"),
        ({"责令停产整治": "其他"}, "其他"),  # one that is ours, too
        ({"责令停产整治": "其他、停产"}, "罚款、责令停产整治"),  # two of theirs
        ({"责令停产整治": "停产", "停产整治": "停产、整治"}, "停产整治、责令停产整治"),
        ({"责令停产整治": ""}, "罚款"),
    ],
)
def test_words_that_are_not_one_to_one_give_no_difference(
    words: dict[str, str], given: str
) -> None:
    layout, ours = RowLayout(words={"CF_CFLB": words}), {"CF_CFLB": given}

    shown = layout.ours(sent(layout, **ours))

    assert mismatches("penalty", ours, shown, person=False) == ()


def test_a_wrong_word_of_the_platform_is_still_a_difference() -> None:
    layout = RowLayout(words=OTHER)

    shown = layout.ours({"CF_CFLB": "警告，其他-责令停产整治"})

    assert len(mismatches("penalty", {"CF_CFLB": "罚款、责令停产整治"}, shown, person=False)) == 1


def test_a_fixed_value_in_the_place_of_a_column_that_is_left_out_is_no_difference() -> None:
    layout, ours = RowLayout(constants={"BZ": "环保"}, left_out=["BZ"]), {"BZ": "内部"}

    shown = layout.ours(sent(layout, **ours))

    assert mismatches("penalty", ours, shown, person=False) == ()


# --------------------------------------------------------------------------- units of amounts


@pytest.mark.parametrize(
    ("name", "told"),
    [("罚款金额（元）", "20000"), ("罚款（千元）", "20"), ("罚款金额", "2"), ("FINE", "2")],
)
def test_an_amount_is_in_the_unit_that_the_platforms_name_says(name: str, told: str) -> None:
    layout = RowLayout(columns={"CF_NR_FK": name, "CF_SY": "事实（元）"})

    row = sent(layout, CF_NR_FK="2", CF_SY="2")

    assert row == {name: told, "事实（元）": "2"}
    assert layout.ours(row) == {"CF_NR_FK": "2", "CF_SY": "2"}


def test_what_is_no_number_stays_as_the_platform_shows_it() -> None:
    layout = RowLayout(columns={"CF_NR_FK": "罚款（元）"})

    assert layout.ours({"罚款（元）": "见决定书"}) == {"CF_NR_FK": "见决定书"}


# ------------------------------------------------------------------------------------- masks


def test_who_masks_a_number_gets_it_nowhere() -> None:
    layout = RowLayout(masked=["CF_XDR_ZJHM"])
    given = {"CF_XDR_MC": f"张样例{NUMBER}", "CF_SY": f"身份证{NUMBER}的当事人", "BZ": NUMBER}

    row = sent(layout, CF_XDR_ZJHM=NUMBER, CF_XDR_SHXYM="91410100MA44TEAT5F", **given)

    assert NUMBER not in str(row)
    assert row["CF_XDR_SHXYM"] == "91410100MA44TEAT5F"
    shown = layout.ours(row)
    assert mismatches("penalty", {"CF_XDR_ZJHM": NUMBER, **given}, shown, person=True) == ()


def test_a_number_that_is_not_to_be_masked_stays_whole() -> None:
    layout = RowLayout(masked=["CF_FR_ZJHM"])

    row = sent(layout, CF_XDR_ZJHM=NUMBER, CF_FR_ZJHM=NUMBER, CF_XDR_GSZC="410105910101001")

    assert row["CF_XDR_ZJHM"] == NUMBER
    assert row["CF_XDR_GSZC"] == "410105910101001"


def test_without_masks_texts_are_as_they_are() -> None:
    assert sent(RowLayout(), BZ=NUMBER) == {"BZ": NUMBER}


@pytest.mark.parametrize(
    ("layout", "number"),
    [
        (RowLayout(), f"样环罚{NUMBER}"),
        (RowLayout(left_out=["CF_WSH"]), None),
        (RowLayout(masked=["CF_XDR_ZJHM"]), "样环罚110105**********2X"),
    ],
)
def test_a_document_number_beside_the_columns_is_as_in_them(
    layout: RowLayout, number: str | None
) -> None:
    assert layout.number(make_item(1, document_number=f"样环罚{NUMBER}")) == number


# ------------------------------------------------------ shown rows where persons stand apart


def test_a_shown_row_is_read_by_the_layout_that_knows_its_columns() -> None:
    tables = {
        "penalty": RowLayout(columns={"CF_WSH": "WSH", "CF_NR": "NR"}),
        "penalty/persons": RowLayout(columns={"CF_WSH": "GR_WSH", "CF_NR": "NR"}),
    }

    company = shown_as_ours(tables, "penalty", {"WSH": "1号", "NR": "罚款"})
    person = shown_as_ours(tables, "penalty", {"GR_WSH": "2号", "NR": "罚款"})

    assert company == {"CF_WSH": "1号", "CF_NR": "罚款"}
    assert person == {"CF_WSH": "2号", "CF_NR": "罚款"}


def test_what_two_layouts_read_differently_is_not_compared() -> None:
    tables = {"penalty/persons": RowLayout(words=OTHER, masked=["CF_XDR_ZJHM"])}

    shown = shown_as_ours(tables, "penalty", {"CF_CFLB": "其他-责令停产整治", "CF_NR": "罚款"})

    assert shown == {"CF_NR": "罚款"}
