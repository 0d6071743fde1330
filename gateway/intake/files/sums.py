"""The sums of the amounts of a table, which people write below it without a word."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from gateway.check.amounts import read_amount
from gateway.intake.files.header import Header
from gateway.intake.files.header_columns import amounts_of
from gateway.intake.files.units import Units

#: Characters of an amount; reading a longer text takes time that grows with its square.
_LONGEST = 64


class Sums:
    """The amounts of the records of a table, added up by column, in 万元."""

    def __init__(self, header: Header, units: Units) -> None:
        self._columns = amounts_of(header.kind)
        self._silent = header.silent
        self._units = units
        #: Of the whole table, now and where the present group of records began.
        self._all = dict.fromkeys(self._columns, Decimal(0))
        self._before = dict(self._all)

    def add(self, row: Mapping[str, Any]) -> None:
        """Add the amounts of a record, whose units are filled in."""
        for name in self._columns:
            amount = _amount(row.get(name))
            if amount is not None:
                self._all[name] += amount

    def end_group(self) -> None:
        """Begin the next group of records: the row is one with sums."""
        self._before = dict(self._all)

    def stand_in(self, row: Mapping[str, Any]) -> bool:
        """Whether a row has nothing but the sums of the rows above it, or of its group."""
        if len(row) > len(self._columns) + len(self._silent):
            return False  # the way of nearly all rows
        named = row.keys() - self._silent
        if not named or not named <= self._columns:
            return False
        filled = {name: row[name] for name in named}
        self._units.fill(filled)
        amounts = {name: _amount(given) for name, given in filled.items()}
        return any(
            all(amount == self._all[name] - before.get(name, 0) for name, amount in amounts.items())
            for before in ({}, self._before)
        )


def _amount(given: Any) -> Decimal | None:
    if type(given) is not str or len(given) > _LONGEST:
        return None
    return read_amount(given).wan
