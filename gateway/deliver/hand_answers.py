"""What a platform's exported list of results says of a row 平台结果 (pure)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from gateway.check.dates import parse_date
from schemas.base import SHANGHAI, storable
from schemas.column_names import name_key
from schemas.hand_upload import AnswerColumns
from schemas.identifiers import document_number_key


@dataclass(frozen=True, slots=True)
class RowAnswer:
    """The result of one row of a list; `accepted` is None if it is not known what it means."""

    kind: str | None  #: None: the list does not say it
    number_key: str  #: the normalised document number, or the keys of a kind without one
    accepted: bool | None
    said: str
    reasons: tuple[str, ...] = ()
    at: datetime | None = None
    code: str | None = None  #: of the subject, as the list has it


def answer(
    kind: str | None, number: str, columns: Iterable[tuple[str, str]], how: AnswerColumns
) -> RowAnswer:
    """Return what the named cells of a row say.

    Every column of results counts. What one of them refused is refused; it is accepted if one
    says so and no other says what we do not know.
    """
    known: dict[str, list[str]] = {}
    for name, value in columns:
        if text := value.strip():
            known.setdefault(name_key(name), []).append(text)
    said = _every(known, how.status)
    refused = [one for one in said if one in how.rejected]
    reason = next(iter(_every(known, how.reason)), "")
    at = _moment(next(iter(_every(known, how.time)), ""))
    accepted = None
    if refused:
        accepted = False
    elif set(said) & how.accepted and set(said) <= how.accepted | how.passed:
        accepted = True
    reasons = (storable(reason or "、".join(refused)),) if refused else ()
    return RowAnswer(kind, document_number_key(number), accepted, "、".join(said), reasons, at)


def _every(known: Mapping[str, Sequence[str]], names: Iterable[str]) -> list[str]:
    """Return what stands in these columns, in the order of the names, each column once."""
    keys = dict.fromkeys(map(name_key, names))
    return [text for key in keys for text in known.get(key, ())]


def _moment(text: str) -> datetime | None:
    """Return a time of the platform in Beijing time; a day without a time is its midnight."""
    try:
        at = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError:
        day = parse_date(text) if text else None
        return None if day is None else datetime.combine(day, time(), SHANGHAI)
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
