"""JSON objects and days as people and programs write them."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

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
    "message",
    [
        {"data": [penalty()], "database": "d", "table": "t", "type": "DELETE", "isDdl": False},
        {"data": [penalty(), penalty(2)], "database": "d", "table": "t", "type": "DELETE"},
        {"data": [penalty()], "table": "t", "type": "DELETE"},
        {"before": [penalty()], "op": "d", "source": {"table": "t"}},
        {"table": "t", "op_type": "D", "before": [penalty()]},
        {"payload": {"data": [penalty()], "database": "d", "table": "t", "type": "delete"}},
        {"action": "DELETE", "records": [penalty()]},
        {"eventType": "delete", "data": {"list": [penalty()]}},
    ],
    ids=range(8),
)
@pytest.mark.parametrize("indent", [None, 2])
def test_a_file_of_one_message_of_a_deletion_brings_no_decision(
    tmp_path: Path, checker: Checker, message: dict[str, Any], indent: int | None
) -> None:
    path = tmp_path / "one.ndjson"
    path.write_text(json.dumps(message, ensure_ascii=False, indent=indent), encoding="utf-8")

    found = [checker.check(one, TODAY) for one in Reading(path, FileLimits())]

    assert [one.verdict for one in found] == [Verdict.REFUSED]


def test_a_file_of_one_message_of_a_new_row_brings_it(tmp_path: Path, checker: Checker) -> None:
    message = {"data": [penalty()], "database": "d", "table": "t", "type": "INSERT"}
    path = tmp_path / "one.ndjson"
    path.write_text(json.dumps(message, ensure_ascii=False), encoding="utf-8")

    [found] = [checker.check(one, TODAY) for one in Reading(path, FileLimits())]

    assert found.verdict is Verdict.OK


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


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('{"data": %s, "data": %s}', "data"),
        ('{"code": 0, "data": {"rows": %s}, "data": {"rows": %s}}', "data"),
        ('{"data": {"records": %s, "total": 1, "records": %s}}', "records"),
        ('{"data": %s, "data": %s, "rows": []}', "data"),
        ('{"data": [{"a": 1}], "data": %s, "more": %s}', "data"),
    ],
)
def test_a_list_whose_name_stands_twice_refuses_the_file(
    tmp_path: Path, text: str, name: str
) -> None:
    path = tmp_path / "answer.json"
    rows = tuple(orjson.dumps([penalty(number)]).decode() for number in (1, 2))
    path.write_text(text % rows, encoding="utf-8")

    with pytest.raises(UnreadableFile, match=f"^“{name}”写了不止一次.*合成一个"):
        list(Reading(path, FileLimits()))


#: A record of more values than one may have.
MANY = "".join(['{"CF_WSH":"1","x":[', '{"":{}},' * 60_000, "{}]}"])


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"data": [], "msg": "无数据"}, "“data”的列表是空的，文件里没有记录"),
        ({"code": 0, "data": {"total": 0, "rows": []}}, "“data.rows”的列表是空的"),
        ({"data": [penalty(1)], "more": [penalty(2)]}, "“data”和“more”各是一个记录列表"),
        ({"data": {"a": [penalty(1)], "b": [penalty(2)]}}, "“a”和“b”各是一个记录列表"),
    ],
)
def test_an_answer_without_the_one_list_is_told_in_one_sentence(
    tmp_path: Path, answer: dict[str, Any], words: str, indent: int | None
) -> None:
    path = tmp_path / "answer.json"
    path.write_text(json.dumps(answer, ensure_ascii=False, indent=indent), encoding="utf-8")

    with pytest.raises(UnreadableFile, match=f"^{words}"):
        list(Reading(path, FileLimits()))


@pytest.mark.parametrize(
    "answer",
    [
        {"codes": [], "id": "E-1", "type": "incident"},
        {"payload": {"after": penalty(1)}, "tags": []},
        {"payload": penalty(1), "tags": []},
        {"tags": [], **penalty(1)},
        {"tags": [], **dict(zip(HEADER, values(), strict=True))},
    ],
)
def test_an_empty_list_beside_a_record_makes_no_empty_file(
    tmp_path: Path, answer: dict[str, Any]
) -> None:
    path = tmp_path / "one.json"
    path.write_text(json.dumps(answer, ensure_ascii=False), encoding="utf-8")

    assert len(list(Reading(path, FileLimits()))) == 1


@pytest.mark.parametrize("around", ["[%s]", '{"data":[%s]}', '{"data":{"rows":[%s]}}', "%s"])
def test_a_record_of_very_many_values_is_never_held_as_objects(
    tmp_path: Path, checker: Checker, around: str
) -> None:
    path = tmp_path / "rows.json"
    path.write_text(around % MANY, encoding="utf-8")
    tracemalloc.start()

    try:
        [found] = [checker.check(raw, TODAY) for raw in Reading(path, FileLimits())]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert found.verdict is Verdict.REFUSED
    assert "值，不是一条记录" in found.problems[0].message
    assert peak < 16 * len(MANY)


@pytest.mark.parametrize("around", ["[%s]", '{"data": [%s]}'])
def test_an_element_that_is_too_long_is_one_refused_item(
    tmp_path: Path, checker: Checker, around: str
) -> None:
    long = orjson.dumps(penalty(2, BZ="长" * 1000)).decode()
    rows = [orjson.dumps(penalty(number)).decode() for number in (1, 3)]
    path = tmp_path / "rows.json"
    path.write_text(around % ",".join([rows[0], long, rows[1]]), encoding="utf-8")

    raws = list(Reading(path, FileLimits(max_line_bytes=2000)))

    assert [raw.body for raw in raws[::2]] == [row.encode() for row in rows]
    verdicts = [checker.check(one, TODAY).verdict for one in raws]
    assert verdicts == [Verdict.OK, Verdict.REFUSED, Verdict.OK]


@pytest.mark.parametrize("around", ["[%s]", '{"data":[%s]}', '{"data":{"rows":[%s]}}'])
@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ('{"XK_WSH":"1"', "应为带双引号的字段名"),
        ('{"CF_WSH":1"}', "缺少逗号"),
        ('{"CF_WSH" "1"}', "缺少冒号"),
        ('{"CF_WSH":"\\x"}', "反斜杠后面写错了"),
    ],
)
def test_the_place_of_a_fault_in_a_large_list_is_told(
    tmp_path: Path, around: str, broken: str, words: str
) -> None:
    good = "".join(['{"CF_WSH":"1","x":[', "1," * 1000, "1]}"])
    path = tmp_path / "rows.json"
    text = around % ",".join([*[good] * 120, broken, *[good] * 120])
    path.write_text(text, encoding="utf-8")

    with pytest.raises(UnreadableFile) as caught:
        list(Reading(path, FileLimits()))

    assert words in str(caught.value)
    place = int(str(caught.value).partition("行第")[2].partition("个")[0])
    assert 0 <= place - text.index(f",{broken},") <= len(broken) + 3


def test_a_large_object_that_goes_on_behind_its_end_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(f'{{"data":[{MANY},{MANY}]}} {{', encoding="utf-8")

    with pytest.raises(UnreadableFile, match="多余的内容"):
        list(Reading(path, FileLimits()))


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
