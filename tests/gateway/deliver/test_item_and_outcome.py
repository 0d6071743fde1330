"""The item of a claimed delivery, and the state that an outcome leads to."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.keys import Keys, Master
from gateway.deliver.item import delivery_of, is_needless, item, key_of, verb
from gateway.deliver.outcome import LEASED_ROUNDS, finish, lease_for, needless, not_called
from schemas.codes import Verb
from schemas.delivery import TRANSITIONS, Claimed, DeliveryState, Outcome, OutcomeKind
from schemas.destination import Destination
from tests.factories import IDENTITY

NOW = datetime(2026, 10, 12, 1, tzinfo=UTC)
KEYS = Keys(Master(b"a master key for tests only"))
DESTINATION = Destination.model_validate(
    {"name": "platform", "title": "", "connector": "memory", "takes": ["penalty"]}
)
CLAIMED = Claimed(
    id=42,
    item_kind="record_version",
    item_id=20,
    subject_id=3,
    chain_id=7,
    destination="platform",
    verb="new",
    attempts=1,
    due_at=NOW + timedelta(days=3),
    maybe_arrived=False,
    lease_token="token",
    look=False,
    holds=False,
    kind="penalty",
    version=1,
    subject_code="person:x",
    person=True,
    subject_name=None,
    document_number="样环罚字〔2026〕1号",
    decision_date=date(2026, 10, 9),
    body={"CF_WSH": "样环罚字〔2026〕1号"},
    secret=KEYS.encrypt(orjson.dumps({"CF_XDR_ZJHM": IDENTITY})),
    key_version=1,
    recorded_at=NOW,
    number=None,
    barred=False,
)


def claimed(**changes: Any) -> Claimed:
    return replace(CLAIMED, **changes)


@given(st.from_regex(r"[0-9a-f]{8}", fullmatch=True), st.integers(0, 2**62))
def test_a_delivery_is_found_from_its_key(installation: str, number: int) -> None:
    assert delivery_of(installation, key_of(installation, number)) == number


@pytest.mark.parametrize("key", ["", "other-42", "mine-", "mine-x", "42", "mine-4-2x"])
def test_a_key_of_another_installation_is_not_ours(key: str) -> None:
    assert delivery_of("mine", key) is None


@pytest.mark.parametrize(
    ("given_", "holds", "sent"),
    [
        ("new", False, Verb.NEW),
        ("correct", False, Verb.NEW),
        ("revive", False, Verb.NEW),
        ("new", True, Verb.CORRECT),
        ("correct", True, Verb.CORRECT),
        ("withdraw", True, Verb.WITHDRAW),
        ("repair", True, Verb.REPAIR),
    ],
)
def test_the_verb_depends_on_what_the_destination_holds(
    given_: str, holds: bool, sent: Verb
) -> None:
    assert verb(claimed(verb=given_, holds=holds)) is sent


@pytest.mark.parametrize(
    ("given_", "holds", "answer"),
    [("withdraw", False, True), ("repair", False, True), ("withdraw", True, False),
     ("new", False, False)],
)  # fmt: skip
def test_a_follow_up_is_needless_if_the_destination_has_nothing(
    given_: str, holds: bool, answer: bool
) -> None:
    assert is_needless(claimed(verb=given_, holds=holds)) is answer


def test_an_identity_number_is_only_in_the_columns_of_an_item() -> None:
    sent = item(CLAIMED, DESTINATION, "mine", KEYS)

    assert sent.columns["CF_XDR_ZJHM"] == IDENTITY
    assert IDENTITY not in sent.model_copy(update={"columns": {}}).model_dump_json()
    assert sent.subject_code == KEYS.published("person:x")


@pytest.mark.parametrize("kind", OutcomeKind)
def test_every_outcome_gives_a_state_allowed_after_a_lease(kind: OutcomeKind) -> None:
    done = finish(CLAIMED, Outcome(kind=kind), DESTINATION, NOW)

    assert done.state in TRANSITIONS[DeliveryState.LEASED]


@pytest.mark.parametrize("kind", [OutcomeKind.DEFERRED, OutcomeKind.UNKNOWN])
def test_deferred_and_unknown_deliveries_are_tried_again(kind: OutcomeKind) -> None:
    done = finish(CLAIMED, Outcome(kind=kind), DESTINATION, NOW)

    assert done.next_at is not None
    assert done.next_at >= NOW + DESTINATION.retry_floor


def test_an_item_absent_at_the_destination_is_sent_again_at_once() -> None:
    done = finish(CLAIMED, Outcome(kind=OutcomeKind.DEFERRED, absent=True), DESTINATION, NOW)

    assert (done.state, done.next_at) == (DeliveryState.DEFERRED, NOW)


def test_an_unknown_outcome_gets_the_settle_time() -> None:
    done = finish(CLAIMED, Outcome(kind=OutcomeKind.UNKNOWN), DESTINATION, NOW)

    assert done.settle == DESTINATION.settle


def test_a_breached_delivery_is_marked_and_tried_again() -> None:
    late = claimed(due_at=NOW - timedelta(days=1))

    done = finish(late, Outcome(kind=OutcomeKind.DEFERRED), DESTINATION, NOW)

    assert done.breached
    assert done.next_at is not None


def test_a_needless_withdrawal_ends_withdrawn() -> None:
    assert needless(claimed(verb="withdraw")).state is DeliveryState.WITHDRAWN


@given(st.timedeltas(timedelta(seconds=1), timedelta(minutes=5)), st.integers(1, 2000),
       st.integers(1, 64))  # fmt: skip
def test_a_lease_covers_its_calls_and_is_bounded(
    call: timedelta, calls: int, concurrency: int
) -> None:
    lease = lease_for(call, calls, concurrency)

    assert lease > call * min(LEASED_ROUNDS, calls / concurrency)
    assert lease <= call * (LEASED_ROUNDS + 1) + timedelta(seconds=10)


@pytest.mark.parametrize("look", [True, False])
def test_a_skipped_call_leaves_the_item_as_it_was_claimed(look: bool) -> None:
    done = not_called(claimed(look=look), NOW)

    assert done.state is (DeliveryState.UNKNOWN if look else DeliveryState.READY)
    assert done.next_at == (NOW if look else None)
