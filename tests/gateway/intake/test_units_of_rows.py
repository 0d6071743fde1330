"""Units of rows, in two cells, in the middle of a table, and those of prices."""

from pathlib import Path
from typing import Any

import pytest

from schemas.verdict import Verdict
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_decisions_over_rows import text
from tests.gateway.intake.test_tables_that_mislead import HEADER, values
from tests.gateway.intake.test_what_tables_say_beside import UNSAID, held


def fine(found: Any) -> str:
    return str(getattr(found.record, "fine_wan", None))


@pytest.mark.parametrize("made", [book, text])
@pytest.mark.parametrize(
    "name",
    [
        "金额单位", "计量单位", "单位", "罚款金额单位", "罚没金额单位", "处罚金额单位",
        "金额计量单位", "单位（元/万元）", "金额单位（元或万元）", "罚款金额（万元）单位",
        "币种单位", "罚款单位*",
    ],
)  # fmt: skip
def test_a_row_may_say_its_unit_in_a_column_of_its_own(
    tmp_path: Path, read: Read, made: Any, name: str
) -> None:
    wan = {**UNSAID, "CF_NR_FK": "2"}
    rows = [[*NAMES, name], [*values(**UNSAID), "元"], [*values(2, **wan), "万元"]]

    first, second = read(made(tmp_path, rows))

    assert [fine(first), fine(second)] == ["0.5", "2"]


def test_each_amount_has_the_unit_of_its_own_column(tmp_path: Path, read: Read) -> None:
    names = [*NAMES, "罚款金额单位", "CF_NR_WFFF", "没收金额单位"]
    row = [*values(CF_CFLB="罚款、没收违法所得", **UNSAID), "元", "3", "万元"]

    [one] = read(book(tmp_path, [names, row]))

    assert (fine(one), str(getattr(one.record, "confiscated_wan", None))) == ("0.5", "3")


def test_a_row_and_a_name_that_say_different_units_leave_the_amount_unclear(
    tmp_path: Path, read: Read
) -> None:
    [one] = read(book(tmp_path, [[*HEADER, "金额单位"], [*values(**UNSAID), "元"]]))

    assert held(one)


@pytest.mark.parametrize("said", ["件/元", "见附件", ""])
def test_a_unit_of_a_row_that_nobody_can_read_leaves_its_amount_unclear(
    tmp_path: Path, read: Read, said: str
) -> None:
    [one] = read(book(tmp_path, [[*NAMES, "金额单位"], [*values(**UNSAID), said]]))

    assert held(one)


@pytest.mark.parametrize("name", ["单位", "主管单位", "罚款收缴单位", "填报单位"])
@pytest.mark.parametrize("said", ["样例县分局", "", "元宝山区分局"])
def test_a_column_of_agencies_is_none_of_units(
    tmp_path: Path, read: Read, name: str, said: str
) -> None:
    [one] = read(book(tmp_path, [[*NAMES, name], [*values(), said]]))

    assert one.verdict is Verdict.OK


@pytest.mark.parametrize("place", ["above", "below"])
def test_a_unit_may_stand_in_two_cells(tmp_path: Path, read: Read, place: str) -> None:
    rows = [NAMES, values(**UNSAID)]
    rows.insert(0 if place == "above" else 2, ["金额单位", "元"])

    [one] = read(book(tmp_path, rows))

    assert fine(one) == "0.5" if place == "above" else held(one)


@pytest.mark.parametrize("said", ["单位：件/元", "单位：件、元（注意）"])
def test_a_unit_that_is_not_clear_leaves_amounts_unclear(
    tmp_path: Path, read: Read, said: str
) -> None:
    [one] = read(book(tmp_path, [[said], NAMES, values(**UNSAID)]))

    assert fine(one) != "5000"


@pytest.mark.parametrize(
    "said", ["单位：元/吨", "罚款标准 单位：元/吨", "监测单位：元/次", "主管单位：元宝山，制表"]
)
def test_the_unit_of_a_price_is_none_of_amounts(tmp_path: Path, read: Read, said: str) -> None:
    [one] = read(book(tmp_path, [[said], NAMES, values(**{**UNSAID, "CF_NR_FK": "2"})]))

    assert fine(one) == "2"


@pytest.mark.parametrize("made", [book, text])
def test_a_unit_in_the_middle_of_a_long_table_leaves_the_rows_above_it_unclear(
    tmp_path: Path, read: Read, made: Any
) -> None:
    rows = [values(n, **UNSAID) for n in range(1, 81)]
    rows.insert(40, ["金额单位：元"])

    found = read(made(tmp_path, [NAMES, *rows]))

    assert all(map(held, found[:40]))
    assert {fine(one) for one in found[40:]} == {"0.5"}


@pytest.mark.parametrize("amount", ["0", "0.00"])
def test_no_fine_beside_a_content_with_a_fine_is_told(
    tmp_path: Path, read: Read, amount: str
) -> None:
    [one] = read(book(tmp_path, [HEADER, values(CF_NR_FK=amount, CF_NR="处罚款贰万元整")]))

    assert "与处罚内容里的20000元不一致" in one.warnings[0].message


@pytest.mark.parametrize("form", [book, text])
@pytest.mark.parametrize(
    "note",
    [
        "注：金额单位为元", "罚款金额以元为单位填写", "金额均为元", "说明：罚款金额栏单位：元",
        "填表说明：1.本表由各单位逐条填写，一个决定一行，不得合并单元格，不得改动表头和列的次序，"
        "不得增加列。2.日期写年月日。3.本表罚款金额以元为单位填写。",
    ],
)  # fmt: skip
def test_a_name_and_a_note_below_that_say_different_units_leave_amounts_unclear(
    tmp_path: Path, read: Read, form: Any, note: str
) -> None:
    rows = [HEADER, values(**UNSAID), values(2, CF_NR_FK="2万元"), [note], ["制表人：张三"]]

    first, second = read(form(tmp_path, rows))

    assert held(first)
    assert str(getattr(second.record, "fine_wan", None)) == "2"


def test_a_line_above_and_a_note_below_that_say_different_units_leave_amounts_unclear(
    tmp_path: Path, read: Read
) -> None:
    rows = [["单位：万元"], NAMES, values(**UNSAID), ["注：金额单位为元"]]

    [one] = read(book(tmp_path, rows))

    assert held(one)


@pytest.mark.parametrize(
    "note",
    [
        "注：金额单位为万元", "注：处罚内容栏单位：元", "说明：填报单位为元宝山区分局",
        "注：处罚内容栏单位：元；罚款金额栏单位：万元", "注：罚款5000元以上的，另附决定书",
    ],
)  # fmt: skip
def test_a_note_below_that_says_no_other_unit_of_the_amounts_changes_nothing(
    tmp_path: Path, read: Read, note: str
) -> None:
    [one] = read(book(tmp_path, [HEADER, values(), [note]]))

    assert str(getattr(one.record, "fine_wan", None)) == "2"
