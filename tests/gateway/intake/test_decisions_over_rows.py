"""One decision over several rows: no half of it is taken for the whole."""

import csv
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any
from xml.sax.saxutils import escape

import pytest
import xlsxwriter

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from gateway.intake.files.unreadable import UnreadableFile
from schemas.verdict import Verdict
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_tables_that_mislead import HEADER, values

#: What the second row of a decision has of its own; the other cells are merged or blank.
LOWER = {"CF_CFLB": "没收违法所得", "CF_NR": "没收违法所得5万元"}


def lower(**cells: Any) -> list[Any]:
    return [cells.get(name) for name in NAMES]


def text(folder: Path, rows: Sequence[Sequence[Any]]) -> Path:
    path = folder / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return path


@pytest.mark.parametrize(
    "cells",
    [
        LOWER,
        {"CF_CFLB": "没收违法所得"},
        {"CF_NR_WFFF": "5"},
        {**LOWER, "CF_NR_WFFF": "5"},
        {"CF_SY": "另查明未安装污染防治设施"},
        {"CF_SY": "另查明未安装设施", "CF_YJ": "《水污染防治法》第八十三条"},
        {"CF_NR_FK": "7"},
    ],
)
@pytest.mark.parametrize("made", [book, text])
def test_a_row_with_more_of_the_decision_above_refuses_both(
    tmp_path: Path, read: Read, made: Any, cells: dict[str, Any]
) -> None:
    below = [*lower(**cells), cells.get("CF_NR_WFFF")]
    rows = [
        [*HEADER, "没收违法所得、没收非法财物的金额（万元）"],
        [*values(), None],
        below,
        values(2),
    ]

    first, second, third = read(made(tmp_path, rows))

    assert [first.verdict, second.verdict] == [Verdict.REFUSED] * 2
    assert "与下一行是一个决定" in first.problems[0].message
    assert "与上一行是一个决定" in second.problems[0].message
    assert third.verdict is Verdict.OK


@pytest.mark.parametrize("sum_", [["合计", *[None] * 8, 2], [None, "本页合计", *[None] * 7, 2]])
def test_a_sum_is_no_part_of_the_decision_above(
    tmp_path: Path, read: Read, sum_: list[Any]
) -> None:
    [one] = read(book(tmp_path, [HEADER, values(), sum_]))

    assert one.verdict is Verdict.OK


@pytest.mark.parametrize("made", [book, text])
@pytest.mark.parametrize("unit", ["万元", "元"])
def test_a_sum_without_a_word_right_below_is_no_part_of_a_decision(
    tmp_path: Path, read: Read, made: Any, unit: str
) -> None:
    more = [f"单位：{unit}"], NAMES
    rows = [*more, values(), values(2, CF_NR_FK="3.5"), lower(CF_NR_FK="5.50")]

    found = read(made(tmp_path, rows))

    assert len(found) == 2
    assert all(one.verdict is not Verdict.REFUSED for one in found)


@pytest.mark.parametrize("made", [book, text])
@pytest.mark.parametrize(
    "tail",
    [
        [{"CF_NR_FK": "0"}] * 3,
        [{"CF_NR_FK": "0.00"}],
        [{"CF_XDR_MC": "0", "CF_XDR_SHXYM": "#N/A"}] * 2,
        [{"CF_CFLB": "罚款"}] * 3,
        [{"CF_CFLB": "罚款", "CF_NR_FK": "0"}] * 2,
        [{"CF_YJ": "《水污染防治法》第八十三条"}] * 2,
        [{"CF_NR": "样例市生态环境局"}, {"CF_NR": "2026年11月26日"}],
        [{"CF_NR": "2026年11月26日", "CF_CFJG": "样例市生态环境局"}],
        [{"CF_SY": "第 1 页"}],
        [{"CF_SY": "以上数据截至10月底"}],
        [{"CF_NR": "总额", "CF_NR_FK": "6"}],
        [{"CF_NR": "共计3件", "CF_NR_FK": "6"}],
        [{"CF_NR": "肆万元", "CF_NR_FK": "4"}],
        [{"CF_NR_FK": "6"}, {"CF_NR_FK": "3"}],
        [{"CF_CFLB": "二、水类"}],
        [{"CF_CFLB": "罚款 汇总", "CF_NR_FK": "2"}],
        [{"CF_CFJG": "样例市生态环境局 汇总", "CF_NR_FK": "2", "CF_NR": "2"}],
        [{"CF_JDRQ": "2026/10/9 汇总", "CF_NR_FK": "2"}],
        [{"CF_XDR_MC": "负责人：张三", "CF_WSH": "填表人：李四", "CF_JDRQ": "2026年10月9日"}],
    ],
)
def test_what_programs_and_people_leave_below_a_table_is_no_decision_and_no_part_of_one(
    tmp_path: Path, read: Read, made: Any, tail: list[dict[str, str]]
) -> None:
    [one] = read(made(tmp_path, [HEADER, values(), *[lower(**cells) for cells in tail]]))

    assert one.verdict is Verdict.OK


@pytest.mark.parametrize("label", ["罚款 汇总", None])
def test_the_sums_of_groups_are_no_parts_of_decisions(
    tmp_path: Path, read: Read, label: str | None
) -> None:
    sums = [lower(CF_CFLB=label, CF_NR_FK=amount) for amount in (4, 3, 7)]
    rows = [HEADER, values(), values(2), sums[0], values(3, CF_NR_FK="3"), *sums[1:]]

    assert [one.verdict for one in read(book(tmp_path, rows))] == [Verdict.OK] * 3


