"""Penalty kinds in one cell, as people write them."""

import pytest

from gateway.check.checker import Checker
from gateway.check.penalty_kinds import split_kinds
from gateway.config.keys import Keys
from schemas.verdict import Verdict
from tests.factories import penalty, raw
from tests.gateway.conftest import TODAY


@pytest.mark.parametrize(
    ("given", "kinds"),
    [
        ("罚款+没收违法所得", "罚款 没收违法所得"),
        ("罚款＋没收违法所得", "罚款 没收违法所得"),
        ("罚款和警告", "罚款 警告"),
        ("警告并处罚款", "警告 罚款"),
        ("没收违法所得并处以罚款2万元", "没收违法所得 罚款"),
        ("警告及罚款", "警告 罚款"),
        ("并处罚款", "罚款"),
        ("1.罚款；2.警告", "罚款 警告"),
        ("1、罚款2、警告", "罚款2 警告"),
        ("1、罚款 2、警告", "罚款 警告"),
        ("（1）罚款（2）警告", "罚款（2）警告"),
        ("①罚款；②警告", "罚款 警告"),
        ("罚款（2万元）", "罚款"),
        ("罚款(人民币贰万元整)", "罚款"),
        ("罚款2万元", "罚款"),
        ("罚款20,000元", "罚款"),
        ("罚款２０，０００元", "罚款"),
        ("罚款1,200,000.00元，警告", "罚款 警告"),
        ("警告,罚款(20,000元)", "警告 罚款"),
        ("其他-罚没20,000元", "其他-罚没20,000元"),
        ("罚款2,警告", "罚款2 警告"),
        ("01,0200", "01 0200"),
        ("罚款。", "罚款"),
        ("警告、罚款。", "警告 罚款"),
        ("其他：责令限期拆除", "其他-责令限期拆除"),
        ("其他-警告和教育", "其他-警告和教育"),
        *((f"其他-责令改正{one}罚款", "其他-责令改正 罚款") for one in (
            "+", "＋", "&", "和", "及", "以及", "与", "并", "并处", "并处以", "。", ".",
        )),
        ("其他-责令停产整治&罚款", "其他-责令停产整治 罚款"),
        ("其他-责令改正并处罚款2万元。", "其他-责令改正 罚款"),
        ("其他-责令改正和教育并处罚款和警告", "其他-责令改正和教育 罚款 警告"),
        ("罚款+其他-责令改正和没收违法所得", "罚款+其他-责令改正和没收违法所得"),
        ("其他-限制生产和停产整治", "其他-限制生产 停产整治"),
        ("其他-免予警告和罚款", "其他-免予警告和罚款"),
        ("其他-责令改正。不予罚款", "其他-责令改正。不予罚款"),
        ("其他-责令停止建设并恢复原状", "其他-责令停止建设并恢复原状"),
        ("其他-加处罚款", "其他-加处罚款"),
        ("暂扣或吊销许可证", "暂扣或吊销许可证"),
        ("查封扣押", "查封扣押"),
        ("罚款和责令改正", "罚款和责令改正"),
        ("行政罚款", "行政罚款"),
        ("02", "02"),
        ("罚款2", "罚款2"),
        ("和", "和"),
    ],
)  # fmt: skip
def test_kinds_are_split_where_it_is_clear(given: str, kinds: str) -> None:
    assert split_kinds((given,)) == tuple(kinds.split())


@pytest.mark.parametrize("given", ["罚款和责令改正", "罚款、行政警告", ["罚款", None]])
def test_the_fix_never_tells_to_leave_a_kind_out(keys: Keys, given: object) -> None:
    [found] = Checker(keys).check(raw(penalty(CF_CFLB=given)), TODAY).problems

    assert found.field == "CF_CFLB"
    assert "删" not in found.fix


@pytest.mark.parametrize(
    ("given", "fine"),
    [
        ("罚款（3万元）", "2"), ("罚款50万元", "2"), ("警告，罚款20,000元", "3"),
        (["罚款（人民币叁万元整）"], "2"), ("警告并处罚款3万元", "2"), ("罚款(3万)", "2"),
    ],
)  # fmt: skip
def test_an_amount_in_a_kind_that_contradicts_the_fine_is_a_problem(
    keys: Keys, given: object, fine: str
) -> None:
    row = penalty(CF_CFLB=given, CF_NR_FK=fine, CF_NR="罚款")
    found = Checker(keys).check(raw(row), TODAY)

    assert found.verdict is Verdict.INCOMPLETE
    assert [one.field for one in found.problems] == ["CF_CFLB"]
    assert f"与罚款金额 {fine} 万元不一致" in found.problems[0].message


@pytest.mark.parametrize(
    ("given", "fine"),
    [
        ("罚款（2万元）", "2"), ("罚款20,000元", "2"), ("罚款1万元、罚款2万元", "3"),
        ("罚款（贰万元整）", "2"), ("罚款", "2"),
    ],
)  # fmt: skip
def test_an_amount_in_a_kind_that_is_the_fine_is_none(keys: Keys, given: str, fine: str) -> None:
    row = penalty(CF_CFLB=given, CF_NR_FK=fine, CF_NR="罚款")

    assert Checker(keys).check(raw(row), TODAY).verdict is Verdict.OK
