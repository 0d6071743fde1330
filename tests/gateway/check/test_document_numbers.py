"""What stands in the column of the document number and is none: two decisions never become one."""

from collections.abc import Callable
from typing import Any

import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.keys import Keys
from schemas.verdict import Verdict
from tests.factories import licence, penalty, raw
from tests.gateway.conftest import TODAY


@pytest.fixture
def check(keys: Keys) -> Callable[[dict[str, Any]], Checked]:
    return lambda row: Checker(keys).check(raw(row), TODAY)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        *((f"样环罚字{rest}", "没有写顺序号") for rest in (
            "〔2026〕号", "〔2026〕  号", "[2026]", "（2026）第号", "【2026】××号", "〔2026〕XX号",
            "〔2026〕__号", "〔2026〕号（更正）", "（样）〔2026〕号",
            "〔20XX〕XX号", "〔〕号", "〔2026年〕号", "[1999]", "〔2026〕字号", "〔____〕__号",
        )),
        *((text, "里没有编号") for text in (
            "见决定书", "详见附件一", "如附件一", "同上一行", "见附件第一号", "按附表",
            "未编号", "待定", "样环罚字号", "（见附件）",
        )),
        *((text, "像是表里的序号") for text in ("1", "001", "#1", "No.12", "１２", "3、")),
        *((text, "是日期") for text in (
            "2026-10-09", "2026年10月9日", "2026/10/9", "二〇二六年十月九日", "20261009",
        )),
    ],
)  # fmt: skip
def test_what_is_no_document_number_is_refused(
    check: Callable[[dict[str, Any]], Checked], number: str, words: str
) -> None:
    found = check(penalty(CF_WSH=number, CF_JDRQ="2026/10/09"))

    assert found.verdict is Verdict.REFUSED
    assert [one.field for one in found.problems] == ["CF_WSH"]
    assert words in found.problems[0].message


@pytest.mark.parametrize(
    "number",
    [
        "样环罚字〔2026〕1号", "样环罚字[2026]01號", "济环罚字〔2020〕TQ第Q-4008号",
        "样环罚〔2026〕第1号", "样环罚字〔2026〕1号（2026）", "（样）环罚〔2026〕1号",
        "惠环罚决字〔2019〕第045号", "样环罚字〔2026〕1-1号", "样环罚字〔2026〕1号、2号",
        "样环罚字2026第1号", "样环罚决字第2026001号", "双环许可2019", "样环罚字〔二〇二六〕一号",
        "91230600716671629P001P", "91150425MAOMX52N1X001U", "20190012", "20191231",
        "410100-2026-001",
        "样环罚（2026）1", "样环罚字〔2026〕1号（更正）", "第一号", "样环当罚〔2026〕甲1号",
        "X2026-17",
        "鲁环辐证[02188]", "沪环辐证[00128]", "粤环辐证〔04258〕", "鲁环辐证[02188]号",
        "豫环辐证（10234）", "郑环罚决[20260012]号", "环许[2026001]号", "许可(12)号",
        "环罚〔0012〕号", "京环辐证〔A0012〕", "国环辐证[00350]", "郑环许[2126]", "环许[1899]号",
        "如皋环罚〔二〇二六〕十二号", "如东环审批一号", "同江环罚字第十二号", "按日连罚第一号",
        "如东环罚第十二",
    ],
)  # fmt: skip
def test_numbers_of_every_form_are_taken(
    check: Callable[[dict[str, Any]], Checked], number: str
) -> None:
    assert check(penalty(CF_WSH=number)).verdict is Verdict.OK
    assert check(licence(XK_WSH=number)).verdict is Verdict.OK
