"""Records that stand above the row of names never vanish; what belongs there still may stand."""

import csv
from pathlib import Path
from typing import Any

import pytest

from gateway.check.raw import Raw
from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from gateway.intake.files.unreadable import UnreadableFile
from schemas.columns import columns_of
from schemas.penalty import AdministrativePenalty
from tests.factories import credit_code, penalty
from tests.gateway.intake.conftest import NAMES, Read, book

TITLES = {column.wire: column.title for column in columns_of(AdministrativePenalty)}
HEADER = [TITLES[name] for name in NAMES]


def values(number: int = 1) -> list[Any]:
    return list(penalty(number).values())


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFile) as raised:
        list(Reading(path, FileLimits()))
    return str(raised.value)


def test_a_table_that_was_sorted_with_its_header_is_refused(tmp_path: Path) -> None:
    told = refusal(book(tmp_path, [values(1), values(2), HEADER, values(3)]))

    assert "第1、2行在表头（第3行）的上面" in told
    assert "把表头移到第一行" in told


def test_a_text_that_was_sorted_with_its_header_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([values(1), HEADER, values(2)])

    assert "第1行在表头（第2行）的上面" in refusal(path)


def placed(**cells: Any) -> list[Any]:
    """Return a row with cells in the columns of the standard."""
    return [cells.get(name) for name in NAMES]


@pytest.mark.parametrize(
    "row",
    [
        placed(CF_XDR_MC="样例1号有限公司", CF_XDR_SHXYM=credit_code(1), CF_NR_FK="2"),
        placed(CF_XDR_MC="样例1号有限公司", CF_WSH="样环罚字〔2026〕9号", CF_NR_FK="2"),
        placed(CF_XDR_MC="样例1号有限公司", CF_WSH="样环罚字〔2026〕9号"),
        placed(CF_XDR_MC="样例1号有限公司", CF_WSH="样环罚2026-1", CF_CFLB="罚款"),
        placed(CF_XDR_MC="样例1号有限公司", CF_XDR_LB="法人及非法人组织", CF_NR="罚款",
               CF_NR_FK="2", CF_JDRQ="2026/10/9"),
        placed(CF_XDR_MC="李某某", CF_XDR_LB="自然人", CF_WSH="样环罚字〔2026〕9号", CF_NR_FK="2"),
        placed(CF_XDR_MC="样例医院", CF_XDR_SHXYM="12159900MA00000013",
               CF_WSH="样环罚字〔2026〕9号", CF_SY="未按要求填写台账"),
    ],
    ids=["code", "number", "two cells", "no brackets", "day", "person", "institution"],
)  # fmt: skip
def test_a_row_with_what_records_have_is_no_title(tmp_path: Path, row: list[Any]) -> None:
    assert "第2行在表头" in refusal(book(tmp_path, [["处罚台账"], row, HEADER, values()]))


def test_a_table_of_few_columns_above_the_header_does_not_vanish(tmp_path: Path) -> None:
    upper = [["序号", "行政相对人名称", "罚款金额（万元）"], ["1", "样例1号有限公司", "2"], []]

    assert "第2行在表头" in refusal(book(tmp_path, [*upper, HEADER, values()]))


def test_other_sheets_are_read_and_the_file_still_ends_with_the_sentence(tmp_path: Path) -> None:
    path = book(tmp_path, [values(1), HEADER], more={"另一张": [HEADER, values(2)]})
    reading = Reading(path, FileLimits())
    found: list[Raw] = []

    with pytest.raises(UnreadableFile, match="“Sheet”表第1行在表头"):
        found.extend(reading)
    assert [reading.report.place(one) for one in found] == ["“另一张”表第2行"]


@pytest.mark.parametrize(
    "row",
    [
        ["样例市生态环境局2026年10月行政处罚信息表"],
        ["样环罚字〔2026〕1号"],
        ["样例市生态环境局", "样环文〔2026〕15号"],
        ["填报单位：样例市生态环境局", None, "填报日期：2026-10-09"],
        ["填报单位", "样例市生态环境局", "填报日期", "2026-10-09", "联系电话", "037112345678901"],
        ["填报单位", "样例市生态环境局", "统一社会信用代码", "111599000000000018"],
        ["样例市生态环境局", "2026-10-09"],
        ["2026年10月9日", None, None, "单位：万元"],
        ["示例", *values()[1:]],
        [str(place) for place in range(1, 17)],
        ["必填", "见下拉", "18位代码", "如样环罚字〔2026〕1号", "文字"],
    ],
    ids=range(11),
)
def test_what_stands_above_a_header_may_stand_there(
    tmp_path: Path, read: Read, row: list[Any]
) -> None:
    [found] = read(book(tmp_path, [row, HEADER, values()]))

    assert not found.problems


