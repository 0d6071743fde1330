"""A platform's own template, filled for a person: what Excel and the platform read in it."""

from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter

from connectors import BadSettings, build
from connectors.errors import CallRejected, NotSent
from connectors.excel_template import ExcelTemplate
from schemas.codes import Verb
from schemas.delivery import Item
from schemas.hand_upload import ON_THE_PAGE
from tests.connectors.conftest import SteppedClock, make_item
from tests.connectors.templates import (
    FIRST,
    HEADS,
    parts,
    prefixed,
    rewritten,
    template,
    with_list_of_excel,
)


def made(clock: SteppedClock, **settings: Any) -> ExcelTemplate:
    built = build("excel-template", settings, clock)
    assert isinstance(built, ExcelTemplate)
    return built


def item(number: int = 1, **changes: Any) -> Item:
    columns = {
        "CF_XDR_MC": f"样例{number}号有限公司",
        "CF_XDR_SHXYM": "91410100MA44TEAT5F",
        "CF_WSH": f"豫环罚决字〔2026〕{number}号",
        "CF_NR": "罚款二万元",
        "CF_NR_FK": "2.5",
        "CF_ZT": "0",
    }
    given = {"columns": {**columns, **changes.pop("columns", {})}}
    return make_item(number, **given, **changes)


def sheet(content: bytes | None, name: str = "行政处罚") -> Any:
    assert content is not None
    return openpyxl.load_workbook(BytesIO(content))[name]


async def test_rows_stand_below_the_hints_in_the_columns_of_the_template(
    clock: SteppedClock, tmp_path: Path
) -> None:
    connector = made(
        clock,
        template=str(template(tmp_path)),
        sheets={"penalty": {"constants": {"上报人": "张三"}}},
    )

    filled = await connector.fill([item(1), item(2)], clock())

    page = sheet(filled.content)
    assert filled.places == (f"行政处罚!{FIRST}", f"行政处罚!{FIRST + 1}")
    assert [cell.value for cell in page[FIRST]] == [
        None,
        "样例1号有限公司",
        "91410100MA44TEAT5F",
        "豫环罚决字〔2026〕1号",
        "罚款二万元",
        "25000",
        "张三",
        None,
    ]
    assert [cell.value for cell in page[2]] == HEADS
    assert {cell.value for cell in page[3]} == {"按实填写"}


async def test_every_value_stays_the_text_that_it_is(clock: SteppedClock, tmp_path: Path) -> None:
    """In the look of the template, and where a person changes it in Excel, too."""
    odd = ["=1+1", "+86", "-5", "@SUM(A1)", "001", "1E5", ' <a> & "b"\n', "数\x00字\ud800"]
    settings = {"template": str(template(tmp_path)), "sheets": {"penalty": {}}}
    rows = [item(n, columns={"CF_NR": text}) for n, text in enumerate(odd)]

    filled = await made(clock, **settings).fill(rows, clock())

    cells = [sheet(filled.content).cell(FIRST + at, 5) for at in range(len(odd))]
    assert [cell.value for cell in cells] == [*odd[:-1], "数字"]
    assert {cell.data_type for cell in cells} == {"s"}
    assert {cell.number_format for cell in cells} == {"@"}
    assert cells[0].border.left.style == "thin"


async def test_what_else_is_in_the_template_stays_byte_for_byte(
    clock: SteppedClock, tmp_path: Path
) -> None:
    path = template(tmp_path)
    settings = {"template": str(path), "sheets": {"penalty": {}}}

    filled = await made(clock, **settings).fill([item()], clock())

    before, after = parts(path.read_bytes()), parts(filled.content or b"")
    assert {name for name in before if before[name] != after[name]} == {
        "xl/worksheets/sheet1.xml",
        "xl/styles.xml",
    }
    page = sheet(filled.content)
    [words] = page.data_validations.dataValidation
    assert (str(words.sqref), words.formula1) == ("H4:H5000", "字典!$A$1:$A$2")
    assert [str(area) for area in page.merged_cells.ranges] == ["A1:H1"]
    assert page["B2"].font.color.rgb == "00FF0000"


async def test_a_list_that_only_excel_knows_is_kept(clock: SteppedClock, tmp_path: Path) -> None:
    path = rewritten(template(tmp_path), with_list_of_excel)
    settings = {"template": str(path), "sheets": {"penalty": {}}}

    filled = await made(clock, **settings).fill([item()], clock())

    before, after = parts(path.read_bytes()), parts(filled.content or b"")
    page = "xl/worksheets/sheet1.xml"
    end = before[page][before[page].index(b"</sheetData>") :]
    assert after[page].endswith(end)
    assert "豫环罚决字〔2026〕1号".encode() in after[page]


