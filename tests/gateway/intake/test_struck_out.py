"""Struck-out text 删除线: a row that is struck out is none, a cell of which a part is one asks."""

from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import Font

from gateway.check.checker import Checker
from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from schemas.verdict import Exclusion, Verdict
from tests.gateway.conftest import TODAY
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_tables_that_mislead import HEADER, letter, values

AMOUNT = NAMES.index("CF_NR_FK")


def struck_row(path: Path) -> None:
    """Strike out the second record as openpyxl does."""
    made = openpyxl.load_workbook(path)
    for cell in made.active[3]:
        cell.font = Font(strike=True)
    made.save(path)


def struck_part(path: Path) -> None:
    """Strike out a part of the amount of the second record; the text stands in its cell."""
    made = openpyxl.load_workbook(path, rich_text=True)
    struck = TextBlock(InlineFont(strike=True), "5")
    made.active.cell(3, AMOUNT + 1).value = CellRichText(struck, "2")
    made.save(path)


def test_a_row_that_is_struck_out_is_no_record_and_that_is_said(tmp_path: Path, read: Read) -> None:
    path = book(tmp_path, [HEADER, values(), values(2), values(3)])
    struck_row(path)

    found = read(path)

    assert [one.verdict for one in found] == [Verdict.OK] * 2
    reading = Reading(path, FileLimits())
    assert len(list(reading)) == 2
    assert "第3行不是记录：整行划掉（删除线）" in "".join(reading.report.words)


def test_an_amount_with_a_struck_out_digit_is_refused(tmp_path: Path, read: Read) -> None:
    path = book(tmp_path, [HEADER, values(), values(2)])
    struck_part(path)

    first, second = read(path)

    assert [first.verdict, second.verdict] == [Verdict.OK, Verdict.REFUSED]
    assert "有划掉的字" in second.problems[0].message


@pytest.mark.parametrize("struck", [True, False])
def test_a_struck_out_part_of_a_shared_text_is_seen(
    tmp_path: Path, read: Read, *, struck: bool
) -> None:
    path = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, values())
        old = made.add_format({"font_strikeout": struck, "bold": True})
        sheet.write_rich_string(1, 0, old, "旧名有限公司", "新名有限公司")

    [one] = read(path)

    assert one.verdict is (Verdict.REFUSED if struck else Verdict.OK)


@pytest.mark.parametrize(("shown", "format_"), [(2026.1, "0.00"), (12.4, "0")])
def test_a_document_number_that_is_a_number_with_a_point_is_refused(
    tmp_path: Path, read: Read, shown: Any, format_: str
) -> None:
    path = book(tmp_path, [HEADER, values(CF_WSH=shown)])
    made = openpyxl.load_workbook(path)
    made.active.cell(2, NAMES.index("CF_WSH") + 1).number_format = format_
    made.save(path)

    [one] = read(path)

    assert one.verdict is Verdict.REFUSED
    assert "存的是数字" in one.problems[0].message


def struck_names(path: Path, *places: tuple[int, int]) -> Path:
    """Strike out cells of the header."""
    made = openpyxl.load_workbook(path)
    for row, column in places:
        made.active.cell(row, column).font = Font(strike=True)
    made.save(path)
    return path


def words_of(path: Path, checker: Checker) -> str:
    reading = Reading(path, FileLimits(), None, checker.names)
    list(reading)
    return "".join(reading.report.words)


def test_a_column_whose_name_is_struck_out_is_told_and_not_read(
    tmp_path: Path, read: Read, checker: Checker
) -> None:
    path = struck_names(book(tmp_path, [HEADER, values()]), (1, AMOUNT + 1))

    [one] = read(path)

    assert [problem.field for problem in one.problems] == ["CF_NR_FK"]
    words = words_of(path, checker)
    assert f"{letter('CF_NR_FK')}1 的列名“{HEADER[AMOUNT]}”划掉了，这一列没有读" in words
    assert "没有列名" not in words


def test_a_struck_out_name_above_an_empty_one_is_told(tmp_path: Path, checker: Checker) -> None:
    codes = [None if place == AMOUNT else name for place, name in enumerate(NAMES)]
    path = struck_names(book(tmp_path, [HEADER, codes, values()]), (1, AMOUNT + 1))

    words = words_of(path, checker)

    assert f"{letter('CF_NR_FK')}1 的列名“{HEADER[AMOUNT]}”划掉了" in words
    assert "，1 条" in words


def test_a_struck_out_code_below_a_title_takes_nothing_from_it(
    tmp_path: Path, read: Read, checker: Checker
) -> None:
    path = struck_names(book(tmp_path, [HEADER, NAMES, values()]), (2, AMOUNT + 1))

    assert [one.verdict for one in read(path)] == [Verdict.OK]
    assert "划掉" not in words_of(path, checker)


def test_a_column_of_secrets_counts_although_its_name_is_struck_out(
    tmp_path: Path, checker: Checker
) -> None:
    path = book(tmp_path, [[*HEADER, "是否涉密"], [*values(), "是"]])
    struck_names(path, (1, len(HEADER) + 1))

    [item] = Reading(path, FileLimits(), None, checker.names)

    assert checker.check(item, TODAY).excluded is Exclusion.STATE_SECRET
