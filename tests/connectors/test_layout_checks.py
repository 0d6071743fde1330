"""What a layout must not say: a column of another kind, two columns in one of the platform."""

from typing import Any

import pytest

from connectors import BadSettings, build
from connectors.shared.layout import RowLayout
from connectors.shared.layout_checks import fitting
from gateway.config.clock import system_clock
from tests.connectors.conftest import FILES

SOAP = {"code": "X", "version_id": "1", "document_column": "CF_WSH"}
#: Settings of each connector that has layouts, without its tables.
KINDS: dict[str, dict[str, Any]] = {
    "platform-json": {"url": "https://p.example"},
    "platform-soap": {"url": "https://p.example", "department_code": "1"},
    "kafka-topic": {"bootstrap_servers": "x:1", "topic": "t"},
    "excel-template": {},
    "file-drop": {"protocol": "ftps", "host": "h", "username": "u", "password": "p"},
    "exchange-database": {"url": "postgresql+psycopg://u:p@h/d"},
}
#: What a table must have.
NEEDED: dict[str, dict[str, Any]] = {
    "platform-soap": SOAP | {"subject_columns": ["CF_XDR_SHXYM"]},
    "file-drop": {"code": FILES["tables"]["penalty"]["code"]},
    "exchange-database": {"name": "t", "key_column": "CG_KEY"},
}


def made(kind: str, table: str = "penalty", more: dict[str, Any] = {}, **layout: Any) -> None:  # noqa: B006
    tables = "sheets" if kind == "excel-template" else "tables"
    whole = KINDS[kind] | more | {tables: {table: NEEDED.get(kind, {}) | layout}}
    build(kind, whole, system_clock)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "layout",
    [
        {"masked": ["XK_XDR_ZJHM"]},
        {"left_out": ["XK_WSH"]},
        {"words": {"XK_XKLB": {"普通": "1"}}},
        {"columns": {"XK_WSH": "W"}},
    ],
)
def test_a_column_of_another_kind_is_refused(kind: str, layout: dict[str, Any]) -> None:
    with pytest.raises(BadSettings, match=f"penalty.{next(iter(layout))}：行政处罚没有列 XK_"):
        made(kind, **layout)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("layout", "both"),
    [
        ({"columns": {"CF_SY": "NR", "CF_NR": "nr"}}, "CF_SY 和 CF_NR"),
        ({"columns": {"CF_SY": "cf_nr"}}, "CF_SY 和 CF_NR"),
        ({"columns": {"CF_SY": "X"}, "constants": {"x": "环保"}}, r"CF_SY 和 constants\.x"),
        ({"constants": {"CF_WSH": "环保"}}, r"CF_WSH 和 constants\.CF_WSH"),
        ({"columns": {"BZ": "X"}, "left_out": ["BZ"]}, "columns 和 left_out 都有 BZ"),
    ],
)
def test_a_column_that_would_be_lost_is_refused(
    kind: str, layout: dict[str, Any], both: str
) -> None:
    with pytest.raises(BadSettings, match=both):
        made(kind, **layout)


@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        ("file-drop", {"key_column": "CF_NR"}),
        ("file-drop", {"status_column": "CF_NR"}),
        ("file-drop", {"key_column": "X", "status_column": "X"}),
        ("platform-soap", {"status_column": "CF_NR"}),
        ("exchange-database", {"key_column": "cf_wsh"}),
        ("exchange-database", {"inserted_column": "CF_JDRQ"}),
        ("exchange-database", {"check_column": "CF_NR"}),
        ("excel-template", {"status_column": "处罚内容"}),
    ],
)
def test_what_is_ours_stands_in_no_column_of_a_decision(kind: str, layout: dict[str, Any]) -> None:
    with pytest.raises(BadSettings, match="只有一个会留下"):
        made(kind, **layout)


def test_the_key_of_all_soap_tables_has_a_column_of_its_own() -> None:
    with pytest.raises(BadSettings, match="CF_NR 和 key_column"):
        made("platform-soap", more={"key_column": "CF_NR"})


@pytest.mark.parametrize("kind", KINDS)
def test_two_columns_may_change_places_and_one_left_out_gives_its_name(kind: str) -> None:
    made(kind, columns={"CF_SY": "CF_NR", "CF_NR": "CF_SY"})
    made(kind, columns={"CF_SY": "BZ"}, left_out=["BZ"])


@pytest.mark.parametrize(("kind", "name"), [("file-drop", "XK_ZT"), ("excel-template", "当前状态")])
def test_the_platforms_status_may_stand_in_the_place_of_the_standards(kind: str, name: str) -> None:
    made(kind, "licence", status_column=name)


@pytest.mark.parametrize("kind", ["platform-json", "kafka-topic"])
def test_a_misspelt_kind_of_a_table_is_refused(kind: str) -> None:
    with pytest.raises(BadSettings, match="不认识 penalties"):
        made(kind, "penalties", masked=["CF_XDR_ZJHM"])


@pytest.mark.parametrize("column", ["CF_XDR_MC", "CF_XDR_SHXYM", "CF_WSH"])
def test_only_identity_numbers_are_masked(column: str) -> None:
    """A masked name would be eight stars, with the number beside it in full."""
    with pytest.raises(ValueError, match=f"penalty.masked：{column} 不是证件号码的列"):
        fitting({"penalty": RowLayout.model_validate({"masked": [column]})})
