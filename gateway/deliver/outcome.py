"""The outcome of a call → what becomes of the delivery (pure)."""

import random
from datetime import datetime, timedelta

from gateway.deliver.retry import next_attempt
from schemas.delivery import Claimed, DeliveryState, Finish, Outcome, OutcomeKind
from schemas.destination import Destination

_STATES = {
    OutcomeKind.ACCEPTED: DeliveryState.ACCEPTED,
    OutcomeKind.SUBMITTED: DeliveryState.SUBMITTED,
    OutcomeKind.ACCEPTED_BLIND: DeliveryState.ACCEPTED_BLIND,
    OutcomeKind.REJECTED: DeliveryState.REJECTED,
    OutcomeKind.DEFERRED: DeliveryState.DEFERRED,
    OutcomeKind.UNKNOWN: DeliveryState.UNKNOWN,
}


def finish(claimed: Claimed, outcome: Outcome, destination: Destination, now: datetime) -> Finish:
    """What an outcome makes of the delivery: its state, and when it is tried again."""
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
    return Finish(
        id=claimed.id,
        token=claimed.lease_token,
        subject_id=claimed.subject_id,
        chain_id=claimed.chain_id,
        destination=claimed.destination,
        state=state,
        outcome=outcome.kind.value,
        reasons=outcome.reasons,
        next_at=next_at,
        breached=breached,
        platform_at=outcome.platform_at,
        reference=outcome.reference,
        settle=destination.settle if state is DeliveryState.UNKNOWN else None,
    )


def moot(claimed: Claimed) -> Finish:
    """Nothing was handed over, so nothing is sent."""
    return Finish(
        id=claimed.id,
        token=claimed.lease_token,
        subject_id=claimed.subject_id,
        chain_id=claimed.chain_id,
        destination=claimed.destination,
        state=DeliveryState.WITHDRAWN,
        outcome="nothing_to_withdraw",
    )


def not_called(*, look: bool) -> Outcome:
    """No time was left, or the breaker opened meanwhile: at once again, and unknown stays so."""
    kind = OutcomeKind.UNKNOWN if look else OutcomeKind.DEFERRED
    return Outcome(kind=kind, reasons=("本次未发送",), absent=True)


#: Rounds of slow calls that a lease lasts; a claim whose calls are slower gives the rest back, so
#: that a killed worker's deliveries are looked into within minutes.
LEASED_ROUNDS = 4


def lease_for(call_timeout: timedelta, waiting: int, concurrency: int) -> timedelta:
    """A lease for the calls of a claim, one after another, with a margin."""
    rounds = min(LEASED_ROUNDS, -(-waiting // max(1, concurrency)))
    return call_timeout * (rounds + 1) + timedelta(seconds=10)
