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


def test_some_failures_leave_it_closed() -> None:
    assert after_failures(THRESHOLD - 1).state is BreakerState.CLOSED


def test_so_many_failures_in_a_row_open_it() -> None:
    breaker = after_failures(THRESHOLD)

    assert (breaker.state, breaker.until) == (BreakerState.OPEN, NOW + FIRST_PAUSE)


def test_an_answer_between_failures_starts_the_count_again() -> None:
    breaker = after_failures(THRESHOLD - 1).succeeded().failed(NOW)

    assert (breaker.state, breaker.failures) == (BreakerState.CLOSED, 1)


def test_a_call_refused_as_a_whole_opens_it_at_once() -> None:
    assert Breaker().failed(NOW, at_once=True).state is BreakerState.OPEN


def test_it_stays_open_until_its_pause_ends() -> None:
    breaker = after_failures(THRESHOLD)

    assert breaker.at(NOW + FIRST_PAUSE - timedelta(seconds=1)).state is BreakerState.OPEN
    assert breaker.at(NOW + FIRST_PAUSE).state is BreakerState.HALF_OPEN


def test_a_failed_probe_opens_it_for_longer() -> None:
    breaker = after_failures(THRESHOLD).at(NOW + FIRST_PAUSE).failed(NOW)

    assert (breaker.state, breaker.until) == (BreakerState.OPEN, NOW + FIRST_PAUSE * 2)


def test_a_good_probe_closes_it() -> None:
    assert after_failures(THRESHOLD).at(NOW + FIRST_PAUSE).succeeded() == Breaker()


@given(st.integers(THRESHOLD, 10_000))
def test_no_pause_is_longer_than_the_longest(failures: int) -> None:
    breaker = Breaker(BreakerState.HALF_OPEN, None, failures).failed(NOW)

    assert breaker.until is not None
    assert breaker.until <= NOW + LONGEST_PAUSE
