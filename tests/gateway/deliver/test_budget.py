"""The budget of calls: what no span may have more of, whoever made the calls."""

from bisect import bisect_left
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.deliver.budget import CallBudget
from schemas.base import SHANGHAI
from schemas.destination import CallRate

#: Noon in China.
NOON = datetime(2026, 10, 12, 12, tzinfo=SHANGHAI).timestamp()
EVENING = NOON + 10 * 3600
#: Seconds that are looked at.
SPAN = 120


def rate(calls: int, seconds: float, **during: str) -> CallRate:
    hours = during or None
    within = timedelta(seconds=seconds)
    return CallRate.model_validate({"calls": calls, "within": within, "during": hours})


def made(budget: CallBudget, start: float, end: float) -> list[float]:
    """Call as soon as the budget permits it; return when."""
    at, times = start, []
    while (at := at + budget.wait(at)) < end:
        budget.take(at)
        times.append(at)
    return times


def most_within(times: list[float], seconds: float) -> int:
    """Return the most calls in any half-open span; `times` are in order."""
    ends = (bisect_left(times, start + seconds - 1e-6) for start in times)
    return max((end - place for place, end in enumerate(ends)), default=0)


rates = st.lists(
    st.builds(rate, st.integers(1, 20), st.sampled_from([1, 5, 30, 60])), min_size=1, max_size=3
)


@given(rates=rates)
def test_no_span_has_more_calls_than_any_rate_permits(rates: list[CallRate]) -> None:
    times = made(CallBudget(rates), NOON, NOON + SPAN)

    for one in rates:
        assert most_within(times, one.within.total_seconds()) <= one.calls


@given(rates=rates, after=st.floats(0, SPAN))
def test_an_owner_that_takes_over_goes_on_with_the_budget(
    rates: list[CallRate], after: float
) -> None:
    first = CallBudget(rates)
    times = made(first, NOON, NOON + after)
    second = CallBudget(rates)
    second.restore(first.kept(NOON + after))

    times += made(second, NOON + after, NOON + SPAN)

    for one in rates:
        assert most_within(times, one.within.total_seconds()) <= one.calls


@given(rates=rates)
def test_the_budget_is_used_up(rates: list[CallRate]) -> None:
    times = made(CallBudget(rates), NOON, NOON + SPAN)

    assert len(times) >= min(one.calls * SPAN // one.within.total_seconds() for one in rates)


def test_other_rates_hold_at_other_hours() -> None:
    day = rate(1, 60, starts="07:00", ends="21:00")
    night = rate(100, 60, starts="21:00", ends="07:00")
    budget = CallBudget([day, night])

    assert len(made(budget, NOON, NOON + SPAN)) == 2
    assert len(made(budget, EVENING, EVENING + SPAN)) == 200


def test_calls_about_to_be_made_are_kept_with_those_made() -> None:
    budget, after = CallBudget([rate(3, 60)]), CallBudget([rate(3, 60)])
    budget.take(NOON)

    after.restore(budget.kept(NOON, more=2))

    assert after.wait(NOON) == 60


def test_a_clock_that_goes_back_doubles_nothing() -> None:
    budget = CallBudget([rate(2, 60)])
    budget.take(NOON, 2)

    assert budget.wait(NOON - 3600) == 60


def test_calls_of_a_clock_that_was_years_ahead_hold_nothing_up() -> None:
    budget = CallBudget([rate(5, 1)])
    budget.restore([(int(NOON + 4 * 365 * 86400), 5)])

    assert budget.wait(NOON) <= 1
    for second in range(1, 20):
        budget.take(NOON + second)
        assert budget.wait(NOON + second) <= 1


def test_in_the_long_run_the_strictest_rate_counts() -> None:
    assert CallBudget([rate(10, 1), rate(60, 60)]).seconds_a_call(NOON) == 1


def test_without_a_rate_nothing_waits() -> None:
    budget = CallBudget([])
    budget.take(NOON)

    assert budget.wait(NOON) == 0


@pytest.mark.parametrize(("seconds", "calls"), [(10, 60), (120, 120)])
def test_the_room_ahead_is_what_the_windows_leave(seconds: float, calls: float) -> None:
    budget = CallBudget([rate(60, 60)])

    assert budget.room(NOON, seconds) == calls
