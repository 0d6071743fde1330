"""Kinds of records from the configuration: what is refused, and what their columns are."""

from collections.abc import Iterator
from typing import Any

import pytest

from gateway.check.rows import OWN_COLUMNS
from gateway.config.errors import BadConfiguration
from gateway.config.settings import make_settings
from schemas.codes import RecordKind
from schemas.column_names import standard_names
from schemas.columns import ColumnType, Required, columns_of
from schemas.configured import RESERVED
from schemas.kinds import DOUBLE_PUBLICITY, KINDS

COERCION: dict[str, Any] = {"name": "coercion", "title": "行政强制", "prefix": "QZ_"}
RISK: dict[str, Any] = {
    "name": "risk_class",
    "title": "环境风险等级",
    "prefix": "FX_",
    "keys": ["FX_ND"],
    "columns": [
        {"code": "FX_ND", "title": "年度", "length": 4},
        {
            "code": "FX_DJ",
            "title": "风险等级",
            "type": "code",
            "codes": ["重大", "较大", "一般"],
            "required": True,
        },
    ],
}


@pytest.fixture(autouse=True)
def only_here() -> Iterator[None]:
    yield
    KINDS.adopt(())


def configured(*kinds: dict[str, Any], **more: Any) -> None:
    make_settings({"kinds": list(kinds), **more}, "test.yaml")


def test_a_kind_has_the_columns_of_the_layout_of_2018_without_naming_them() -> None:
    configured(COERCION)

    columns = columns_of(KINDS[RecordKind("coercion")].model)

    assert {one.wire: one.title for one in columns} == {
        "QZ_XDR_MC": "行政相对人名称",
        "QZ_XDR_SHXYM": "统一社会信用代码",
        "QZ_WSH": "行政强制文书号",
        "QZ_JDRQ": "行政强制日期",
        "QZ_JG": "行政强制机关",
        "BZ": "备注",
    }


def test_a_kind_with_persons_has_their_columns_and_needs_them_only_for_persons() -> None:
    configured(COERCION | {"persons": True})

    needs = {one.wire: one.required for one in columns_of(KINDS[RecordKind("coercion")].model)}

    assert needs["QZ_XDR_LB"] is Required.ALWAYS
    assert needs["QZ_XDR_SHXYM"] is Required.CREDIT_CODE_HOLDER
    assert needs["QZ_XDR_ZJHM"] is Required.NATURAL_PERSON


def test_its_own_columns_are_as_they_are_configured() -> None:
    configured(RISK)

    columns = {one.wire: one for one in columns_of(KINDS[RecordKind("risk_class")].model)}

    assert "FX_WSH" not in columns
    assert columns["FX_ND"].required is Required.ALWAYS  # without it an item is not known
    assert columns["FX_DJ"].type is ColumnType.CODE
    assert columns["FX_DJ"].codes == frozenset({"重大", "较大", "一般"})


def test_kinds_of_another_configuration_are_gone() -> None:
    configured(COERCION)
    configured(RISK)

    assert "coercion" not in KINDS
    assert [*DOUBLE_PUBLICITY, "risk_class"] == KINDS.in_order


def test_destinations_and_topics_may_name_it() -> None:
    platform = {"name": "p", "title": "平台", "connector": "memory", "takes": ["risk_class"]}

    configured(RISK, destinations=[platform], kafka={"topics": {"credit.risk": "risk_class"}})


