"""A currency in the number format of an amount, which says no unit."""

import pytest

from gateway.check.amounts import read_amount
from gateway.intake.files.number_format import NumberFormat, format_of


@pytest.mark.parametrize(
    "code",
    [
        r'_ "¥"* #,##0.00_ ;_ "¥"* \-#,##0.00_ ;_ "¥"* "-"??_ ;_ @_ ',
        "[$¥-804]#,##0.00",
        "[$￥-804]0",
        '"$"#,##0',
        "[$RMB] 0.00",
        '"人民币"#,##0.00',
    ],
)
def test_a_currency_without_a_unit_is_shown_and_nothing_stays_nothing(code: str) -> None:
    read = NumberFormat(code)

    assert read_amount(str(read.shown("20000"))).wrong.endswith("没有写单位，不知道是元还是万元")
    assert read.shown("0") is None


@pytest.mark.parametrize("number", [5, 8, 42, 44])
def test_a_built_in_format_of_a_currency_is_one(number: int) -> None:
    read = format_of(number, None)

    assert isinstance(read, NumberFormat)
    assert read.shown("20000") == "¥20000"
