"""A workbook to mend that comes back untouched: what had a problem is refused."""

from pathlib import Path
from typing import Any

import pytest

from gateway.check.checker import Checker
from gateway.config.settings import FileLimits
from gateway.intake.files.problem_workbook import faulty_row, problems_workbook
from gateway.intake.files.reading import Reading
from gateway.intake.files.report import FileReport
from schemas.cell import conflict, date, formula, otherwise, struck, unsent
from schemas.verdict import Verdict
from tests.factories import penalty, raw
from tests.gateway.conftest import TODAY

CELLS: dict[str, dict[str, Any]] = {
    "formula": formula("A2"),
    "struck": struck("A2"),
    "shown": otherwise("A2"),
    "unsent": unsent(),
    "conflict": conflict({"A2": "一", "B2": "二"}),
    "date": date("A2", "2026-10-09"),
}


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "column", ["BZ", "CF_FRDB", "CF_NR", "CF_WSH", "verb", "当前状态", "state_secret"]
)
def test_a_cell_that_nobody_filled_in_is_not_taken_for_an_empty_one(
    checker: Checker, tmp_path: Path, column: str, cell: str
) -> None:
    faulty = checker.check(raw(penalty(**{column: CELLS[cell]})), TODAY)
    mend = tmp_path / "mend.xlsx"
    problems_workbook(mend, [faulty_row(FileReport(), faulty)])

    [again] = [checker.check(one, TODAY) for one in Reading(mend, FileLimits())]

    assert faulty.verdict is not Verdict.OK
    assert again.verdict is Verdict.REFUSED
    assert "待填" in again.problems[0].message
