"""The cells of a row by their columns, as check reads them."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from gateway.check.values import lost_digits
from gateway.intake.files.address import column_letters
from gateway.intake.files.header import Header, is_blank
from schemas.cell import MARK, conflict, date, formula, otherwise, say_the_same, struck

#: What people put before a number or a day, so that a spreadsheet takes it for a text.
_TEXT_MARK = "'"
#: The start of a text that may be blank or has the mark of texts, in texts that NUL sets apart.
_UNCLEAR = re.compile(r"\0[^\w\u3001-\ufdff!-&(-~]")


def row_of(header: Header, number: int, cells: Sequence[Any]) -> dict[str, Any]:
    """Return what is in the cells that are not blank, by name; two that differ are a conflict.

    Texts, and numbers only where digits may be lost; cells with a problem are those of
    `schemas.cell`.
    """
    row = {name: cell for name, cell in zip(header.names, cells, strict=False) if cell != ""}
    row.pop("", None)
    if not _are_clear(row.values()):
        _clear(row, header, number)
    for name in header.repeated:
        _merge(row, header, number, cells, name)
    return row


def _are_clear(cells: Iterable[Any]) -> bool:
    """Whether all cells are texts that begin with something seen, as those of most rows do."""
    try:
        return _UNCLEAR.search("\0" + "\0".join(cells)) is None
    except TypeError:
        return False


def _clear(row: dict[str, Any], header: Header, number: int) -> None:
    """Make texts of the cells of a row, without blank ones and marks of texts."""
    for name, cell in list(row.items()):
        if type(cell) is not str:
            row[name] = _value(cell, name, number, header)
        elif is_blank(cell):
            del row[name]
        elif cell[0] == _TEXT_MARK and name in header.marked:
            row[name] = cell[1:]


def _merge(
    row: dict[str, Any], header: Header, number: int, cells: Sequence[Any], name: str
) -> None:
    """Keep the value of columns of one name if it is one; else put a conflict in its place."""
    places = [place for place, other in enumerate(header.names[: len(cells)]) if other == name]
    found = {
        f"{column_letters(place + 1)}{number}": _value(cells[place], name, number, header)
        for place in places
        if not is_blank(cells[place])
    }
    if not found:
        return
    row[name] = next(iter(found.values()))
    if any(not say_the_same(row[name], value) for value in found.values()):
        row[name] = conflict(found)


def _value(cell: Any, name: str, number: int, header: Header) -> Any:
    if type(cell) is str:
        return cell
    if type(cell) is float or type(cell) is int:
        if cell % 1 and name in header.names_and_numbers:
            return otherwise(header.address(name, number))  # 2026.1 may be shown as 2026.10
        return _number_text(cell)
    if type(cell) is bool:
        return "TRUE" if cell else "FALSE"
    if cell is None:  # JSON has no word for what is no number
        return "#NUM!"
    return cell if MARK in cell else _object(cell, header.address(name, number), name, header)


def _object(cell: dict[str, Any], at: str, name: str, header: Header) -> Any:
    """Return a day, or the problem of a cell whose value nobody sees."""
    if "date" in cell:
        return date(at, cell["date"]) if name in header.texts else cell.get("shows", cell["date"])
    if "struck" in cell:
        return struck(at)
    return otherwise(at) if "shown" in cell else formula(at)


def _number_text(value: float) -> Any:
    """Return the text of a number, whole ones without a point; one that lost digits as it is."""
    if lost_digits(value):
        return value
    return str(int(value)) if value % 1 == 0 else repr(value)
