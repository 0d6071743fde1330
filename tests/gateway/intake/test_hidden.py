"""Hidden rows and columns are read all the same, and that is said; no other row pays for it."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from gateway.config.settings import FileLimits
from gateway.intake.files.hidden import joined
from gateway.intake.files.reading import Reading
from tests.gateway.intake.conftest import NAMES, book
from tests.gateway.intake.test_decisions_over_rows import ods
from tests.gateway.intake.test_tables_that_mislead import HEADER, values

TOLD = "被隐藏，照样读入；不该报的，删去后再报"


def told(path: Path) -> tuple[int, str]:
    """Return how many records are read, and what is said."""
    reading = Reading(path, FileLimits())
    return len(list(reading)), "\n".join(reading.report.words)


def changed(folder: Path, change: Callable[[Any], None], rows: int = 4) -> Path:
    """Write a workbook with a few records, and change its sheet."""
    path = book(folder, [HEADER, *(values(n) for n in range(1, rows + 1))])
    made = openpyxl.load_workbook(path)
    change(made.active)
    made.save(path)
    return path


def rewritten(path: Path, part: str, old: str, new: str, times: int = -1) -> None:
    """Replace a text in a part of a workbook."""
    with zipfile.ZipFile(path) as archive:
        parts = {one.filename: archive.read(one) for one in archive.infolist()}
    parts[part] = parts[part].decode().replace(old, new, times).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def hide(sheet: Any) -> None:
    sheet.row_dimensions[3].hidden = sheet.row_dimensions[4].hidden = True


def fold(sheet: Any) -> None:
    sheet.row_dimensions.group(3, 4, hidden=True)


@pytest.mark.parametrize("change", [hide, fold])
def test_hidden_rows_are_read_and_told(tmp_path: Path, change: Callable[[Any], None]) -> None:
    count, words = told(changed(tmp_path, change))

    assert count == 4
    assert f"第3、4行{TOLD}" in words


@pytest.mark.parametrize("height", ['ht="0"', "ht='0.0'", 'hidden="true"'])
def test_rows_without_a_height_are_read_and_told(tmp_path: Path, height: str) -> None:
    path = book(tmp_path, [HEADER, values(), values(2)])
    rewritten(path, "xl/worksheets/sheet1.xml", '<row r="3"', f'<row r="3" {height}')

    assert f"第3行{TOLD}" in told(path)[1]


def test_many_hidden_rows_are_counted_and_those_without_a_record_are_not(tmp_path: Path) -> None:
    def most(sheet: Any) -> None:
        for row in [1, *range(3, 20), 500]:
            sheet.row_dimensions[row].hidden = True

    count, words = told(changed(tmp_path, most, rows=12))

    assert count == 12
    assert f"第3、4、5、6、7等 11 行{TOLD}" in words


@pytest.mark.parametrize("option", [{"hidden": True}, {}])
def test_hidden_columns_are_read_and_told(tmp_path: Path, option: dict[str, bool]) -> None:
    path = tmp_path / "table.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet()
        for number, row in enumerate([HEADER, values(), values(2)]):
            sheet.write_row(number, 0, row)
        sheet.set_column(1, 2, None if option else 0, None, option)
        sheet.set_column(200, 300, None, None, {"hidden": True})

    count, words = told(path)

    assert count == 2
    assert f"B、C列{TOLD}" in words
    assert words.count(TOLD) == 1


def test_hidden_rows_are_told_to_programs(tmp_path: Path) -> None:
    reading = Reading(changed(tmp_path, hide), FileLimits())
    list(reading)

    table = reading.report.tables[0].as_json()
    assert (table["hidden_rows"], table["hidden_columns"]) == ([3, 4], [])


def test_hidden_rows_and_columns_of_an_ods_are_told(tmp_path: Path) -> None:
    path = ods(tmp_path, [NAMES, values(), values(2)], {})
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    row = "<table:table-row>"
    rewritten(path, "content.xml", row, f"{columns}{row}", times=1)
    end = "</table:table-row>"
    rewritten(path, "content.xml", f"{end}{row}", f'{end}{row[:-1]} table:visibility="filter">')

    count, words = told(path)

    assert count == 2
    assert f"第2、3行{TOLD}" in words
    assert f"B列{TOLD}" in words


def test_nothing_is_said_where_nothing_is_hidden(tmp_path: Path) -> None:
    assert TOLD not in told(changed(tmp_path, lambda _: None))[1]


def test_an_older_workbook_says_that_hidden_rows_are_not_known(tmp_path: Path) -> None:
    words = told(ods(tmp_path, [NAMES, values()], {}))[1]

    assert "xls、et 里隐藏的行和列看不出，照样读入" in words


def test_spans_side_by_side_are_one() -> None:
    assert joined([(1, 1), (2, 2), (4, 6), (5, 9)]) == ((1, 2), (4, 9))
