"""Cells merged over rows, in columns that say whether and how a decision is reported."""

from datetime import date
from pathlib import Path
from typing import Any

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
from tests.gateway.intake.conftest import Read, book
from tests.gateway.intake.test_tables_that_mislead import HEADER, values

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
