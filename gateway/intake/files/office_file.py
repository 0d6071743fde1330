"""An Office workbook beside its reader: what all sheets share is read once, a sheet by its name.

It is used in the process that reads a workbook, within its bounds of memory and time.
"""

import zipfile
from collections.abc import Iterator
from functools import cached_property
from typing import Any, NamedTuple

from gateway.intake.files.hidden import NOTHING_HIDDEN, Hidden, hidden_in, may_have_hidden
from gateway.intake.files.office_struck import struck_strings
from gateway.intake.files.office_xml import (
    FORMULAS,
    Address,
    Formats,
    OfficeBook,
    blocks,
    book_of,
    cells_of,
    formats_of,
    has_odd,
)
from gateway.intake.files.shared_texts import has_inline_texts, has_unit


class Scan(NamedTuple):
    """What the reader does not give of a sheet."""

    #: Errors, formulas without a result, and what formats show, in order, as they are asked for.
    odd: Iterator[tuple[Address, Any]]
    hidden: Hidden
    may_say_a_unit: bool  #: whether a text of the sheet may be a unit of amounts


class OfficeFile:
    """A workbook; one that is none of Office has nothing to tell."""

    def __init__(self, path: str) -> None:
        """Open it."""
        self._archive = zipfile.ZipFile(path) if zipfile.is_zipfile(path) else None

    @cached_property
    def _book(self) -> OfficeBook:
        if self._archive is None:
            return OfficeBook({}, "", None, recalculated=False)
        return book_of(self._archive)

    @cached_property
    def _formats(self) -> Formats:
        return formats_of(self._archive, self._book.styles) if self._archive else {}

    @cached_property
    def _struck(self) -> frozenset[str]:
        return struck_strings(self._archive, self._book.strings) if self._archive else frozenset()

    @cached_property
    def _has_unit(self) -> bool:
        archive, strings = self._archive, self._book.strings
        return archive is None or strings is None or has_unit(archive, strings)

    def scan(self, name: str) -> Scan:
        """Look through a sheet once; its odd cells are found as they are asked for."""
        part, archive = self._book.sheets.get(name), self._archive
        if part is None or archive is None:
            return Scan(iter(()), NOTHING_HIDDEN, may_say_a_unit=True)
        is_odd, has_formulas, may_hide = bool(self._struck), False, False
        for block in blocks(archive, part):
            if is_odd or has_odd(block, self._formats):  # it is odd to have a formula, too
                is_odd = True
                has_formulas = has_formulas or any(mark in block for mark in FORMULAS)
            may_hide = may_hide or may_have_hidden(block)
        return Scan(
            self._odd(archive, part, has_formulas=has_formulas) if is_odd else iter(()),
            hidden_in(archive, part) if may_hide else NOTHING_HIDDEN,
            self._has_unit or has_inline_texts(archive, part),
        )

    def _odd(
        self, archive: zipfile.ZipFile, part: str, *, has_formulas: bool
    ) -> Iterator[tuple[Address, Any]]:
        found = cells_of(
            archive,
            part,
            self._formats,
            self._struck,
            recalculated=self._book.recalculated,
            has_formulas=has_formulas,
        )
        return ((address, value) for address, value in found if value is not None)