def test_rows_that_a_template_has_filled_in_before_are_no_decisions(
    tmp_path: Path, read: Read
) -> None:
    before = {"CF_CFLB": "罚款", "CF_XDR_LB": "法人及非法人组织", "CF_CFJG": "样例市生态环境局"}
    empty = [[n, *lower(**cells)] for n, cells in ((2, {"CF_CFLB": "罚款"}), (3, before))]

    [one] = read(book(tmp_path, [["序号", *HEADER], [1, *values()], *empty]))

    assert one.verdict is Verdict.OK


def test_a_numbered_row_with_a_content_has_more_of_the_decision(tmp_path: Path, read: Read) -> None:
    found = read(book(tmp_path, [["序号", *HEADER], [1, *values()], [2, *lower(**LOWER)]]))

    assert [one.verdict for one in found] == [Verdict.REFUSED] * 2


def test_an_amount_that_stands_by_itself_below_the_table_is_no_part_of_a_decision(
    tmp_path: Path, read: Read
) -> None:
    [one] = read(book(tmp_path, [HEADER, values(), [], lower(CF_NR_FK=2)]))

    assert one.verdict is Verdict.OK


def test_a_sheet_with_thousands_of_merged_cells_is_read_to_its_end(
    tmp_path: Path, read: Read
) -> None:
    path = tmp_path / "rows.xlsx"
    decisions = 800
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, NAMES)
        for number in range(decisions):
            top = 1 + 2 * number
            sheet.write_row(top, 0, values(number + 1))
            sheet.write_row(top + 1, 0, lower(**LOWER))
            for place, name in enumerate(NAMES):
                if name not in LOWER:
                    sheet.merge_range(top, place, top + 1, place, values(number + 1)[place])

    found = read(path)

    assert [one.verdict for one in found] == [Verdict.REFUSED] * 2 * decisions


def test_a_sheet_with_more_merged_cells_than_are_told_is_refused(
    tmp_path: Path, read: Read
) -> None:
    path = tmp_path / "rows.xlsx"
    with xlsxwriter.Workbook(str(path)) as made:
        sheet = made.add_worksheet("处罚")
        sheet.write_row(0, 0, NAMES)
        for number in range(100_001):
            row, column = divmod(number, 100)
            sheet.merge_range(1 + 2 * row, column, 2 + 2 * row, column, "")

    with pytest.raises(UnreadableFile, match="“处罚”表合并的单元格太多"):
        read(path)


def ods(
    folder: Path,
    rows: Sequence[Sequence[Any]],
    spans: dict[tuple[int, int], int],
    across: Mapping[tuple[int, int], int] = MappingProxyType({}),
) -> Path:
    """Write an ODS; `spans` says over how many rows a cell is merged, by row and column from 1.

    `across` says the same of columns; the cells behind it keep what stands in them.
    """
    lines = []
    for number, row in enumerate(rows, 1):
        cells = [
            _cell(cell, spans.get((number, at), 1), across.get((number, at), 1))
            for at, cell in enumerate(row, 1)
        ]
        lines.append(f"<table:table-row>{''.join(cells)}</table:table-row>")
    urn = "urn:oasis:names:tc:opendocument:xmlns"
    names = " ".join(f'xmlns:{one}="{urn}:{one}:1.0"' for one in ("office", "table", "text"))
    content = (
        f"<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="处罚">{"".join(lines)}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    path = folder / "rows.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", _MANIFEST)
        archive.writestr("content.xml", content)
    return path


_MANIFEST = '<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'


def _cell(value: Any, rows: int, columns: int) -> str:
    if value is None:
        return "<table:covered-table-cell/>"
    span = f' table:number-rows-spanned="{rows}"' if rows > 1 else ""
    span += f' table:number-columns-spanned="{columns}"' if columns > 1 else ""
    shown = f"<text:p>{escape(str(value))}</text:p>"
    return f'<table:table-cell office:value-type="string"{span}>{shown}</table:table-cell>'


def test_merged_cells_of_an_ods_are_seen(tmp_path: Path, read: Read) -> None:
    places = range(1, len(NAMES) + 1)
    spans = {(2, place): 2 for place in places if NAMES[place - 1] not in LOWER}

    path = ods(tmp_path, [NAMES, values(), lower(**LOWER), values(2)], spans)

    first, second, third = read(path)

    assert [first.verdict, second.verdict] == [Verdict.REFUSED] * 2
    assert "合并成一格" in first.problems[0].message
    assert third.verdict is Verdict.OK


def test_an_authority_that_is_merged_in_an_ods_is_that_of_each_row(
    tmp_path: Path, read: Read
) -> None:
    place = NAMES.index("CF_CFJG") + 1
    rows = [NAMES, values(), values(2, CF_CFJG=None)]

    found = read(ods(tmp_path, rows, {(2, place): 2}))

    assert [one.verdict for one in found] == [Verdict.OK] * 2


def test_an_ods_says_that_its_formats_are_not_read(tmp_path: Path) -> None:
    reading = Reading(ods(tmp_path, [NAMES, values()], {}), FileLimits())

    assert len(list(reading)) == 1
    assert "数字格式不读，格式里的“元”不算" in reading.report.words[0]
    assert "删除线看不出，划掉的字照读" in reading.report.words[0]
