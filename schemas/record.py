"""Record 记录: one of the kinds, and what makes two records the same decision."""

from datetime import date
from typing import NamedTuple

from schemas.base import Schema
from schemas.codes import RecordKind
from schemas.event import CreditEvent, ReceivedGrade
from schemas.identifiers import authority_key, document_number_key
from schemas.kinds import KINDS
from schemas.licence import AdministrativeLicence
from schemas.participant import Participant
from schemas.penalty import AdministrativePenalty

RECORD_KINDS: dict[RecordKind, type[Schema]] = {name: kind.model for name, kind in KINDS.items()}
Decision = AdministrativePenalty | AdministrativeLicence
Message = CreditEvent | ReceivedGrade | Participant
Record = Decision | Message


class BusinessKey(NamedTuple):
    """业务主键: kind + normalised document number + authority + subject.

    The authority is its normalised name (the store finds its id in the table of aliases), not its
    code, which is often missing. `subject` is a credit code, or for a
    natural person the keyed hash of the identity number.
    """

    kind: RecordKind
    number: str
    authority: str
    subject: str

    def text(self) -> str:
        """One line for people and for `check`."""
        return f"{self.kind}|{self.number}|{self.authority}|{self.subject}"


def business_key(record: Record, subject: str) -> BusinessKey:
    """Return the key of a record, from the fields that its kind names.

    A document number is used in its normal form, the `id` of a message as it is.
    """
    kind = KINDS[record.KIND]
    number = getattr(record, kind.number) or ""
    authority = getattr(record, kind.authority) or "" if kind.authority else ""
    number = document_number_key(number) if kind.reported else number
    return BusinessKey(record.KIND, number, authority_key(authority), subject)


def date_of(record: Record) -> date | None:
    """Return the date of the decision, the event, or the effect of the grade."""
    day: date | None = getattr(record, KINDS[record.KIND].date)
    return day
