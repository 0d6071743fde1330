"""Turn the outcome of a call into the new state of the delivery (pure)."""

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from gateway.deliver.breaker import ASKING, Act
from gateway.deliver.failed_call import looked_up
from gateway.deliver.item import is_barred, is_needless
from gateway.deliver.retry import next_attempt
from schemas.delivery import (
    NOT_AGAIN,
    NOT_CALLED,
    NOTHING_TO_WITHDRAW,
    UNUSABLE,
    Claimed,
    DeliveryState,
    Finish,
    Item,
    ItemKind,
    Outcome,
    OutcomeKind,
)
from schemas.destination import AcceptedBy, Destination

_STATES = {
    OutcomeKind.ACCEPTED: DeliveryState.ACCEPTED,
    OutcomeKind.SUBMITTED: DeliveryState.SUBMITTED,
    OutcomeKind.ACCEPTED_BLIND: DeliveryState.ACCEPTED_BLIND,
    OutcomeKind.REJECTED: DeliveryState.REJECTED,
    OutcomeKind.DEFERRED: DeliveryState.DEFERRED,
    OutcomeKind.UNKNOWN: DeliveryState.UNKNOWN,
}


_NOT_BY_ITSELF = (
    "查询：对方没有这一条；配置 resends 是 false，不自动重报：核对后用 deliveries resolve 写明结果"
)
#: What an answer counts as where it is not what the connector makes of it.
_COUNTS_AS: Mapping[AcceptedBy | None, Mapping[OutcomeKind, OutcomeKind]] = {
    AcceptedBy.ANSWER: {
        OutcomeKind.SUBMITTED: OutcomeKind.ACCEPTED,
        OutcomeKind.ACCEPTED_BLIND: OutcomeKind.ACCEPTED,
    },
    AcceptedBy.RECEIPT: {OutcomeKind.ACCEPTED: OutcomeKind.SUBMITTED},
    AcceptedBy.LISTING: {
        OutcomeKind.ACCEPTED: OutcomeKind.ACCEPTED_BLIND,
        OutcomeKind.SUBMITTED: OutcomeKind.ACCEPTED_BLIND,
    },
}


def as_agreed(item: Item, outcome: Outcome, act: Act, destination: Destination) -> Outcome:
    """Return an answer as what it counts as at this destination.

    A look-up that does not find the item sends nothing again where nothing resends by itself. What
    a silent destination says when it is asked is its verdict. Grade changes have neither receipts
    nor a listing of their own.
    """
    if act in ASKING:
        outcome = looked_up(outcome)
    if act is Act.SILENCE or item.item_kind is not ItemKind.RECORD_VERSION:
        return outcome
    absent = outcome.absent and outcome.kind is OutcomeKind.DEFERRED
    if absent and act is Act.LOOK_UP and not destination.resends:
        return Outcome(kind=OutcomeKind.UNKNOWN, reasons=(_NOT_BY_ITSELF,))
    kind = _COUNTS_AS.get(destination.accepted_by, {}).get(outcome.kind)
    return outcome if kind is None else outcome.model_copy(update={"kind": kind})


def finish(claimed: Claimed, outcome: Outcome, destination: Destination, now: datetime) -> Finish:
    """Return the new state of the delivery and the time of its next attempt."""
    state = _STATES[outcome.kind]
    next_at, breached = None, False
    if state in {DeliveryState.DEFERRED, DeliveryState.UNKNOWN}:
        decision = next_attempt(
            now=now,
            due_at=claimed.due_at,
            attempts=claimed.attempts,
            floor=destination.retry_floor,
            cap=destination.retry_cap,
            retry_after=outcome.retry_after,
            jitter=random.random(),  # noqa: S311  spreads retries, protects nothing
        )
        next_at, breached = (now, False) if outcome.absent else (decision.at, decision.breached)
    return replace(
        _end(claimed, state, outcome.kind.value),
        reasons=outcome.reasons,
        next_at=next_at,
        breached=breached,
        absent=outcome.absent,
        platform_at=outcome.platform_at,
        reference=outcome.reference,
        settle=destination.settle if state is DeliveryState.UNKNOWN else None,
    )


def without_a_call(claimed: Claimed, *, sends: bool) -> Finish | None:
    """Return the end of what needs no call, or must not have one; None for everything else.

    `sends`: the call would have its content; one that asks for it names its key only.
    """
    if is_needless(claimed):
        return needless(claimed)
    return barred(claimed) if sends and is_barred(claimed) else None


def needless(claimed: Claimed) -> Finish:
    """Return the end of a follow-up with nothing to withdraw or repair: withdrawn, not sent."""
    return _end(claimed, DeliveryState.WITHDRAWN, NOTHING_TO_WITHDRAW)


def barred(claimed: Claimed) -> Finish:
    """Return the end of what must not be sent any more; it may have arrived before."""
    return _end(claimed, DeliveryState.WITHDRAWN, NOT_AGAIN)


def not_called(claimed: Claimed, now: datetime) -> Finish:
    """Return the end of a claim without a call: the delivery is as it was claimed."""
    state = DeliveryState.UNKNOWN if claimed.look else DeliveryState.READY
    return replace(
        _end(claimed, state, NOT_CALLED),
        reasons=("本次未发送",),
        next_at=now if claimed.look else None,
    )


def without_words(done: Finish) -> Finish:
    """Return the end without what the destination said of it, which cannot be stored."""
    return replace(done, reasons=("对方的答复无法保存",), reference=None, platform_at=None)


def unusable(claimed: Claimed, reference: str) -> Finish:
    """Return the end of a delivery of which no item can be made: parked for a person."""
    words = unusable_words(reference)
    return replace(_end(claimed, DeliveryState.PARKED, UNUSABLE), reasons=(words,))


def unusable_words(reference: str) -> str:
    """Return what people are told of a delivery of which no item can be made."""
    return f"无法生成报送内容（日志编号 {reference}），请把日志编号告诉维护人员"


def _end(claimed: Claimed, state: DeliveryState, outcome: str) -> Finish:
    return Finish(
        id=claimed.id,
        token=claimed.lease_token,
        subject_id=claimed.subject_id,
        chain_id=claimed.chain_id,
        destination=claimed.destination,
        state=state,
        outcome=outcome,
    )


#: The longest lease, in rounds of calls that each take the full call timeout. Calls that do not
#: fit into it are left for the next claim. A short lease lets another worker look up the deliveries
#: of a killed one within minutes.
LEASED_ROUNDS = 4


def lease_for(call_timeout: timedelta, waiting: int, concurrency: int) -> timedelta:
    """Return the lease for `waiting` calls, `concurrency` at a time, with a margin."""
    rounds = min(LEASED_ROUNDS, -(-waiting // max(1, concurrency)))
    return call_timeout * (rounds + 1) + timedelta(seconds=10)
