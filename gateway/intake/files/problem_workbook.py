"""The problem workbook 问题清单: the faulty rows as they were given, to correct and send again.

`gateway.intake.files` reads it back: Chinese headers, one sheet for each kind, every cell a text.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import orjson

from connectors.shared.xlsx import WrittenSheet, workbook
from gateway.check.checked import Checked
from gateway.check.dates import number_as_date
from gateway.check.values import lost_digits
from gateway.intake.files.report import FileReport
from schemas.cell import is_cell, is_shifted, shown
from schemas.codes import RecordKind
from schemas.columns import Column, ColumnType, columns_of
from schemas.kinds import KINDS
from schemas.legacy import new_names
from schemas.problem import Problem

SHEET, ROW = "来源工作表", "来源行"
PROBLEMS = "填报问题"
FIXES = "修改办法"
_OTHERS = "其他"
#: The column of the kind on the sheet of other items; the other sheets show it by their header.
_KIND = "kind"


@dataclass(frozen=True, slots=True)
class FaultyRow:
    """One faulty row: where it is from, the given texts by wire column, and their problems."""

    sheet: str
    line: int
    kind: RecordKind | None
    row: Mapping[str, str]
    problems: Sequence[Problem]


def problems_workbook(path: Path, faulty: Iterable[FaultyRow]) -> None:
    """Write the faulty rows, one sheet for each kind; cells with problems are coloured."""
    by_sheet: dict[str, list[FaultyRow]] = {}
    for row in faulty:
        name = KINDS[row.kind].title if row.kind in KINDS.reported else _OTHERS
        by_sheet.setdefault(name, []).append(_with_kind(row) if name == _OTHERS else row)
    order = [*(KINDS[name].title for name in KINDS.in_order), _OTHERS]
    with workbook(path) as book:
        for name in sorted(by_sheet, key=order.index) or [order[0]]:
            rows = by_sheet.get(name, [])
            columns = _columns(name)
            extra = _extra(rows, {column.wire for column in columns})
            widths = [*map(_width, columns), *(16.0 for _ in extra), 14.0, 8.0, 48.0, 48.0]
            _write(book.sheet(name, widths), columns, extra, rows)


def _with_kind(row: FaultyRow) -> FaultyRow:
    return row if row.kind is None else replace(row, row={_KIND: row.kind, **row.row})


def _columns(sheet: str) -> tuple[Column, ...]:
    kind = next((one for one in KINDS.values() if one.reported and one.title == sheet), None)
    return columns_of(kind.model) if kind else ()


def _extra(rows: Iterable[FaultyRow], known: set[str]) -> list[str]:
    """Return the columns that are not in the standard, in the order of their first use."""
    ours = known | {SHEET, ROW, PROBLEMS, FIXES}
    return list(dict.fromkeys(name for row in rows for name in row.row if name not in ours))


def _width(column: Column) -> float:
    return 30.0 if (column.max_length or 0) > 200 else 20.0


def _write(
    sheet: WrittenSheet, columns: Sequence[Column], extra: Sequence[str], rows: Iterable[FaultyRow]
) -> None:
    names = [*(column.wire for column in columns), *extra]
    titles = [*(column.title for column in columns), *extra, SHEET, ROW, PROBLEMS, FIXES]
    sheet.head(titles)
    for row in rows:
        wrong = {problem.field for problem in row.problems}
        cells = [(row.row.get(name, ""), "marked" if name in wrong else "text") for name in names]
        messages = dict.fromkeys(problem.message for problem in row.problems)
        fixes = dict.fromkeys(problem.fix for problem in row.problems)
        ours = (row.sheet, str(row.line), "；".join(messages), "；".join(fixes))
        sheet.write([*cells, *((text, "text") for text in ours)])


def faulty_row(report: FileReport, checked: Checked) -> FaultyRow:
    """Return the row of a checked item by wire column; its raw text if it cannot be parsed."""
    if checked.given is not None and any(map(is_shifted, checked.given.values())):
        row = {}  # each value may stand in a wrong column
    elif checked.given is not None and checked.kind is not None:
        row = {name: _shown(checked.kind, name, value) for name, value in checked.given.items()}
    else:
        row = {"原文": (checked.raw.body or b"").decode("utf-8", "replace")}
    sheet = report.sheet(checked.raw)
    return FaultyRow(sheet, checked.raw.line, checked.kind, row, checked.problems)


def _shown(kind: RecordKind, name: str, value: object) -> str:
    """Return a value as its person sees it; a number that is a day is that day."""
    day = number_as_date(value) if type(value) is int and name in _days_of(kind) else None
    return given_text(kind, value) if day is None else day.isoformat()


@KINDS.cached
def _days_of(kind: RecordKind) -> frozenset[str]:
    """Return the columns of days, those of the layout of 2016–17 too."""
    days = {one.wire for one in columns_of(KINDS[kind].model) if one.type is ColumnType.DATE}
    return frozenset(days.union(old for old, new in new_names(kind).items() if new in days))


def given_text(kind: RecordKind, value: object) -> str:
    """Return a value as a person sees it, so that it is read back as what it was.

    A number that lost digits stays one in scientific notation. Lists and objects of events are
    written as JSON.
    """
    if is_cell(value):
        return shown(value)
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | float | Decimal):
        return f"{value:.14E}" if lost_digits(value) else f"{value}"
    if isinstance(value, list | dict):
        texts = isinstance(value, list) and kind in KINDS.reported
        return "、".join(map(str, value)) if texts else orjson.dumps(value, default=str).decode()
    return "" if value is None else str(value)
