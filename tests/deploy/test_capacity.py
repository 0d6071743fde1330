"""The simulated year of `deploy/SHARDS.md` adds up, and its table is of the scopes of the code."""

import pytest

from tests.benchmarks.load import SCOPES, Scope, arrivals, longest_wait
from tests.deploy.place import DEPLOY


def test_a_year_brings_all_of_its_decisions_in_order() -> None:
    times = [at for at, _ in arrivals(10_000)]

    assert sum(come for _, come in arrivals(10_000)) == pytest.approx(10_000)
    assert times == sorted(times)
    assert list(arrivals(10_000)) == list(arrivals(10_000))


def test_twice_the_work_at_twice_the_rate_waits_as_long() -> None:
    assert longest_wait(2_000_000, 2) == pytest.approx(longest_wait(1_000_000, 1))
    assert longest_wait(1_000_000, 1) > longest_wait(1_000_000, 2)


@pytest.mark.parametrize("scope", SCOPES, ids=lambda scope: scope.title)
def test_the_table_of_the_plan_has_each_scope(scope: Scope) -> None:
    plan = (DEPLOY / "SHARDS.md").read_text("utf-8")

    assert f"| {scope.title} | {scope.decisions:,} |" in plan
