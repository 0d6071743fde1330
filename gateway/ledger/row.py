"""One line of the ledger 台账明细: a decision, and where it stands at each destination (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from gateway.ledger.causes import Cause
from gateway.ledger.timeliness import Timeliness
from schemas.codes import RecordKind


@dataclass(frozen=True, slots=True)
class DecisionStanding:
    """The state of one decision at one destination that it is owed to."""

    destination: str
    state: str
    due: Mapping[str, datetime]
    timeliness: Mapping[str, Timeliness]
    handed_over_at: datetime | None
    accepted_at: datetime | None
    blind: bool
    attempts: int
    reasons: tuple[str, ...]
    why: str | None = None  #: where the time went, of one that was late or missed
    cause: Cause | None = None  #: what took the most of it
    notes: tuple[str, ...] = ()  #: what people say of it
    rejected_at: datetime | None = None  #: for the first time
    first_pass: bool = False  #: accepted as it was sent first, never held or rejected before
    mended_at: datetime | None = None  #: accepted again, of one that was rejected


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One decision of the month.

    A natural person is shown by pseudonym, without a name; a secret decision without anything.
    """

    decision_id: int
    kind: RecordKind
    document_number: str
    authority: str
    subject_name: str
    subject_code: str
    decision_date: date
    excluded: str | None
    withdrawn: bool
    standings: Mapping[str, DecisionStanding]
    arrived_at: datetime | None = None  #: its first version came here
    asked: int = 0  #: items that its first version had to have
    lacking: int = 0  #: those that were empty
    amount: str = ""  #: what it imposes now, in Chinese
