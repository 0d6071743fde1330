"""File intake: the formats that clerks use, and faulty files."""

import os
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import xlsxwriter

from gateway.check.raw import Raw
from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading, file_hash
from gateway.intake.files.unreadable import UnreadableFile
from schemas.codes import RecordKind
from schemas.columns import columns_of
from schemas.penalty import AdministrativePenalty
from tests.factories import penalty
from tests.gateway.conftest import Check

LIMITS = FileLimits()
TITLES = {column.wire: column.title for column in columns_of(AdministrativePenalty)}


def ndjson(folder: Path, *lines: bytes) -> Path:
    path = folder / "rows.ndjson"
    path.write_bytes(b"\n".join(lines))
    return path


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "rows.csv"
    path.write_bytes(text.encode(encoding))
    return path


def table(rows: Sequence[dict[str, Any]], *, chinese: bool = False) -> str:
    header = [TITLES[name] if chinese else name for name in rows[0]]
    lines = [header, *([str(value) for value in row.values()] for row in rows)]
    return "\r\n".join(",".join(f'"{cell}"' for cell in line) for line in lines)


def xlsx(folder: Path, *sheets: Sequence[Sequence[Any]]) -> Path:
    path = folder / "rows.xlsx"
    with xlsxwriter.Workbook(str(path)) as workbook:
        for rows in sheets:
            sheet = workbook.add_worksheet()
            for number, row in enumerate(rows):
                sheet.write_row(number, 0, row)
    return path


def bodies(path: Path, limits: FileLimits = LIMITS) -> list[Any]:
    return [orjson.loads(raw.body or b"") for raw in Reading(path, limits)]


def raws(path: Path, limits: FileLimits = LIMITS) -> list[Raw]:
    return list(Reading(path, limits))


# ---------------------------------------------------------------- NDJSON


def test_every_line_is_an_item_with_its_number(tmp_path: Path) -> None:
    path = ndjson(tmp_path, orjson.dumps(penalty(1)), b"", orjson.dumps(penalty(2)))

    assert [(raw.position, raw.origin) for raw in Reading(path, LIMITS)] == [
        (1, f"file:{file_hash(path)}"),
        (3, f"file:{file_hash(path)}"),
    ]


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_line_endings_and_a_byte_order_mark_are_not_part_of_an_item(
    tmp_path: Path, ending: bytes
) -> None:
    path = tmp_path / "rows.ndjson"
    path.write_bytes(b"\xef\xbb\xbf{}" + ending + b"[]")

    assert [raw.body for raw in Reading(path, LIMITS)] == [b"{}", b"[]"]


def test_a_broken_line_does_not_affect_the_others(tmp_path: Path, check: Check) -> None:
    good = orjson.dumps(penalty(1))
    path = ndjson(tmp_path, good, b'{"CF_WSH": ', b"\xff\xfe", b"null", good)

    assert [check(raw.body).verdict for raw in Reading(path, LIMITS)] == [
        "ok", "refused", "refused", "refused", "ok",
    ]  # fmt: skip


def test_a_line_that_is_too_long_is_one_refused_item(tmp_path: Path, check: Check) -> None:
    long = orjson.dumps(penalty(1, BZ="长" * 1000))
    path = ndjson(tmp_path, orjson.dumps(penalty(1)), long, orjson.dumps(penalty(2)))

    found = raws(path, FileLimits(max_line_bytes=2000))

    assert [raw.position for raw in found] == [1, 2, 3]
    assert [check(raw.body).verdict for raw in found] == ["ok", "refused", "ok"]


