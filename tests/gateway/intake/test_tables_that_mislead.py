"""Tables in which a cell, a column or a sheet looks like something else."""

import csv
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils import get_column_letter

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from schemas.columns import columns_of
from schemas.penalty import AdministrativePenalty
from schemas.verdict import Verdict
from tests.factories import IDENTITY, credit_code, licence, penalty
from tests.gateway.intake.conftest import NAMES, Read, book

TITLES = {column.wire: column.title for column in columns_of(AdministrativePenalty)}
HEADER = [TITLES[name] for name in NAMES]


def values(number: int = 1, company: int = 1, /, **changes: Any) -> list[Any]:
    row = penalty(number, company, **changes)
    return [row.get(name) for name in NAMES]


def letter(name: str) -> str:
    return str(get_column_letter(NAMES.index(name) + 1))


def test_a_decision_over_two_rows_is_not_taken_as_half_of_it(tmp_path: Path, read: Read) -> None:
    lower: list[Any] = [None] * len(NAMES)
    lower[NAMES.index("CF_CFLB")] = "没收违法所得、没收非法财物"
    areas = [f"{letter(name)}2:{letter(name)}3" for name in NAMES if name != "CF_CFLB"]

    _, second = read(book(tmp_path, [HEADER, values(), lower], *areas))

    assert second.verdict is Verdict.REFUSED
    assert "与上面的合并成一格" in second.problems[0].message


def test_an_amount_that_is_merged_over_two_decisions_is_that_of_the_first_only(
    tmp_path: Path, read: Read
) -> None:
    second = values(2, 2, CF_NR_FK=None)
    area = f"{letter('CF_NR_FK')}2:{letter('CF_NR_FK')}3"

    found = read(book(tmp_path, [HEADER, values(), second], area))

    assert [one.verdict for one in found] == [Verdict.OK, Verdict.INCOMPLETE]
    assert [problem.field for problem in found[1].problems] == ["CF_NR_FK"]


def test_an_authority_that_is_merged_beyond_the_last_row_makes_no_records(
    tmp_path: Path, read: Read
) -> None:
    area = f"{letter('CF_CFJG')}2:{letter('CF_CFJG')}10"

    found = read(book(tmp_path, [HEADER, values(1), values(2, CF_CFJG=None)], area))

    assert [one.verdict for one in found] == [Verdict.OK] * 2


def grouped(name: str, lower: list[str]) -> tuple[list[Any], list[Any], list[str]]:
    """Return a header in two rows, in which one column has a group above its names."""
    upper: list[Any] = []
    below: list[Any] = []
    areas: list[str] = []
    for wire in NAMES:
        start = len(upper) + 1
        cells = lower if wire == name else [None]
        upper += [_GROUPS[name] if wire == name else TITLES[wire], *[None] * (len(cells) - 1)]
        below += cells
        rows = (1, 1) if wire == name else (1, 2)
        first, last = get_column_letter(start), get_column_letter(start + len(cells) - 1)
        areas.append(f"{first}{rows[0]}:{last}{rows[1]}")
    return upper, below, areas


_GROUPS = {"CF_CFJG": "处罚机关", "CF_XDR_SHXYM": "行政相对人代码"}


@pytest.mark.parametrize(
    ("name", "lower"),
    [("CF_CFJG", ["名称", "备用"]), ("CF_XDR_SHXYM", ["统一社会信用代码", "工商注册号"])],
)
def test_a_header_in_two_rows_is_read_with_its_groups(
    tmp_path: Path, read: Read, name: str, lower: list[str]
) -> None:
    upper, below, areas = grouped(name, lower)
    place = NAMES.index(name) + 1
    rows = [[*row[:place], None, *row[place:]] for row in (values(1), values(2))]

    found = read(book(tmp_path, [upper, below, *rows], *areas))

    assert [one.verdict for one in found] == [Verdict.OK] * 2
    assert found[0].problems == ()


