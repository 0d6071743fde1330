"""The rows of the work list: what is open, what will be late, why, and who must act (pure)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from gateway.titles import STATES, VERB_TITLES
from schemas.codes import Verb
from schemas.delivery import BLOCKING, DeliveryState, ItemKind
from schemas.identifiers import masked

S = DeliveryState


class Actor(StrEnum):
    """Who has to act, so that a delivery goes on."""

    CLERK = "经办人员"  #: of the authority: what was sent is incomplete or was refused
    OPERATOR = "运维人员"
    PLATFORM = "接收方"
    NOBODY = "无须处理"  #: it goes out by itself


class Late(StrEnum):
    """Whether a delivery is late, or will be."""

    OVERDUE = "已超期"
    UNSETTLED = "可能已超期"  #: past the lower bound of a time limit beyond the calendar
    STANDS = "不处理会超期"  #: it goes on only when somebody acts
    SLOW = "预计超期"  #: the queue before it takes longer than is left
    DOWN = "接收方不恢复会超期"
    UNANSWERED = "接收方无回执会超期"  #: handed over; only an answer makes it accepted
    IN_TIME = "来得及"


@dataclass(frozen=True, slots=True)
class Receiver:
    """What is known of a destination: seconds for each item, one after the other, now.

    `by_person`: nobody calls it, a person carries files there. Unless it `resends`, a person finds
    out what became of an unknown outcome.
    """

    seconds: float = 0.0
    is_down: bool = False
    by_person: bool = False
    resends: bool = True


@dataclass(frozen=True, slots=True)
class WorkRow:
    """One open delivery; persons have no name in it, and no identity number stands anywhere."""

    id: int
    destination: str
    what: str  #: document number, or the subject of a grade change
    authority: str
    subject_name: str
    state: DeliveryState
    due_at: datetime
    hours_left: float
    provisional: bool
    late: Late
    actor: Actor
    why: str


_RESOLVE = "deliveries resolve"
#: Where a person carries files, these go on only by that.
BY_HAND = BLOCKING | {S.WAITING}
_ACTORS = {
    S.HELD: Actor.CLERK,
    S.REJECTED: Actor.CLERK,
    S.PARKED: Actor.OPERATOR,
    S.SUBMITTED: Actor.PLATFORM,
}


def actor_of(state: DeliveryState, receiver: Receiver, *, is_silent: bool) -> Actor:
    """Return who must act on a delivery in this state."""
    if is_silent:
        return Actor.OPERATOR
    if receiver.by_person and state in BY_HAND:
        return Actor.CLERK
    if state is S.UNKNOWN and not receiver.resends:
        return Actor.OPERATOR
    if receiver.is_down and state in BLOCKING:
        return Actor.PLATFORM
    return _ACTORS.get(state, Actor.NOBODY)


def work_row(stored: Any, receiver: Receiver, ahead: int | None, now: datetime) -> WorkRow:
    """Return the row of a stored delivery; `ahead` is its place in the queue, if it is in it."""
    state = S(stored.state)
    actor = actor_of(state, receiver, is_silent=stored.silent)
    wait = timedelta(seconds=receiver.seconds * (ahead or 0))
    name = masked(stored.subject_name or "")
    return WorkRow(
        id=stored.id,
        destination=stored.destination,
        what=_what(stored, name),
        authority=masked(stored.authority or ""),
        subject_name=name,
        state=state,
        due_at=stored.due_at,
        hours_left=round((stored.due_at - now) / timedelta(hours=1), 1),
        provisional=stored.provisional,
        late=Late.UNSETTLED
        if stored.provisional and stored.due_at <= now
        else _late(stored.due_at - now, actor, wait, is_down=receiver.is_down),
        actor=actor,
        why=_silent(stored, now) if stored.silent else _why(stored, state, receiver, ahead),
    )


def _what(stored: Any, name: str) -> str:
    if stored.item_kind != ItemKind.RECORD_VERSION:
        return f"等级变动 {name}".strip()
    verb = VERB_TITLES.get(Verb(stored.verb))
    number = masked(stored.document_number or "") or "（不显示文号）"
    return f"{number}（{verb}）" if verb else number


def _late(left: timedelta, actor: Actor, wait: timedelta, *, is_down: bool) -> Late:
    if left <= timedelta():
        return Late.OVERDUE
    if actor is Actor.PLATFORM:
        return Late.DOWN if is_down else Late.UNANSWERED
    if actor is not Actor.NOBODY:
        return Late.STANDS
    return Late.SLOW if wait > left else Late.IN_TIME


def _silent(stored: Any, now: datetime) -> str:
    days = (now - stored.submitted_at).days
    return f"送达 {days} 天没有回执：询问接收方；仍无答复的，出具送达证明（deliveries attest）"


def _why(stored: Any, state: DeliveryState, receiver: Receiver, ahead: int | None) -> str:
    """Return in Chinese what a delivery waits for."""
    said = "；".join(map(masked, stored.reasons or ()))
    if state is S.HELD:
        told = [str(one["message"]) for one in stored.problems or ()]
        return masked("；".join(told)) or said or STATES[state]
    if receiver.by_person and state in BY_HAND and not (state is S.UNKNOWN and said):
        return _by_hand(state, stored.destination, said)
    if state in {S.REJECTED, S.PARKED, S.UNKNOWN, S.SUBMITTED}:
        words = said or STATES[state]
        asks = state is S.UNKNOWN and not receiver.resends and _RESOLVE not in words
        return f"{words}；不自动重报：到对方查明，用 {_RESOLVE} 写明结果" if asks else words
    if receiver.is_down:
        return f"接收方中断；{said}" if said else "接收方中断"
    place = f"前面还有 {ahead - 1} 件" if ahead and ahead > 1 else STATES[state]
    return f"{place}；{said}" if said else place


def _by_hand(state: DeliveryState, destination: str, said: str) -> str:
    if state is S.UNKNOWN:
        return "可能已人工上报：到平台页面上查明，再用 deliveries resolve 登记"
    if state is S.WAITING:
        return "排在前一版之后：前一版有了结果再下载上报"
    told = f"下载模板上报：upload make {destination}"
    return f"{told}；{said}" if said else told


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """The open deliveries that have something in common: how many, how many late, first due."""

    name: str
    open: int
    overdue: int
    due_at: datetime


class Grouping(StrEnum):
    """By what the work list is summed up."""

    DESTINATION = "destination"
    AUTHORITY = "authority"
    STATE = "state"
    ACTOR = "actor"


def grouped(
    counts: Iterable[Any], by: Grouping, receivers: Mapping[str, Receiver]
) -> list[OpenGroup]:
    """Return the counts by destination, state and authority, summed up; the earliest due first."""
    found: dict[str, OpenGroup] = {}
    for one in counts:
        name = _name(one, by, receivers)
        before = found.get(name, OpenGroup(name, 0, 0, one.due_at))
        found[name] = OpenGroup(
            name,
            before.open + one.open,
            before.overdue + one.overdue,
            min(before.due_at, one.due_at),
        )
    return sorted(found.values(), key=lambda group: (group.due_at, group.name))


def _name(one: Any, by: Grouping, receivers: Mapping[str, Receiver]) -> str:
    state = S(one.state)
    match by:
        case Grouping.DESTINATION:
            return str(one.destination)
        case Grouping.AUTHORITY:
            return masked(one.authority or "") or "（等级变动）"
        case Grouping.STATE:
            return STATES[state]
        case Grouping.ACTOR:
            receiver = receivers.get(one.destination, Receiver())
            return actor_of(state, receiver, is_silent=one.silent).value