async def test_the_same_items_make_the_same_bytes(clock: SteppedClock, tmp_path: Path) -> None:
    path = str(template(tmp_path))
    for settings in ({"template": path, "sheets": {"penalty": {}}}, {}):
        connector = made(clock, **settings)
        one = await connector.fill([item(1), item(2)], clock())

        assert await connector.fill([item(1), item(2)], clock()) == one


async def test_templates_of_other_programs_are_filled_too(
    clock: SteppedClock, tmp_path: Path
) -> None:
    shared = tmp_path / "shared.xlsx"
    with xlsxwriter.Workbook(str(shared)) as book:
        page = book.add_worksheet("行政处罚")
        page.write_row(0, 0, ["行政处罚决定书文号", "处罚内容", "备注"])
    settings = {"template": str(shared), "sheets": {"penalty": {"columns": {"CF_NR": "处罚内容"}}}}
    filled = await made(clock, **settings).fill([item()], clock())
    assert sheet(filled.content)["A2"].value == "豫环罚决字〔2026〕1号"

    with_prefix = rewritten(template(tmp_path), prefixed)
    settings = {"template": str(with_prefix), "sheets": {"penalty": {}}}
    filled = await made(clock, **settings).fill([item()], clock())
    assert sheet(filled.content).cell(FIRST, 4).value == "豫环罚决字〔2026〕1号"


async def test_example_rows_give_way_from_the_first_row_that_is_named(
    clock: SteppedClock, tmp_path: Path
) -> None:
    path = template(tmp_path)
    settings = {"template": str(path), "sheets": {"penalty": {"first_row": 3}}}

    filled = await made(clock, **settings).fill([item()], clock())

    page = sheet(filled.content)
    assert filled.places == ("行政处罚!3",)
    assert page["D3"].value == "豫环罚决字〔2026〕1号"
    assert [cell.value for cell in page[FIRST]] == [None] * len(HEADS)


async def test_a_number_stands_once_in_a_file_and_the_second_waits(
    clock: SteppedClock, tmp_path: Path
) -> None:
    settings = {"template": str(template(tmp_path)), "sheets": {"penalty": {}}}
    same = item(2, document_number="豫环罚决字〔2026〕1号")

    filled = await made(clock, **settings).fill([item(1), same, item(3)], clock())

    assert filled.places == ("行政处罚!4", None, "行政处罚!5")


async def test_a_withdrawal_has_a_row_only_where_a_column_says_that_it_is_one(
    clock: SteppedClock, tmp_path: Path
) -> None:
    path = str(template(tmp_path))
    gone = item(2, verb=Verb.WITHDRAW)

    plain = made(clock, template=path, sheets={"penalty": {}})
    of_the_page = await plain.fill([gone, item(1)], clock())
    nothing = await plain.fill([gone], clock())
    telling = made(clock, template=path, sheets={"penalty": {"status_column": "办理状态"}})
    in_a_row = await telling.fill([gone, item(1)], clock())

    assert of_the_page.places == (ON_THE_PAGE, "行政处罚!4")
    assert (nothing.content, nothing.places) == (None, (ON_THE_PAGE,))
    assert [sheet(in_a_row.content).cell(row, 8).value for row in (4, 5)] == ["1", "0"]


async def test_without_a_template_the_columns_are_those_of_the_standard(
    clock: SteppedClock,
) -> None:
    licence = make_item(2, record_kind="licence", columns={"XK_WSH": "豫许〔2026〕2号"})

    filled = await made(clock).fill([item(1), licence], clock())

    book = openpyxl.load_workbook(BytesIO(filled.content or b""))
    assert book.sheetnames == ["行政处罚", "行政许可"]
    assert filled.places == ("行政处罚!2", "行政许可!2")
    heads = [cell.value for cell in book["行政处罚"][1]]
    assert book["行政处罚"].cell(2, heads.index("罚款金额（万元）") + 1).value == "2.5"
    assert "行政许可决定文书号" in [cell.value for cell in book["行政许可"][1]]


@pytest.mark.parametrize("table", ["penalty", "penalty/persons"])
async def test_without_a_template_words_masks_and_units_are_those_of_the_layout(
    clock: SteppedClock, table: str
) -> None:
    layout = {
        "masked": ["CF_XDR_ZJHM"],
        "words": {"CF_CFLB": {"责令停产整治": "其他-责令停产整治"}},
        "columns": {"CF_NR_FK": "罚款金额（元）"},
    }
    given = {"CF_XDR_ZJHM": "11010519491231002X", "CF_CFLB": "罚款、责令停产整治"}

    page = made(clock, sheets={table: layout})
    filled = await page.fill([item(columns=given, person=True)], clock())

    book = openpyxl.load_workbook(BytesIO(filled.content or b""))
    heads, cells = ([cell.value for cell in row] for row in book.worksheets[0].iter_rows())
    row = dict(zip(heads, cells, strict=True))
    assert row["证件号码"] == "110105********002X"
    assert row["处罚类别"] == "罚款、其他-责令停产整治"
    assert row["罚款金额（元）"] == "25000"


