"""Number formats that show more than the number: what is read is what the cell shows."""

import csv
import shutil
import subprocess
import zipfile
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest

from gateway.config.settings import FileLimits
from gateway.intake.files.number_format import Dateless, NumberFormat, ShownOtherwise, format_of
from gateway.intake.files.reading import Reading

DOCUMENT = '"样环罚字〔2026〕"0"号"'


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        (DOCUMENT, "5", "样环罚字〔2026〕5号"),
        ("0000", "12", "0012"),
        ("00000000", "123456789", "123456789"),
        ('#,##0.00"万元"', "2", "2.00万元"),
        ("General年", "2026", "2026年"),
        (r"\A\-0", "7", "A-7"),
        ("[Red]第0号;[Blue]-0", "3", "第3号"),
        ("第0号;负0", "-3", "负3"),
        ("第0号", "-3", "-第3号"),
        ('0.0"元"', "2.5", "2.5元"),
        ('0.00"万元"', "2.2999999999999998", "2.30万元"),
        ('0.00"万元"', "7.0000000000000007E-2", "0.07万元"),
        ("0%", "0.05", "5%"),
        ("0.00%", "0.0525", "5.25%"),
        ('#,##0"号"', "1234", "1,234号"),
        ('00.0"号"', "5", "05.0号"),
        (r'0\.0,"万元"', "20000", "2.0万元"),
        (r'0\.0000"万元"', "20000", "2.0000万元"),
        (r"0\.0000", "20000", "2.0000"),
        ("#,##0,", "20000", "20"),
        ('#,##0,"千元"', "20000", "20千元"),
        (r'[>=10000]0\.0,"万元";0"元"', "20000", "2.0万元"),
        (r'[>=10000]0\.0,"万元";0"元"', "500", "500元"),
        ('"样环罚字〔"0000"〕"000"号"', "2026005", "样环罚字〔2026〕005号"),
        ('0000"〔样〕"0000"号"', "20260005", "2026〔样〕0005号"),
        ('[<10]"样〔2026〕00"0"号";"样〔2026〕"0"号"', "5", "样〔2026〕005号"),
        ('"样"???"号"', "5", "样  5号"),
        ('"样"000"-"00"号"', "5", "样000-05号"),
        (DOCUMENT + ";;", "0", ""),
        (";;;", "2", ""),
        ('0000"."00"."00', "20261009", "2026.10.09"),
        ('0.##"吨"', "2.5", "2.5吨"),
        ('0.##"吨"', "2", "2.吨"),
    ],
)
def test_a_number_is_shown_with_the_letters_of_its_format(
    code: str, value: str, shown: str
) -> None:
    read = NumberFormat(code)

    assert not read.is_plain
    assert read.shown(value) == shown


@pytest.mark.parametrize(
    "code",
    [
        "General",
        "0",
        "0.00",
        "#,##0.00_ ",
        "[Red]0.00;[红色]-0.00",
        "0.00E+00",
        "0,000.00",
        '_ * #,##0_ ;_ * \\-#,##0_ ;_ * "-"_ ;_ @_ ',
    ],
)
def test_a_plain_format_leaves_the_number_as_it_is(code: str) -> None:
    read = NumberFormat(code)

    assert read.is_plain
    assert read.shown("2") is None


@pytest.mark.parametrize(
    "code",
    ["# ?/?", '[DBNum2][$-804]General"元整"', "[DBNum1]General", "0a", "0.0.0"],
)
def test_a_number_that_is_shown_otherwise_is_no_value(code: str) -> None:
    with pytest.raises(ShownOtherwise):
        NumberFormat(code).shown("5")


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ('0"元"', "2.5"),
        ('0"号"', "5.6"),
        (r'0\.0,"万元"', "12345"),
        (r'0\.0,"万元"', "500"),
        ('0.0"万元"', "0.04"),
        ("0." + "0" * 27 + '"元"', "2.5e-27"),
    ],
)
def test_a_number_that_is_shown_rounded_is_no_value(code: str, value: str) -> None:
    with pytest.raises(ShownOtherwise):
        NumberFormat(code).shown(value)


