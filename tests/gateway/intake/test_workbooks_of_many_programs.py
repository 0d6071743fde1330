"""Workbooks that real programs write, with anything in their cells: no value that no cell shows."""

import shutil
import subprocess
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.settings import FileLimits
from gateway.intake.files import workbook
from gateway.intake.files.office_file import OfficeFile
from gateway.intake.files.reading import Reading
from gateway.intake.files.unreadable import UnreadableFile
from tests.factories import penalty

HEADER = ["CF_WSH", "CF_XDR_MC", "CF_NR_FK", "CF_JDRQ", "BZ"]
TEXT = st.text(
    st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=12,
).filter(lambda text: not text.startswith(("=", "{", "'")) and "_x" not in text)
FIRST, LAST = datetime(1950, 1, 1), datetime(2099, 1, 1)  # noqa: DTZ001  cells have no zone
CELLS = st.one_of(
    st.none(),
    TEXT,
    st.integers(-(10**17), 10**17),
    st.floats(-1e300, 1e300, width=64),
    st.booleans(),
    st.dates(date(1950, 1, 1), date(2099, 1, 1)),
    st.datetimes(FIRST, LAST).map(lambda at: at.replace(microsecond=0)),
)
TABLES = st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=6)

Writer = Callable[[Path, list[list[Any]]], None]


def by_xlsxwriter(path: Path, rows: list[list[Any]]) -> None:
    """Write a workbook as report generators do."""
    with xlsxwriter.Workbook(str(path), {"nan_inf_to_errors": True}) as book:
        sheet = book.add_worksheet("行政处罚")
        day = book.add_format({"num_format": "yyyy/m/d"})
        for number, row in enumerate([HEADER, *rows]):
            for place, cell in enumerate(row):
                if isinstance(cell, date):
                    sheet.write_datetime(number, place, cell, day)
                elif cell is not None:
                    sheet.write(number, place, cell)


