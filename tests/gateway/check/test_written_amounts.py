"""The amounts of money in a text: what is said is understood, and nothing is misread."""

import time
from decimal import Decimal

import pytest

from gateway.check.checker import Checker
from gateway.check.written_amounts import yuan_in
from gateway.config.keys import Keys
from schemas.input_rules import Comparison, InputRules
from schemas.penalty import AdministrativePenalty
from schemas.verdict import Verdict
from tests.factories import penalty, raw
from tests.gateway.conftest import TODAY


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("罚款20000元", "20000"), ("罚款２００００元", "20000"), ("处罚款人民币2万元整", "20000"),
        ("罚款1千元", "1000"), ("罚款2仟元", "2000"), ("罚款5百元", "500"),
        ("罚款１．５万元", "15000"),
        ("罚款2万5千元", "25000"), ("罚款10万8千元", "108000"), ("罚款3千5百元", "3500"),
        ("罚款1万500元", "10500"), ("罚款1亿2千万元", "120000000"), ("罚款1萬圆", "10000"),
        ("罚款10万", "100000"), ("罚款十万", "100000"), ("处以罚款10万，责令改正", "100000"),
        ("罚款贰万", "20000"), ("罚款人民币：5千", "5000"), ("罚款十万并责令改正", "100000"),
        ("￥20,000.00", "20000"), ("罚款¥ 5,000.00", "5000"), ("人民币￥20000", "20000"),
        ("罚款金额：20000", "20000"), ("罚款金额:20000.00。", "20000"),
        ("罚款金额为：２００００", "20000"),
        ("罚款 20 000 元", "20000"), ("罚款金额：1 200 000.50元", "1200000.5"),
        ("罚款　20　000元", "20000"), ("罚款壹仟元整", "1000"), ("处罚款五千元", "5000"),
        ("罚款20，000元", "20000"), ("罚款 2 万元", "20000"),
        ("罚款:1,200.00（万元）", "12000000"), ("罚款:12000.0（万元）", "120000000"),
        ("罚款人民币：1,200.00（单位：万元）", "12000000"), ("罚款20000（元）", "20000"),
        ("处以1,200(万元)罚款", "12000000"), ("罚款2（千元）", "2000"), ("罚款贰万（元）", "20000"),
        ("罚款金额：2（万元）", "20000"), ("罚款5（百万元）", "5000000"),
        ("罚款金额：20 000.00（元）", "20000"),
        ("处2万罚款", "20000"), ("给予2万的罚款", "20000"), ("处以２万行政罚款", "20000"),
        ("处贰万罚款", "20000"), ("处2万人民币的罚款", "20000"), ("处5千罚款", "5000"),
        ("罚2万", "20000"), ("罚贰万，责令改正", "20000"), ("罚 2.5万", "25000"),
        ("罚款(大写)贰万", "20000"), ("罚款（人民币大写）：贰万元整", "20000"),
        ("罚款（大写）20000", "20000"), ("罚没2万", "20000"),
    ],
)  # fmt: skip
def test_an_amount_is_understood_as_people_write_it(text: str, yuan: str) -> None:
    assert yuan_in(text) == (Decimal(yuan),)


@pytest.mark.parametrize(
    "text",
    [
        "罚款2万5元", "罚款2万5", "罚款三万五", "罚款2万余元", "罚款10万美元", "排放10万立方米",
        "罚款10万立方米", "罚款金额：2", "罚款金额：150", "￥2", "处以罚款", "罚款5%", "罚款3倍",
        "共计20 000元", "罚款20 00元", "罚款2 0000元", "第1 200元", "罚款2千5元", "罚款1,5元",
        "罚款二万多元",
        "罚款人民币2O000元", "罚款2OO,000元", "罚款O.5万元", "罚款2l000元", "罚款20000O元",
        "罚款2O 000元", "罚款２Ｏ０００元", "罚款2万（万元）",
        "罚款20000美元", "罚款 20 000 美元", "罚款2026年10月9日缴", "千元", "元",
        "缴纳罚款三十日内", "处2罚款", "2026罚款台账", "罚2", "环罚20260012号", "罚20000",
        "罚2万以上10万以下", "处2万至10万罚款", "罚2万吨", "处20罚款", "罚二十",
    ],
)  # fmt: skip
def test_what_is_not_clear_is_no_amount(text: str) -> None:
    assert yuan_in(text) == ()


