"""Record 记录: one of the kinds, and what makes two records the same decision."""

from datetime import date
from typing import NamedTuple

from schemas.codes import RecordKind
from schemas.configured import ConfiguredRecord
from schemas.event import CreditEvent, ReceivedGrade
from schemas.identifiers import authority_key
from schemas.kinds import KINDS
from schemas.licence import AdministrativeLicence
from schemas.participant import Participant
from schemas.penalty import AdministrativePenalty

Decision = AdministrativePenalty | AdministrativeLicence | ConfiguredRecord
Message = CreditEvent | ReceivedGrade | Participant
Record = Decision | Message


class BusinessKey(NamedTuple):
    """业务主键: kind + normalised document number + authority + subject.

    Of a kind without document numbers, the values of its key columns stand in place of the number.
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

    A document number and keys are used in their normal form, the `id` of a message as it is.
    """
    kind = KINDS[record.KIND]
    number = kind.key_of(record.__dict__) if kind.reported else number_of(record)
    authority = getattr(record, kind.authority) or "" if kind.authority else ""
    return BusinessKey(record.KIND, number, authority_key(authority), subject)


def number_of(record: Record) -> str:
    """Return the document number of a record, or its keys, for people."""
    return KINDS[record.KIND].number_of(record.__dict__)


def date_of(record: Record) -> date | None:
    """Return the date of the decision, the event, or the effect of the grade."""
    day: date | None = getattr(record, KINDS[record.KIND].date)
    return day
