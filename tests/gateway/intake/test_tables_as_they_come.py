"""Tables that people build: headers, margins, merged cells, notes, and what is sent back mended."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest

from gateway.check.checked import Checked
from gateway.check.checker import Checker
from gateway.check.raw import Raw
from gateway.config.settings import FileLimits
from gateway.intake.files.problem_workbook import faulty_row, problems_workbook
from gateway.intake.files.reading import Reading
from schemas.codes import Verb
from schemas.verdict import Exclusion, Verdict
from tests.factories import IDENTITY, licence, penalty
from tests.gateway.conftest import TODAY
from tests.gateway.intake.conftest import NAMES, Read, book

ROW = penalty()
VALUES = list(ROW.values())


def test_records_above_a_second_header_are_read_by_the_first(tmp_path: Path, read: Read) -> None:
    other = [*NAMES[::-1]]
    swapped = [penalty(3)[name] for name in other]
    path = book(tmp_path, [NAMES, list(penalty(2).values()), [], other, swapped])

    found = read(path)

    assert [one.verdict for one in found] == [Verdict.OK] * 2
    assert [one.key.number for one in found if one.key] == [
        read_number(2), read_number(3),
    ]  # fmt: skip


def test_a_second_table_of_another_kind_is_read_as_that_kind(tmp_path: Path, read: Read) -> None:
    other = licence(1)
    path = book(tmp_path, [NAMES, VALUES, [], list(other), list(other.values())])

    assert [(one.kind, one.verdict) for one in read(path)] == [
        ("penalty", Verdict.OK),
        ("licence", Verdict.OK),
    ]


def read_number(number: int) -> str:
    return str(penalty(number)["CF_WSH"])


@pytest.mark.parametrize("margin", [0, 1, 2])
def test_an_error_is_told_in_its_own_column_whatever_the_margin(
    tmp_path: Path, read: Read, margin: int
) -> None:
    values = [*VALUES]
    values[NAMES.index("CF_NR_FK")] = "=1/0"
    blank = [None] * margin
    path = book(tmp_path, [[*blank, *NAMES], [*blank, *values]])

    [found] = read(path)

    assert [problem.field for problem in found.problems] == ["CF_NR_FK"]


def test_a_merged_cell_says_the_same_in_all_its_rows(tmp_path: Path, read: Read) -> None:
    second = list(penalty(2).values())
    place = NAMES.index("CF_CFJG")
    second[place] = None
    letter = openpyxl.utils.get_column_letter(place + 1)
    path = book(tmp_path, [NAMES, VALUES, second], f"{letter}2:{letter}3")

    assert [one.verdict for one in read(path)] == [Verdict.OK] * 2


def test_a_group_above_the_names_says_whose_they_are(tmp_path: Path, read: Read) -> None:
    upper = [*NAMES, "法定代表人", None, None]
    lower = [*NAMES, "姓名", "证件类型", "证件号码"]
    letters = [openpyxl.utils.get_column_letter(len(NAMES) + n) for n in (1, 3)]
    path = book(
        tmp_path, [upper, lower, [*VALUES, "张三", "身份证", IDENTITY]],
        f"{letters[0]}1:{letters[1]}1",
    )  # fmt: skip

    [found] = read(path)

    record: Any = found.record
    assert (record.legal_representative, record.representative_id) == ("张三", IDENTITY)
    assert record.identity_number is None


def test_a_date_in_a_column_of_texts_is_refused_and_named(tmp_path: Path, read: Read) -> None:
    values = [*VALUES]
    values[NAMES.index("CF_WSH")] = datetime(2026, 1, 3)  # noqa: DTZ001
    path = book(tmp_path, [NAMES, values])

    [found] = read(path)

    assert found.verdict is Verdict.REFUSED
    assert "是日期 2026-01-03" in found.problems[0].message


@pytest.mark.parametrize(
    ("cells", "is_record"),
    [
        (["必填"] * len(NAMES), False),
        (["表格说明：每周五前填报"], False),
        (["经办人：王五 复核：李六"], False),
        (["第1页 共3页"], False),
        (["合计", *[None] * 8, 12.5], False),
        (["某厂", "法人及非法人组织", None, None, "大气", "单位负责人未履行职责", "依据"], True),
    ],
)
def test_notes_are_told_from_records_that_lack_much(
    tmp_path: Path, read: Read, cells: list[Any], is_record: bool
) -> None:
    assert len(read(book(tmp_path, [NAMES, VALUES, cells]))) == 1 + is_record


def mended(folder: Path, checked: Checked, change: Callable[[dict[str, Any]], None]) -> Path:
    """Write an item into the workbook of problems, change its cells, and return the file."""
    path = folder / "mend.xlsx"
    problems_workbook(path, [faulty_row(Reading(path, FileLimits()).report, checked)])
    made = openpyxl.load_workbook(path)
    sheet = made.worksheets[0]
    names = [cell.value for cell in sheet[1]]
    row = {name: sheet.cell(2, place) for place, name in enumerate(names, 1)}
    change(row)
    made.save(path)
    return path


def test_a_secret_decision_stays_secret_in_the_workbook_to_mend(
    tmp_path: Path, checker: Checker, read: Read
) -> None:
    event = {
        "specversion": "1.0",
        "type": "penalty",
        "state_secret": "是",
        "data": penalty(CF_WSH=""),
    }
    checked = checker.check(Raw("x", 0, orjson.dumps(event), None), TODAY)

    def change(row: dict[str, Any]) -> None:
        row["行政处罚决定书文号"].value = read_number(1)

    [found] = read(mended(tmp_path, checked, change))

    assert (found.verdict, found.excluded) == (Verdict.OK, Exclusion.STATE_SECRET)


def test_an_item_that_could_not_be_parsed_is_read_again_once_it_is_mended(
    tmp_path: Path, checker: Checker, read: Read
) -> None:
    broken = orjson.dumps(ROW | {"verb": "withdraw"})[:-1]
    checked = checker.check(Raw("x", 0, broken, None), TODAY)

    def change(row: dict[str, Any]) -> None:
        row["原文"].value += "}"

    [found] = read(mended(tmp_path, checked, change))

    assert (found.verdict, found.verb) == (Verdict.OK, Verb.WITHDRAW)


def test_a_number_that_lost_digits_does_not_come_back_as_a_good_code(
    tmp_path: Path, checker: Checker, read: Read
) -> None:
    lossy = orjson.dumps(ROW | {"CF_XDR_SHXYM": 911599000000028032})
    checked = checker.check(Raw("x", 0, lossy, None), TODAY)

    [found] = read(mended(tmp_path, checked, lambda _: None))

    assert found.verdict is Verdict.REFUSED
    assert "后几位已丢失" in found.problems[0].message


@pytest.mark.parametrize(
    ("text", "verdicts"),
    [
        ('{"data": [%s, %s]}\n\n', ["ok", "ok"]),
        ("[%s,\n %s]", ["ok", "ok"]),
        ('{"code": 0, "data": [%s, %s], "n": 1234567890123456789012}', ["ok", "ok"]),
        ("%s\n%s", ["ok", "ok"]),
    ],
)
def test_lists_of_json_are_read_as_they_were_written(
    tmp_path: Path, read: Read, text: str, verdicts: list[str]
) -> None:
    path = tmp_path / "rows.json"
    path.write_text(text % tuple(orjson.dumps(penalty(n)).decode() for n in (1, 2)))

    assert [one.verdict for one in read(path)] == verdicts


def test_a_flag_that_stands_twice_in_a_row_of_a_list_is_seen(tmp_path: Path, read: Read) -> None:
    row = orjson.dumps(ROW).decode()[:-1]
    path = tmp_path / "rows.json"
    path.write_text(f'{{"data": [{row}, "state_secret": "是", "state_secret": "否"}}]}}')

    [found] = read(path)

    assert found.verdict is Verdict.REFUSED


def test_a_long_list_on_one_line_is_read(tmp_path: Path, read: Read) -> None:
    path = tmp_path / "rows.json"
    rows = [penalty(number, BZ="长" * 300) for number in range(1, 1501)]
    path.write_bytes(orjson.dumps({"data": rows}))

    assert path.stat().st_size > 2 * 2**20
    assert len(read(path)) == 1500
