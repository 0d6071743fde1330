"""Fields of a platform's answer that may be odd without making the answer worthless.

What an answer says of a row is its key and its status. Reasons, references and times beside them
come in many forms; one that cannot be read is left out, and the rest counts.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated, Any

from pydantic import BeforeValidator

from connectors.errors import OutcomeUnknown
from schemas.base import SHANGHAI, AwareDatetime
from schemas.delivery import MOST_REASONS

#: Rows of one answer at most.
MOST_ROWS = 100_000

#: Seconds or milliseconds since 1970, as text; larger numbers are milliseconds.
_EPOCH = re.compile(r"\d{10}|\d{13}", re.ASCII)
_MILLISECONDS = 10**11
#: Digits of a time such as 20261012100000.
_LONGEST_DIGITS = 14
#: How platforms write times, beside ISO 8601.
_FORMS = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y%m%d%H%M%S", "%Y/%m/%d")


def list_of(body: Mapping[str, Any], name: str) -> list[Any]:
    """Return the rows of an answer; raises OutcomeUnknown if there is no list or it is too long."""
    found = body.get(name)
    if not isinstance(found, list):
        raise OutcomeUnknown(f"应答不是约定的格式：{name}")
    if len(found) > MOST_ROWS:
        raise OutcomeUnknown(f"应答有 {len(found)} 行，超过 {MOST_ROWS} 行：请对方分页给出")
    return found


def texts(value: object) -> tuple[str, ...]:
    """Return the first reasons as texts: of one text, a list of anything, or nothing.

    What lies too deep for a text is left out.
    """
    if value is None or value == "":
        return ()
    several = value if isinstance(value, list | tuple) else (value,)
    return tuple(islice(filter(None, map(some_text, several)), MOST_REASONS))


def some_text(value: object) -> str:
    """Return a value as text; empty for nothing, and for what lies too deep."""
    try:
        return "" if value is None else str(value)
    except RecursionError:
        return ""


def text_or_none(value: object) -> str | None:
    """Return a text or a number as text; None for anything else."""
    return str(value) if isinstance(value, str | int | float) and value != "" else None


def seconds_or_none(value: object) -> float | None:
    """Return seconds up to a year; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds <= 366 * 86400 else None


def time_or_none(value: object) -> datetime | None:
    """Return a time with its zone, also one in seconds or milliseconds since 1970; else None."""
    if isinstance(value, str):
        text = value.strip()
        value = int(text) if _EPOCH.fullmatch(text) else _read(text)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _since_1970(value)
    return value if isinstance(value, datetime) and value.tzinfo else None


def _since_1970(number: float) -> datetime | None:
    try:
        seconds = number / 1000 if abs(number) >= _MILLISECONDS else number
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def in_china(value: object) -> object:
    """Return a time without a zone as one of China, for platforms that are known to write such."""
    at = _read(value.strip()) if isinstance(value, str) else None
    return value if at is None or at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _read(text: str) -> datetime | None:
    if text.isdecimal() and len(text) != _LONGEST_DIGITS:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  its zone is the caller's to say
        except ValueError:
            continue
    return None


Texts = Annotated[tuple[str, ...], BeforeValidator(texts)]
MaybeText = Annotated[str | None, BeforeValidator(text_or_none)]
MaybeSeconds = Annotated[float | None, BeforeValidator(seconds_or_none)]
MaybeTime = Annotated[AwareDatetime | None, BeforeValidator(time_or_none)]


def key_text(value: Any) -> Any:
    """Return a key that came as a number as text."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Key = Annotated[str, BeforeValidator(key_text)]
