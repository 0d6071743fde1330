"""A unit beside a table 金额单位: 单位：元 above it, or （元） below the name of a column."""

import re
from collections.abc import Sequence
from typing import Any

from gateway.intake.files.header import Header
from schemas.columns import ColumnType, columns_of
from schemas.kinds import KINDS

#: The unit of a whole table, in a row above its header.
_OF_THE_TABLE = re.compile(r"单位\s*[:：]?\s*[（(]?\s*(?:人民币)?\s*元")
#: The unit of a column, in a cell below its name.
_OF_A_COLUMN = re.compile(r"\s*[（(]?\s*(?:单位\s*[:：])?\s*(?:人民币)?\s*元\s*[）)]?\s*")
#: The unit of the standard, where a name says it itself.
_WAN = "万元"
#: Rows below the header in which a unit may stand.
_ROWS_BELOW = 2
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?", re.ASCII)


def amounts_in_yuan(header: Header, first: Sequence[tuple[int, Sequence[Any]]]) -> tuple[str, ...]:
    """Return the columns of amounts that are in 元, as the first rows of the table say.

    A name that says 万元 counts more than what stands beside the table.
    """
    columns = columns_of(KINDS[header.kind].model) if header.kind else ()
    amounts = {one.wire for one in columns if one.type is ColumnType.AMOUNT}
    above = [str(cell) for number, cells in first if number < header.row for cell in cells]
    is_table = any(map(_OF_THE_TABLE.search, above))
    below = [cells for number, cells in first if header.row < number <= header.row + _ROWS_BELOW]
    return tuple(
        name
        for place, name in enumerate(header.names)
        if name in amounts
        and _WAN not in header.text(place)
        and (is_table or any(_OF_A_COLUMN.fullmatch(_cell(cells, place)) for cells in below))
    )


def with_unit(value: Any) -> Any:
    """Return an amount with its unit, if it is a number."""
    return f"{value}元" if isinstance(value, str) and _NUMBER.fullmatch(value) else value


def _cell(cells: Sequence[Any], place: int) -> str:
    return str(cells[place]) if place < len(cells) else ""
