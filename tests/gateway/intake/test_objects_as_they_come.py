"""JSON objects and days as people and programs write them."""

from pathlib import Path

import orjson
import pytest

from gateway.check.checker import Checker
from gateway.config.settings import FileLimits
from gateway.intake.files.problem_workbook import faulty_row, problems_workbook
from gateway.intake.files.reading import Reading
from gateway.intake.files.report import FileReport
from gateway.intake.files.unreadable import UnreadableFile
from schemas.verdict import Verdict
from tests.factories import penalty, raw
from tests.gateway.conftest import TODAY
from tests.gateway.intake.test_tables_that_mislead import HEADER, values


def test_a_name_that_stands_twice_in_an_object_is_a_conflict(checker: Checker) -> None:
    text = orjson.dumps(penalty()).decode()
    body = text[:-1].replace('"CF_XDR_MC":', '"CF_XDR_MC" :') + ',"CF_WSH":"样环罚字〔2026〕99号"}'

    checked = checker.check(raw(body.encode()), TODAY)

    assert checked.verdict is Verdict.REFUSED
    assert "填了不止一次" in checked.problems[0].message


def test_a_name_that_stands_twice_with_one_value_is_taken(checker: Checker) -> None:
    text = orjson.dumps(penalty()).decode()

    checked = checker.check(raw((text[:-1] + "," + text[1:]).encode()), TODAY)

    assert checked.verdict is Verdict.OK


def test_a_value_that_debezium_left_out_is_none(checker: Checker) -> None:
    after = penalty(CF_NR="__debezium_unavailable_value")

    checked = checker.check(raw({"payload": {"op": "u", "after": after}}), TODAY)

    assert checked.verdict is Verdict.REFUSED
    assert "没有随消息送来" in checked.problems[0].message


def test_titles_as_names_show_the_kind(checker: Checker) -> None:
    row = dict(zip(HEADER, values(), strict=True))

    assert checker.check(raw(row), TODAY).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("text", "words"),
    [("[]", "没有记录"), ('[{"CF_WSH":"1"}', "没有结束"), ('[{"a":1}{"a":2}]', "缺少逗号")],
)
def test_a_list_that_is_none_says_why(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(UnreadableFile, match=words):
        list(Reading(path, FileLimits()))


@pytest.mark.parametrize(
    "around", ['{"data": %s}', '{"code": 0, "data": {"total": 2, "records": %s}}']
)
def test_a_list_of_records_within_an_answer_is_read(
    tmp_path: Path, checker: Checker, around: str
) -> None:
    path = tmp_path / "answer.json"
    path.write_text(around % orjson.dumps([penalty(1), penalty(2)]).decode(), encoding="utf-8")

    found = [checker.check(raw, TODAY) for raw in Reading(path, FileLimits())]

    assert [one.verdict for one in found] == [Verdict.OK] * 2


def test_a_day_that_is_a_number_stands_as_a_day_in_the_workbook_to_mend(
    tmp_path: Path, checker: Checker
) -> None:
    after = penalty(CF_SJLY=None, CF_JDRQ=20735, CF_YXQ=None, CF_JZQ=1791475200000)
    found = checker.check(raw({"payload": {"op": "c", "after": after}}), TODAY)
    path = tmp_path / "mend.xlsx"

    problems_workbook(path, [faulty_row(FileReport(), found)])
    [again] = [checker.check(one, TODAY) for one in Reading(path, FileLimits())]

    assert again.problems == found.problems
    assert again.record == found.record


@pytest.mark.parametrize("day", ["2026年10月9日 星期五", "2026-10-09（周五）", "20261009000000"])
def test_a_day_with_its_weekday_is_a_day(checker: Checker, day: str) -> None:
    checked = checker.check(raw(penalty(CF_JDRQ=day)), TODAY)

    assert checked.verdict is Verdict.OK
