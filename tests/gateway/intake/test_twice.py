"""Rows of one file with one key: repeats, changes that say so, and two halves of a decision."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.config.settings import FileLimits
from gateway.intake.files.problem_workbook import faulty_row, problems_workbook
from gateway.intake.files.reading import Reading
from gateway.intake.files.report import FileReport
from gateway.intake.files.twice import Twice
from schemas.codes import RecordKind
from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import licence, participant
from tests.gateway.conftest import TODAY
from tests.gateway.intake.conftest import book
from tests.gateway.intake.test_tables_that_mislead import HEADER, values

Judge = Callable[..., list[Checked]]
SECOND_HALF = {"CF_CFLB": "没收违法所得", "CF_NR": "没收违法所得1万元", "CF_NR_FK": ""}


@pytest.fixture
def judge(checker: Checker, tmp_path: Path) -> Judge:
    def run(rows: Sequence[Sequence[Any]], kind: RecordKind | None = None) -> list[Checked]:
        reading, twice = Reading(book(tmp_path, rows), FileLimits(), kind), Twice()
        return [twice.judged(checker.check(raw, TODAY), reading.report) for raw in reading]

    return run


def test_a_second_row_that_says_something_else_is_refused_and_both_are_named(judge: Judge) -> None:
    first, second = judge([HEADER, values(), values(**SECOND_HALF)])

    assert [first.verdict, second.verdict] == [Verdict.OK, Verdict.REFUSED]
    assert second.record is None
    assert second.problems[0].rule is Rule.CONFLICT

    assert "号 在“Sheet”表第2行和“Sheet”表第3行，内容不同" in second.problems[0].message


def test_the_mend_workbook_does_not_make_a_correction_of_a_refused_row(
    judge: Judge, checker: Checker, tmp_path: Path
) -> None:
    _, refused = judge([HEADER, values(), values(**SECOND_HALF)])
    mend = tmp_path / "mend.xlsx"
    problems_workbook(mend, [faulty_row(FileReport(), refused)])

    [again] = [checker.check(raw, TODAY) for raw in Reading(mend, FileLimits())]

    assert again.verdict is Verdict.REFUSED
    assert again.problems[0].field == "CF_WSH"


def test_another_running_number_makes_no_other_record(judge: Judge) -> None:
    found = judge([["序号", *HEADER], ["1", *values()], ["2", *values()]])

    assert [one.verdict for one in found] == [Verdict.OK] * 2


@pytest.mark.parametrize(
    ("name", "word"), [("verb", "withdraw"), ("verb", "correct"), ("当前状态", "撤销")]
)
def test_a_row_with_a_verb_may_follow_its_decision(judge: Judge, name: str, word: str) -> None:
    second = [*values(CF_SY="超标排放水污染物"), word]

    found = judge([[*HEADER, name], [*values(), None], second])

    assert [one.verdict for one in found] == [Verdict.OK] * 2


def test_a_licence_may_end_below_its_decision(judge: Judge) -> None:
    rows = [list(licence(XK_ZT=state).values()) for state in ("1", "2")]

    found = judge([list(licence(XK_ZT="1")), *rows])

    assert [one.verdict for one in found] == [Verdict.OK] * 2


def test_a_second_entry_of_the_register_does_not_replace_the_first(judge: Judge) -> None:
    first, again = participant(until="2026-03-31"), participant(until=None)

    found = judge(
        [list(first), list(first.values()), [again.get(name) for name in first]],
        RecordKind.PARTICIPANT,
    )

    assert [one.verdict for one in found] == [Verdict.OK, Verdict.REFUSED]
