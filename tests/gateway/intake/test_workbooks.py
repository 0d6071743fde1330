"""Workbooks: sheets, cells, limits, and files that are none."""

import zipfile
from pathlib import Path

import orjson
import pytest
import xlsxwriter

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from gateway.intake.files.unreadable import UnreadableFile
from tests.factories import IDENTITY, event, penalty
from tests.gateway.conftest import Check
from tests.gateway.intake.test_files import LIMITS, TITLES, bodies, ndjson, raws, xlsx


def test_every_sheet_of_a_workbook_is_read(tmp_path: Path) -> None:
    one, two = penalty(1), penalty(2)
    names = [TITLES[name] for name in one]
    path = xlsx(tmp_path, [names, list(one.values())], [list(two), list(two.values())])

    found = raws(path)

    assert [orjson.loads(raw.body or b"") for raw in found] == [one, two]
    assert [raw.line for raw in found] == [2, 2]
    assert len({raw.position for raw in found}) == 2


def test_whole_numbers_of_a_workbook_become_texts_without_a_point(tmp_path: Path) -> None:
    path = xlsx(tmp_path, [["CF_WSH", "CF_NR_FK", "CF_NR_WFFF"], [12, 2.0, 0.5]])

    assert bodies(path) == [{"CF_WSH": "12", "CF_NR_FK": "2", "CF_NR_WFFF": "0.5"}]


def test_a_date_cell_of_a_workbook_becomes_a_date(tmp_path: Path, check: Check) -> None:
    path = tmp_path / "rows.xlsx"
    row = penalty()
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, list(row))
        sheet.write_row(1, 0, list(row.values()))
        day = workbook.add_format({"num_format": "yyyy/mm/dd"})
        sheet.write_number(1, list(row).index("CF_JDRQ"), 46304, day)

    [raw] = Reading(path, LIMITS)

    assert check(raw.body).key == check(penalty()).key
    assert orjson.loads(raw.body or b"")["CF_JDRQ"] == "2026-10-09"


def test_a_formula_of_a_workbook_is_never_evaluated(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, ["CF_WSH", "BZ"])
        sheet.write_string(1, 0, "=1+1")
        sheet.write_formula(1, 1, "=1+1", value="7")

    assert bodies(path) == [{"CF_WSH": "=1+1", "BZ": "7"}]


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    path = xlsx(tmp_path, [["CF_WSH"], *([number] for number in range(10))])

    with pytest.raises(UnreadableFile, match="超过上限5条"):
        raws(path, FileLimits(max_xlsx_rows=5))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 3_000_000)

    with pytest.raises(UnreadableFile, match="解压后"):
        raws(path, FileLimits(max_unpacked_bytes=1_000_000))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "文件是空的"),
        (b"no zip", "找不到认识的列名"),
        (b"PK\x03\x04 but no more", "工作簿已损坏"),
        (b"%PDF-1.7", "这是PDF 文件，不是表格：要来原来的表格文件"),
        (b"\x89PNG\r\n", "这是图片"),
        (b"Rar!\x1a", "这是RAR 压缩包，不是表格：解压以后，导入里面的文件"),
        (
            b'<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?><Workbook><Table/>',
            "这是“XML 电子表格 2003”，只是名字像 .xls：用 WPS 或 Excel 打开它，另存为",
        ),
        (b"<html><body><table></table>", "这是网页"),
        (b"<?xml version='1.0'?><Workbook/>", "这是 XML 文件"),
        (bytes(range(1, 9)) * 20, "这是二进制文件"),
    ],
)
def test_a_file_that_is_no_table_is_named_with_what_to_do(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "rows.xlsx"
    path.write_bytes(content)

    with pytest.raises(UnreadableFile, match=words):
        raws(path)


def test_a_binary_workbook_is_refused_with_how_to_save_it(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsb"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.bin", b"\x83\x01\x00")

    with pytest.raises(UnreadableFile, match=r"\.xlsb 工作簿.*另存为 \.xlsx"):
        raws(path)


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="没有数据"):
        raws(xlsx(tmp_path, []))


def test_events_are_read_from_ndjson(tmp_path: Path, check: Check) -> None:
    [raw] = Reading(ndjson(tmp_path, orjson.dumps({"kind": "event", **event()})), LIMITS)

    assert check(raw.body).verdict == "ok"


def test_files_with_the_same_bytes_have_the_same_origin(tmp_path: Path) -> None:
    one, other = tmp_path / "one.ndjson", tmp_path / "other.txt"
    for path in (one, other):
        path.write_bytes(b"{}\n")

    assert [raw.origin for raw in raws(one)] == [raw.origin for raw in raws(other)]


def test_an_identity_number_in_the_name_of_a_sheet_is_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        sheet = workbook.add_worksheet(f"张{IDENTITY}")
        sheet.write_row(0, 0, list(penalty()))
        sheet.write_row(1, 0, list(penalty().values()))
    reading = Reading(path, FileLimits())

    [found] = reading

    assert IDENTITY[4:14] not in "".join([reading.place(found), *reading.report.words])
