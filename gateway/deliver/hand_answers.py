"""What a platform's exported list of results says of a row 平台结果 (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

from gateway.check.dates import parse_date
from schemas.base import SHANGHAI
from schemas.column_names import name_key
from schemas.hand_upload import AnswerColumns


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """The result of one row of a list; `accepted` is None if it is not known what it means."""

    key: tuple[str, str | None]  #: kind and normalised document number
    accepted: bool | None
    said: str
    reasons: tuple[str, ...] = ()
    at: datetime | None = None


def answer(
    key: tuple[str, str | None], columns: Mapping[str, str], how: AnswerColumns
) -> RowAnswer:
    """Return what a row says, by the first of the configured columns that it has."""
    known = {name_key(name): value.strip() for name, value in columns.items()}
    said = _first(known, how.status)
    reason = _first(known, how.reason)
    accepted = True if said in how.accepted else False if said in how.rejected else None
    reasons = () if accepted is not False else (reason or said,)
    return RowAnswer(key, accepted, said, reasons, _moment(_first(known, how.time)))


def has_status(columns: Mapping[str, str], how: AnswerColumns) -> bool:
    """Whether a row has one of the columns of results."""
    return bool({name_key(name) for name in columns} & {name_key(name) for name in how.status})


def _first(known: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((known[key] for name in names if known.get(key := name_key(name))), "")


def _moment(text: str) -> datetime | None:
    """Return a time of the platform in Beijing time; a day without a time is its midnight."""
    try:
        at = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        day = parse_date(text) if text else None
        return None if day is None else datetime.combine(day, time(), SHANGHAI)
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
