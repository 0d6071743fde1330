"""Rows that are shifted, repeated headers, and rows that are none."""

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils import get_column_letter

from gateway.check.checker import Checker
from gateway.config.settings import FileLimits
from gateway.intake.files.problem_workbook import faulty_row
from gateway.intake.files.reading import Reading
from schemas.penalty import AdministrativePenalty
from schemas.verdict import Verdict
from tests.factories import IDENTITY, penalty, raw
from tests.gateway.conftest import TODAY
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_tables_that_mislead import HEADER, TITLES, grouped, letter, values


@pytest.mark.parametrize("own", ["序号", "操作员", "kind", "verb"])
def test_a_shifted_row_is_refused_whatever_its_first_column_is(
    tmp_path: Path, read: Read, own: str
) -> None:
    path = tmp_path / "rows.csv"
    cells = ["", *values(CF_SY="超标排放甲物质,乙物质")]
    path.write_text("\n".join([",".join([own, *HEADER]), ",".join(cells)]), encoding="utf-8")

    [found] = read(path)

    assert found.verdict is Verdict.REFUSED
    assert faulty_row(Reading(path, FileLimits()).report, found).row == {}


@pytest.mark.parametrize("blank", [" ", "\u3000", "无", None])
def test_a_column_that_stands_twice_has_the_value_of_the_one_that_is_filled(
    tmp_path: Path, read: Read, blank: str | None
) -> None:
    header, cells = [*HEADER, "备注", "备注"], [*values(), "已缴", blank]

    [found] = read(book(tmp_path, [header, cells]))

    assert isinstance(found.record, AdministrativePenalty)
    assert found.record.remark == "已缴"


def test_brackets_that_differ_are_no_conflict(tmp_path: Path, read: Read) -> None:
    header, cells = [*HEADER, TITLES["CF_WSH"]], [*values(), "样环罚字[2026]1号"]

    assert [one.verdict for one in read(book(tmp_path, [header, cells]))] == [Verdict.OK]


def test_a_group_without_merged_cells_is_that_of_the_names_on_its_right(
    tmp_path: Path, read: Read
) -> None:
    upper = [*HEADER, "法定代表人", None, None]
    lower = [*[None] * len(HEADER), "姓名", "证件类型", "证件号码"]
    record = [*values(), "张三", "身份证", IDENTITY]

    [found] = read(book(tmp_path, [upper, lower, record]))

    assert isinstance(found.record, AdministrativePenalty)
    assert found.record.representative_id == IDENTITY
    assert found.record.identity_number is None


def test_a_header_in_two_rows_may_come_again(tmp_path: Path, read: Read) -> None:
    upper, below, areas = grouped("CF_XDR_SHXYM", ["统一社会信用代码", "工商注册号"])
    place = NAMES.index("CF_XDR_SHXYM") + 1
    first, second = ([*row[:place], None, *row[place:]] for row in (values(1), values(2)))
    again = [area.replace("1", "4").replace("2", "5") for area in areas]
    rows = [upper, below, first, upper, below, second]

    found = read(book(tmp_path, rows, *areas, *again))

    assert [one.verdict for one in found] == [Verdict.OK] * 2


@pytest.mark.parametrize(
    "note",
    [
        ["合计", "2件", None, "2家", 4],
        ["合 计", *[None] * 8, "=SUM(J2:J2)"],
        ["填报人：张三", "填报日期：", *[None] * 8, datetime(2026, 10, 9)],  # noqa: DTZ001
    ],
)
def test_sums_and_footers_are_no_records(tmp_path: Path, read: Read, note: list[Any]) -> None:
    assert len(read(book(tmp_path, [HEADER, values(), note]))) == 1


def test_rows_under_a_merged_authority_need_something_of_their_own(
    tmp_path: Path, read: Read
) -> None:
    blank = [None] * len(HEADER)
    rows = [["序号", *HEADER], [1, *values()], [2, *blank], [3, *blank]]
    letter = get_column_letter(NAMES.index("CF_CFJG") + 2)

    assert len(read(book(tmp_path, rows, f"{letter}2:{letter}4"))) == 1


def test_a_company_that_is_merged_over_its_decisions_is_that_of_each(
    tmp_path: Path, read: Read
) -> None:
    subject = ("CF_XDR_MC", "CF_XDR_LB", "CF_XDR_SHXYM")
    second = values(2, **dict.fromkeys(subject))
    areas = [f"{letter(name)}2:{letter(name)}3" for name in subject]

    found = read(book(tmp_path, [HEADER, values(), second], *areas))

    assert [one.verdict for one in found] == [Verdict.OK] * 2


def test_a_record_with_words_of_templates_is_a_record(tmp_path: Path, read: Read) -> None:
    pending = ["样例9号有限公司", "法人及非法人组织", *[None] * 3, "未按规定填写危险废物台账"]

    assert len(read(book(tmp_path, [HEADER, values(), pending]))) == 2


def test_codes_under_titles_are_one_header(tmp_path: Path, read: Read) -> None:
    header, codes = [*HEADER, "备注"], [*NAMES, "CF_WFXWLX"]

    assert len(read(book(tmp_path, [header, codes, [*values(), None]]))) == 1


@pytest.mark.parametrize(
    ("row", "verdict", "kinds"),
    [
        ({"CF_CFLB": "警告", "CF_CFLB1": "罚款"}, Verdict.REFUSED, None),
        ({"CF_CFLB": "无", "CF_CFLB1": "罚款"}, Verdict.OK, ("罚款",)),
        ({"CF_CFLB": None, "CF_CFLB1": "罚款", "CF_CFLB2": "无"}, Verdict.OK, ("罚款",)),
    ],
)
def test_no_old_kind_is_lost(
    checker: Checker, row: dict[str, Any], verdict: Verdict, kinds: tuple[str, ...] | None
) -> None:
    found = checker.check(raw(penalty(**row)), TODAY)

    assert found.verdict is verdict
    assert kinds is None or found.record.penalty_kinds == kinds  # type: ignore[union-attr]
