"""Withdrawals, repairs and grade changes: to whom they go, and when they wait."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from schemas.base import end_of
from schemas.codes import Verb
from schemas.delivery import DeliveryState, ItemKind
from tests.factories import credit_code, penalty
from tests.gateway.decide.test_decider import (
    GIVEN,
    IN_FLIGHT,
    NOW,
    PENDING,
    S,
    decider,
    destination,
    only,
    past,
    version,
)


@pytest.mark.parametrize("verb", [Verb.WITHDRAW, Verb.REPAIR])
@pytest.mark.parametrize("state", GIVEN)
def test_a_past_recipient_is_told_within_one_working_day(verb: Verb, state: DeliveryState) -> None:
    decided = decider().version(version(verb=verb), [past(state)], NOW)

    assert (decided.obligation.verb, only(decided).state) == (verb, S.READY)
    assert only(decided).due_at == end_of(date(2026, 10, 13))


@pytest.mark.parametrize("verb", [Verb.WITHDRAW, Verb.REPAIR])
@pytest.mark.parametrize("state", IN_FLIGHT)
def test_a_follow_up_waits_behind_a_delivery_in_flight(verb: Verb, state: DeliveryState) -> None:
    assert only(decider().version(version(verb=verb), [past(state)], NOW)).state is S.WAITING


@pytest.mark.parametrize("state", PENDING)
def test_a_withdrawal_before_any_handover_is_sent_to_nobody(
    state: DeliveryState,
) -> None:
    decided = decider().version(version(verb=Verb.WITHDRAW), [past(state)], NOW)

    assert (decided.obligation.routes, decided.superseded) == ([], [11])


@pytest.mark.parametrize("state", PENDING)
def test_a_repair_before_any_handover_waits_for_the_report(state: DeliveryState) -> None:
    decided = decider().version(version(verb=Verb.REPAIR), [past(state)], NOW)

    assert ([r.state for r in decided.obligation.routes], decided.superseded) == ([S.WAITING], [])


def test_a_repair_after_a_handover_waits_for_a_correction_that_is_still_owed() -> None:
    before = [past(S.ACCEPTED), past(S.DEFERRED, 12)]

    decided = decider().version(version(verb=Verb.REPAIR), before, NOW)

    assert (only(decided).state, decided.superseded) == (S.WAITING, [])


def test_a_repair_replaces_one_that_is_not_sent_yet() -> None:
    before = [past(S.ACCEPTED), replace(past(S.READY, 12), verb=Verb.REPAIR)]

    decided = decider().version(version(verb=Verb.REPAIR), before, NOW)

    assert (only(decided).state, decided.superseded) == (S.READY, [12])


def test_a_withdrawal_goes_to_past_recipients_despite_filters() -> None:
    filtered = decider(destination("one", takes=["grade_change"], since=date(2030, 1, 1)))
    recipients = [past(S.ACCEPTED, 11, "one"), past(S.SUBMITTED, 12, "removed")]

    decided = filtered.version(version(verb=Verb.WITHDRAW), recipients, NOW)

    assert [d.destination for d in decided.obligation.routes] == ["one", "removed"]


def test_a_withdrawal_with_a_missing_column_is_not_held() -> None:
    incomplete = version(penalty(CF_YXQ=None), Verb.WITHDRAW)

    assert only(decider().version(incomplete, [past(S.ACCEPTED)], NOW)).state is S.READY


def test_a_decision_excluded_later_is_withdrawn_from_its_recipients() -> None:
    secret = version(penalty(state_secret="是"), Verb.CORRECT)

    decided = decider().version(secret, [past(S.ACCEPTED), past(S.READY, 12, "other")], NOW)

    assert (only(decided).destination, decided.obligation.verb) == ("platform", Verb.WITHDRAW)
    assert decided.superseded == [12]


# ---------------------------------------------------------------- grade changes


def test_a_grade_change_waits_for_its_number_and_is_due_in_hours() -> None:
    bank = destination("bank", takes=["grade_change"], grade_due="PT2H")

    [owed] = decider(destination(), bank).grade_changes([(30, 3, credit_code())], NOW)
    [route] = owed.routes

    assert (owed.item_kind, owed.item_id, owed.chain_id) == (ItemKind.GRADE_CHANGE, 30, 3)
    assert (route.destination, route.state) == ("bank", S.WAITING)
    assert route.due_at == NOW + timedelta(hours=2)


def test_a_bank_gets_grade_changes_of_its_regions_only() -> None:
    bank = destination("bank", takes=["grade_change"], regions=("41",))
    codes = [credit_code(), credit_code(region="410100")]

    owed = decider(bank).grade_changes([(30, 3, codes[0]), (31, 4, codes[1])], NOW)

    assert [(one.item_id, len(one.routes)) for one in owed] == [(30, 0), (31, 1)]
