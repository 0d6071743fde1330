"""Amounts in the unit that the name of a column says: 元 where it says 元, else 万元."""

from decimal import Decimal, InvalidOperation
from typing import Any

from connectors.shared import standard
from schemas.column_names import unit_in_name

#: What one 万元 is in other units.
_UNITS = {
    "元": Decimal(10_000),
    "百元": Decimal(100),
    "千元": Decimal(10),
    "百万元": Decimal("0.01"),
    "亿元": Decimal("0.0001"),
}


def in_unit(wire: str, value: Any, head: str) -> Any:
    """Return a value of ours as it stands below the name of a column."""
    factor = _factor(wire, head)
    return value if factor is None else _times(value, factor)


def in_wan(wire: str, value: Any, head: str) -> Any:
    """Return what stands below the name of a column as a value of ours."""
    factor = _factor(wire, head)
    return value if factor is None else _times(value, 1 / factor)


def _factor(wire: str, head: str) -> Decimal | None:
    return _UNITS.get(unit_in_name(head) or "") if wire in standard.amounts() else None


def _times(value: Any, factor: Decimal) -> Any:
    try:
        amount = Decimal(str(value).strip()) * factor
    except InvalidOperation:
        return value
    return f"{amount.normalize():f}" if amount.is_finite() else value
