"""What a cell of a header says: its name, or a name that is struck out 删除线."""

import re
from collections.abc import Sequence
from typing import Any

from gateway.intake.files.address import column_letters
from schemas.column_names import LONGEST_NAME, ColumnNames
from schemas.identifiers import visible

_YEAR = re.compile(r"\d{4}")


def text_of(cell: Any) -> Any:
    """Return the text of a cell that is struck out; of another one its value."""
    return cell.get("text", cell) if type(cell) is dict and "struck" in cell else cell


def name_of(cell: Any) -> str:
    """Return the name in a cell; none of a cell that is struck out, or that has no text."""
    return visible(cell).strip()[:LONGEST_NAME] if isinstance(cell, str) else ""


def names_in(cells: Sequence[Any], names: ColumnNames) -> list[str]:
    """Return the names in a row.

    A column of exclusion keeps its name although it is struck out: else a secret would be reported.
    """
    found = [name_of(cell) for cell in cells]
    kept = {at: name for at, name in _struck_in(cells).items() if names.decides(name)}
    return [kept.get(at, name) for at, name in enumerate(found)] if kept else found


def struck_names(
    rows: Sequence[tuple[int, Sequence[Any]]], names: ColumnNames
) -> dict[int, tuple[str, str]]:
    """Return by their places the addresses and names of columns whose name is struck out.

    The name of a column is that in the last of these rows with something in its place.
    """
    found: dict[int, tuple[str, str]] = {}
    for number, cells in rows:
        plain = {at for at, cell in enumerate(cells) if name_of(cell)}
        found = {at: one for at, one in found.items() if at not in plain}
        for at, name in _struck_in(cells).items():
            if not names.decides(name):
                found[at] = (f"{column_letters(at + 1)}{number}", name)
    return found


def is_value(cell: Any) -> bool:
    """Whether a cell is of a record: a number, a day, or a text with a year or a code."""
    said = text_of(cell)
    return _YEAR.search(said) is not None if type(said) is str else said is not None


def _struck_in(cells: Sequence[Any]) -> dict[int, str]:
    texts = {
        at: text_of(cell)
        for at, cell in enumerate(cells)
        if type(cell) is dict and "struck" in cell
    }
    return {at: name for at, text in texts.items() if (name := name_of(text))}
