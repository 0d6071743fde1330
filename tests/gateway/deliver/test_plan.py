"""The plan of what is sent when: by due time, at the rates, outside of quiet hours."""

from datetime import datetime, timedelta
from typing import Any

from gateway.deliver.plan import Calling, Planned, by_hour, plan
from schemas.base import SHANGHAI
from schemas.delivery import OpenDelivery
from schemas.destination import Destination

NOON = datetime(2026, 10, 12, 12, tzinfo=SHANGHAI)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ONE_BY_ONE = Calling(1, 1, 0)


def destination(**more: Any) -> Destination:
    usual = {"name": "p", "title": "平台", "connector": "memory", "takes": ["penalty"]}
    return Destination.model_validate(usual | more)


def waiting(count: int, due: timedelta = DAY) -> list[OpenDelivery]:
    return [OpenDelivery(n, NOON + due, NOON) for n in range(1, count + 1)]


def times(planned: list[Planned]) -> list[timedelta | None]:
    return [None if one.sent_at is None else one.sent_at - NOON for one in planned]


def test_without_a_rate_calls_follow_each_other() -> None:
    found = plan(destination(), Calling(2, 1, 60), waiting(5), (), NOON)

    assert times(found) == [MINUTE * 0, MINUTE * 0, MINUTE, MINUTE, MINUTE * 2]


def test_calls_at_a_time_share_the_queue() -> None:
    found = plan(destination(), Calling(1, 2, 60), waiting(4), (), NOON)

    assert times(found) == [MINUTE * 0, MINUTE * 0, MINUTE, MINUTE]


def test_the_earliest_due_goes_first() -> None:
    late, soon = OpenDelivery(1, NOON + DAY, NOON), OpenDelivery(2, NOON + HOUR, NOON)

    found = plan(destination(), Calling(1, 1, 60), [late, soon], (), NOON)

    assert [one.id for one in found] == [2, 1]


def test_what_waits_for_a_retry_holds_nobody_up() -> None:
    retry = OpenDelivery(1, NOON + HOUR, NOON + HOUR)

    found = plan(destination(), ONE_BY_ONE, [retry, *waiting(2)[1:]], (), NOON)

    assert [(one.id, one.sent_at) for one in found] == [(2, NOON), (1, NOON + HOUR)]


def test_what_stands_behind_another_of_its_chain_goes_after_it() -> None:
    first, other = waiting(2)
    behind = OpenDelivery(3, NOON + HOUR, NOON, behind=1)

    found = plan(destination(), Calling(5, 1, 60), [behind, first, other], (), NOON)

    assert [(one.id, one.sent_at) for one in found] == [(1, NOON), (2, NOON), (3, NOON + MINUTE)]


def test_what_stands_behind_what_is_never_sent_is_never_sent() -> None:
    rated = destination(rates=[{"calls": 1, "within": "P1D"}])
    chain = [OpenDelivery(n, NOON, NOON, behind=n - 1 or None) for n in range(1, 370)]

    found = plan(rated, ONE_BY_ONE, chain, (), NOON)

    assert len(found) == len(chain)
    assert [one.id for one in found if one.sent_at is None] == [368, 369]


def test_a_rate_makes_the_rest_late() -> None:
    rated = destination(rates=[{"calls": 1, "within": "PT1H"}])

    found = plan(rated, ONE_BY_ONE, waiting(4, due=2 * HOUR), (), NOON)

    assert times(found) == [HOUR * n for n in range(4)]
    assert [one.is_late for one in found] == [False, False, True, True]


def test_calls_made_before_count() -> None:
    rated = destination(rates=[{"calls": 1, "within": "PT1H"}])
    made = [(int(NOON.timestamp()) - 60, 1)]

    [one] = plan(rated, ONE_BY_ONE, waiting(1), made, NOON)

    assert one.sent_at == NOON + 59 * MINUTE


def test_nothing_is_sent_in_quiet_hours() -> None:
    quiet = destination(quiet_hours=[{"starts": "11:00", "ends": "14:30"}])

    [one] = plan(quiet, ONE_BY_ONE, waiting(1), (), NOON)

    assert one.sent_at == NOON + timedelta(hours=2, minutes=30)


def test_what_no_year_is_enough_for_is_said() -> None:
    slow = destination(rates=[{"calls": 1, "within": "P1D"}])

    found = plan(slow, ONE_BY_ONE, waiting(400), (), NOON)

    assert len(found) == 400
    assert found[-1].sent_at is None
    assert found[-1].is_late


def test_hours_are_summed_up() -> None:
    rated = destination(rates=[{"calls": 1, "within": "PT30M"}])

    hours = by_hour(plan(rated, ONE_BY_ONE, waiting(3, due=HOUR), (), NOON))

    assert [(hour.begins, hour.sent, hour.late) for hour in hours] == [
        (NOON, 2, 0),
        (NOON + HOUR, 1, 1),
    ]


def test_what_is_overdue_has_its_share_of_the_plan() -> None:
    late = [OpenDelivery(100 + n, NOON - DAY, NOON) for n in range(40)]
    rated = destination(rates=[{"calls": 1, "within": "PT1H"}])

    found = plan(rated, ONE_BY_ONE, [*late, *waiting(6, due=12 * HOUR)], (), NOON)

    assert [one.id for one in found if not one.is_late] == [1, 2, 3, 4, 5, 6]
    assert sum(one.id >= 100 for one in found[:8]) == 2
