"""旧版字段: rows of 2016–17 read as rows of 2018 (ARCHITECTURE.md, "Old layout of 2016–17")."""

import pytest

from schemas.cell import conflict
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.legacy import LICENCE_COLUMNS, PENALTY_COLUMNS, to_2018
from schemas.licence import AdministrativeLicence
from schemas.penalty import AdministrativePenalty
from tests.factories import event, licence, penalty

PENALTY, LICENCE = RecordKind.PENALTY, RecordKind.LICENCE


@pytest.mark.parametrize(("old", "new"), PENALTY_COLUMNS.items())
def test_every_old_penalty_column_becomes_its_2018_column(old: str, new: str) -> None:
    assert to_2018(PENALTY, {old: "某"}) == {new: "某"}


@pytest.mark.parametrize(("old", "new"), LICENCE_COLUMNS.items())
def test_every_old_licence_column_becomes_its_2018_column(old: str, new: str) -> None:
    assert to_2018(LICENCE, {old: "某"}) == {new: "某"}


def test_every_target_is_a_column_of_the_standard() -> None:
    penalties = {column.wire for column in columns_of(AdministrativePenalty)}
    licences = {column.wire for column in columns_of(AdministrativeLicence)}

    assert set(PENALTY_COLUMNS.values()) <= penalties
    assert set(LICENCE_COLUMNS.values()) <= licences


def test_if_both_columns_are_filled_they_must_say_the_same() -> None:
    assert to_2018(PENALTY, {"CF_XDR": "同 一", "CF_XDR_MC": "同一"}) == {"CF_XDR_MC": "同一"}
    differing = to_2018(PENALTY, {"CF_XDR": "旧", "CF_XDR_MC": "新"})
    assert differing == {"CF_XDR_MC": conflict({"CF_XDR_MC": "新", "CF_XDR": "旧"})}


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        (LICENCE, "XK_XMMC", "XK_XKWS"),
        (LICENCE, "XK_SPLB", "XK_XKLB"),
        (PENALTY, "CF_JG", "CF_NR"),
        (PENALTY, "CF_AJMC", "BZ"),
        (PENALTY, "CF_CFMC", "BZ"),
    ],
)
def test_an_old_name_that_bureaus_use_themselves_is_no_conflict(
    kind: RecordKind, old: str, new: str
) -> None:
    assert to_2018(kind, {old: "自己的", new: "报送的"}) == {old: "自己的", new: "报送的"}
    assert to_2018(kind, {old: "同 一", new: "同一"}) == {new: "同一"}


def test_of_two_old_names_of_the_remark_none_is_lost() -> None:
    row = to_2018(PENALTY, {"CF_AJMC": "某案", "CF_CFMC": "某处罚"})

    assert row == {"BZ": "某案", "CF_CFMC": "某处罚"}


def test_an_old_column_fills_an_empty_2018_one() -> None:
    assert to_2018(PENALTY, {"CF_XDR": "旧", "CF_XDR_MC": ""}) == {"CF_XDR_MC": "旧"}


def test_two_old_penalty_kinds_become_one_list() -> None:
    row = to_2018(PENALTY, {"CF_CFLB1": "罚款", "CF_CFLB2": "没收违法所得"})

    assert row == {"CF_CFLB": "罚款、没收违法所得"}


def test_a_cancelled_row_of_the_old_penalty_layout_withdraws_its_decision() -> None:
    assert to_2018(PENALTY, {"CF_WSH": "1", "CF_ZT": 1}) == {"CF_WSH": "1", "verb": "withdraw"}


@pytest.mark.parametrize("state", ["1.0", "１", "01", " 撤销 ", "已撤销", "撤回", True, 1.0])
def test_a_cancelled_state_is_understood_as_people_write_it(state: object) -> None:
    assert to_2018(PENALTY, {"CF_WSH": "1", "CF_ZT": state})["verb"] == "withdraw"


@pytest.mark.parametrize("state", ["0", 0, "0.0", "正常", "", None])
def test_a_row_of_the_old_penalty_layout_that_is_in_force_withdraws_nothing(
    state: object,
) -> None:
    assert to_2018(PENALTY, {"CF_WSH": "1", "CF_ZT": state}) == {"CF_WSH": "1"}


@pytest.mark.parametrize("state", ["2", "异议", 2])
def test_an_objection_stays_with_the_record_and_withdraws_nothing(state: object) -> None:
    assert to_2018(PENALTY, {"CF_WSH": "1", "CF_ZT": state}) == {"CF_WSH": "1", "CF_ZT": state}


def test_a_state_that_is_not_understood_is_left_for_check() -> None:
    assert to_2018(PENALTY, {"CF_WSH": "1", "CF_ZT": "其他"}) == {"CF_WSH": "1", "CF_ZT": "其他"}


@pytest.mark.parametrize(("old", "new"), [("0", "1"), ("1", "2")])
def test_the_state_of_an_old_licence_becomes_a_2018_code(old: str, new: str) -> None:
    row = to_2018(LICENCE, {"XK_XDR": "某", "XK_ZT": old})

    assert row["XK_ZT"] == new


@pytest.mark.parametrize(("old", "kept"), [("2", "异议"), ("3", "其他")])
def test_other_states_of_an_old_licence_are_left_for_check(old: str, kept: str) -> None:
    assert to_2018(LICENCE, {"XK_XDR": "某", "XK_ZT": old})["XK_ZT"] == kept


@pytest.mark.parametrize("column", ["XK_XMMC", "XK_SPLB", "XK_FR"])
def test_an_old_column_in_a_row_of_2018_changes_no_state(column: str) -> None:
    row = {"XK_XDR_LB": "法人及非法人组织", column: "某", "XK_ZT": "1"}

    assert to_2018(LICENCE, row)["XK_ZT"] == "1"


@pytest.mark.parametrize(
    ("old", "new"), [("2026-10-09", "2026/10/9"), ("２.0", "2"), ("样 例", "样例"), ("/", "样例")]
)
def test_old_and_new_that_say_the_same_are_one(old: str, new: str) -> None:
    row = to_2018(PENALTY, {"CF_XDR": old, "CF_XDR_MC": new}, frozenset({"/"}))

    assert row == {"CF_XDR_MC": new}


def test_the_state_of_a_2018_licence_is_not_changed() -> None:
    assert to_2018(LICENCE, {"XK_XDR_MC": "某", "XK_ZT": "1"})["XK_ZT"] == "1"


@pytest.mark.parametrize(
    ("kind", "row"),
    [(PENALTY, penalty()), (LICENCE, licence()), (RecordKind.EVENT, event())],
)
def test_a_row_without_old_columns_is_returned_unchanged(
    kind: RecordKind, row: dict[str, str]
) -> None:
    assert to_2018(kind, row) is row