def test_amounts_are_found_in_their_order() -> None:
    text = "对甲罚款2万元，对乙罚款3千元，没收违法所得￥50,000.00，合计罚款七万三千元"

    assert yuan_in(text) == tuple(map(Decimal, (20000, 3000, 50000, 73000)))


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("罚款1千元", "1000"), ("罚款10万", "100000"), ("罚款十万", "100000"),
        ("罚款￥20,000.00元", "20000"), ("罚款金额：20000（元）", "20000"),
        ("罚款 20 000 元", "20000"), ("罚款2仟元", "2000"),
        ("处2万罚款", "20000"), ("给予2万的罚款", "20000"), ("罚2万", "20000"),
        ("罚款(大写)贰万", "20000"), ("对A罚款20000元，对B罚款10000元", "30000"),
        ("罚款20000元，没收违法所得5000元", "25000"), ("罚款50元", "50"), ("罚款伍拾元整", "50"),
    ],
)  # fmt: skip
def test_an_amount_of_yuan_in_a_column_of_ten_thousand_is_held(
    keys: Keys, text: str, amount: str
) -> None:
    found = Checker(keys).check(raw(penalty(CF_NR=text, CF_NR_FK=amount)), TODAY)

    assert "差一万倍" in found.problems[0].message


@pytest.mark.parametrize(
    ("text", "amount"),
    [("罚款:1,200.00（万元）", "1200"), ("罚款:12000.0（万元）", "12000"),
     ("罚款人民币：1,200.00（单位：万元）", "1200"), ("罚款人民币2O000元", "2"),
     ("罚款1000万", "1000"), ("罚款金额：150", "150"), ("罚款1千万元", "1000"), ("罚款10万", "10"),
     ("处10万罚款", "10")],
)  # fmt: skip
def test_an_amount_that_may_be_right_is_not_held(keys: Keys, text: str, amount: str) -> None:
    found = Checker(keys).check(raw(penalty(CF_NR=text, CF_NR_FK=amount)), TODAY)

    assert not found.problems
    assert not found.warnings


@pytest.mark.parametrize("text", ["每吨5元，处以罚款", "按5元/吨处罚款", "加收5元，罚款3万元"])
def test_a_small_sum_beside_the_fine_holds_nothing(keys: Keys, text: str) -> None:
    found = Checker(keys).check(raw(penalty(CF_NR=text, CF_NR_FK="5")), TODAY)

    assert not found.problems


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("罚款￥20,000.00", "20000"), ("罚款金额：20000", "20000"), ("罚款:12000.0", "12000"),
        ("罚款1,200", "1200"), ("罚款金额：20000", "3"),
    ],
)  # fmt: skip
def test_a_number_without_a_unit_holds_and_deletes_nothing(
    keys: Keys, text: str, amount: str
) -> None:
    rules = InputRules(hold=frozenset(Comparison))
    found = Checker(keys, None, rules).check(raw(penalty(CF_NR=text, CF_NR_FK=amount)), TODAY)

    assert found.verdict is Verdict.OK
    assert isinstance(found.record, AdministrativePenalty)
    assert found.record.fine_wan == Decimal(amount)
    assert ["没有写单位" in one.message for one in found.warnings] == [True]


@pytest.mark.parametrize(
    "text", ["1" * 4000, "罚款" * 2000, "1," * 2000, "一" * 4000, "1 000 " * 700, "2万" * 2000]
)
def test_a_long_text_takes_no_time(text: str) -> None:
    start = time.process_time()

    yuan_in(text)

    assert time.process_time() - start < 1
