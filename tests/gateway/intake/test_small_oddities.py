"""Smaller things that real files have: rows as spreadsheets count them, encodings, hints."""

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from gateway.check.checker import Checker
from gateway.config.settings import FileLimits
from gateway.intake.files.problem_workbook import faulty_row
from gateway.intake.files.reading import Reading
from gateway.intake.files.unreadable import UnreadableFile
from schemas.codes import RecordKind
from schemas.column_names import standard_names
from schemas.verdict import Verdict
from tests.factories import penalty, raw
from tests.gateway.conftest import TODAY
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_tables_that_mislead import HEADER, values


def text(*rows: list[Any], header: bool = True) -> str:
    stream = io.StringIO()
    csv.writer(stream).writerows([HEADER, *rows] if header else rows)
    return stream.getvalue()


def words(path: Path) -> str:
    reading = Reading(path, FileLimits())
    list(reading)
    return "\n".join(reading.report.words)


@pytest.mark.parametrize("before", ["", "sep=,\n"])
def test_a_row_of_a_text_has_the_number_that_a_spreadsheet_shows(
    tmp_path: Path, before: str
) -> None:
    path = tmp_path / "rows.csv"
    rows = [values(1, CF_SY="一是\n二是\n三是"), values(2), [], values(3)]
    path.write_text(before + text(*rows), encoding="utf-8")
    reading = Reading(path, FileLimits())

    assert [reading.place(one) for one in reading] == ["第2行", "第3行", "第5行"]


@pytest.mark.parametrize(
    ("first", "second", "utf_8", "other"),
    [
        (10, 1, True, "第12行起有 1 行"),
        (5, 5, True, "第1行起有 6 行"),
        (5, 5, False, "第7行起有 5 行"),
    ],
)
def test_a_file_of_two_encodings_is_named_as_such(
    tmp_path: Path, first: int, second: int, other: str, *, utf_8: bool
) -> None:
    codecs = ("utf-8", "gb18030") if utf_8 else ("gb18030", "utf-8")
    upper = text(*map(values, range(1, first + 1))).encode(codecs[0])
    lower = text(*map(values, range(20, 20 + second)), header=False).encode(codecs[1])
    path = tmp_path / "rows.csv"
    path.write_bytes(upper + lower)

    try:
        said = words(path)
    except UnreadableFile as error:
        said = str(error)

    assert f"从文本的{other}是另一种编码" in said


def test_a_cut_character_is_no_second_encoding(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    whole = text(values(1), values(2), values(3)).encode()
    path.write_bytes(whole.replace("样例2号".encode(), "样例2号".encode()[:-1], 1))

    assert "另一种编码" not in words(path)


@pytest.mark.parametrize("codec", ["utf-32-le", "utf-32-be"])
def test_utf_32_is_refused_in_one_sentence(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(("\ufeff" + text(values())).encode(codec))

    with pytest.raises(UnreadableFile, match="编码是 UTF-32"):
        list(Reading(path, FileLimits()))


def test_an_amount_is_read_as_its_escaped_format_shows_it(tmp_path: Path, read: Read) -> None:
    path = book(tmp_path, [HEADER, values(CF_NR_FK=20000)])
    made = openpyxl.load_workbook(path)
    made.active.cell(2, NAMES.index("CF_NR_FK") + 1).number_format = '0!.0,"万元"'
    made.save(path)

    [found] = read(path)

    assert getattr(found.record, "fine_wan", None) == 2


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("文号", "行政处罚决定书文号"),
        ("案号", "行政处罚决定书文号"),
        ("企业名称", "行政相对人名称"),
        ("当事人", "行政相对人名称"),
    ],
)
def test_a_usual_name_is_hinted_at(name: str, title: str) -> None:
    assert standard_names().nearest(RecordKind.PENALTY, name) == title


@pytest.mark.parametrize("value", [True, [1], {"a": 1}])
@pytest.mark.parametrize(("column", "word"), [("CF_NR_FK", "应为金额"), ("CF_YXQ", "应为日期")])
def test_a_value_of_json_that_is_none_of_its_column_is_worded(
    checker: Checker, column: str, word: str, value: object
) -> None:
    found = checker.check(raw(penalty(**{column: value})), TODAY)

    assert [word in one.message for one in found.problems if one.field == column] == [True]


@pytest.mark.parametrize("first", ["示例：某某有限公司", "例：XX公司", "填写示例"])
def test_a_row_that_says_that_it_is_an_example_is_none(
    tmp_path: Path, read: Read, first: str
) -> None:
    [found] = read(book(tmp_path, [HEADER, values(1, CF_XDR_MC=first), values(2)]))

    assert found.verdict is Verdict.OK


def test_a_form_that_goes_downwards_says_why_it_has_no_records(tmp_path: Path) -> None:
    path = book(tmp_path, [list(pair) for pair in zip(HEADER, values(), strict=True)])

    assert "像是竖着填的表" in words(path)


def test_the_workbook_to_mend_keeps_an_amount_whose_unit_is_unclear(
    tmp_path: Path, read: Read, checker: Checker
) -> None:
    path = book(tmp_path, [HEADER, values(CF_NR="罚款", CF_NR_FK="5000"), ["注：金额单位为元"]])
    reading = Reading(path, FileLimits())
    [given] = [checker.check(one, TODAY) for one in reading]

    row = faulty_row(reading.report, given).row

    assert row["CF_NR_FK"] == "5000【待填】"
    again = checker.check(raw(dict(row)), TODAY)
    assert again.verdict is Verdict.INCOMPLETE
    assert getattr(again.record, "fine_wan", None) is None


def test_a_text_table_of_very_many_columns_is_refused_in_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    cells = ",".join([*NAMES, *(f"列{n}" for n in range(100_000))])
    path.write_text("\n".join([cells] * 3), encoding="utf-8")

    with pytest.raises(UnreadableFile, match=r"第1行有 1000\d\d 列，超过上限 \d+ 列"):
        list(Reading(path, FileLimits(max_line_bytes=2**24)))


def test_blanks_between_separators_and_quotes_are_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "blanks.csv"
    lines = [", ".join(f'"{cell}"' for cell in line) for line in (HEADER, values())]
    path.write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(UnreadableFile, match="第1行的分隔符和引号之间有空格"):
        list(Reading(path, FileLimits()))


@pytest.mark.parametrize(
    ("name", "above", "said"),
    [
        ("罚款金额（元）", "", "列名写着单位是元：“罚款金额”列没有写单位的，按元读"),
        ("CF_NR_FK", "单位：元", "表里写着单位是元：“罚款金额”列没有写单位的，按元读"),
    ],
)
def test_a_unit_is_told_by_the_title_of_its_column_and_by_what_says_it(
    tmp_path: Path, name: str, above: str, said: str
) -> None:
    header = [
        name if one == "CF_NR_FK" else title for one, title in zip(NAMES, HEADER, strict=True)
    ]
    reading = Reading(
        book(tmp_path, [[above or "一览表"], header, values(CF_NR_FK="20000")]), FileLimits()
    )

    assert len(list(reading)) == 1
    assert said in "\n".join(reading.report.words)
