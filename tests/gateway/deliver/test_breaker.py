"""The circuit breaker of a destination."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.breaker import FIRST_PAUSE, LONGEST_PAUSE, THRESHOLD, Breaker, BreakerState

NOW = datetime(2026, 10, 12, 1, tzinfo=UTC)


def after_failures(count: int) -> Breaker:
    breaker = Breaker()
    for _ in range(count):
        breaker = breaker.failed(NOW)
    return breaker


def test_the_breaker_stays_closed_below_the_threshold() -> None:
    assert after_failures(THRESHOLD - 1).state is BreakerState.CLOSED


def test_the_breaker_opens_at_the_threshold() -> None:
    breaker = after_failures(THRESHOLD)

    assert (breaker.state, breaker.until) == (BreakerState.OPEN, NOW + FIRST_PAUSE)


def test_an_answer_resets_the_failure_count() -> None:
    breaker = after_failures(THRESHOLD - 1).succeeded().failed(NOW)

    assert (breaker.state, breaker.failures) == (BreakerState.CLOSED, 1)


def test_a_refused_call_opens_the_breaker_at_once() -> None:
    assert Breaker().failed(NOW, at_once=True).state is BreakerState.OPEN


def test_the_breaker_stays_open_until_its_pause_ends() -> None:
    breaker = after_failures(THRESHOLD)

    assert breaker.at(NOW + FIRST_PAUSE - timedelta(seconds=1)).state is BreakerState.OPEN
    assert breaker.at(NOW + FIRST_PAUSE).state is BreakerState.HALF_OPEN


def test_a_failed_probe_doubles_the_pause() -> None:
    breaker = after_failures(THRESHOLD).at(NOW + FIRST_PAUSE).failed(NOW)

    assert (breaker.state, breaker.until) == (BreakerState.OPEN, NOW + FIRST_PAUSE * 2)


def test_an_answered_probe_closes_the_breaker() -> None:
    assert after_failures(THRESHOLD).at(NOW + FIRST_PAUSE).succeeded() == Breaker()


@given(st.integers(THRESHOLD, 10_000))
def test_no_pause_exceeds_the_longest_pause(failures: int) -> None:
    breaker = Breaker(BreakerState.HALF_OPEN, None, failures).failed(NOW)

    assert breaker.until is not None
    assert breaker.until <= NOW + LONGEST_PAUSE
