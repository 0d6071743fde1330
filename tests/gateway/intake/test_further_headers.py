"""A further header on a sheet, whose names are spelled in another way than those of the first."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gateway.config.settings import FileLimits
from gateway.intake.files.reading import Reading
from schemas.verdict import Verdict
from tests.factories import penalty
from tests.gateway.intake.conftest import NAMES, Read, book
from tests.gateway.intake.test_amounts_in_other_units import fine, header
from tests.gateway.intake.test_decisions_over_rows import text
from tests.gateway.intake.test_tables_that_mislead import HEADER, TITLES, values
from tests.gateway.intake.test_what_tables_say_beside import AMOUNT, UNSAID, held

#: The second table has authority and source in each other's place.
SWAPPED = {"CF_CFJG": "CF_SJLY", "CF_SJLY": "CF_CFJG"}
ORDER = [SWAPPED.get(name, name) for name in NAMES]
SPELLINGS: dict[str, Callable[[str], str]] = {
    "a blank behind it": lambda name: f"{TITLES[name]} ",
    "a character that nobody sees": lambda name: f"\u200b{TITLES[name]}",
    "a blank within it": lambda name: f"{TITLES[name][:2]} {TITLES[name][2:]}",
    "a line break within it": lambda name: f"{TITLES[name][:2]}\n{TITLES[name][2:]}",
    "small letters": str.lower,
    "hyphens": lambda name: name.replace("_", "-"),
    "a star": lambda name: f"*{TITLES[name]}",
    "full-width brackets": lambda name: TITLES[name].replace("(", "（").replace(")", "） "),
    "its code in brackets": lambda name: f"{TITLES[name]}({name})",
    "its code before it": lambda name: f"{name} {TITLES[name]}",
    "a number before it": lambda name: f"{NAMES.index(name) + 1}.{TITLES[name]}",
    "a number in brackets": lambda name: f"（{NAMES.index(name) + 1}）{TITLES[name]}",
    "a mark for required columns": lambda name: f"{TITLES[name]}（必填）",
    "a hint of a list": lambda name: f"{TITLES[name]}（可多选）",
    "its codes": lambda name: f"{TITLES[name]}（0公示，1仅政府部门内部共享，2仅可授权查询）",
    "a hint of a day": lambda name: f"{TITLES[name]}(yyyy/mm/dd)",
    "a mark for the other columns": lambda name: f"{TITLES[name]}(选填)",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_second_table_is_read_by_its_own_header(
    tmp_path: Path, read: Read, spelling: str
) -> None:
    second = penalty(2, CF_CFJG="乙局", CF_SJLY="甲局")
    header = [SPELLINGS[spelling](name) for name in ORDER]
    path = book(tmp_path, [HEADER, values(), [], header, [second[name] for name in ORDER]])

    found = read(path)

    assert [getattr(one.record, "authority", None) for one in found][1:] == ["乙局"]


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_header_is_known_however_it_is_spelled(tmp_path: Path, read: Read, spelling: str) -> None:
    header = [SPELLINGS[spelling](name) for name in NAMES]

    [one] = read(book(tmp_path, [header, values()]))

    assert one.verdict is Verdict.OK
    assert one.unknown is None


def test_a_table_without_records_does_not_hide_the_next_one(tmp_path: Path, read: Read) -> None:
    second = penalty(2, CF_CFJG="乙局", CF_SJLY="甲局")
    marked = [f"{TITLES[name]}（必填）" for name in ORDER]
    rows = [HEADER, values(), HEADER, marked, [second[name] for name in ORDER]]

    found = read(book(tmp_path, rows))

    assert [getattr(one.record, "authority", None) for one in found][1:] == ["乙局"]


def test_a_few_codes_below_a_further_header_are_a_part_of_it(tmp_path: Path, read: Read) -> None:
    codes = [name if place < 5 else None for place, name in enumerate(NAMES)]

    found = read(book(tmp_path, [HEADER, values(), HEADER, codes, values(2)]))

    assert [one.verdict for one in found] == [Verdict.OK] * 2


def test_a_further_header_is_told_as_one_and_not_as_a_hint(tmp_path: Path) -> None:
    marked = [f"{name}（必填）" for name in HEADER]
    reading = Reading(book(tmp_path, [HEADER, values(), marked, values(2)]), FileLimits())

    assert len(list(reading)) == 2
    assert "又一个表头" in "\n".join(reading.report.words)


YUAN = header("罚款金额（元）")
#: What stands between the two rows of a header in templates.
BETWEEN: dict[str, list[Any]] = {
    "hints": ["必填"] * len(NAMES),
    "column numbers": list(range(1, len(NAMES) + 1)),
    "nothing": [],
}


@pytest.mark.parametrize("form", [book, text])
@pytest.mark.parametrize("between", BETWEEN)
@pytest.mark.parametrize("order", [1, -1])
def test_a_unit_of_one_row_of_the_header_holds_wherever_the_other_one_stands(
    tmp_path: Path, read: Read, form: Any, between: str, order: int
) -> None:
    first, second = [YUAN, NAMES][::order]

    [one] = read(form(tmp_path, [first, BETWEEN[between], second, values(**UNSAID)]))

    assert fine(one) == Decimal("0.5")


def test_the_unit_of_a_name_holds_for_a_further_header_that_says_none(
    tmp_path: Path, read: Read
) -> None:
    rows = [values(n, **UNSAID) for n in range(1, 4)]
    wan = values(4, **{**UNSAID, "CF_NR_FK": "2"})

    found = read(book(tmp_path, [YUAN, rows[0], NAMES, rows[1], [], NAMES, rows[2], HEADER, wan]))

    assert [fine(one) for one in found] == [Decimal("0.5")] * 3 + [2]


@pytest.mark.parametrize("said", ["below the name", "between the rows"])
def test_a_unit_within_a_table_holds_for_a_further_header(
    tmp_path: Path, read: Read, said: str
) -> None:
    below: list[Any] = [None] * len(NAMES)
    below[AMOUNT] = "（元）"
    before = {
        "below the name": [NAMES, below],
        "between the rows": [NAMES, values(9, CF_NR_FK="2万元"), ["金额单位：元"]],
    }

    rows = [*before[said], values(1, **UNSAID), [], NAMES, values(2, **UNSAID)]
    found = read(book(tmp_path, rows))

    assert [fine(one) for one in found][-2:] == [Decimal("0.5")] * 2


def test_a_unit_that_contradicts_a_name_within_one_header_leaves_amounts_unclear(
    tmp_path: Path, read: Read
) -> None:
    [one] = read(book(tmp_path, [YUAN, ["单位：万元"], [], NAMES, values(**UNSAID)]))

    assert held(one)


def test_a_unit_between_two_tables_counts_more_than_the_name_in_the_first(
    tmp_path: Path, read: Read
) -> None:
    second = values(2, **{**UNSAID, "CF_NR_FK": "3"})
    rows = [YUAN, values(**UNSAID), ["金额单位：万元"], NAMES, second]

    found = read(book(tmp_path, rows))

    assert [fine(one) for one in found] == [Decimal("0.5"), 3]
