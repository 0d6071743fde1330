"""Record 记录: one of the kinds, and what makes two records the same decision."""

from datetime import date
from typing import NamedTuple

from schemas.base import Schema
from schemas.codes import RecordKind
from schemas.event import CreditEvent, ReceivedGrade
from schemas.identifiers import authority_key, document_number_key
from schemas.licence import AdministrativeLicence
from schemas.penalty import AdministrativePenalty

RECORD_KINDS: dict[RecordKind, type[Schema]] = {
    RecordKind.PENALTY: AdministrativePenalty,
    RecordKind.LICENCE: AdministrativeLicence,
    RecordKind.EVENT: CreditEvent,
    RecordKind.GRADE: ReceivedGrade,
}
Decision = AdministrativePenalty | AdministrativeLicence
Message = CreditEvent | ReceivedGrade
Record = Decision | Message

#: Kinds that are reported as 双公示; events and received grades only change what we know.
REPORTED_KINDS = frozenset({RecordKind.PENALTY, RecordKind.LICENCE})

#: Wire column of the decision date of each reported kind.
DECISION_DATE_COLUMN = {RecordKind.PENALTY: "CF_JDRQ", RecordKind.LICENCE: "XK_JDRQ"}


class BusinessKey(NamedTuple):
    """业务主键: kind + normalised document number + authority + subject.

    The authority stands by its normalised name (the store turns it into an id through the table
    of aliases), never by its code, which is often missing. `subject` is a credit code, or for a
    natural person the keyed hash of the identity number.
    """

    kind: RecordKind
    number: str
    authority: str
    subject: str

    def text(self) -> str:
        """One line for people and for `check`."""
        return f"{self.kind}|{self.number}|{self.authority}|{self.subject}"


def decision_key(decision: Decision, subject: str) -> BusinessKey:
    """The key of a decision about this subject."""
    return BusinessKey(
        decision.KIND,
        document_number_key(decision.document_number or ""),
        authority_key(decision.authority or ""),
        subject,
    )


def message_key(message: Message, subject: str) -> BusinessKey:
    """The key of an event, which goes by `id`, or a grade, which goes by issuer and `id`."""
    issuer = "" if isinstance(message, CreditEvent) else authority_key(message.issued_by)
    return BusinessKey(message.KIND, message.id, issuer, subject)


def decision_date(record: Record) -> date | None:
    """The day from which the record counts: decision, occurrence or effect."""
    match record:
        case CreditEvent():
            return record.occurred_on
        case ReceivedGrade():
            return record.effective_on
        case _:
            return record.decision_date