def test_a_long_file_is_read_in_constant_memory(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    with path.open("wb") as stream:
        for number in range(20_000):
            stream.write(orjson.dumps(penalty(number)) + b"\n")

    tracemalloc.start()
    try:
        count = sum(1 for _ in Reading(path, LIMITS))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert count == 20_000
    assert peak < path.stat().st_size / 4


# ---------------------------------------------------------------- CSV


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("chinese", [True, False])
def test_a_csv_file_is_read_in_every_usual_encoding(
    tmp_path: Path, encoding: str, chinese: bool
) -> None:
    rows = [penalty(1), penalty(2)]

    path = csv(tmp_path, table(rows, chinese=chinese), encoding)

    assert bodies(path) == rows


def test_the_kind_is_found_from_the_header(tmp_path: Path) -> None:
    assert {raw.kind for raw in Reading(csv(tmp_path, table([penalty()])), LIMITS)} == {
        RecordKind.PENALTY
    }


def test_the_kind_may_be_given(tmp_path: Path) -> None:
    path = csv(tmp_path, "id,subject_code\n1,2\n")

    [raw] = Reading(path, LIMITS, RecordKind.EVENT)

    assert raw.kind is RecordKind.EVENT


def test_text_that_looks_like_a_formula_stays_text(tmp_path: Path) -> None:
    formula = '=HYPERLINK(""http://x"")'
    path = csv(tmp_path, f'CF_WSH,BZ\n1,"{formula}"\n2,+1\n3,@SUM(A1)\n')

    assert [row["BZ"] for row in bodies(path)] == ['=HYPERLINK("http://x")', "+1", "@SUM(A1)"]


def test_a_cell_with_a_line_break_is_one_cell(tmp_path: Path) -> None:
    path = csv(tmp_path, 'CF_WSH,CF_SY\n1,"一\n二"\n2,三\n')

    assert [row["CF_SY"] for row in bodies(path)] == ["一\n二", "三"]


@pytest.mark.parametrize("closing", ["", '见附件"'], ids=["to the end", "to a later quote"])
def test_a_quote_without_its_end_refuses_the_file_and_names_the_line(
    tmp_path: Path, closing: str
) -> None:
    columns = ["CF_WSH", "CF_XDR_MC", "BZ"]
    lines = [",".join([f"样环罚字〔2026〕{n}号", f"样例{n}厂", ""]) for n in range(1, 8)]
    lines[2] += '"见附件'
    lines[5] += closing
    path = csv(tmp_path, "\n".join([",".join(columns), *lines]))

    with pytest.raises(UnreadableFile, match="第4行的引号没有配对"):
        list(Reading(path, LIMITS))


def test_a_workbook_with_a_name_of_foreign_bytes_is_read(tmp_path: Path) -> None:
    plain = tmp_path / "plain.xlsx"
    with xlsxwriter.Workbook(plain) as book:
        book.add_worksheet().write_row(0, 0, ["CF_WSH"])
        book.get_worksheet_by_name("Sheet1").write_row(1, 0, ["样环罚字〔2026〕1号"])
    foreign = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xb4\xa6\xb7\xa3.xlsx"))
    plain.rename(foreign)

    assert len(list(Reading(foreign, LIMITS))) == 1


def test_empty_rows_and_cells_are_left_out(tmp_path: Path) -> None:
    path = csv(tmp_path, "CF_WSH,CF_SY\n1,\n,,\n\n2,x,\n")

    assert bodies(path) == [{"CF_WSH": "1"}, {"CF_WSH": "2", "CF_SY": "x"}]


def test_a_row_that_is_longer_than_the_header_is_refused_as_shifted(
    tmp_path: Path, check: Check
) -> None:
    rows = [penalty(1), penalty(2, CF_SJLY="甲局,上城分局")]
    path = csv(tmp_path, table(rows).replace('"甲局,上城分局"', "甲局,上城分局"))

    good, shifted = [check(raw.body) for raw in Reading(path, LIMITS)]

    assert (good.verdict, shifted.verdict) == ("ok", "refused")
    assert "比表头多 1 格" in shifted.problems[0].message


def test_an_invalid_byte_refuses_only_its_row(tmp_path: Path, check: Check) -> None:
    rows = table([penalty(1), penalty(2)]).encode() + b'\r\n"\xff\xff"'
    path = tmp_path / "rows.csv"
    path.write_bytes(rows.replace("样例2号".encode(), b"x"))

    verdicts = [check(raw.body).verdict for raw in Reading(path, LIMITS)]

    assert len(verdicts) == 3
    assert verdicts[-1] == "refused"


def test_a_table_without_a_header_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="列名"):
        raws(csv(tmp_path, "一,二\n三,四"))
    with pytest.raises(UnreadableFile, match="文件是空的"):
        raws(csv(tmp_path, ""))
