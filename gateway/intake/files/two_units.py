"""Amounts that stand in two columns of a table: in the unit of the standard and in another one."""

from typing import Any

from gateway.check.amount_units import contradict, in_unit_of_name, is_in_another_unit
from gateway.intake.files.header import Header
from schemas.cell import conflict
from schemas.column_names import ColumnNames


class TwoUnits:
    """The columns of a header such as 罚款金额（元） beside 罚款金额（万元）."""

    def __init__(self, header: Header, names: ColumnNames) -> None:
        kind = header.kind
        meant = {name: names.wire(kind, name) for name in header.unknown} if kind else {}
        self._header = header
        #: The column in another unit → that of the standard.
        self._pairs = {
            name: wire
            for name, wire in meant.items()
            if wire in header.names and is_in_another_unit(name, wire)
        }

    def compare(self, number: int, row: dict[str, Any]) -> None:
        """Put a conflict in the place of an amount that another column contradicts."""
        for name, wire in self._pairs.items():
            if wire is None or name not in row or wire not in row:
                continue
            other = in_unit_of_name(name, wire, row[name])
            if contradict(row[wire], other):
                places = (self._header.address(one, number) for one in (wire, name))
                row[wire] = conflict(dict(zip(places, (row[wire], other), strict=True)))
