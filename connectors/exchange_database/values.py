"""Values as the columns of a platform's table take them: nothing is cut or rounded."""

from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Column

from connectors.shared.layout import text_of
from schemas.base import SHANGHAI

#: A day with its time, as text.
_LENGTH = len("2026-11-21 10:00:00")
_BOOLEANS = {"0": False, "1": True}


class NotFitting(ValueError):
    """A value does not fit its column; the message says so in Chinese."""


def value_for(column: Column[Any], value: Any) -> Any:
    """Return a value as the type of its column; raises NotFitting with the column and the fault."""
    if value is None or isinstance(value, datetime):
        return value if value is None else _at(column, value)
    text = text_of(value)
    try:
        return _typed(column, text)
    except (ValueError, KeyError, InvalidOperation) as error:
        if isinstance(error, NotFitting):
            raise
        raise NotFitting(f"{column.name}：“{text[:60]}”不是前置库这一列的类型") from None


def _typed(column: Column[Any], text: str) -> Any:
    wanted = python_type(column)
    if wanted is date or wanted is datetime:
        at = datetime.fromisoformat(text)
        at = at.astimezone(SHANGHAI).replace(tzinfo=None) if at.tzinfo else at
        return at.date() if wanted is date else at
    if wanted is Decimal or wanted is float or wanted is int:
        return _number(column, Decimal(text), wanted)
    if wanted is bool:
        return _BOOLEANS[text]
    if wanted is bytes:
        return text.encode()
    length = getattr(column.type, "length", None)
    if wanted is str and length is not None and len(text) > length:
        raise NotFitting(f"{column.name}：前置库这一列最长{length}，现为{len(text)}")
    return text


def _number(column: Column[Any], number: Decimal, wanted: type) -> Any:
    if not number.is_finite():
        raise ValueError
    scale = 0 if wanted is int else getattr(column.type, "scale", None)
    if wanted is not float and scale is not None and round(number, scale) != number:
        raise NotFitting(
            f"{column.name}：前置库这一列只有{scale}位小数，{number:f}会被四舍五入；请平台加小数位"
        )
    return int(number) if wanted is int else number


def _at(column: Column[Any], at: datetime) -> Any:
    wanted = python_type(column)
    if wanted is date:
        return at.date()
    if wanted is datetime:
        return at.replace(microsecond=0)
    is_short = (getattr(column.type, "length", None) or _LENGTH) < _LENGTH
    return f"{at:%Y-%m-%d}" if is_short else f"{at:%Y-%m-%d %H:%M:%S}"


def plain(value: Any) -> str | None:
    """Return a value of the database as text, alike for all types that may hold it."""
    if isinstance(value, bytes):  # BINARY has the letter, BIT the number
        letters = value.strip(b" \0")
        value = letters.decode("ascii") if letters.isalnum() else int.from_bytes(value, "big")
    if isinstance(value, (bool, float, Decimal)) and value == int(value):
        value = int(value)
    return None if value is None else str(value).strip().casefold()


def python_type(column: Column[Any]) -> type:
    """Return the type of a column's values; that of a type of the platform's own is text."""
    try:
        return column.type.python_type
    except NotImplementedError:
        return str


def midnight(day: date) -> datetime:
    """Return the begin of a day, without a zone."""
    return datetime.combine(day, time())