async def test_the_platforms_status_stands_in_the_place_of_the_standards(
    clock: SteppedClock,
) -> None:
    licence = make_item(2, record_kind="licence", columns={"XK_WSH": "1号", "XK_ZT": "1"})

    filled = await made(clock, sheets={"licence": {"status_column": "当前状态"}}).fill(
        [licence], clock()
    )

    heads, cells = sheet(filled.content, "行政许可").iter_rows(values_only=True)
    assert heads.count("当前状态") == 1
    assert cells[heads.index("当前状态")] == "0"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"template": "/nowhere/x.xlsx"}, "template：/nowhere/x.xlsx 没有这个文件"),
        ({"sheets": {"penalty": {"sheet": "处罚"}}}, "没有工作表“处罚”；有：行政处罚、字典"),
        ({"sheets": {"penalty": {"columns": {"CF_NR": "内容"}}}}, "没有列“内容”；有：序号"),
        ({"sheets": {"penalty": {"columns": {"NR": "内容"}}}}, "columns.NR.[key]：没有列 NR"),
        ({"sheets": {"penalty": {"constants": {"填表人": "张三"}}}}, "没有列“填表人”"),
        ({"sheets": {"penalty": {"status_column": "状态"}}}, "没有列“状态”"),
        ({"sheets": {"penalty": {"header_row": 3}}}, "工作表“行政处罚”的第 3 行里找不到"),
        ({"sheets": {"penalty": {"sheet": "字典"}}}, "工作表“字典”的前 30 行里找不到"),
        ({"sheets": {"penalty": {"first_row": 2}}}, "first_row：应在列名（第 2 行）之后"),
        ({"sheets": {"penalty": {}, "licence": {}}}, "licence.sheet：与 penalty 是同一张"),
        ({"sheets": {"event": {}}}, "sheets.event.[key]：不认识 event"),
        ({"sheets": {}}, "sheets：写了 template 就要写每种记录填在哪张工作表"),
    ],
)  # fmt: skip
def test_a_fault_of_template_or_mapping_names_the_setting(
    clock: SteppedClock, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    given = {"template": str(template(tmp_path)), "sheets": {"penalty": {}}, **settings}

    with pytest.raises(BadSettings) as error:
        made(clock, **given)

    assert said in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0old xls"])
def test_what_is_no_workbook_is_named(clock: SteppedClock, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "template.xlsx"
    path.write_bytes(content)

    with pytest.raises(BadSettings, match="不是 xlsx 工作簿；用表格软件打开，另存为"):
        made(clock, template=str(path), sheets={"penalty": {}})


def test_formulas_in_the_rows_to_fill_are_refused(clock: SteppedClock, tmp_path: Path) -> None:
    path = template(tmp_path)
    book = openpyxl.load_workbook(path)
    book["行政处罚"]["A5"] = "=ROW()-3"
    book.save(path)

    with pytest.raises(BadSettings, match="第 5 行有公式"):
        made(clock, template=str(path), sheets={"penalty": {"first_row": 4}})


async def test_a_template_that_changed_since_the_start_changes_nothing(
    clock: SteppedClock, tmp_path: Path
) -> None:
    path = template(tmp_path)
    connector = made(clock, template=str(path), sheets={"penalty": {}})
    path.unlink()

    with pytest.raises(CallRejected, match="template："):
        await connector.fill([item()], clock())
    assert not (await connector.health()).ok


async def test_a_kind_without_a_sheet_is_named(clock: SteppedClock, tmp_path: Path) -> None:
    connector = made(clock, template=str(template(tmp_path)), sheets={"penalty": {}})

    with pytest.raises(CallRejected, match="没有写 licence（行政许可）填在模板的哪张工作表"):
        await connector.fill([make_item(record_kind="licence")], clock())


async def test_health_says_which_columns_stay_empty(clock: SteppedClock, tmp_path: Path) -> None:
    connector = made(clock, template=str(template(tmp_path)), sheets={"penalty": {}})

    health = await connector.health()

    assert health.ok
    assert "“行政处罚”填 5 列，不填 序号、上报人、办理状态，从第 4 行起" in health.detail


async def test_nothing_is_ever_sent(clock: SteppedClock) -> None:
    with pytest.raises(NotSent, match="只能由人上报"):
        await made(clock).send([item()])
