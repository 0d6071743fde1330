from pathlib import Path

import orjson
from python_calamine import CalamineWorkbook

from gateway.config.settings import FileLimits
from gateway.intake.files.problem_workbook import FaultyRow, problems_workbook
from gateway.intake.files.reading import Reading
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.penalty import AdministrativePenalty
from schemas.problem import Problem, Rule

ROW = {
    "CF_XDR_MC": "样例公司",
    "CF_XDR_SHXYM": "091410100MA0000001X",
    "CF_JDRQ": "2026/10/01",
    "CF_NR_FK": "2.50",
    "自加列": "=cmd|' /C calc'!A0",
}
PROBLEM = Problem(
    field="CF_WSH", rule=Rule.REQUIRED, message="行政处罚决定书文号：必填项为空", fix="补填该项"
)


def test_faulty_rows_are_read_back_as_they_were_given(tmp_path: Path) -> None:
    path = tmp_path / "problems.xlsx"

    problems_workbook(path, [FaultyRow("", 2, RecordKind.PENALTY, ROW, [PROBLEM])])

    (item,) = Reading(path, FileLimits())
    row = orjson.loads(item.body or b"")
    assert item.kind is RecordKind.PENALTY
    assert row == ROW | {"来源行": "2", "填报问题": PROBLEM.message, "修改办法": PROBLEM.fix}


def test_each_kind_has_its_sheet_with_columns_in_the_order_of_the_standard(tmp_path: Path) -> None:
    path = tmp_path / "problems.xlsx"
    rows = [
        FaultyRow("", 1, None, {"a": "1"}, [PROBLEM]),
        FaultyRow("", 2, RecordKind.EVENT, {"id": "e1"}, [PROBLEM]),
        FaultyRow("", 3, RecordKind.LICENCE, {"XK_WSH": "1号"}, [PROBLEM]),
        FaultyRow("", 4, RecordKind.PENALTY, ROW, [PROBLEM, PROBLEM]),
    ]

    problems_workbook(path, rows)

    book = CalamineWorkbook.from_path(str(path))
    header = book.get_sheet_by_name("行政处罚").to_python()[0]
    titles = [column.title for column in columns_of(AdministrativePenalty)]
    assert book.sheet_names == ["行政处罚", "行政许可", "其他"]
    assert header == [*titles, "自加列", "来源工作表", "来源行", "填报问题", "修改办法"]
    assert book.get_sheet_by_name("其他").to_python()[2][:3] == ["", "event", "e1"]


def test_a_workbook_without_faulty_rows_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "problems.xlsx"

    problems_workbook(path, [])

    assert CalamineWorkbook.from_path(str(path)).sheet_names == ["行政处罚"]
