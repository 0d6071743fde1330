"""Number formats that show more than the number: what is read is what the cell shows."""

from pathlib import Path

import openpyxl
import orjson
import pytest

from gateway.config.settings import FileLimits
from gateway.intake.files.number_format import number_format
from gateway.intake.files.reading import Reading


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ('"样环罚字〔2026〕"0"号"', "5", "样环罚字〔2026〕5号"),
        ("0000", "12", "0012"),
        ("00000000", "123456789", "123456789"),
        ('#,##0.00"万元"', "2", "2万元"),
        ("General年", "2026", "2026年"),
        (r"\A\-0", "7", "A-7"),
        ("[Red]第0号;[Blue]-0", "3", "第3号"),
        ('0"元"', "2.5", "2.5元"),
        ("[$RMB] 0", "2", "RMB 2"),
    ],
)
def test_a_number_is_shown_with_the_letters_of_its_format(
    code: str, value: str, shown: str
) -> None:
    read = number_format(code)

    assert read is not None
    assert read.shown(value) == shown


@pytest.mark.parametrize(
    "code",
    [
        "General",
        "0.00",
        "#,##0.00_ ",
        r'_ "¥"* #,##0.00_ ;_ "¥"* \-#,##0.00_ ;_ "¥"* "-"??_ ;_ @_ ',
        "[$¥-804]#,##0.00",
        "0%",
        "0.00E+00",
        "yyyy/m/d",
        'yyyy"年"m"月"d"日"',
        '0000"."00"."00',
        "[>100]0;0",
        "@",
        ";;;",
        '"',
        "",
    ],
)
def test_other_formats_leave_the_number_as_it_is(code: str) -> None:
    assert number_format(code) is None


@pytest.mark.parametrize("value", ["911599000000028000", "-5", "x", "1e400", "nan"])
def test_a_number_that_lost_digits_is_never_made_a_text(value: str) -> None:
    read = number_format("000000000000000000")

    assert read is not None
    assert read.shown(value) is None


def test_a_document_number_is_read_as_its_cell_shows_it(tmp_path: Path) -> None:
    path = tmp_path / "formats.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["CF_WSH", "CF_XDR_MC", "CF_NR_FK", "CF_JDRQ", "CF_XDR_SHXYM"])
    book.active.append([5, "某厂", 2, "2026-10-09", 911599000000028032])
    formats = ('"样环罚字〔2026〕"0"号"', "General", '0"万元"', "General", "0" * 18)
    for cell, code in zip(book.active[2], formats, strict=True):
        cell.number_format = code
    book.save(path)

    [raw] = list(Reading(path, FileLimits()))

    row = orjson.loads(raw.body or b"")
    assert (row["CF_WSH"], row["CF_NR_FK"]) == ("样环罚字〔2026〕5号", "2万元")
    assert not isinstance(row["CF_XDR_SHXYM"], str)
