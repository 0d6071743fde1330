"""Quotation marks in text tables: those of CSV, and those that are a part of the text."""

from pathlib import Path

import pytest

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from gateway.intake.files.unreadable import UnreadableFile
from schemas.penalty import AdministrativePenalty
from tests.gateway.intake.conftest import Read
from tests.gateway.intake.test_tables_that_mislead import HEADER, values

SAID = "引号不是 CSV 的写法，照原样读"


def text(folder: Path, *facts: str, separator: str = "\t", header: str | None = None) -> Path:
    """Write a row for each of these facts, without any quoting."""
    rows = [values(number, CF_SY=fact) for number, fact in enumerate(facts, 1)]
    path = folder / "rows.txt"
    lines = [separator.join(str(cell or "") for cell in row) for row in rows]
    path.write_text("\n".join([header or separator.join(HEADER), *lines]), encoding="utf-8")
    return path


def facts_of(path: Path, read: Read) -> list[str]:
    records = [one.record for one in read(path)]
    return [str(one.violation_facts) for one in records if isinstance(one, AdministrativePenalty)]


def words(path: Path) -> str:
    reading = Reading(path, FileLimits())
    list(reading)
    return "".join(reading.report.words)


@pytest.mark.parametrize("separator", ["\t", ",", ";", "|"])
def test_a_text_that_begins_with_a_quotation_mark_keeps_it(
    tmp_path: Path, read: Read, separator: str
) -> None:
    given = ['"三同时"制度未落实', "超标排放", '未落实"三同时"']

    path = text(tmp_path, *given, separator=separator)

    assert facts_of(path, read) == given
    assert words(path).count(SAID) == 1


def test_whole_cells_in_quotation_marks_are_kept_where_others_have_them_too(
    tmp_path: Path, read: Read
) -> None:
    given = ['"三同时"制度未落实', '"三同时"', '"三同时"、"环评"']

    assert facts_of(text(tmp_path, *given), read) == given


def test_an_odd_quote_far_below_is_a_part_of_the_text(tmp_path: Path, read: Read) -> None:
    given = [*["超标排放"] * 30, '"三同时制度未落实', '另"一', '收"']

    assert facts_of(text(tmp_path, *given), read) == given


@pytest.mark.parametrize("rows_before", [0, 2, 30])
def test_a_quote_without_its_end_is_told_as_such_whatever_separates(
    tmp_path: Path, rows_before: int
) -> None:
    path = text(tmp_path, *["超标排放"] * rows_before, '"三同时制度未落实', "超标排放")

    with pytest.raises(UnreadableFile, match=f"第{rows_before + 2}行的引号没有配对"):
        list(Reading(path, FileLimits()))


@pytest.mark.parametrize("separator", ["\t", ","])
def test_quotes_of_csv_are_taken_off(tmp_path: Path, read: Read, separator: str) -> None:
    path = text(
        tmp_path, f'"甲{separator}乙"', '"一\n二"', '"未落实""三同时"""', separator=separator
    )

    assert facts_of(path, read) == [f"甲{separator}乙", "一\n二", '未落实"三同时"']
    assert SAID not in words(path)


@pytest.mark.parametrize(
    ("separator", "fact", "other"),
    [
        (",", '"三同时"制度', '"甲,乙"'),
        (",", '"三同时"制度', '"甲"'),
        ("\t", '"三同时"制度', '"甲\n乙"'),
        ("\t", '"三同时"制度', '"甲""乙"'),
        ("\t", '"未落实\\"三同时\\"制度"', "超标排放"),
    ],
)
def test_a_fault_among_the_quotes_of_csv_refuses_the_file(
    tmp_path: Path, separator: str, fact: str, other: str
) -> None:
    path = text(tmp_path, other, fact, separator=separator)

    with pytest.raises(UnreadableFile, match="不是有效的 CSV：引号的后面只能是分隔符"):
        list(Reading(path, FileLimits()))


def test_names_of_columns_in_quotes_are_those_of_csv(tmp_path: Path) -> None:
    header = "\t".join(f'"{name}"' for name in HEADER)

    with pytest.raises(UnreadableFile, match="第2行不是有效的 CSV"):
        list(Reading(text(tmp_path, '"三同时"制度', header=header), FileLimits()))


def test_a_title_in_quotation_marks_hides_no_header(tmp_path: Path, read: Read) -> None:
    path = text(tmp_path, "超标排放", header='"三同时"专项检查\n' + "\t".join(HEADER))

    assert facts_of(path, read) == ["超标排放"]