@pytest.mark.parametrize("code", ["@", "0.00;@", "General;-General;0;@", "0_);[Red]@"])
def test_a_section_of_texts_says_nothing_of_a_number(code: str) -> None:
    assert NumberFormat(code).shown("2") is None


@pytest.mark.parametrize("value", ["911599000000028000", "x", "1e400", "nan", "inf", ""])
def test_a_number_that_lost_digits_is_never_made_a_text(value: str) -> None:
    assert NumberFormat("000000000000000000").shown(value) is None


@pytest.mark.parametrize(
    ("number", "code", "shows"),
    [
        (14, None, None),
        (17, None, Dateless.MONTH),
        (57, None, None),
        (20, None, Dateless.TIME),
        (58, None, None),
        (180, 'yyyy"年"m"月"', Dateless.MONTH),
        (180, "mmm-yy", Dateless.MONTH),
        (180, "yyyy", Dateless.MONTH),
        (180, "h:mm AM/PM", Dateless.TIME),
        (180, "[h]:mm:ss", Dateless.TIME),
        (180, "yyyy-mm dddd", Dateless.MONTH),
        (180, 'yyyy"年"m"月"d"日"', None),
        (180, 'yyyy"年"m"月"d"日"\\ dddd', None),
        (180, '[$-804]yyyy"年"m"月"d"日"dddd;@', None),
        (180, "yyyy/m/d\\ ddd", None),
        (180, "[$" + "a" * 500_000, None),
        (180, "[$-804]yyyy/m/d h:mm", None),
        (180, "General", None),
        (2, None, None),
    ],
)
def test_a_format_without_a_day_is_known(
    number: int, code: str | None, shows: Dateless | None
) -> None:
    assert format_of(number, code) is shows


def test_percent_is_shown_otherwise() -> None:
    assert isinstance(format_of(9, None), NumberFormat)


def read(path: Path, cells: list[Any], formats: list[str]) -> dict[str, Any]:
    """Write a row with these formats; return it as it is read."""
    book = openpyxl.Workbook()
    book.active.append(["CF_WSH", "CF_XDR_MC", "CF_NR_FK", "CF_JDRQ", "CF_XDR_SHXYM"])
    book.active.append(cells)
    for cell, code in zip(book.active[2], formats, strict=True):
        cell.number_format = code
    book.save(path)
    [raw] = list(Reading(path, FileLimits()))
    found: dict[str, Any] = orjson.loads(raw.body or b"")
    return found


def test_a_cell_is_read_as_it_is_shown(tmp_path: Path) -> None:
    row = read(
        tmp_path / "formats.xlsx",
        [5, "某厂", 20000, date(2026, 10, 9), 911599000000028032],
        [DOCUMENT, "General", r'0\.0,"万元"', "yyyy/m/d", "0" * 18],
    )

    assert (row["CF_WSH"], row["CF_NR_FK"]) == ("样环罚字〔2026〕5号", "2.0万元")
    assert row["CF_JDRQ"] == "2026-10-09"
    assert not isinstance(row["CF_XDR_SHXYM"], str)


def test_a_number_shown_otherwise_is_named(tmp_path: Path) -> None:
    row = read(
        tmp_path / "formats.xlsx",
        [5, "某厂", 20000, "2026-10-09", "91159900MA00000013"],
        [DOCUMENT, "General", '[DBNum2]General"元整"', "General", "General"],
    )

    assert row["CF_NR_FK"] == {"$cell": "shown", "at": "C2"}


@pytest.mark.parametrize(
    ("code", "text"), [("mmm-yy", "2026-10"), ('yyyy"年"m"月"', "2026-10"), ("h:mm", "00:00:00")]
)
def test_a_day_that_no_cell_shows_is_not_made_up(tmp_path: Path, code: str, text: str) -> None:
    row = read(
        tmp_path / "month.xlsx",
        ["1号", "某厂", 2, datetime(2026, 10, 1), "91159900MA00000013"],  # noqa: DTZ001
        ["General", "General", "General", code, "General"],
    )

    assert row["CF_JDRQ"] == text


