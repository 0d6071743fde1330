"""A claimed delivery → what its connector is given, and an outcome → what becomes of it (pure)."""

import random
from datetime import datetime, timedelta
from typing import Any

import orjson

from gateway.retry import next_attempt
from gateway.secrets import Keys
from schemas.codes import FOLLOW_UPS, Verb
from schemas.delivery import Claimed, DeliveryState, Finish, Item, ItemKind, Outcome, OutcomeKind
from schemas.destination import Destination
from schemas.messages import GradeChanged

_STATES = {
    OutcomeKind.ACCEPTED: DeliveryState.ACCEPTED,
    OutcomeKind.SUBMITTED: DeliveryState.SUBMITTED,
    OutcomeKind.ACCEPTED_BLIND: DeliveryState.ACCEPTED_BLIND,
    OutcomeKind.REJECTED: DeliveryState.REJECTED,
    OutcomeKind.DEFERRED: DeliveryState.DEFERRED,
    OutcomeKind.UNKNOWN: DeliveryState.UNKNOWN,
}


def key_of(installation: str, delivery_id: int) -> str:
    """The key that a destination knows a delivery by; the same for every resend."""
    return f"{installation}-{delivery_id}"


def delivery_of(installation: str, key: str) -> int | None:
    """The delivery that a key means, if it is one of ours."""
    ours, _, number = key.rpartition("-")
    return int(number) if ours == installation and number.isdecimal() else None


def item(claimed: Claimed, installation: str, keys: Keys) -> Item:
    """What the connector is given; identity numbers go only into records."""
    return Item(
        delivery_id=claimed.id,
        key=key_of(installation, claimed.id),
        item_kind=ItemKind(claimed.item_kind),
        record_kind=claimed.kind,
        verb=verb(claimed),
        version=claimed.version,
        resend=claimed.maybe_arrived,
        subject_code=claimed.subject_code,
        document_number=claimed.document_number,
        decision_date=claimed.decision_date,
        occurred_at=claimed.recorded_at,
        columns=_columns(claimed, keys),
    )


def verb(claimed: Claimed) -> Verb:
    """`new` until the destination holds a version, then `correct`; follow-ups as they are."""
    given = Verb(claimed.verb)
    if given in FOLLOW_UPS:
        return given
    return Verb.CORRECT if claimed.holds else Verb.NEW


def is_moot(claimed: Claimed) -> bool:
    """A withdrawal or repair of what the destination turned out never to have got."""
    return Verb(claimed.verb) in FOLLOW_UPS and not claimed.holds


def _columns(claimed: Claimed, keys: Keys) -> dict[str, Any]:
    if claimed.item_kind == ItemKind.GRADE_CHANGE:
        changed = GradeChanged.model_validate(
            {
                **claimed.body,
                "number": claimed.number,
                "subject_code": claimed.subject_code,
                "subject_name": claimed.subject_name,
                "recorded_at": claimed.recorded_at,
            }
        )
        return changed.model_dump(mode="json")
    if claimed.secret is None:
        return claimed.body
    return {**claimed.body, **orjson.loads(keys.decrypt(claimed.secret))}


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
