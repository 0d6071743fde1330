"""Fields of events: days, what is missing, and what names its decision."""

from datetime import date, timedelta
from typing import Any

import pytest

from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import (
    about,
    event,
)
from tests.gateway.conftest import TODAY, Check


@pytest.mark.parametrize(
    ("written", "day"),
    [("2026/3/1", date(2026, 3, 1)), ("2026-03-01", date(2026, 3, 1)), (0, None), ("三月", None)],
)
def test_the_date_of_an_event_is_read_as_in_decisions(
    check: Check, written: object, day: date | None
) -> None:
    checked = check(event(occurred_on=written))

    assert checked.decided_on == day
    assert day is not None or "不是日期" in checked.problems[0].message


@pytest.mark.parametrize(
    "name", ["occurred_on", "rectified_on", "repair_applied_on", "repair_confirmed_on"]
)
def test_an_event_of_the_future_is_refused(check: Check, name: str) -> None:
    tomorrow = (TODAY + timedelta(days=1)).isoformat()

    checked = check(event(1, **{name: tomorrow}))

    assert checked.verdict is Verdict.REFUSED
    assert [(one.field, one.rule) for one in checked.problems] == [(name, Rule.FUTURE)]


@pytest.mark.parametrize(
    ("changes", "field", "rule"),
    [
        ({"subject_code": "91110000600037340L"}, "subject_code", Rule.FORMAT),
        ({"subject_code": None}, "subject_code", Rule.REQUIRED),
        ({"type": "nonsense"}, "type", Rule.FORMAT),
        ({"type": None}, "type", Rule.REQUIRED),
        ({"colour": "red"}, "colour", Rule.FORMAT),
        ({"type": "repair"}, "decision", Rule.REQUIRED),
        ({"occurred_on": "2026-02-30"}, "occurred_on", Rule.FORMAT),
        ({"principal_points": "1e-999999999"}, "principal_points", Rule.FORMAT),
    ],
)
def test_an_invalid_event_is_refused_with_the_faulty_field(
    check: Check, changes: dict[str, Any], field: str, rule: Rule
) -> None:
    checked = check(event(**changes))

    assert checked.verdict is Verdict.REFUSED
    assert (checked.problems[0].field, checked.problems[0].rule) == (field, rule)


def test_a_repair_that_names_its_decision_is_ok(check: Check) -> None:
    row = event(type="repair", decision=about(1), repair_confirmed_on="2026-10-10")

    assert check(row).verdict is Verdict.OK
