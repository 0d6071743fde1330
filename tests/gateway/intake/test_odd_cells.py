"""Odd kinds of cells in every column: each is read or refused, and none stops a file."""

from itertools import product
from typing import Any

import orjson
import pytest

from gateway.check.checker import Checker
from gateway.check.raw import Raw
from gateway.intake.files.report import TableReport
from gateway.intake.files.table import FileTable, records
from schemas.cell import cut
from schemas.codes import RecordKind
from schemas.column_names import standard_names
from schemas.columns import columns_of
from schemas.kinds import KINDS
from tests.factories import licence, penalty, raw
from tests.gateway.conftest import TODAY

#: Cells as the readers of workbooks and texts give them.
ODD: dict[str, Any] = {
    "an uncomputed formula": {"formula": 1},
    "a day": {"date": "2026-01-03"},
    "a time": {"date": "2026-01-03T03:04:00", "shows": "03:04:00"},
    "a number that is shown otherwise": {"shown": 1},
    "an error": "#REF!",
    "true": True,
    "no number": None,
    "a long number": 123456789012345678,
    "a broken character": cut("A2", "样例\ufffd"),
}
MADE = {RecordKind.PENALTY: penalty, RecordKind.LICENCE: licence}
COLUMNS = [(kind, column.wire) for kind in MADE for column in columns_of(KINDS[kind].model)]


def checked(checker: Checker, kind: RecordKind, header: list[str], row: list[Any]) -> int:
    """Return how many records a table of one row has; each is checked."""
    found = list(records(FileTable([(1, header), (2, row)]), standard_names(), None, TableReport()))
    for number, _, values in found:
        checker.check(Raw("file:made-up", number, orjson.dumps(values), kind), TODAY)
    return len(found)


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_cell_in_any_column_stops_no_file(checker: Checker, odd: str) -> None:
    for kind, column in COLUMNS:
        row = {**MADE[kind](), column: ODD[odd]}

        assert checked(checker, kind, list(row), list(row.values())) == 1, column


def test_any_column_may_stand_twice(checker: Checker) -> None:
    for kind, column in COLUMNS:
        row = {**MADE[kind](), column: "一"}

        assert checked(checker, kind, [*row, column], [*row.values(), "二"]) == 1, column


#: Objects that look like the marks of our own cells, but are not.
FOREIGN: list[dict[str, Any]] = [
    {"$cell": "shifted", "surplus": 5},
    {"$cell": "shifted"},
    {"$cell": "conflict", "values": [1]},
    {"$cell": "cut", "text": None},
    {"$cell": "formula", "at": "A2", "more": 1},
    {"$cell": ["formula"]},
]


def test_a_foreign_object_that_looks_like_a_mark_is_refused_as_any_other(checker: Checker) -> None:
    for (kind, column), foreign in product(COLUMNS, FOREIGN):
        found = checker.check(raw({**MADE[kind](), column: foreign}), TODAY)

        told = "".join(one.message for one in found.problems)
        assert any(f"应为{type_}" in told for type_ in ("文字", "金额", "日期")), (column, foreign)
