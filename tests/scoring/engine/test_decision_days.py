"""From and until which day the parts of one decision count, and the copies of one event."""

from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.codes import EventType
from scoring.dates import add_days
from scoring.facts import Fact
from tests.scoring.engine.test_decisions import (
    NO_AMOUNT,
    REPAIRED,
    counted,
    event,
    part,
    result,
)
from tests.scoring.tiny import DAY, QUOTED, item, tiny

BY_CREATION = tiny(
    item("E", "-1", match={"penalties": ["罚款"], "amount": {"at_most": "1"}}),
    item("S", "-5", validity={"months": 6}, match={"events": ["emission.exceeded"]}),
    item(
        "F", "-2", validity={"months": 6}, match={"penalties": ["罚款"], "amount": {"above": "1"}}
    ),
    item("T", "-5", validity={"months": 12}, match={"penalties": ["责令停产整治"]}),
    activation={
        "days": 15,
        "counted_from": "created_on",
        "validity_from": "counted_from",
        **QUOTED,
    },
)
EARLY, LATE = date(2026, 3, 10), date(2026, 5, 1)


def copy_of(id_: str, created: date | None, branch: str | None = None) -> Fact:
    named: dict[str, Any] = {"document_number": "E-1", "created_on": created, "branch": branch}
    return Fact(id_, DAY, type=EventType("emission.exceeded"), **named)


@pytest.mark.parametrize("ids", [("f1", "f2"), ("f2", "f1")])
@pytest.mark.parametrize("days", [(EARLY, LATE), (LATE, EARLY), (None, LATE), (LATE, None)])
@pytest.mark.parametrize("who", [(None, "b1"), ("b2", "b1")])
def test_copies_of_an_event_count_each_from_and_until_its_own_days(
    ids: tuple[str, str], days: tuple[date | None, ...], who: tuple[str | None, str]
) -> None:
    copies = [copy_of(*each) for each in zip(ids, days, who, strict=True)]
    first = min(day or DAY for day in days)
    begin, end = add_days(first, 15), date(2026, 11, 1)
    assert begin is not None

    before = result(*copies, on=begin - timedelta(1), rules=BY_CREATION)
    there = result(*copies, on=begin, rules=BY_CREATION)
    last = result(*copies, on=end - timedelta(1), rules=BY_CREATION)
    after = result(*copies, on=end, rules=BY_CREATION)

    assert [one.score for one in (before, there, last, after)] == ["100", "95", "95", "100"]
    assert (before.changes_on, last.changes_on, after.changes_on) == (begin, end, None)


def test_the_words_of_parts_end_each_on_the_days_of_their_own_part() -> None:
    own = part("f1", None, "责令停产整治", created_on=EARLY)
    late = part("f2", 2, branch="b1", created_on=LATE)
    early = replace(late, created_on=EARLY)

    assert counted(own, late, on=date(2026, 4, 1), rules=BY_CREATION) == ["f1 T -5"]
    assert counted(own, late, on=date(2026, 9, 30), rules=BY_CREATION) == ["f1 F -2", "f1 T -5"]
    assert counted(own, early, on=date(2026, 9, 10), rules=BY_CREATION) == ["f1 T -5"]
    assert counted(replace(own, created_on=LATE), early, rules=BY_CREATION, on=REPAIRED) == [
        "f1 F -2", "f1 T -5"
    ]  # fmt: skip


def test_a_part_without_its_amount_hides_nothing_before_it_takes_effect() -> None:
    own = part("f1", 2, created_on=EARLY)
    unknown = replace(part("f2", None, branch="b1", created_on=LATE), penalty=NO_AMOUNT)

    assert counted(own, unknown, on=date(2026, 5, 15), rules=BY_CREATION) == ["f1 F -2"]
    found = result(own, unknown, on=date(2026, 5, 16), rules=BY_CREATION)
    assert found.not_evaluated == "missing_amount:f2"


@pytest.mark.parametrize("confirmed", [(None, EARLY), (EARLY, None), (LATE, EARLY)])
def test_of_copies_that_were_reported_one_that_is_confirmed_counts(
    confirmed: tuple[date | None, ...],
) -> None:
    rules = tiny(item("S", "-5"), confirmation=QUOTED, relies_on={"unconfirmed": ["unmapped"]})
    whos = zip(("f1", "f2"), (None, "b1"), confirmed, strict=True)
    copies = [event(id_, branch, self_reported=True, confirmed_on=day) for id_, branch, day in whos]

    before = result(*copies, on=EARLY - timedelta(1), rules=rules)
    assert (before.score, before.changes_on) == ("100", EARLY)
    assert counted(*copies, on=EARLY, rules=rules) == ["f1 S -5"]
