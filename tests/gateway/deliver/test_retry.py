"""The time of the next attempt: laws that hold for every input."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.retry import SLACK_SHARE, RetryDecision, next_attempt

NOW = datetime(2026, 10, 12, 1, tzinfo=UTC)
FLOOR, CAP = timedelta(seconds=30), timedelta(hours=1)
slacks = st.timedeltas(-timedelta(days=400), timedelta(days=400))
attempts = st.integers(0, 10_000)
jitters = st.floats(0, 1)
waits = st.none() | st.timedeltas(timedelta(0), timedelta(days=400))


def decide(
    slack: timedelta,
    attempts: int = 1,
    jitter: float = 0.5,
    retry_after: timedelta | None = None,
) -> RetryDecision:
    return next_attempt(
        now=NOW,
        due_at=NOW + slack,
        attempts=attempts,
        floor=FLOOR,
        cap=CAP,
        retry_after=retry_after,
        jitter=jitter,
    )


@given(slacks, attempts, jitters, waits)
def test_the_next_attempt_is_never_before_the_floor(
    slack: timedelta, attempts: int, jitter: float, retry_after: timedelta | None
) -> None:
    decision = decide(slack, attempts, jitter, retry_after)

    assert decision.at >= NOW + FLOOR


@given(slacks, attempts, jitters)
def test_no_wait_is_longer_than_the_cap(slack: timedelta, attempts: int, jitter: float) -> None:
    assert decide(slack, attempts, jitter).at <= NOW + CAP


@given(slacks, slacks, attempts, jitters)
def test_waits_get_shorter_as_slack_shrinks(
    one: timedelta, other: timedelta, attempts: int, jitter: float
) -> None:
    less, more = sorted((max(one, timedelta(seconds=1)), max(other, timedelta(seconds=1))))

    assert decide(less, attempts, jitter).at <= decide(more, attempts, jitter).at


@given(st.timedeltas(FLOOR * SLACK_SHARE, timedelta(days=400)), attempts, jitters)
def test_with_enough_slack_the_next_attempt_is_before_the_due_time(
    slack: timedelta, attempts: int, jitter: float
) -> None:
    assert decide(slack, attempts, jitter).at < NOW + slack


@given(slacks, attempts, jitters, waits)
def test_a_delivery_is_breached_exactly_when_it_is_past_due(
    slack: timedelta, attempts: int, jitter: float, retry_after: timedelta | None
) -> None:
    assert decide(slack, attempts, jitter, retry_after).breached == (slack <= timedelta(0))


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=400)), attempts, jitters, waits)
def test_a_long_retry_after_never_makes_a_delivery_late(
    slack: timedelta, attempts: int, jitter: float, retry_after: timedelta | None
) -> None:
    at = decide(slack, attempts, jitter, retry_after).at

    assert at <= NOW + max(FLOOR, slack)
    # There is time for more than one other try, also after a wait that the destination asked for.
    assert at <= NOW + max(FLOOR, slack / SLACK_SHARE)


@given(st.timedeltas(-timedelta(days=400), timedelta(0)), attempts, jitters, waits)
def test_a_breached_delivery_waits_between_floor_and_cap(
    slack: timedelta, attempts: int, jitter: float, retry_after: timedelta | None
) -> None:
    decision = decide(slack, attempts, jitter, retry_after)

    assert NOW + FLOOR <= decision.at <= NOW + CAP


def test_a_retry_after_within_the_slack_is_used() -> None:
    decision = decide(timedelta(days=3), retry_after=timedelta(hours=2))

    assert decision.at == NOW + timedelta(hours=2)


@pytest.mark.parametrize(("tries", "seconds"), [(0, 22.5), (1, 45), (2, 90), (3, 180)])
def test_the_backoff_doubles(tries: int, seconds: float) -> None:
    decision = decide(timedelta(days=7), tries)

    assert decision.at - NOW == max(FLOOR, timedelta(seconds=seconds))


def test_jitter_spreads_over_half_of_the_backoff() -> None:
    waits = [decide(timedelta(days=7), 10, jitter).at - NOW for jitter in (0, 1)]

    assert waits == [CAP / 2, CAP]
