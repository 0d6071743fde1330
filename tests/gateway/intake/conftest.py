"""Workbooks as people build them, read and checked."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.keys import Keys
from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from tests.factories import penalty
from tests.gateway.conftest import TODAY

Rows = Sequence[Sequence[Any]]
Read = Callable[[Path], list[Checked]]
#: Columns of the penalties of these tests, in their order.
NAMES = list(penalty())


def book(folder: Path, rows: Rows, *merged: str, more: Mapping[str, Rows] | None = None) -> Path:
    """Write rows as they stand, merge cells, and add more sheets."""
    path = folder / "table.xlsx"
    made = openpyxl.Workbook()
    for name, cells in {made.active.title: rows, **(more or {})}.items():
        sheet = made[name] if name in made else made.create_sheet(name)
        for number, row in enumerate(cells, 1):
            for place, cell in enumerate(row, 1):
                sheet.cell(number, place, cell)
    for area in merged:
        made.worksheets[0].merge_cells(area)
    made.save(path)
    return path


@pytest.fixture
def checker(keys: Keys) -> Checker:
    return Checker(keys)


@pytest.fixture
def read(checker: Checker) -> Read:
    return lambda path: [checker.check(raw, TODAY) for raw in Reading(path, FileLimits())]