@pytest.mark.parametrize(
    "row",
    [
        ["样例市生态环境局", "111599000000000018", "2026年10月31日"],
        ["信息类别", "行政处罚", "适用对象", "法人及非法人组织", "版本", "2018"],
        ["样例市生态环境局", "2026-10-01", "至", "2026-10-31"],
        ["行政处罚信息公示表", "样环办〔2026〕12号"],
        ["附件1", "样环办〔2026〕12号", "2026-10-31"],
        ["样例市生态环境局", "统一社会信用代码（机关）", None, "111599000000000018"],
        ["机关名称及代码", "样例市生态环境局", "111599000000000018"],
        placed(CF_XDR_MC="附件1", CF_WSH="样环办〔2026〕12号", CF_SY="2026年"),
        ["双公示数据模板", "类别", "法人及非法人组织"],
        ["行政处罚（法人）", "法人及非法人组织"],
        ["关于报送行政处罚信息的通知", "样环办〔2026〕12号", "2026年10月31日"],
        ["报送机关", "样例市生态环境局", "机关信用代码（18位）", "111599000000000018"],
        ["依据文件", "发改办财金〔2018〕790号", "附件1"],
        ["编号", "WG-01", "样例市", "生态环境局", "样例区分局", "版次", "A/0", "2026-10-31"],
        ["样例市生态环境局", "行政处罚信息", "2026年10月", "共2条", None, None, "2026-10-31"],
        placed(CF_XDR_MC="单位全称", CF_XDR_LB="从下拉框选：法人及非法人组织",
               CF_XDR_SHXYM="营业执照上18位", CF_WSH="如样环罚字〔2026〕1号", CF_JDRQ="2026/10/09"),
        placed(CF_XDR_MC="文本，50字", CF_XDR_LB="法人及非法人组织", CF_XDR_SHXYM="文本，18位",
               CF_WSH="文本", CF_SY="文本", CF_NR="文本", CF_JDRQ="2026/10/09"),
        placed(CF_XDR_MC="某某有限公司", CF_XDR_LB="法人及非法人组织",
               CF_XDR_SHXYM="91110000XXXXXXXXXX", CF_WSH="X环罚字〔2026〕X号", CF_NR="罚款X元",
               CF_NR_FK="1", CF_JDRQ="2026/01/01"),
        placed(CF_XDR_MC="（样例）丁公司", CF_XDR_SHXYM=credit_code(1), CF_WSH="样环罚〔2026〕1号"),
    ],
    ids=range(19),
)  # fmt: skip
def test_headings_of_reports_hints_and_samples_are_no_records(
    tmp_path: Path, read: Read, row: list[Any]
) -> None:
    [found] = read(book(tmp_path, [row, HEADER, values()]))

    assert not found.problems


def words(path: Path) -> list[str]:
    reading = Reading(path, FileLimits())
    assert list(reading)
    return [line.strip() for line in reading.report.words if "没有读" in line]


@pytest.mark.parametrize(
    "row",
    [
        placed(CF_XDR_MC="样例1号有限公司", CF_SY="超标", CF_CFLB="罚款", CF_NR="罚款2万元"),
        placed(
            CF_XDR_MC="样例1号有限公司", CF_XDR_LB="法人及非法人组织", CF_SY="超标", CF_NR_FK="2"
        ),
        placed(CF_XDR_MC="某某公司", CF_XDR_SHXYM=credit_code(1), CF_SY="超标", CF_NR_FK="2"),
    ],
)
def test_other_rows_above_the_header_are_told_once(tmp_path: Path, row: list[Any]) -> None:
    assert words(book(tmp_path, [["处罚台账"], row, HEADER, values()])) == [
        "第2行在表头上面，没有读"
    ]


@pytest.mark.parametrize(
    "row",
    [
        ["报送单位", "样例市生态环境局", "报送日期", "2026-10-31", "联系电话", "0371-1"],
        ["经办人", "张三", "审核人", "李四", "签发", "王五", "2026-10-31"],
        ["行政相对人信息", "处罚信息", "处罚机关信息", "数据来源"],
        [str(place) for place in range(1, 17)],
        list(NAMES),
        ["样例市生态环境局", "111599000000000018", "2026年10月31日"],
    ],
    ids=range(6),
)
def test_headings_are_not_told(tmp_path: Path, row: list[Any]) -> None:
    assert words(book(tmp_path, [row, ["台账"], HEADER, values()])) == []


def test_hints_below_a_group_of_columns_are_no_records(tmp_path: Path, read: Read) -> None:
    rows = [["行政相对人名称", "处罚机关"], ["必填", "填写全称"], HEADER, values()]

    [found] = read(book(tmp_path, rows))

    assert not found.problems
