"""Rows of a table that are no records: numbers of columns, sums, notes, headers."""

from pathlib import Path
from typing import Any

import pytest

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from schemas.verdict import Verdict
from tests.factories import penalty
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_tables_that_mislead import HEADER, values

AMOUNT = NAMES.index("CF_NR_FK")
#: A decision whose content names no sum.
UNSAID = {"CF_NR": "责令改正，处以罚款", "CF_NR_FK": "5000"}


@pytest.mark.parametrize("before", [["序号", "区县", "批次"], []])
def test_a_second_header_is_known_wherever_its_names_stand(
    tmp_path: Path, read: Read, before: list[str]
) -> None:
    swapped = {"CF_CFJG": "CF_SJLY", "CF_SJLY": "CF_CFJG"}
    other = [HEADER[NAMES.index(swapped.get(name, name))] for name in NAMES]
    row = dict(penalty(2), CF_CFJG="乙局", CF_SJLY="甲局")
    second = [row[swapped.get(name, name)] for name in NAMES]
    rows = [
        [*before, *HEADER],
        ["1", "某区", "一"][: len(before)] + values(),
        ["编号", "所属区县", "报送批次"][: len(before)] + other,
        ["1", "某区", "二"][: len(before)] + second,
    ]

    found = read(book(tmp_path, rows))

    assert len(found) == 2
    assert getattr(found[1].record, "authority", None) == "乙局"


@pytest.mark.parametrize(
    "numbers",
    [
        [str(n) for n in range(1, len(NAMES) + 1)],
        list(range(1, len(NAMES) + 1)),
        list("①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"[: len(NAMES)]),
        ["甲", "乙", *map(str, range(1, len(NAMES) - 1))],
        [f"({n})" for n in range(1, len(NAMES) + 1)],
        ["文本"] * len(NAMES),
    ],
)
def test_a_row_that_numbers_the_columns_is_no_record(
    tmp_path: Path, read: Read, numbers: list[Any]
) -> None:
    [one] = read(book(tmp_path, [HEADER, numbers, values()]))

    assert one.verdict is Verdict.OK


@pytest.mark.parametrize(
    "row",
    [["合计", "2户", "2户", "2件"], ["合计（万元）", None, None, "共2件"], ["小计(元)", "", "2"]],
)
def test_a_sum_is_no_record(tmp_path: Path, read: Read, row: list[Any]) -> None:
    assert len(read(book(tmp_path, [HEADER, values(), row]))) == 1


def test_a_note_in_the_column_of_the_running_number_is_a_note(tmp_path: Path) -> None:
    rows = [["序号", *HEADER], ["1", *values()], ["注：1. 数据截至2026年10月"]]
    reading = Reading(book(tmp_path, rows), FileLimits())

    assert len(list(reading)) == 1
    assert "填报说明或表尾文字" in "\n".join(reading.report.words)


def test_groups_that_say_information_are_groups(tmp_path: Path, read: Read) -> None:
    upper = [""] * len(NAMES)
    lower = list(HEADER)
    for wire, group, name in (
        ("CF_XDR_MC", "行政相对人信息", "名称"),
        ("CF_XDR_LB", "行政相对人信息", "类别"),
        ("CF_XDR_SHXYM", "行政相对人", "统一社会信用代码"),
        ("CF_SJLY", "数据来源", "单位"),
        ("CF_SJLYDM", "数据来源", "统一社会信用代码"),
    ):
        upper[NAMES.index(wire)], lower[NAMES.index(wire)] = group, name

    [one] = read(book(tmp_path, [upper, lower, values()]))

    assert one.verdict is Verdict.OK


def test_rows_with_more_empty_cells_than_the_others_are_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    lines = [HEADER, values(1), values(2), [*values(3), ""]]
    path.write_text("\n".join(",".join(map(str, line)) for line in lines), encoding="utf-8")
    reading = Reading(path, FileLimits())

    assert len(list(reading)) == 3
    assert "第4行比表头多出空格" in "\n".join(reading.report.words)
