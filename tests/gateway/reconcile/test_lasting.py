"""A run mends only what it could see."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from gateway.reconcile.difference import DifferenceKind as D
from gateway.reconcile.lasting import ALL_KINDS, OWN_KINDS, Examined, result_of
from schemas.reconciled import FoundDifference, OpenDifference

OLD, NEW = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
DAY = date(2026, 10, 10)


def flag(kind: D, since: datetime = OLD, **detail: Any) -> dict[str, Any]:
    return {
        "kind": kind.value,
        "cause": "原因",
        "action": "办法",
        "since": since.isoformat(),
        "detail": detail,
    }


def difference(
    *kinds: D, decision: int | None = 1, day: date | None = DAY, since: datetime = OLD
) -> FoundDifference:
    identity = f"decision {decision}" if decision else "penalty|1号|"
    flags = [flag(kind, since) for kind in kinds]
    return FoundDifference(identity, decision, "key", day, flags, since)


def standing(*kinds: D, **more: Any) -> OpenDifference:
    return OpenDifference(7, difference(*kinds, **more))


def examined(**changes: Any) -> Examined:
    plain: dict[str, Any] = {
        "decisions": {1},
        "kinds": ALL_KINDS,
        "unsettled": set(),
        "absence": D.NOT_VISIBLE,
        "first": date(2026, 10, 1),
        "end": date(2026, 11, 1),
        "since": OLD,
    }
    return Examined(**(plain | changes))


def test_what_was_compared_and_not_found_is_mended() -> None:
    found = result_of([standing(D.NOT_VISIBLE)], [], examined())

    assert (found.standing, found.mended) == ([], [7])


@pytest.mark.parametrize(
    ("before", "seen"),
    [
        (standing(D.NOT_VISIBLE), examined(decisions={2})),  # another span
        (standing(D.WRONG_VALUE), examined(kinds=OWN_KINDS, since=None)),  # no listing any more
        (standing(D.NOT_VISIBLE), examined(unsettled={1})),  # the listing stands still
        (standing(D.OVER_REPORTED, decision=None), examined(since=None)),
        (standing(D.OVER_REPORTED, decision=None), examined(first=date(2026, 10, 11))),
        (standing(D.OVER_REPORTED, decision=None, day=None), examined(since=NEW)),
    ],
)
def test_what_the_run_could_not_see_stands_as_it_was(
    before: OpenDifference, seen: Examined
) -> None:
    found = result_of([before], [], seen)

    assert (found.standing, found.mended) == ([], [])


def test_a_flag_that_could_not_be_judged_stays_beside_those_of_now() -> None:
    before = standing(D.NOT_VISIBLE, D.WRONG_VALUE)

    [now] = result_of([before], [difference(D.LATE, since=NEW)], examined(unsettled={1})).standing
    [left] = result_of([before], [], examined(unsettled={1})).standing

    assert [one["kind"] for one in now.flags] == ["not_visible", "late"]
    assert [one["kind"] for one in left.flags] == ["not_visible"]


def test_a_flag_has_stood_since_it_was_seen_first() -> None:
    before = standing(D.WRONG_VALUE)

    [now] = result_of([before], [difference(D.WRONG_VALUE, since=NEW)], examined()).standing

    assert now.since == OLD
    assert now.flags[0]["since"] == OLD.isoformat()


def test_an_explanation_is_of_the_values_too() -> None:
    columns = [[{"column": "F", "ours": "2", "shown": shown}] for shown in ("2.1", "900")]
    flags = [[flag(D.WRONG_VALUE, columns=one)] for one in columns]

    words = [FoundDifference("x", 1, "key", DAY, one, OLD).words for one in flags]

    assert words[0] != words[1]
