"""What is paired 配对: our decisions, the rows of another side, and both together (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from gateway.check.dates import parse_date
from gateway.reconcile.columns import Mismatch
from gateway.reconcile.difference import Key
from schemas.codes import RecordKind, Verb
from schemas.delivery import DeliveryState
from schemas.identifiers import document_number_key
from schemas.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Ours:
    """One decision of ours, and its state at the destination, if it is compared with one.

    `columns` is the body of the version last handed over, as JSON: unparsed bytes, because there
    may be a million, and a text with one Chinese letter takes twice as much. `owed` is false if the
    destination does not take the decision. `state` is that of its last delivery, `report_…` are of
    the last one that reports it; `correction_due` and `corrected_at` are set if that is a
    correction. `told_at`: when the destination took its withdrawal or repair. `entered_at`: when
    its first version came.
    """

    decision_id: int
    kind: str
    number_key: str
    subject_code: str
    person: bool
    authority: str
    columns: bytes
    day: date
    owed: bool = True
    excluded: str | None = None
    withdrawn_at: datetime | None = None
    repaired: bool = False
    due: datetime | None = None
    state: DeliveryState | None = None
    report_id: int | None = None
    report_state: DeliveryState | None = None
    correction_due: datetime | None = None
    corrected_at: datetime | None = None
    told_at: datetime | None = None
    handed_over_at: datetime | None = None
    accepted_at: datetime | None = None
    entered_at: datetime | None = None

    @property
    def key(self) -> Key:
        """The key for pairing."""
        return self.kind, self.number_key, self.subject_code


@dataclass(frozen=True, slots=True)
class Shown:
    """One row of the other side; `subject_code` of a natural person is our own code.

    With the verb `correct` or `withdraw` the rows of the decision before it count no more.
    """

    kind: str
    document_number: str
    subject_code: str
    columns: Mapping[str, Any]
    shown_at: datetime
    verb: Verb = Verb.NEW

    @property
    def key(self) -> Key:
        """The key for pairing."""
        kind = KINDS[RecordKind(self.kind)]
        if kind.has_number:
            number = document_number_key(self.document_number)
        else:
            number = kind.key_of({name: self.columns.get(kind.column(name)) for name in kind.keys})
        return self.kind, number, self.subject_code

    @property
    def day(self) -> date | None:
        """The decision date, if it can be read."""
        column = KINDS[RecordKind(self.kind)].date_column
        return parse_date(str(self.columns.get(column, "")).strip())


@dataclass(slots=True)
class Pair:
    """One decision of ours with the rows seen for it; `wrong` are the columns of the last one."""

    ours: Ours
    times: int = 0
    shown_at: datetime | None = None
    wrong: tuple[Mismatch, ...] = ()

    def forget(self) -> None:
        """Count no row that was seen for it until now."""
        self.times, self.shown_at, self.wrong = 0, None, ()


@dataclass(frozen=True, slots=True)
class Stranger:
    """A row that is none of ours; its columns are let go if no decision has its number."""

    key: Key
    day: date | None
    authority: str  #: normalised; empty if the row names none
    shown_at: datetime
    row: Shown | None
    verb: Verb = Verb.NEW
