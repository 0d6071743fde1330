"""The files that bureaus have (tests/files, each folder with its expect.md), read and checked."""

import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.check.raw import Raw
from gateway.config.keys import Keys
from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from gateway.intake.files.tally import FileTally
from gateway.intake.files.unreadable import UnreadableFile
from schemas.input_rules import InputRules
from tests.bureau_files import DAY, FILES, LETTERS, READ, REFUSED
from tests.factories import penalty

Checking = Callable[[Raw], Checked]


@pytest.fixture
def checking(keys: Keys) -> Checking:
    """Check a raw item on a day after all of them."""
    checker = Checker(keys)
    return lambda raw: checker.check(raw, DAY)


def test_every_file_has_its_expectation() -> None:
    files = {str(path.relative_to(FILES)) for path in FILES.glob("*/*")}

    assert {
        name for name in files if not name.endswith("expect.md")
    } == READ.keys() | REFUSED.keys()


@pytest.mark.parametrize("name", READ)
def test_a_file_is_read_as_its_person_means_it(name: str, checking: Checking) -> None:
    verdicts, words = READ[name]
    reading, tally = Reading(FILES / name, FileLimits()), FileTally(InputRules().placeholders)
    said, lines = "", list[str]()

    for raw in reading:
        checked = checking(raw)
        said += LETTERS[checked.verdict]
        tally.add(reading.place(raw), checked)
        lines += [reading.place(raw), *(problem.message for problem in checked.problems)]
    screen = "\n".join([*reading.report.words, tally.total_line(), *tally.words(), *lines])

    assert said == verdicts
    assert [word for word in words if word not in screen] == []


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_cannot_be_read_is_told_in_one_sentence(name: str) -> None:
    with pytest.raises(UnreadableFile) as told:
        list(Reading(FILES / name, FileLimits()))

    assert [words for words in REFUSED[name] if words not in str(told.value)] == []


@pytest.mark.parametrize("name", [name for name in READ if not name.startswith("17")])
def test_what_is_said_of_a_spreadsheet_is_worded_for_clerks(name: str, checking: Checking) -> None:
    for raw in Reading(FILES / name, FileLimits()):
        for problem in checking(raw).problems:
            said = problem.message + problem.fix
            assert not any(word in said for word in ("JSON", "U+", "Unicode", "None", "Traceback"))


def test_dates_of_all_forms_are_the_day_that_is_meant_or_none(checking: Checking) -> None:
    days = {
        checked.record.decision_date  # type: ignore[union-attr]
        for raw in Reading(FILES / "06-dates/forms.csv", FileLimits())
        if (checked := checking(raw)).record is not None
    }

    # 2026-10-09T16:00:00Z is midnight of the 10th in China; 长期 is refused as a future day.
    assert days == {date(2026, 10, 9), date(2026, 10, 10), date(2099, 12, 31)}


def test_one_decision_with_invisible_characters_stays_one(checking: Checking) -> None:
    first, *others = [checking(raw) for raw in Reading(FILES / "07-invisible/in.csv", FileLimits())]

    assert {checked.key for checked in others[:3]} == {first.key}
    assert {one.record.credit_code for one in others} == {"91159900MA00000013"}  # type: ignore[union-attr]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_text_without_line_ends_takes_no_memory(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes(("a," * 2**22).encode(encoding))
    tracemalloc.start()

    try:
        with pytest.raises(UnreadableFile, match="一格太长"):
            list(Reading(path, FileLimits(max_line_bytes=2**16)))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 2**22


def test_a_line_of_wide_json_that_is_too_long_is_one_item(tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    path.write_text('{"a' + "a" * 10_000 + '"}\n{}', encoding="utf-16")

    found = list(Reading(path, FileLimits(max_line_bytes=2000)))

    assert [len(raw.body or b"") for raw in found] == [2000, 2]


def test_a_row_of_many_long_cells_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    row = penalty(CF_NR="处罚款20000元", BZ="长" * 500)
    path.write_text("\n".join([",".join(row), ",".join(row.values())]), encoding="utf-8")

    assert len(list(Reading(path, FileLimits(max_line_bytes=2000)))) == 1
