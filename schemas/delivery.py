"""Delivery 报送: one item owed to one destination, its states, and what a destination answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

from pydantic import AfterValidator

from schemas.base import AwareDatetime, Schema, TheirText, TheirTime
from schemas.codes import Verb


class OpenDelivery(NamedTuple):
    """A delivery that is called without a person, when it is due, and not before when.

    `behind` is the open delivery of its chain that goes before it.
    """

    id: int
    due_at: datetime
    not_before: datetime
    behind: int | None = None


class DeliveryState(StrEnum):
    """The state of a delivery; `TRANSITIONS` has all changes of state."""

    HELD = "held"  #: 待补正: a column that the destination requires is missing
    WAITING = "waiting"  #: 排队: behind an earlier one of its chain
    READY = "ready"  #: 待报送: claimable now
    DEFERRED = "deferred"  #: 待重试: not before next_at
    LEASED = "leased"  #: 报送中: a worker has it
    UNKNOWN = "unknown"  #: 结果不明: find out before sending again
    SUBMITTED = "submitted"  #: 已报送待回执: handed over, verdict outstanding
    ACCEPTED = "accepted"  #: 有效入库: a later receipt may still reject it
    ACCEPTED_BLIND = "accepted_blind"  #: 已送达无回执: handed over where nobody answers
    REJECTED = "rejected"  #: 被退回: a person must correct
    PARKED = "parked"  #: 人工挂起: by or for a person, with a reason
    SUPERSEDED = "superseded"  #: 已被新版本取代
    WITHDRAWN = "withdrawn"  #: 已撤回


S = DeliveryState
#: The begin of the reason of what was parked because too much would change at once 批量变更: no
#: person has taken it upon himself.
MASS_CHANGE = "批量变更待确认"

#: from → to. A test compares every UPDATE that writes a state with this table.
TRANSITIONS: dict[DeliveryState, frozenset[DeliveryState]] = {
    S.HELD: frozenset({S.WAITING, S.READY, S.SUPERSEDED, S.PARKED, S.WITHDRAWN}),
    S.WAITING: frozenset({S.READY, S.SUPERSEDED, S.PARKED, S.WITHDRAWN}),
    S.READY: frozenset({S.LEASED, S.WAITING, S.SUPERSEDED, S.PARKED, S.WITHDRAWN})
    | {S.ACCEPTED, S.ACCEPTED_BLIND}  # a receipt told that an earlier attempt arrived
    | {S.UNKNOWN},  # the database was restored: it may have been sent since
    S.DEFERRED: frozenset({S.READY, S.SUPERSEDED, S.PARKED, S.WITHDRAWN})
    | {S.ACCEPTED, S.ACCEPTED_BLIND}
    | {S.UNKNOWN},  # retried by a person, and an earlier attempt may have arrived
    S.LEASED: frozenset(
        {S.ACCEPTED, S.ACCEPTED_BLIND, S.SUBMITTED, S.REJECTED, S.DEFERRED, S.UNKNOWN}
        | {S.READY}  # no call was made
        | {S.WAITING}  # a repair of a record that a person has to mend first
        | {S.PARKED}  # no item can be made of it
        | {S.WITHDRAWN}  # a withdrawal or repair of a record that was rejected
    ),
    S.UNKNOWN: frozenset({S.LEASED, S.PARKED})
    | {S.ACCEPTED_BLIND, S.READY}  # a person found out what became of it
    | {S.ACCEPTED, S.REJECTED},  # a receipt told it
    S.SUBMITTED: frozenset({S.ACCEPTED, S.REJECTED, S.PARKED})
    | {S.ACCEPTED_BLIND},  # a receipt, where only the listing says what is accepted
    S.ACCEPTED: frozenset({S.REJECTED}),
    S.ACCEPTED_BLIND: frozenset({S.ACCEPTED, S.REJECTED}),
    S.REJECTED: frozenset(
        {S.READY, S.WAITING, S.UNKNOWN, S.ACCEPTED, S.SUPERSEDED, S.PARKED, S.WITHDRAWN}
        | {S.ACCEPTED_BLIND}
    ),
    S.PARKED: frozenset({S.READY, S.WAITING, S.SUPERSEDED, S.WITHDRAWN})
    | {S.UNKNOWN, S.ACCEPTED_BLIND, S.ACCEPTED, S.REJECTED},  # it may have arrived before
    S.SUPERSEDED: frozenset(),
    S.WITHDRAWN: frozenset(),
}

#: No other delivery of the chain is sent while one is in these states.
BLOCKING = frozenset({S.READY, S.DEFERRED, S.LEASED, S.UNKNOWN})
#: Not finished: a destination with such deliveries cannot be dropped.
OPEN = frozenset({S.HELD, S.WAITING, S.SUBMITTED}) | BLOCKING
#: Owed and not handed over: breached after the due time.
UNDELIVERED = frozenset({S.HELD, S.WAITING, S.REJECTED}) | BLOCKING
#: A person may retry these at once.
RETRYABLE = frozenset({S.DEFERRED, S.REJECTED, S.PARKED})
#: A person may park these.
PARKABLE = frozenset({S.READY, S.DEFERRED, S.UNKNOWN, S.SUBMITTED, S.REJECTED})
#: A person may withdraw these: they are never sent.
WITHDRAWABLE = frozenset({S.HELD, S.WAITING, S.READY, S.DEFERRED, S.REJECTED, S.PARKED})
#: Nothing happens to these before a person mends or frees them.
OF_A_PERSON = frozenset({S.HELD, S.REJECTED, S.PARKED})
#: After these outcomes the next delivery of the chain may be sent.
FREES_CHAIN = frozenset(
    {S.ACCEPTED, S.ACCEPTED_BLIND, S.SUBMITTED, S.REJECTED, S.SUPERSEDED, S.WITHDRAWN}
)
#: The destination has the item, as it also has or may have one with `maybe_arrived`.
HANDED_OVER = frozenset({S.SUBMITTED, S.ACCEPTED, S.ACCEPTED_BLIND})
#: The destination has taken the item, as far as it says.
TAKEN = frozenset({S.ACCEPTED, S.ACCEPTED_BLIND})
#: Nothing was handed over: a newer version supersedes these.
REPLACEABLE = frozenset({S.HELD, S.WAITING, S.READY, S.DEFERRED, S.REJECTED, S.PARKED})
#: These are sent without a person's action.
TO_COME = frozenset({S.WAITING, S.READY, S.DEFERRED})
#: Nothing more is owed or asked: retention may forget how it came about.
FINISHED = frozenset({S.ACCEPTED, S.ACCEPTED_BLIND, S.SUPERSEDED, S.WITHDRAWN})
#: Over before it was handed over, as far as we know: a receipt changes no such state.
OVER = frozenset({S.SUPERSEDED, S.WITHDRAWN})
#: A receipt answers these, whatever it says.
ANSWERABLE = frozenset({S.SUBMITTED, S.UNKNOWN, S.ACCEPTED_BLIND}) | OVER
#: A receipt of acceptance ends these.
MENDED_BY_RECEIPT = frozenset({S.REJECTED, S.DEFERRED})
#: Nothing was handed over in the last attempt, or no call was made.
UNSENT = frozenset({S.READY, S.DEFERRED, S.PARKED})
#: These are sent again by themselves, so that what an earlier attempt did becomes known.
SENT_AGAIN = frozenset({S.READY, S.DEFERRED})
#: The outcome must be known before another delivery of the chain is sent.
IN_FLIGHT = frozenset({S.LEASED, S.UNKNOWN})


class ItemKind(StrEnum):
    """What a delivery carries."""

    RECORD_VERSION = "record_version"  #: 决定
    GRADE_CHANGE = "grade_change"  #: 等级变动


class Item(Schema):
    """What a connector gets: one complete delivery, without anything of our database.

    `key` is stable over every resend of the same delivery; a destination that de-duplicates does
    so by it. `columns` are the wire columns of the record (texts, dates as YYYY-MM-DD, amounts in
    万元) or the fields of the grade-change event. `record_kind` is a reported kind, or
    "grade_change".
    """

    delivery_id: int
    key: str
    item_kind: ItemKind
    record_kind: str
    verb: Verb
    version: int
    #: An earlier attempt ended unknown: what the destination already holds may be this.
    resend: bool = False
    #: Keys of earlier versions of the same decision that were tried here, the latest first: what
    #: the destination has of it is one of these, if anything.
    earlier: tuple[str, ...] = ()
    subject_code: str
    #: The destination has the subject among natural persons 自然人.
    person: bool = False
    document_number: str | None = None
    decision_date: date | None = None
    occurred_at: AwareDatetime
    columns: dict[str, Any]


#: The outcome of an attempt that ended before its call began.
NOT_CALLED = "not_called"
#: The outcome of a withdrawal or repair of which the destination never had the record.
NOTHING_TO_WITHDRAW = "nothing_to_withdraw"
#: The outcome of what may have arrived and must not be sent again.
NOT_AGAIN = "not_again"
#: The outcome of an attempt for which no item could be made.
UNUSABLE = "unusable"


class OutcomeKind(StrEnum):
    """The outcome of one item in one call."""

    ACCEPTED = "accepted"
    SUBMITTED = "submitted"
    ACCEPTED_BLIND = "accepted_blind"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    UNKNOWN = "unknown"


#: Outcomes of attempts of which nothing reached the destination.
NOTHING_LEFT = frozenset({OutcomeKind.DEFERRED, NOT_CALLED, NOTHING_TO_WITHDRAW, UNUSABLE})


def _first(reasons: tuple[str, ...]) -> tuple[str, ...]:
    return reasons[:MOST_REASONS]


#: Reasons kept of one answer.
MOST_REASONS = 50
TheirReasons = Annotated[tuple[TheirText, ...], AfterValidator(_first)]


class Outcome(Schema):
    """The outcome of one item; `platform_at` is the destination's own time, if it gives one.

    If a look-up does not find the item, the outcome is `DEFERRED` with `absent=True`. Without
    `answered` it was made of an error: the destination said nothing of the item; `theirs` says
    whether that was a trouble of the destination's.
    """

    kind: OutcomeKind
    reasons: TheirReasons = ()
    retry_after: timedelta | None = None
    platform_at: TheirTime | None = None
    reference: TheirText | None = None
    absent: bool = False
    answered: bool = True
    theirs: bool = True


class Receipt(Schema):
    """A later answer 回执 about an item, identified by our `key`.

    Without a `platform_at` it is as late as it is read.
    """

    key: TheirText
    accepted: bool
    reasons: TheirReasons = ()
    platform_at: TheirTime | None = None
    reference: TheirText | None = None


class Listed(Schema):
    """One row that a platform shows, for reconciliation 对账."""

    record_kind: str
    document_number: TheirText
    subject_code: TheirText
    columns: dict[str, TheirText]
    shown_at: TheirTime


class ListingMark(Schema):
    """Up to when a listing is complete: what came to the platform later may not be in it yet."""

    complete_until: TheirTime


class Health(Schema):
    """Whether a destination answers at all."""

    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that a worker holds, with all that its connector needs."""

    id: int
    item_kind: str
    item_id: int
    subject_id: int
    chain_id: int
    destination: str
    verb: str
    attempts: int
    due_at: datetime
    maybe_arrived: bool  #: an earlier attempt ended unknown
    lease_token: str
    look: bool
    holds: bool
    kind: str
    version: int
    subject_code: str
    person: bool
    subject_name: str | None
    document_number: str | None
    decision_date: date | None
    body: dict[str, Any]
    secret: bytes | None
    key_version: int | None  #: of the key that encrypts `secret`
    recorded_at: datetime
    number: int | None
    barred: bool  #: the decision is not reported any more: its content must not leave
    #: Deliveries of earlier versions that were tried, the latest first; none for grade changes.
    earlier: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of a leased delivery: its new state and what the destination said."""

    id: int
    token: str
    subject_id: int
    chain_id: int
    destination: str
    state: DeliveryState
    outcome: str
    reasons: tuple[str, ...] = ()
    next_at: datetime | None = None
    breached: bool = False
    absent: bool = False  #: the destination says that it does not have the item
    platform_at: datetime | None = None
    reference: str | None = None
    settle: timedelta | None = None