def test_a_table_with_its_row_numbers_in_front_is_read(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = ([str(number), *values(number)] for number in (1, 2))
        csv.writer(stream).writerows([["", *HEADER], *rows])

    assert [one.verdict for one in read(path)] == [Verdict.OK] * 2


def test_a_row_with_a_separator_in_a_cell_is_refused(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "rows.csv"
    cells = values(CF_SY="超标排放甲物质,乙物质")
    path.write_text("\n".join([",".join(HEADER), ",".join(cells)]), encoding="utf-8")

    [found] = read(path)

    assert found.verdict is Verdict.REFUSED
    assert any("比表头多 1 格" in problem.message for problem in found.problems)


def test_a_day_in_a_remark_is_a_remark(tmp_path: Path, read: Read) -> None:
    day = datetime(2026, 10, 9)  # noqa: DTZ001
    [found] = read(book(tmp_path, [[*HEADER, "备注"], [*values(), day]]))

    assert found.verdict is Verdict.OK
    assert isinstance(found.record, AdministrativePenalty)
    assert found.record.remark == "2026-10-09"


def test_sheets_that_explain_the_columns_are_no_tables(tmp_path: Path, read: Read) -> None:
    more = {
        "字段对照": [[TITLES[name], name] for name in NAMES],
        "字典": [
            ["行政相对人类别", "处罚类别", "证件类型"],
            ["法人及非法人组织", "警告", "身份证"],
            ["自然人", "罚款", "护照"],
        ],
        "种类": [["处罚类别"], ["警告"], ["罚款"]],
    }

    assert len(read(book(tmp_path, [HEADER, values()], more=more))) == 1


def test_a_column_that_stands_twice_with_two_numbers_is_refused(tmp_path: Path, read: Read) -> None:
    header, cells = [*HEADER, TITLES["CF_WSH"]], [*values(CF_WSH="001"), "1"]

    [found] = read(book(tmp_path, [header, cells]))

    assert found.verdict is Verdict.REFUSED
    assert "而且不一致" in found.problems[0].message


@pytest.mark.parametrize("empty", ["\u200b无", "无\u200b", " 无 "])
def test_a_word_for_nothing_is_nothing_whatever_nobody_sees_in_it(
    tmp_path: Path, read: Read, empty: str
) -> None:
    [found] = read(book(tmp_path, [HEADER, values(CF_WSH=empty)]))

    assert [problem.field for problem in found.problems] == ["CF_WSH"]


def test_hints_in_the_names_do_not_hide_them(tmp_path: Path, read: Read) -> None:
    header = [f"{name}（必填，不超过200字）" for name in HEADER]

    assert [one.verdict for one in read(book(tmp_path, [header, values()]))] == [Verdict.OK]


def test_many_columns_of_the_senders_own_fill_no_screen(tmp_path: Path) -> None:
    own = [f"自用列{number}" for number in range(60)]
    reading = Reading(book(tmp_path, [[*HEADER, *own], [*values(), *own]]), FileLimits())

    assert len(list(reading)) == 1
    assert len(reading.report.words) < 20
    assert "另有 50 列不认识" in reading.report.words[-1]


def test_a_title_beside_its_code_must_say_the_same(tmp_path: Path, read: Read) -> None:
    header, cells = [*NAMES, TITLES["CF_XDR_SHXYM"]], [*values(), credit_code(2)]

    [found] = read(book(tmp_path, [header, cells]))

    assert found.verdict is Verdict.REFUSED


def test_an_identity_number_in_the_name_of_a_column_is_told_masked(tmp_path: Path) -> None:
    path = book(tmp_path, [[*HEADER, f"身份证{IDENTITY}"], [*values(), "x"]])
    reading = Reading(path, FileLimits())

    assert len(list(reading)) == 1
    assert IDENTITY not in "\n".join(reading.report.words)
    assert IDENTITY not in str(reading.report.as_json())


def test_an_old_name_beside_another_is_told_by_the_names_that_are_there(tmp_path: Path) -> None:
    path = book(tmp_path, [[*HEADER, "案件名称", "处罚名称"], [*values(), "案件文", "处罚文"]])
    reading = Reading(path, FileLimits())

    assert len(list(reading)) == 1
    assert "“处罚名称”列与“案件名称”列都有" in "\n".join(reading.report.words)


def test_an_old_name_of_the_senders_own_is_told_once_and_refuses_nothing(
    tmp_path: Path, read: Read
) -> None:
    header = [*HEADER, "备注", "案件名称"]
    path = book(tmp_path, [header, *([*values(n), "已缴清", "某某案"] for n in (1, 2))])
    reading = Reading(path, FileLimits())

    assert [one.verdict for one in read(path)] == [Verdict.OK] * 2
    assert len(list(reading)) == 2
    assert "\n".join(reading.report.words).count("“案件名称”当作自己的列") == 1


def test_a_licence_with_a_project_of_the_bureau_is_read(tmp_path: Path, read: Read) -> None:
    row = licence()
    header, cells = [*row, "项目名称", "审批类别"], [*row.values(), "年产十万吨项目", "环评"]

    assert [one.verdict for one in read(book(tmp_path, [header, cells]))] == [Verdict.OK]


def test_an_apostrophe_before_a_value_is_taken_off_but_not_before_a_free_text(
    tmp_path: Path, read: Read
) -> None:
    free = {"CF_SY", "CF_YJ", "CF_NR"}
    cells = [
        cell if name in free else f"'{cell}" for name, cell in zip(NAMES, values(), strict=True)
    ]
    cells[NAMES.index("CF_SY")] = "'三同时'制度未落实"

    [found] = read(book(tmp_path, [HEADER, cells]))

    assert (found.verdict, found.problems) == (Verdict.OK, ())
    assert isinstance(found.record, AdministrativePenalty)
    assert str(found.record.decision_date) == "2026-10-09"
    assert found.record.fine_wan == 2
    assert found.record.violation_facts == "'三同时'制度未落实"
