"""Columns of amounts whose name says another unit, such as 罚款金额（元）, by every door."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.check.checker import Checker
from gateway.config.settings import FileLimits
from gateway.intake.files.address import column_letters
from gateway.intake.files.reading import Reading
from schemas.input_rules import InputRules
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import penalty, raw
from tests.gateway.conftest import TODAY
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_tables_that_mislead import HEADER, values

FINE = HEADER[NAMES.index("CF_NR_FK")]


def header(name: str, *more: str) -> list[str]:
    return [name if one == FINE else one for one in [*HEADER, *more]]


def fine(found: Any) -> Decimal | None:
    wan: Decimal | None = getattr(found.record, "fine_wan", None)
    return wan


@pytest.mark.parametrize(
    ("name", "amount"),
    [
        ("罚款金额（元）", "20000"), ("罚款金额(单位：元)", "20,000.00"),
        ("罚款金额（人民币元）", "20000"),
        ("罚款金额（千元）", "20"), ("罚款金额 (元)", "2万元"), ("*罚款金额（元）", "2万"),
    ],
)  # fmt: skip
def test_a_column_in_another_unit_is_read_in_it(
    tmp_path: Path, read: Read, checker: Checker, name: str, amount: str
) -> None:
    [found] = read(book(tmp_path, [header(name), values(CF_NR_FK=amount)]))
    row = penalty() | {name: amount}
    del row["CF_NR_FK"]

    assert (found.verdict, fine(found)) == (Verdict.OK, Decimal(2))
    assert fine(checker.check(raw(row), TODAY)) == 2


@pytest.mark.parametrize(
    "name",
    [
        *(f"罚款金额{one}" for one in (
            "[元]", "【元】", "〔元〕", "{元}", "<元>", "《元》", "“元”", "_元_", "-元-", "元/",
            "/元", "元", "元:", "元。", "元*", "元（必填）", "元 (必填)", " 元 *必填", "（元）*",
            "（元.）", "（单位：元*）", "\n[元]", "（\u200b元）",
        )),
    ],
)  # fmt: skip
def test_a_unit_is_seen_in_every_name_that_is_known(
    tmp_path: Path, read: Read, checker: Checker, name: str
) -> None:
    [found] = read(book(tmp_path, [header(name), values(CF_NR_FK="20000")]))
    row = penalty() | {name: "20000"}
    del row["CF_NR_FK"]

    assert fine(found) == fine(checker.check(raw(row), TODAY)) == 2


@pytest.mark.parametrize("name", ["罚款金额（万 元）", "罚款金额（万\n元）", "罚款金额万（元）"])
def test_a_unit_that_is_torn_is_the_whole_one(tmp_path: Path, read: Read, name: str) -> None:
    [found] = read(book(tmp_path, [header(name), values()]))

    assert fine(found) == 2


@pytest.mark.parametrize("name", ["罚款金额元", "罚款金额/元", "罚款金额（元）", "罚款金额[元]"])
@pytest.mark.parametrize("order", [1, -1])
def test_a_unit_is_seen_in_a_header_of_titles_and_codes(
    tmp_path: Path, read: Read, name: str, order: int
) -> None:
    names = [header(name), NAMES][::order]

    [found] = read(book(tmp_path, [*names, values(CF_NR_FK="20000")]))

    assert fine(found) == 2


def test_two_rows_of_a_header_that_say_different_units_leave_the_amount_unclear(
    tmp_path: Path, read: Read
) -> None:
    names = [header("罚款金额（元）"), header("罚款金额（万元）")]

    [found] = read(book(tmp_path, [*names, values(CF_NR_FK="20000", CF_NR="依法处罚")]))

    assert fine(found) is None


def test_a_number_of_json_is_read_in_the_unit_of_its_name(checker: Checker) -> None:
    row = penalty() | {"罚款金额（元）": 20000, "没收金额（元）": 5000}
    del row["CF_NR_FK"]

    found = checker.check(raw(row), TODAY)

    assert fine(found) == 2
    assert getattr(found.record, "confiscated_wan", None) == Decimal("0.5")


def test_a_confiscated_amount_is_known_by_its_short_name(tmp_path: Path, read: Read) -> None:
    row = [*values(CF_CFLB="罚款、没收违法所得"), "5000"]

    [found] = read(book(tmp_path, [[*HEADER, "没收金额（元）"], row]))

    assert found.verdict is Verdict.OK
    assert getattr(found.record, "confiscated_wan", None) == Decimal("0.5")


@pytest.mark.parametrize("unit", ["元", "百元", "千元", "百万元"])
@pytest.mark.parametrize("amount", ["1,5", "12,34.5", "1,2,3", "1,2345"])
def test_a_comma_that_groups_nothing_is_no_amount_in_any_unit(
    tmp_path: Path, read: Read, checker: Checker, unit: str, amount: str
) -> None:
    name = f"罚款金额（{unit}）"
    row = penalty() | {name: amount}
    del row["CF_NR_FK"]

    [found] = read(book(tmp_path, [header(name), values(CF_NR_FK=amount)]))

    for one in (found, checker.check(raw(row), TODAY)):
        assert one.verdict is Verdict.INCOMPLETE
        assert "不是金额" in one.problems[0].message


@pytest.mark.parametrize("other", ["20000", "20,000.00", "2万元", "无", ""])
def test_a_column_in_yuan_beside_the_standard_one_is_one_of_the_sender(
    tmp_path: Path, read: Read, checker: Checker, other: str
) -> None:
    name = "罚款金额（元）"

    [found] = read(book(tmp_path, [[*HEADER, name], [*values(), other]]))

    assert (found.verdict, fine(found)) == (Verdict.OK, Decimal(2))
    assert fine(checker.check(raw(penalty() | {name: other}), TODAY)) == 2


def test_a_column_in_yuan_that_contradicts_the_standard_one_is_a_conflict(
    tmp_path: Path, read: Read, checker: Checker
) -> None:
    name = "罚款金额（元）"

    [found] = read(book(tmp_path, [[*HEADER, name], [*values(), "30000"]]))
    places = [f"{column_letters(at + 1)}2" for at in (NAMES.index("CF_NR_FK"), len(HEADER))]

    assert [one.rule for one in found.problems] == [Rule.CONFLICT]
    assert f"{places[0]} 是“2”，{places[1]} 是“30000元”" in found.problems[0].message
    for other in ("30000", 30000):
        [told] = checker.check(raw(penalty() | {name: other}), TODAY).problems
        assert f"CF_NR_FK 是“2”，{name} 是“30000元”" in told.message
    assert not checker.check(raw(penalty() | {name: 20000}), TODAY).problems


def test_two_columns_in_other_units_that_differ_are_a_conflict(
    tmp_path: Path, read: Read, checker: Checker
) -> None:
    names = ["罚款金额（元）", "罚款金额（千元）"]
    row = penalty() | dict(zip(names, ["20000", "30"], strict=True))
    del row["CF_NR_FK"]

    [found] = read(book(tmp_path, [header(names[0], names[1]), [*values(CF_NR_FK="20"), "20"]]))

    assert fine(found) is None
    assert fine(checker.check(raw(row), TODAY)) is None


def test_the_order_of_names_in_json_means_nothing(checker: Checker) -> None:
    row = {"罚款金额（元）": "20000"} | penalty() | {"罚款金额（万元）": "2"}
    del row["CF_NR_FK"]

    assert fine(checker.check(raw(row), TODAY)) == 2


def test_a_configured_name_in_yuan_is_converted_in_json_too(checker: Checker) -> None:
    own = Checker(checker.identities, None, InputRules(columns={"CF_NR_FK": ["罚金(元)"]}))
    row = penalty() | {"罚金(元)": "20000"}
    del row["CF_NR_FK"]

    assert fine(own.check(raw(row), TODAY)) == 2


@pytest.mark.parametrize(
    "name",
    [
        "罚款数额（人民币：元整）",
        "罚没金额(元、大写)",
        "罚款（单位元 保留2位小数）",
        "罚款数额【元】",
    ],
)
def test_the_unit_of_a_configured_name_is_seen(tmp_path: Path, checker: Checker, name: str) -> None:
    own = Checker(checker.identities, None, InputRules(columns={"CF_NR_FK": [name]}))
    path = book(tmp_path, [header(name), values(CF_NR_FK="20000")])

    [found] = [own.check(one, TODAY) for one in Reading(path, FileLimits(), names=own.names)]

    assert fine(found) == 2


@pytest.mark.parametrize("name", ["实缴罚款元数", "元罚款", "罚款（元/万元）", "罚款（元或万元）"])
def test_a_configured_name_whose_unit_nobody_can_read_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"“{name}”里有“元”，看不准金额的单位；列名改成"):
        InputRules(columns={"CF_NR_FK": [name]})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("罚款的金额（元）", "“罚款金额（元）”"),
        ("罚款的金额", "“罚款金额（万元）”或“罚款金额（元）”"),
        ("罚款的金额（万元）", "“罚款金额（万元）”"),
    ],
)
def test_a_hint_never_makes_an_amount_ten_thousand_times_too_large(
    tmp_path: Path, name: str, nearest: str
) -> None:
    reading = Reading(book(tmp_path, [header(name), values()]), FileLimits())
    list(reading)

    assert f"不认识的列“{name}”，最接近的是{nearest}" in "\n".join(reading.report.words)
