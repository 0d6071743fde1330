"""The life of a delivery as the table of transitions says it."""

import pytest

from schemas.delivery import HANDED_OVER, TRANSITIONS, DeliveryState

S = DeliveryState


def test_every_state_has_its_line() -> None:
    assert set(TRANSITIONS) == set(DeliveryState)


def test_only_two_states_end_for_good() -> None:
    assert {s for s, following in TRANSITIONS.items() if not following} == {
        S.SUPERSEDED,
        S.WITHDRAWN,
    }


def test_no_state_leads_to_itself() -> None:
    assert all(state not in following for state, following in TRANSITIONS.items())


def test_every_state_that_is_not_a_beginning_is_reached() -> None:
    beginnings = {S.HELD, S.WAITING, S.READY}

    reached = set().union(*TRANSITIONS.values())

    assert reached | beginnings == set(DeliveryState)


def test_only_a_lease_hands_anything_over() -> None:
    before = {state for state, following in TRANSITIONS.items() if S.SUBMITTED in following}

    assert before == {S.LEASED}


def test_only_what_is_ready_or_unknown_is_leased() -> None:
    before = {state for state, following in TRANSITIONS.items() if S.LEASED in following}

    assert before == {S.READY, S.UNKNOWN}


@pytest.mark.parametrize("state", sorted(HANDED_OVER))
def test_what_was_handed_over_is_never_superseded(state: DeliveryState) -> None:
    assert S.SUPERSEDED not in TRANSITIONS[state]
