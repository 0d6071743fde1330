"""What is owed 报送义务: a record version or grade change, to whom, by when (pure).

`decide` makes these values and `store.deliver` writes them; neither needs to know the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from schemas.codes import FOLLOW_UPS, RecordKind, Verb
from schemas.delivery import (
    HANDED_OVER,
    IN_FLIGHT,
    OF_A_PERSON,
    REPLACEABLE,
    SENT_AGAIN,
    TAKEN,
    TO_COME,
    DeliveryState,
    ItemKind,
)
from schemas.record import Record


@dataclass(frozen=True, slots=True)
class PastDelivery:
    """A delivery of the same chain that is already there."""

    id: int
    destination: str
    state: DeliveryState
    due_at: datetime
    verb: Verb = Verb.NEW
    maybe_arrived: bool = False
    created_at: datetime | None = None  #: None: in this batch

    @property
    def is_settling(self) -> bool:
        """Whether the destination may have it, so that its outcome must be known first."""
        again = self.maybe_arrived and self.state in SENT_AGAIN
        return again or self.state in IN_FLIGHT

    @property
    def is_told(self) -> bool:
        """Whether the destination has it, or may have it."""
        return self.state in HANDED_OVER or self.state in IN_FLIGHT or self.maybe_arrived

    @property
    def is_withdrawn_there(self) -> bool:
        """Whether it is a withdrawal that the destination has accepted."""
        return self.verb is Verb.WITHDRAW and self.state in TAKEN

    @property
    def is_replaceable(self) -> bool:
        """Whether nothing is handed over or under way, so that a newer version takes its place.

        An earlier attempt of it may have arrived: `is_told` remembers that.
        """
        return self.state in REPLACEABLE and not self.is_settling

    @property
    def is_pending_follow_up(self) -> bool:
        """Whether it is a withdrawal or repair not sent yet: newer versions do not replace it.

        A withdrawal that waits for a person will not be sent before they are, nor after them.
        """
        is_overtaken = self.verb is Verb.WITHDRAW and self.state in OF_A_PERSON
        return self.verb in FOLLOW_UPS and self.is_replaceable and not is_overtaken

    @property
    def is_report_owed(self) -> bool:
        """Whether it is a version that the destination is still owed: a repair comes after it."""
        return self.verb not in FOLLOW_UPS and self.is_replaceable

    @property
    def is_follow_up_to_come(self) -> bool:
        """Whether it is a withdrawal or repair that will be sent without a person's action."""
        return self.verb in FOLLOW_UPS and self.state in TO_COME


class ReportedVersion(NamedTuple):
    """A record version that may have to be reported."""

    id: int
    decision_id: int
    subject_id: int
    subject_code: str
    kind: RecordKind
    verb: Verb
    decision_date: date
    record: Record | None
    problem_fields: frozenset[str]
    excluded: bool
    person: bool
    columns: frozenset[str] = frozenset()  #: wire columns with a value, where there is no record


@dataclass(frozen=True, slots=True)
class DueTime:
    """When a time limit ends: `at` is exclusive; `provisional`: a bound beyond the calendar."""

    clock: str
    at: datetime
    calendar: str | None
    provisional: bool = False

    @property
    def printed(self) -> str:
        """Return the last second that is in time, for people."""
        return (self.at - timedelta(seconds=1)).isoformat()


class Route(NamedTuple):
    """Where an item goes: in which state the delivery starts, and by when it is due.

    `dues` are all clocks of the destination, the strictest first. `reason` is why it waits for a
    person from the start.
    """

    destination: str
    state: DeliveryState
    due_at: datetime
    dues: tuple[DueTime, ...]
    reason: str | None = None


class Obligation(NamedTuple):
    """An item and its routes; each becomes a delivery."""

    item_kind: ItemKind
    item_id: int
    subject_id: int
    chain_id: int
    verb: Verb
    routes: Sequence[Route]
