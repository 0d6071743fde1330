"""Cells merged over rows, in columns that say whether and how a decision is reported."""

from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from openpyxl.utils import get_column_letter

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from schemas.codes import RecordKind, Verb
from schemas.participant import Participant
from schemas.verdict import Exclusion, Verdict
from tests.factories import credit_code, licence
from tests.gateway.conftest import TODAY
from tests.gateway.intake.conftest import NAMES, Read, Rows, book
from tests.gateway.intake.test_decisions_over_rows import ods
from tests.gateway.intake.test_tables_that_mislead import HEADER, grouped, letter, values

#: The column behind those of a penalty.
LAST = get_column_letter(len(HEADER) + 1)
REGISTER = [
    "单位名称",
    "统一社会信用代码",
    "参评类别",
    "参评日期",
    "批次",
    "退出日期",
    "排污许可证编号",
]


def beside(folder: Path, name: str, value: Any) -> Path:
    """Write two decisions with one cell beside them, which is merged over both."""
    rows = [[*HEADER, name], [*values(), value], [*values(2), None]]
    return book(folder, rows, f"{LAST}2:{LAST}3")


def entries(checker: Checker, path: Path) -> list[Checked]:
    found = Reading(path, FileLimits(), RecordKind.PARTICIPANT)
    return [checker.check(raw, TODAY) for raw in found]


def entry(number: int, **cells: Any) -> list[Any]:
    given = dict(
        zip(
            REGISTER,
            [f"样例{number}号有限公司", credit_code(number), "企业", "2026-01-31"],
            strict=False,
        )
    )
    return [{**given, **cells}.get(name) for name in REGISTER]


def test_what_is_secret_in_a_merged_cell_is_secret_in_each_of_its_rows(
    tmp_path: Path, read: Read
) -> None:
    found = read(beside(tmp_path, "state_secret", "是"))

    assert [one.excluded for one in found] == [Exclusion.STATE_SECRET] * 2


@pytest.mark.parametrize(("name", "value"), [("verb", "withdraw"), ("当前状态", "撤销")])
def test_a_merged_withdrawal_withdraws_each_of_its_rows(
    tmp_path: Path, read: Read, name: str, value: str
) -> None:
    found = read(beside(tmp_path, name, value))

    assert [one.verb for one in found] == [Verb.WITHDRAW] * 2


def test_a_merged_state_of_licences_is_that_of_each(tmp_path: Path, read: Read) -> None:
    names = list(licence())
    first, second = list(licence(1, XK_ZT="2").values()), list(licence(2).values())
    second[names.index("XK_ZT")] = None
    letter = get_column_letter(names.index("XK_ZT") + 1)

    found = read(book(tmp_path, [names, first, second], f"{letter}2:{letter}3"))

    assert [one.given["XK_ZT"] for one in found if one.given] == ["2", "2"]


def test_a_merged_cell_that_counts_for_its_first_row_only_is_told(
    tmp_path: Path, checker: Checker
) -> None:
    reading = Reading(beside(tmp_path, "备注", "已缴清"), FileLimits())

    assert [checker.check(raw, TODAY).verdict for raw in reading] == [Verdict.OK] * 2
    assert any("列的合并单元格只算第一行，第3行没有读" in line for line in reading.report.words)


def test_merged_cells_of_the_register_are_those_of_each_entry(
    tmp_path: Path, checker: Checker
) -> None:
    second = entry(2, 参评类别=None, 参评日期=None)
    rows = [REGISTER, entry(1, 批次="第一批", 退出日期="2026-06-30"), second]

    found = entries(checker, book(tmp_path, rows, "C2:C3", "D2:D3", "E2:E3", "F2:F3"))

    records = [one.record for one in found if isinstance(one.record, Participant)]
    assert [(one.batch, str(one.until)) for one in records] == [("第一批", "2026-06-30")] * 2


def test_each_permit_of_a_merged_company_is_an_entry(tmp_path: Path, checker: Checker) -> None:
    permits = [f"{credit_code(1)}00{n}V" for n in (1, 2)]
    lower = [None] * (len(REGISTER) - 1) + [permits[1]]
    rows = [REGISTER, entry(1, 排污许可证编号=permits[0]), lower]

    found = entries(checker, book(tmp_path, rows, "A2:A3", "B2:B3", "C2:C3", "D2:D3"))

    records = [one.record for one in found if isinstance(one.record, Participant)]
    assert [(one.subject_code, one.permit) for one in records] == [
        (credit_code(1), permit) for permit in permits
    ]


