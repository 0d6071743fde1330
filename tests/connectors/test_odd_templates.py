"""Templates in which rows that are filled in would be lost, or take something away."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from connectors import BadSettings
from connectors.errors import CallRejected
from schemas.configured import ConfiguredKind, adopt
from schemas.hand_upload import FilledFile
from schemas.kinds import KINDS
from tests.connectors.conftest import SteppedClock, make_item
from tests.connectors.templates import FIRST, HEADS, parts, rewritten, template
from tests.connectors.test_excel_template import item, made, sheet

Change = Callable[[Any], object]
TABLE = ["行政相对人名称", "行政相对人代码_1(统一社会信用代码)", "行政处罚决定书文号", "上报人"]


def changed(folder: Path, change: Change) -> Path:
    path = template(folder)
    book = openpyxl.load_workbook(path)
    change(book["行政处罚"])
    book.save(path)
    return path


async def filled(
    clock: SteppedClock, path: Path, count: int = 3, first: int | None = FIRST
) -> FilledFile:
    settings = {"template": str(path), "sheets": {"penalty": {"first_row": first}}}
    return await made(clock, **settings).fill([item(n) for n in range(1, count + 1)], clock())


def with_table(folder: Path, rows: int = 1, **options: Any) -> Path:
    path = folder / "table.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        page = book.add_worksheet("行政处罚")
        columns = [{"header": head} for head in TABLE]
        page.add_table(0, 0, rows, len(TABLE) - 1, {"columns": columns, **options})
    return path


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda page: page.merge_cells("B4:B5"), "要填的行里有合并的单元格 B4:B5"),
        (lambda page: page.merge_cells("B3:B4"), "要填的行里有合并的单元格 B3:B4"),
        (lambda page: page.merge_cells("A4:C4"), "要填的行里有合并的单元格 A4:C4"),
        (lambda page: page.cell(14, 1, "填报说明：不得删除本行"), "第 14 行的“填报说明：不得删"),
        (lambda page: page.cell(FIRST, 1, "说明：一人一行"), "第 4 行的“说明：一人一行”不像示例"),
    ],
)
async def test_what_would_be_lost_is_refused_with_the_setting(
    clock: SteppedClock, tmp_path: Path, change: Change, said: str
) -> None:
    path = changed(tmp_path, change)

    with pytest.raises(BadSettings) as told:
        await filled(clock, path)

    assert said in str(told.value)
    assert "sheets.penalty.first_row" in str(told.value)


async def test_examples_and_numbers_of_rows_give_way(clock: SteppedClock, tmp_path: Path) -> None:
    def examples(page: Any) -> None:
        for at in range(1, len(HEADS) + 1):
            page.cell(FIRST, at, "样例")
        for row in range(FIRST + 1, FIRST + 9):
            page.cell(row, 1, row - FIRST)

    done = await filled(clock, changed(tmp_path, examples), count=2)

    page = sheet(done.content)
    assert [page.cell(row, 2).value for row in (4, 5)] == ["样例1号有限公司", "样例2号有限公司"]


async def test_rows_begin_below_hints_over_several_rows(
    clock: SteppedClock, tmp_path: Path
) -> None:
    path = changed(tmp_path, lambda page: page.merge_cells("B3:B5"))

    done = await filled(clock, path, count=1, first=None)

    assert done.places == ("行政处罚!6",)


@pytest.mark.parametrize("count", [1, 3])
async def test_a_table_of_excel_covers_its_rows(
    clock: SteppedClock, tmp_path: Path, count: int
) -> None:
    done = await filled(clock, with_table(tmp_path, rows=2), count, first=None)

    assert done.content is not None
    [table] = [part for name, part in parts(done.content).items() if "tables/" in name]
    last = max(count + 1, 3)
    assert set(re.findall(rb'ref="([^"]*)"', table)) == {b"A1:D%d" % last}
    assert sheet(done.content).tables["Table1"].ref == f"A1:D{last}"


def test_a_table_with_totals_is_refused(clock: SteppedClock, tmp_path: Path) -> None:
    path = with_table(tmp_path, rows=3, total_row=True)

    with pytest.raises(BadSettings, match="表 A1:D4 有汇总行，填进去会丢"):
        made(clock, template=str(path), sheets={"penalty": {}})


@pytest.mark.parametrize(
    "bad", [b'row r="x"', b'row r="99999999999"', b'row r="1048577"', b'row r="1"', b'row r="-5"']
)
def test_rows_that_a_sheet_cannot_have_are_refused(
    clock: SteppedClock, tmp_path: Path, bad: bytes
) -> None:
    def change(name: str, part: bytes) -> bytes:
        return part.replace(b"</sheetData>", b"<" + bad + b"></row></sheetData>")

    path = rewritten(template(tmp_path), change)

    with pytest.raises(BadSettings, match="工作表“行政处罚”读不出来；用表格软件打开，另存为"):
        made(clock, template=str(path), sheets={"penalty": {}})


async def test_rows_beyond_the_last_one_of_a_sheet_are_refused(
    clock: SteppedClock, tmp_path: Path
) -> None:
    path = template(tmp_path)

    with pytest.raises(CallRejected, match="从第 1048575 行起放不下 3 行") as told:
        await filled(clock, path, first=1_048_575)
    assert not told.value.theirs


async def test_items_of_a_kind_without_numbers_are_told_apart_by_their_subjects(
    clock: SteppedClock,
) -> None:
    own = [{"code": "QT_LB", "title": "群体类别"}]
    given = {"name": "group", "title": "重点群体", "prefix": "QT_", "keys": ["QT_LB"]}
    adopt((ConfiguredKind.model_validate({**given, "columns": own}),))
    try:
        items = [
            make_item(n, record_kind="group", document_number="从业人员", subject_code=code)
            for n, code in enumerate(("甲", "乙", "甲"), 1)
        ]
        done = await made(clock).fill(items, clock())
    finally:
        KINDS.adopt(())

    assert done.places == ("重点群体!2", "重点群体!3", None)
