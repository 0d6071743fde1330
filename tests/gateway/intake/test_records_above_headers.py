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


@pytest.mark.parametrize(
    "row",
    [
        ["样例1号有限公司", credit_code(1), "2"],
        ["样例1号有限公司", "样环罚字〔2026〕9号", "2"],
        ["样例1号有限公司", "样环罚字〔2026〕9号"],
        ["样例1号有限公司", "法人及非法人组织", "2"],
        ["1", "样例1号有限公司", "罚款", "2", "2026/10/9"],
    ],
    ids=["code", "number", "two cells", "category", "day"],
)
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


def test_hints_below_a_group_of_columns_are_no_records(tmp_path: Path, read: Read) -> None:
    rows = [["行政相对人名称", "处罚机关"], ["必填", "填写全称"], HEADER, values()]

    [found] = read(book(tmp_path, rows))

    assert not found.problems
