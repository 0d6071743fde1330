"""What a platform's exported list of results says of a row 平台结果 (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time

from gateway.check.dates import parse_date
from schemas.base import SHANGHAI
from schemas.column_names import name_key
from schemas.hand_upload import AnswerColumns
from schemas.identifiers import document_number_key


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """The result of one row of a list; `accepted` is None if it is not known what it means."""

    kind: str | None  #: None: the list does not say it
    number_key: str  #: the normalised document number
    accepted: bool | None
    said: str
    reasons: tuple[str, ...] = ()
    at: datetime | None = None


def answer(
    kind: str | None, number: str, columns: Mapping[str, str], how: AnswerColumns
) -> RowAnswer:
    """Return what a row says, by the first of the configured columns that has something."""
    known = {name_key(name): value.strip() for name, value in columns.items()}
    said = _first(known, how.status)
    reason = _first(known, how.reason)
    accepted = True if said in how.accepted else False if said in how.rejected else None
    reasons = () if accepted is not False else (reason or said,)
    at = _moment(_first(known, how.time))
    return RowAnswer(kind, document_number_key(number), accepted, said, reasons, at)


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
