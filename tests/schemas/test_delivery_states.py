"""The life of a delivery as the table of transitions says it."""

import pytest

from schemas.delivery import HANDED_OVER, TRANSITIONS, DeliveryState

S = DeliveryState


def test_every_state_is_in_the_table() -> None:
    assert set(TRANSITIONS) == set(DeliveryState)


def test_only_superseded_and_withdrawn_are_final() -> None:
    assert {s for s, following in TRANSITIONS.items() if not following} == {
        S.SUPERSEDED,
        S.WITHDRAWN,
    }


def test_no_state_leads_to_itself() -> None:
    assert all(state not in following for state, following in TRANSITIONS.items())


def test_every_state_but_the_initial_ones_can_be_reached() -> None:
    beginnings = {S.HELD, S.WAITING, S.READY}

    reached = set().union(*TRANSITIONS.values())

    assert reached | beginnings == set(DeliveryState)


def test_only_a_leased_delivery_can_become_submitted() -> None:
    before = {state for state, following in TRANSITIONS.items() if S.SUBMITTED in following}

    assert before == {S.LEASED}


def test_only_ready_or_unknown_deliveries_can_be_leased() -> None:
    before = {state for state, following in TRANSITIONS.items() if S.LEASED in following}

    assert before == {S.READY, S.UNKNOWN}


@pytest.mark.parametrize("state", sorted(HANDED_OVER))
def test_a_handed_over_delivery_is_never_superseded(state: DeliveryState) -> None:
    assert S.SUPERSEDED not in TRANSITIONS[state]