WRONG: dict[str, tuple[list[dict[str, Any]], str]] = {
    "the name of a built-in kind": (
        [COERCION | {"name": "penalty"}],
        "kinds penalty name：penalty 已有",
    ),
    "the prefix of penalties": ([COERCION | {"prefix": "CF_"}], "kinds coercion prefix：CF_ 已有"),
    "the same name twice": ([COERCION, COERCION], "kinds coercion name：coercion 已有"),
    "a key that is no column": (
        [RISK | {"keys": ["FX_XX"]}],
        "keys：没有列 FX_XX；可用：FX_XDR_SHXYM",
    ),
    "number and keys": (
        [RISK | {"number": {"code": "FX_WSH", "title": "文号"}}],
        "number、keys 只写一个",
    ),
    "a code list without codes": (
        [COERCION | {"columns": [{"code": "QZ_LB", "title": "类别", "type": "code"}]}],
        "QZ_LB：type 是 code 的要列出 codes",
    ),
    "a number of a person": (
        [COERCION | {"columns": [{"code": "QZ_SFZ", "title": "身份证", "type": "identity"}]}],
        "QZ_SFZ type：不能是 identity",
    ),
    "a number of another type": (
        [COERCION | {"number": {"code": "QZ_BH", "title": "编号", "type": "date"}}],
        "number type：不能是 date，总是 text",
    ),
    "a day of another type": (
        [COERCION | {"date": {"code": "QZ_RQ", "title": "日期", "type": "amount"}}],
        "date type：不能是 amount，总是 date",
    ),
    "a title of signs only": (
        [COERCION | {"columns": [{"code": "QZ_X", "title": "——"}]}],
        "title：—— 里没有文字和数字",
    ),
    "a title that is nothing but a mark": (
        [COERCION | {"columns": [{"code": "QZ_X", "title": "（必填）"}]}],
        "title：（必填） 里没有文字和数字",
    ),
    "titles that are one as they are read": (
        [
            COERCION
            | {"columns": [{"code": "QZ_X", "title": "类别*"}, {"code": "QZ_Y", "title": "(类别)"}]}
        ],
        "title 重复",
    ),
    "a title that is the code of another column": (
        [COERCION | {"columns": [{"code": "QZ_X", "title": "qz-jg"}]}],
        "title 重复",
    ),
    "the same column twice": (
        [COERCION | {"columns": [{"code": "QZ_JG", "title": "别的机关"}]}],
        "code 重复（不分大小写）：qz_jg",
    ),
    "the same title twice": (
        [
            COERCION
            | {"columns": [{"code": "QZ_X", "title": "备注"}, {"code": "QZ_Y", "title": "备注"}]}
        ],
        "title 重复（不分大小写）：备注",
    ),
    "two columns that differ in case": (
        [
            COERCION
            | {"columns": [{"code": "QZ_A", "title": "甲"}, {"code": "QZ_a", "title": "乙"}]}
        ],
        "code 重复（不分大小写）：qz_a",
    ),
    "a column with a name of ours": (
        [COERCION | {"columns": [{"code": "verb", "title": "处置方式"}]}],
        "verb 是本系统自己的列名",
    ),
    "a title that we write into problem workbooks": (
        [COERCION | {"columns": [{"code": "QZ_WT", "title": "填报问题"}]}],
        "填报问题 是本系统自己的列名",
    ),
    "a title that no sheet can have": (
        [COERCION | {"title": "损害赔偿/修复"}],
        "kinds.0.title",
    ),
    "a title too long for a sheet": (
        [COERCION | {"title": "重" * 32}],
        "kinds.0.title",
    ),
    "a column with the prefix of penalties": (
        [COERCION | {"columns": [{"code": "CF_WSH", "title": "关联处罚决定书"}]}],
        "kinds coercion：CF_WSH 的开头是另一种类的 prefix",
    ),
    "an amount as key": (
        [RISK | {"columns": [{"code": "FX_ND", "title": "金额", "type": "amount"}]}],
        "keys：FX_ND 不能区分各件",
    ),
    "a key too long for an index": (
        [RISK | {"columns": [{"code": "FX_ND", "title": "承诺事项", "length": 4000}]}],
        "keys：FX_ND 不能区分各件",
    ),
    "a misspelt key": ([COERCION | {"prefx": "QZ_"}], "prefx"),
}


@pytest.mark.parametrize(("kinds", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_kind_is_refused_in_words(kinds: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(BadConfiguration) as error:
        configured(*kinds)

    assert words in str(error.value)


def test_a_wrong_configuration_leaves_the_kinds_as_they_were() -> None:
    configured(COERCION)

    with pytest.raises(BadConfiguration):
        configured(RISK, COERCION | {"prefix": "CF_"})

    assert [*DOUBLE_PUBLICITY, "coercion"] == KINDS.in_order


def test_no_column_may_have_a_name_that_stands_beside_a_record() -> None:
    assert OWN_COLUMNS <= RESERVED


def test_a_file_is_of_a_kind_only_if_it_names_what_tells_items_apart() -> None:
    configured(COERCION, RISK)
    names = standard_names()

    assert names.kind_of(["QZ_XDR_MC", "QZ_WSH"]) == "coercion"
    assert names.kind_of(["FX_XDR_MC", "FX_ND", "FX_DJ"]) == "risk_class"
    assert names.kind_of(["统一社会信用代码", "备注"]) in {None, *DOUBLE_PUBLICITY}
    assert names.kind_of(["FX_XDR_MC", "FX_DJ"]) is None
