"""An empty workbook of a kind 填报表: its header, its code lists, and how each column is filled."""

from collections.abc import Sequence
from pathlib import Path

from connectors.shared.xlsx import workbook
from gateway.intake.files.report import RULES_HEAD
from gateway.titles import COLUMN_TYPES
from schemas.columns import Column, ColumnType, Required, columns_of
from schemas.kinds import Kind

#: Rows in which cells offer their code list.
_ROWS = 1000
#: Characters that Excel takes in the list of a cell.
_LONGEST_LIST = 255
_HINTS = {
    ColumnType.DATE: "如 2026-10-09",
    ColumnType.AMOUNT: "万元，如 2.5",
    ColumnType.CREDIT_CODE: "18位",
    ColumnType.PENALTY_KINDS: "几种之间用“、”",
}


def template_workbook(path: Path, kind: Kind) -> None:
    """Write the workbook: a sheet with the header, which is read back, and one with the rules."""
    columns = columns_of(kind.model)
    with workbook(path) as book:
        sheet = book.sheet(kind.title, [max(14.0, 2.2 * len(one.title)) for one in columns])
        sheet.head([_name(one) for one in columns])
        for place, column in enumerate(columns):
            sheet.raw.set_column(place, place, sheet.widths[place], sheet.formats["text"])
            codes = sorted(column.codes or ()) if column.type is ColumnType.CODE else []
            if codes and _can_be_offered(codes):
                offered = {"validate": "list", "source": codes}
                sheet.raw.data_validation(1, place, _ROWS, place, offered)
        rules = book.sheet("填写说明", [24, 34, 12, 12, 60])
        rules.head(RULES_HEAD)
        for column in columns:
            cells = (column.wire, column.title, _need(column), column.max_length or "")
            rules.write([(one, "text") for one in (*cells, _how(column))])


def _can_be_offered(codes: Sequence[str]) -> bool:
    """Whether Excel takes a code list as that of a cell, where commas stand between its codes."""
    return len(",".join(codes)) <= _LONGEST_LIST and not any("," in one for one in codes)


def _name(column: Column) -> str:
    return f"{column.title}（必填）" if column.required is Required.ALWAYS else column.title


def _need(column: Column) -> str:
    if column.required is Required.ALWAYS:
        return "必填"
    return "" if column.required is Required.NO else column.required.value


def _how(column: Column) -> str:
    codes = "、".join(sorted(column.codes)) if column.codes else ""
    told = (COLUMN_TYPES[column.type], _HINTS.get(column.type, ""), codes)
    return "，".join(filter(None, told))
