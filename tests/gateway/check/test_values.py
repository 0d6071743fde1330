"""How one value of one column is read, and which problem an unreadable one gives."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.check.values import read
from schemas.columns import Column, columns_of
from schemas.licence import AdministrativeLicence
from schemas.penalty import AdministrativePenalty
from schemas.problem import Rule

COLUMNS = {
    column.wire: column
    for model in (AdministrativePenalty, AdministrativeLicence)
    for column in columns_of(model)
}
DATE, AMOUNT, KINDS = COLUMNS["CF_JDRQ"], COLUMNS["CF_NR_FK"], COLUMNS["CF_CFLB"]
TEXT, CODE, IDENTITY = COLUMNS["CF_SY"], COLUMNS["CF_XDR_SHXYM"], COLUMNS["CF_XDR_ZJHM"]


def value(column: Column, given_: Any) -> Any:
    found, problem = read(column, given_)
    assert problem is None
    return found


def rule(column: Column, given_: Any) -> Rule:
    _, problem = read(column, given_)
    assert problem is not None
    assert problem.message.startswith(column.title)
    return problem.rule


@pytest.mark.parametrize(
    "text",
    [
        "2026/10/09",
        "2026-10-09",
        "2026/10/9",
        "2026.10.09",
        "2026年10月9日",
        " 2026-10-09 ",
        "2026-10-09 00:00:00",
        "2026-10-09T00:00:00.000Z",
        "2026-10-09 12:30:00",
        "2026/10/9 0:00",
        "2026-10-09T00:00:00+08:00",
        "2026-10-08T16:00:00Z",
        "2026 年 10 月 9 日",
        "2026年10月9号",
        "２０２６年１０月９日",
        "二〇二六年十月九日",
        "2026—10—09",
        "\u200b2026/10/09",
        "2026/10/09\t",
        "20261009",
        20261009,
        20735,
        1791475200000,
        1791504000000,
    ],
)
def test_a_date_may_be_spelt_in_many_ways(text: object) -> None:
    assert value(DATE, text) == date(2026, 10, 9)


@pytest.mark.parametrize("text", ["长期", "永久", "2099/12/31", "2099-12-31", "9999-12-31"])
def test_a_date_without_end_is_read_as_the_last_day_of_2099(text: str) -> None:
    assert value(DATE, text) == date(2099, 12, 31)


@pytest.mark.parametrize(
    "text",
    [
        "2026/02/30",
        "2026/13/01",
        "26/10/09",
        "昨天",
        "2026/10",
        "10/9/2026",
        "2026-10-09 24:30",
        "2026-10-09T20:00:00Z",
        "0000-01-01",
        "46304",
        46304,
        "1791475200000",
        1791489600000 + 1,
    ],
)
def test_an_invalid_date_is_a_format_problem(text: object) -> None:
    assert rule(DATE, text) is Rule.FORMAT


@pytest.mark.parametrize(
    "given_",
    [
        "2026-10-08T15:59:17.000Z",
        "2026-10-08 23:59:17",
        "2026/10/8 23:59:01",
        "2026-10-08T23:59:58+08:00",
        1791475157000,
        1791475157000000,
        "1791475157000",
    ],
)
def test_a_time_just_before_midnight_may_mean_either_day(given_: object) -> None:
    found, problem = read(DATE, given_)

    assert found is None
    assert problem is not None
    assert "看不出是 2026-10-08 还是 2026-10-09" in problem.message
    assert problem.fix.endswith("2026-10-08 或 2026-10-09")


@pytest.mark.parametrize(
    "given_",
    [
        "2026-10-09 23:59:59", "2026-10-09T15:59:59Z", "2026-10-09 23:58:59", 1791561599000,
        "2026-10-09 23:59", "2026/10/9 23:59:00", "2026-10-09T23:59:00+08:00",
    ],
)  # fmt: skip
def test_the_end_of_a_day_is_that_day(given_: object) -> None:
    assert value(DATE, given_) == date(2026, 10, 9)


@pytest.mark.parametrize(
    ("given_", "amount"),
    [
        ("0.2", "0.2"),
        ("2.00", "2.00"),
        ("1,234.5", "1234.5"),
        ("２．５", "2.5"),
        ("3 万元", "3"),
        ("3万", "3"),
        (5, "5"),
        (Decimal("0.000001"), "0.000001"),
        ("999999999999.999999", "999999999999.999999"),
        ("0", "0"),
        ("20000元", "2"),
        ("2元整", "0.0002"),
        ("贰万元整", "2"),
        ("一亿二千万元", "12000"),
        ("壹佰捌拾贰亿贰仟捌佰万元", "1822800"),
        ("二十万零五百元", "20.05"),
        ("一百二十万元", "120"),
        ("1.5亿元", "15000.0"),
        ("罚款2万元", "2"),
        ("0.30000000000000004", "0.3"),
        (2.3000000000000003, "2.3"),
        (" 2\u200b ", "2"),
    ],
)
def test_an_amount_is_read_exactly(given_: object, amount: str) -> None:
    assert str(value(AMOUNT, given_)) == amount


@pytest.mark.parametrize(
    "given_",
    [
        "-1",
        "1e12",
        "1000000000000",
        "0.0000001",
        "NaN",
        "Infinity",
        "1e999999",
        "三万五",
        "0,200",
        "¥2",
        "伍仟",
        "约2万元",
    ],
)
def test_an_invalid_amount_is_a_format_problem(given_: str) -> None:
    assert rule(AMOUNT, given_) is Rule.FORMAT


@pytest.mark.parametrize("sign", ["①", "²", "₂", "⑴", "⒈", "½", "❶", "㋀", "⑩"])
def test_the_sign_of_a_note_is_no_digit(sign: str) -> None:
    assert rule(AMOUNT, f"2{sign}") is Rule.FORMAT
    assert rule(AMOUNT, f"2{sign}元") is Rule.FORMAT
    assert rule(DATE, f"2026/10/1{sign}") is Rule.FORMAT
    assert rule(DATE, f"2026年10月1{sign}日") is Rule.FORMAT


@pytest.mark.parametrize(
    "given_", ["0,2", "0，2", "12,5", "1,2345", "2,0,0", "1_000", "2 0", "１ ０"]
)
def test_a_comma_that_is_not_between_groups_of_three_may_be_a_point(given_: str) -> None:
    assert rule(AMOUNT, given_) is Rule.FORMAT


@pytest.mark.parametrize(
    "given_",
    [
        "罚款、没收违法所得",
        "罚款,没收违法所得",
        "罚款，没收违法所得",
        "罚款;没收违法所得",
        "罚款；没收违法所得",
        "罚款/没收违法所得",
        "罚款|没收违法所得",
        "罚款 没收违法所得",
        " 罚款、 没收违法所得、",
        "罚 款、没收违法所得",
        "罚款、没收违法所得、罚款",
        ["罚款", "没收违法所得"],
    ],
)
def test_penalty_kinds_are_split_at_every_usual_separator(given_: object) -> None:
    assert value(KINDS, given_) == ("罚款", "没收违法所得")


def test_a_kind_that_begins_with_other_is_accepted() -> None:
    assert value(KINDS, "其他-补充说明") == value(KINDS, "其它-补充说明") == ("其他-补充说明",)


@pytest.mark.parametrize(
    "given_",
    [
        "其他－限期拆除",
        "其他—限期拆除",
        "其他–限期拆除",
        "其他——限期拆除",
        "其他 - 限期拆除",
        "其它 － 限期拆除",
    ],
)
def test_a_free_kind_may_have_any_dash(given_: str) -> None:
    assert value(KINDS, given_) == ("其他-限期拆除",)
    assert value(KINDS, f"警告 {given_} 罚款") == ("警告", "其他-限期拆除", "罚款")


def test_an_unknown_penalty_kind_is_kept_with_a_problem() -> None:
    found, problem = read(KINDS, "罚款、责令改正")

    assert found == ("罚款", "责令改正")
    assert problem is not None
    assert "“责令改正”" in problem.message


@pytest.mark.parametrize("given_", [True, {}, {"a": 1}, ["a"]])
@pytest.mark.parametrize("column", [TEXT, DATE, AMOUNT, CODE, IDENTITY])
def test_nested_values_are_a_format_problem(column: Column, given_: object) -> None:
    assert rule(column, given_) is Rule.FORMAT


@pytest.mark.parametrize("column", COLUMNS.values(), ids=COLUMNS)
@pytest.mark.parametrize("given_", [None, "", " "])
def test_an_empty_text_is_read_as_no_value(column: Column, given_: str | None) -> None:
    found, _ = read(column, given_)

    assert found is None


def test_only_outer_spaces_of_a_text_are_removed() -> None:
    assert value(TEXT, "  超标 排放（大气）\n") == "超标 排放（大气）"


def test_a_code_is_normalised() -> None:
    assert value(CODE, " 91410100ma44teat5f ") == "91410100MA44TEAT5F"


json_values = st.recursive(
    st.none() | st.booleans() | st.decimals() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(COLUMNS)), json_values)
def test_no_value_raises(name: str, given_: object) -> None:
    _, problem = read(COLUMNS[name], given_)

    assert problem is None or problem.field == name


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["%Y/%m/%d", "%Y-%m-%d"]))
def test_both_spellings_of_a_date_give_the_same_date(day: date, spelling: str) -> None:
    assert value(DATE, day.strftime(spelling)) == day