def by_openpyxl(path: Path, rows: list[list[Any]]) -> None:
    """Write a workbook as scripts of bureaus do."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in [HEADER, *rows]:
        sheet.append(row)
    book.save(path)


@pytest.mark.parametrize("write", [by_xlsxwriter, by_openpyxl])
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=TABLES)
def test_every_value_that_is_read_stands_in_its_cell(
    tmp_path: Path, write: Writer, rows: list[list[Any]]
) -> None:
    path = tmp_path / "fuzz.xlsx"
    write(path, rows)
    reading = Reading(path, FileLimits())

    try:
        read = {raw.line: orjson.loads(raw.body or b"") for raw in reading}
    except UnreadableFile as error:
        assert not any(any(cell not in (None, "") for cell in row) for row in rows) or str(error)  # noqa: PT017
        return

    for line, found in read.items():
        shown = dict(zip(HEADER, rows[line - 2], strict=True))
        for name, value in found.items():
            if isinstance(value, dict) and value["$cell"] == "split":
                continue  # two rows that are one decision
            if isinstance(value, dict) and value["$cell"] == "shown":
                assert isinstance(shown[name], float)  # in a column of texts
                continue
            assert same(value, shown[name]), (name, value, shown[name])


def same(value: Any, cell: Any) -> bool:
    """Whether a value that was read is what the cell shows."""
    if isinstance(value, dict):  # a day in a column of texts is named as such
        assert value["$cell"] == "date"
        value = value["text"]
    if isinstance(cell, bool):
        return bool(value == str(cell).upper())
    if isinstance(cell, datetime):
        return bool(value in {cell.isoformat(), cell.date().isoformat()})
    if isinstance(cell, date):
        return bool(value in {cell.isoformat(), f"{cell.isoformat()}T00:00:00"})
    if isinstance(cell, int | float):
        return abs(float(value) - float(cell)) <= abs(float(cell)) * 1e-14
    return bool(value == cell)


#: LibreOffice's form → options: CSV with commas and quotes, in UTF-8.
FORMS = {"ods": "", "xls": "", "xlsx": "", "csv": ":Text - txt - csv (StarCalc):44,34,76"}


@pytest.mark.parametrize("form", FORMS)
def test_what_libreoffice_writes_is_read_the_same(tmp_path: Path, form: str) -> None:
    source, made = tmp_path / "given.xlsx", tmp_path / "made"
    rows = [penalty(number) for number in (1, 2, 3)]
    by_openpyxl_rows(source, [list(rows[0]), *(list(row.values()) for row in rows)])
    office = shutil.which("soffice")
    assert office is not None  # tests.tools installs it

    subprocess.run(
        [
            office,
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--headless",
            "--convert-to",
            form + FORMS[form],
            "--outdir",
            str(made),
            str(source),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )

    found = [orjson.loads(raw.body or b"") for raw in Reading(made / f"given.{form}", FileLimits())]
    assert found == [{name: str(value) for name, value in row.items()} for row in rows]


def by_openpyxl_rows(path: Path, rows: list[list[Any]]) -> None:
    """Write rows of texts."""
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append([str(cell) for cell in row])
    book.save(path)


@pytest.mark.parametrize("written", ["=1+1", "=A1", '=IF(1=1,"x","")'])
def test_a_formula_that_nobody_calculated_is_named_and_not_taken_for_empty(
    tmp_path: Path, written: str
) -> None:
    path = tmp_path / "formula.xlsx"
    by_openpyxl(path, [["1号", "某厂", written, "2026-10-09", "无"]])

    [row] = [orjson.loads(raw.body or b"") for raw in Reading(path, FileLimits())]

    assert row["CF_NR_FK"] == {"$cell": "formula", "at": "C2"}


@pytest.mark.parametrize("hidden", ["hidden", "veryHidden"])
def test_a_hidden_sheet_is_never_data(tmp_path: Path, hidden: str) -> None:
    path = tmp_path / "hidden.xlsx"
    book = openpyxl.Workbook()
    for title, state in (("上月", hidden), ("本月", "visible")):
        sheet = book.create_sheet(title)
        sheet.sheet_state = state
        sheet.append(HEADER)
        sheet.append([f"{title}1号", "某厂", 1, "2026-10-09", ""])
    del book["Sheet"]
    book.active = 1
    book.save(path)
    reading = Reading(path, FileLimits())

    [raw] = list(reading)

    assert orjson.loads(raw.body or b"")["CF_WSH"] == "本月1号"
    assert "“上月”表：隐藏，不读" in "\n".join(reading.report.words)
    assert reading.place(raw) == "“本月”表第2行"


@pytest.mark.parametrize(("row", "column"), [(1_048_576, 16_384), (5_000, 16_384), (1_048_576, 1)])
def test_a_cell_far_from_all_others_is_named_or_read_within_the_bound(
    tmp_path: Path, row: int, column: int
) -> None:
    path = tmp_path / "far.xlsx"
    book = openpyxl.Workbook()
    for cells in (HEADER, ["1号", "某厂", 1, "2026-10-09", ""]):
        book.active.append(cells)
    book.active.cell(row, column, "x")
    book.save(path)
    reading = Reading(path, FileLimits())

    try:
        found = list(reading)
    except UnreadableFile as error:
        assert openpyxl.utils.get_column_letter(column) + str(row) in str(error)  # noqa: PT017
    else:
        assert len(found) >= 1


def test_a_reader_that_has_used_up_its_time_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.intake.files.workbook.CPU_SECONDS", 1)
    slow = (
        "import gateway.intake.files.workbook_child as c; c.read = lambda *_: exec('while 1: 0');"
    )
    code = workbook._CODE
    monkeypatch.setattr("gateway.intake.files.workbook._CODE", code.replace("from", f"{slow}from"))
    path = tmp_path / "any.xlsx"
    by_openpyxl(path, [["1号", "某厂", 1, "2026-10-09", ""]])

    with pytest.raises(UnreadableFile, match="1 秒里读不完"):
        list(Reading(path, FileLimits()))


def test_what_many_sheets_share_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, read = tmp_path / "sheets.xlsx", Counter[str]()
    with xlsxwriter.Workbook(path) as made:
        for number in range(20):
            made.add_worksheet(f"表{number}").write_row(0, 0, ["CF_WSH", "CF_XDR_MC"])
    opened = zipfile.ZipFile.open

    def counted(archive: zipfile.ZipFile, name: str, *more: Any) -> Any:
        read[name] += 1
        return opened(archive, name, *more)

    monkeypatch.setattr(zipfile.ZipFile, "open", counted)
    office = OfficeFile(str(path))
    for number in range(20):
        office.scan(f"表{number}")

    assert read["xl/workbook.xml"] == read["xl/styles.xml"] == 1
    assert read["xl/sharedStrings.xml"] <= 2


def test_a_reader_that_ends_in_the_middle_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = """import sys
print('{"sheets":[{"name":"表","hidden":false,"rows":2}]}')
print('{"sheet":0,"merged":[],"notes":[],"hidden":[[],[]]}')
print('[[1,["CF_WSH","CF_XDR_MC"]],[2,["1号","某厂"]]]')
sys.exit(134)
"""
    path = tmp_path / "any.xlsx"
    by_openpyxl(path, [["1号", "某厂", 1, "2026-10-09", ""]])
    monkeypatch.setattr("gateway.intake.files.workbook._CODE", child)

    with pytest.raises(UnreadableFile, match="太大或已损坏"):
        list(Reading(path, FileLimits()))