def test_a_day_in_a_column_of_names_is_no_name(tmp_path: Path, checker: Checker) -> None:
    row = entry(1, 单位名称=date(2026, 1, 3), 批次=date(2026, 1, 1))

    [found] = entries(checker, book(tmp_path, [REGISTER, row]))

    assert {one.field for one in found.problems} == {"subject_name", "batch"}


@pytest.mark.parametrize(
    "last",
    [
        ["合计", "2家"],
        ["合计（2家）"],
        ["注：名录由环评科汇总"],
        ["填报人：张三", None, "审核人：李四"],
        ["审核人：李四", None, "联系电话：0371-0000000"],
        ["（盖章）"],
    ],
)
def test_what_stands_below_a_register_is_no_entry(
    tmp_path: Path, checker: Checker, last: list[Any]
) -> None:
    numbers = [str(number) for number in range(1, len(REGISTER) + 1)]

    found = entries(checker, book(tmp_path, [REGISTER, numbers, entry(1), last]))

    assert [one.verdict for one in found] == [Verdict.OK]


def hiding(folder: Path, rows: Rows, *areas: str) -> Path:
    """Write rows and merge cells that keep what stands in them, as WPS and programs do."""
    path = book(folder, rows)
    made = openpyxl.load_workbook(path)
    for area in areas:
        made.worksheets[0].merged_cells.add(area)
    made.save(path)
    return path


def test_what_a_merged_cell_hides_in_lower_rows_is_not_read(tmp_path: Path, read: Read) -> None:
    names = ("CF_NR_FK", "CF_JDRQ")
    areas = [f"{letter(name)}2:{letter(name)}3" for name in names]

    first, second, third = read(hiding(tmp_path, [HEADER, *map(values, (1, 2, 3))], *areas))

    assert [first.verdict, third.verdict] == [Verdict.OK] * 2
    assert {one.field for one in second.problems} == set(names)


@pytest.mark.parametrize("number", [2, 1003])
def test_what_a_merged_cell_hides_in_its_own_row_is_not_read(
    tmp_path: Path, read: Read, number: int
) -> None:
    rows = [HEADER, *([[]] * (number - 2)), values(1), values(2)]
    area = f"{letter('CF_NR_FK')}{number}:{letter('CF_JDRQ')}{number}"

    first, second = read(hiding(tmp_path, rows, area))

    hidden = NAMES[NAMES.index("CF_NR_FK") + 1 : NAMES.index("CF_JDRQ") + 1]
    assert {one.field for one in first.problems} >= {"CF_JDRQ"}
    assert {one.field for one in first.problems} <= set(hidden)
    assert second.verdict is Verdict.OK


def test_a_row_of_which_all_is_hidden_is_no_row(tmp_path: Path, read: Read) -> None:
    areas = [f"{letter(name)}2:{letter(name)}3" for name in NAMES]

    [one] = read(hiding(tmp_path, [HEADER, values(1), values(2)], *areas))

    assert one.verdict is Verdict.OK


def test_a_unit_that_a_merged_cell_hides_is_no_unit(tmp_path: Path) -> None:
    content = {"CF_NR": "责令改正，处以罚款", "CF_NR_FK": "2"}
    rows = [["填报人：张三", "单位：元"], NAMES, values(**content)]
    reading = Reading(hiding(tmp_path, rows, "A1:B1"), FileLimits())

    assert len(list(reading)) == 1
    assert not reading.report.tables[0].units


def test_what_a_merged_cell_of_an_ods_hides_is_not_read(tmp_path: Path, read: Read) -> None:
    place = NAMES.index("CF_NR_FK") + 1
    path = ods(tmp_path, [NAMES, values(1), values(2)], {}, {(2, place - 1): 2})

    first, second = read(path)

    assert [one.field for one in first.problems] == ["CF_NR_FK"]
    assert second.verdict is Verdict.OK


@pytest.mark.parametrize("times", [1, 2])
def test_the_lower_row_of_a_header_is_none_of_its_unread_rows(tmp_path: Path, times: int) -> None:
    upper, below, areas = grouped("CF_XDR_SHXYM", ["统一社会信用代码", "工商注册号"])
    number = next(place for place, name in enumerate(upper) if name == "行政处罚决定书文号")
    upper[number], below[number] = "决定书", upper[number]
    areas = [area for area in areas if not area.startswith(f"{get_column_letter(number + 1)}1:")]
    place = NAMES.index("CF_XDR_SHXYM") + 1
    record = [*values()[:place], None, *values()[place:]]
    again = [area.replace("1", "4").replace("2", "5") for area in areas]
    path = book(tmp_path, [upper, below, record] * times, *areas, *(again if times > 1 else []))
    reading = Reading(path, FileLimits())

    assert len(list(reading)) == times
    assert reading.report.tables[0].merged == {}