#: Format codes, and numbers to show by each.
CODES = [
    DOCUMENT, "0000", '#,##0.00"万元"', "第0号;负0", r'0\.0,"万元"', r'0\.0000"万元"', "#,##0,",
    r'[>=10000]0\.0,"万元";0"元"', '"样环罚字〔"0000"〕"000"号"', '0000"〔样〕"0000"号"',
    '"样"000"-"00"号"', DOCUMENT + ";;", '00.0"号"', '#,##0"号"', '0.0#"吨"',
    "00000.00",
    "#,##0.000,,", '0"元整"', "0%", "0.0%", r"\A\-0", '0;-0;"无"', '#"号"', "000-00-00",
]  # fmt: skip
NUMBERS = [5, 12, 0, 2.5, 5.6, 1234, 20000, 2026005, 20260005, 0.05, 1234567.891]


def test_a_number_is_shown_as_libreoffice_shows_it(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for code in CODES:
        book.active.append(NUMBERS)
        for cell in book.active[book.active.max_row]:
            cell.number_format = code
    book.save(tmp_path / "shown.xlsx")
    as_shown(tmp_path / "shown.xlsx", tmp_path)
    with (tmp_path / "shown.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))

    for code, texts in zip(CODES, rows, strict=True):
        for number, text in zip(NUMBERS, texts, strict=True):
            with suppress(ShownOtherwise):
                read = NumberFormat(code).shown(repr(number))
                assert read is None or read == text.strip(), (code, number)


def as_shown(path: Path, folder: Path) -> None:
    """Let LibreOffice write a CSV of what the cells show."""
    office = shutil.which("soffice")
    assert office is not None  # tests.tools installs it
    command = [office, f"-env:UserInstallation=file://{folder}/profile", "--headless"]
    form = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true"
    command += ["--convert-to", form, "--outdir", str(folder), str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def test_formats_that_no_cell_uses_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "many.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["CF_WSH", "CF_XDR_MC", "CF_NR_FK", "CF_JDRQ"])
    for number in range(3000):
        book.active.append([f"{number}号", "某厂", 2, "2026-10-09"])
    other = book.create_sheet("其他")
    for number in range(1, 1000):
        other.cell(number, 1).number_format = f'"第{number}"0"号"'
    book.save(path)

    assert len(list(Reading(path, FileLimits()))) == 3000


@pytest.mark.parametrize("value", ["NaN", "INF", "1E+400"])
def test_what_is_no_number_is_named(tmp_path: Path, value: str) -> None:
    path, odd = tmp_path / "given.xlsx", tmp_path / "odd.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["CF_WSH", "CF_XDR_MC", "CF_NR_FK", "CF_JDRQ"])
    book.active.append(["1号", "某厂", 77777, "2026-10-09"])
    book.save(path)
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(odd, "w") as made:
        for name in given.namelist():
            made.writestr(name, given.read(name).replace(b"77777", value.encode()))

    [raw] = list(Reading(odd, FileLimits()))

    assert orjson.loads(raw.body or b"")["CF_NR_FK"] == "#NUM!"


def test_styles_are_found_where_the_package_says(tmp_path: Path) -> None:
    path, moved = tmp_path / "given.xlsx", tmp_path / "moved.xlsx"
    read(path, [7, "某厂", 2, "2026-10-09", ""], [DOCUMENT, *["General"] * 4])
    with zipfile.ZipFile(path) as given, zipfile.ZipFile(moved, "w") as made:
        for name in given.namelist():
            text = given.read(name).replace(b"styles.xml", b"st/Styles2.xml")
            made.writestr(name.replace("styles.xml", "st/Styles2.xml"), text)

    [raw] = list(Reading(moved, FileLimits()))

    assert orjson.loads(raw.body or b"")["CF_WSH"] == "样环罚字〔2026〕7号"


def test_a_month_in_a_column_of_texts_is_a_day_that_was_typed_otherwise(tmp_path: Path) -> None:
    row = read(
        tmp_path / "number.xlsx",
        [datetime(2026, 5, 1), "某厂", 2, "2026-10-09", ""],  # noqa: DTZ001
        ["mmm-yy", *["General"] * 4],
    )

    assert row["CF_WSH"] == {"$cell": "date", "at": "A2", "text": "2026-05-01"}
