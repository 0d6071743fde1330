"""Which destinations get a version or grade change, and by when, for every delivery state."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from gateway.check.checker import Checker
from gateway.config.keys import Keys, Master
from gateway.decide.decider import DecidedVersion, Decider
from gateway.decide.takes import required_columns
from gateway.due.calendars import load_workdays
from schemas.base import SHANGHAI, end_of
from schemas.codes import RecordKind, Verb
from schemas.delivery import DeliveryState, ItemKind
from schemas.destination import BUILT_IN_TIME_LIMITS, Destination
from schemas.kinds import KINDS
from schemas.obligation import PastDelivery, ReportedVersion, Route
from schemas.record import date_of
from tests.factories import licence, penalty, person_penalty, raw

S = DeliveryState
NOW = datetime(2026, 10, 12, 9, tzinfo=SHANGHAI)
PENDING = (S.HELD, S.WAITING, S.READY, S.DEFERRED, S.REJECTED, S.PARKED)
IN_FLIGHT = (S.LEASED, S.UNKNOWN)
GIVEN = (S.SUBMITTED, S.ACCEPTED, S.ACCEPTED_BLIND)
WORKDAYS = load_workdays()
DUE = end_of(date(2026, 10, 16))  #: calendar-7 of 2026-10-09
CHECKER = Checker(Keys(Master(b"a master key for tests only")))


def destination(name: str = "platform", **changes: Any) -> Destination:
    given = {"takes": ["penalty", "licence"], "clocks": ("calendar-7",), **changes}
    return Destination.model_validate({"name": name, "title": "", "connector": "memory", **given})


def decider(*destinations: Destination) -> Decider:
    clocks = {clock.name: clock for clock in BUILT_IN_TIME_LIMITS}
    return Decider(destinations or (destination(),), clocks, WORKDAYS)


def version(row: dict[str, Any] | None = None, verb: Verb = Verb.NEW) -> ReportedVersion:
    checked = CHECKER.check(raw(row or penalty()), NOW.date())
    assert checked.record is not None
    assert checked.key is not None
    assert checked.kind in KINDS.reported
    day = date_of(checked.record)
    assert day is not None
    return ReportedVersion(
        id=20,
        decision_id=7,
        subject_id=3,
        subject_code=checked.key.subject,
        kind=checked.kind,
        verb=verb,
        decision_date=day,
        record=checked.record,
        problem_fields=frozenset(problem.field for problem in checked.problems),
        excluded=checked.excluded is not None,
        person=checked.person,
    )


def past(
    state: DeliveryState, id_: int = 11, name: str = "platform", due: datetime = DUE
) -> PastDelivery:
    return PastDelivery(id=id_, destination=name, state=state, due_at=due)


def only(decided: DecidedVersion) -> Route:
    [route] = decided.obligation.routes
    return route


# ---------------------------------------------------------------- the first version


def test_a_complete_decision_is_ready_for_every_destination_that_takes_it() -> None:
    some = decider(
        destination("one"), destination("two"), destination("bank", takes=["grade_change"])
    )

    decided = some.version(version(), (), NOW)

    assert [(d.destination, d.state) for d in decided.obligation.routes] == [
        ("one", S.READY),
        ("two", S.READY),
    ]


def test_an_obligation_names_its_item_chain_and_subject() -> None:
    owed = decider().version(version(), (), NOW).obligation

    assert (owed.item_kind, owed.item_id) == (ItemKind.RECORD_VERSION, 20)
    assert (owed.chain_id, owed.subject_id, owed.verb) == (7, 3, Verb.NEW)


def test_the_earliest_clock_sets_the_due_time_and_every_clock_is_kept() -> None:
    both = destination(clocks=("working-7", "calendar-7"))

    route = only(decider(both).version(version(), (), NOW))

    assert route.due_at == DUE
    assert [due.clock for due in route.dues] == ["calendar-7", "working-7"]


def test_a_destination_gets_decisions_from_its_since_date() -> None:
    later = decider(destination(since=date(2026, 10, 10)))
    same = decider(destination(since=date(2026, 10, 9)))

    assert later.version(version(), (), NOW).obligation.routes == []
    assert len(same.version(version(), (), NOW).obligation.routes) == 1


def test_a_destination_gets_the_kinds_that_it_takes() -> None:
    penalties = decider(destination(takes=["penalty"]))

    assert penalties.version(version(licence()), (), NOW).obligation.routes == []


@pytest.mark.parametrize(
    ("regions", "count"), [((), 1), (("159900",), 1), (("15",), 1), (("41",), 0), (("41", "15"), 1)]
)
def test_a_destination_gets_the_companies_of_its_regions(
    regions: tuple[str, ...], count: int
) -> None:
    some = decider(destination(regions=regions))

    assert len(some.version(version(), (), NOW).obligation.routes) == count


def test_decisions_on_persons_go_to_every_region() -> None:
    some = decider(destination(regions=("41",)))

    assert len(some.version(version(person_penalty()), (), NOW).obligation.routes) == 1


def test_an_excluded_decision_goes_nowhere() -> None:
    decided = decider().version(version(penalty(state_secret="是")), (), NOW)

    assert (decided.obligation.routes, decided.superseded) == ([], [])


# ---------------------------------------------------------------- held


def test_a_decision_that_lacks_a_required_column_is_held() -> None:
    assert only(decider().version(version(penalty(CF_YXQ=None)), (), NOW)).state is S.HELD


def test_a_column_that_a_destination_does_not_require_holds_nothing() -> None:
    some = decider(destination(not_required=["CF_YXQ"]))

    assert only(some.version(version(penalty(CF_YXQ=None)), (), NOW)).state is S.READY


def test_a_destination_may_list_the_columns_that_it_requires() -> None:
    lacking, enough = penalty(), penalty(CF_GSJZQ="2029/10/09", CF_YXQ=None)
    some = decider(destination(requires=["CF_WSH", "CF_GSJZQ"]))

    assert only(some.version(version(lacking), (), NOW)).state is S.HELD
    assert only(some.version(version(enough), (), NOW)).state is S.READY


def test_a_problem_in_an_optional_column_holds_nothing() -> None:
    assert only(decider().version(version(penalty(BZ="长" * 600)), (), NOW)).state is S.READY


def test_required_columns_are_those_of_the_standard_unless_listed() -> None:
    standard = required_columns(destination(), RecordKind.PENALTY)
    named = required_columns(destination(requires=["CF_WSH", "XK_WSH"]), RecordKind.PENALTY)

    assert {"CF_WSH", "CF_NR_FK", "CF_XDR_ZJHM"} <= standard
    assert "CF_FRDB" not in standard
    assert named == {"CF_WSH"}


# ---------------------------------------------------------------- later versions


@pytest.mark.parametrize("state", PENDING)
def test_a_newer_version_supersedes_one_that_was_never_handed_over(
    state: DeliveryState,
) -> None:
    earlier = DUE - timedelta(days=3)

    decided = decider().version(version(verb=Verb.CORRECT), [past(state, due=earlier)], NOW)

    assert decided.superseded == [11]
    assert (only(decided).state, only(decided).due_at) == (S.READY, earlier)


@pytest.mark.parametrize("state", IN_FLIGHT)
def test_a_newer_version_waits_behind_one_in_flight(state: DeliveryState) -> None:
    decided = decider().version(version(verb=Verb.CORRECT), [past(state)], NOW)

    assert decided.superseded == []
    assert only(decided).state is S.WAITING


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (S.READY, S.WAITING),
        (S.DEFERRED, S.WAITING),
        (S.WAITING, S.WAITING),
        (S.REJECTED, S.READY),
        (S.PARKED, S.READY),
    ],
)
def test_a_newer_version_waits_only_behind_a_repair_that_will_be_sent(
    state: DeliveryState, expected: DeliveryState
) -> None:
    repair = replace(past(state), verb=Verb.REPAIR)

    decided = decider().version(version(), [repair], NOW)

    assert [one.state for one in decided.obligation.routes] == [expected]
    assert decided.superseded == []


@pytest.mark.parametrize("state", GIVEN)
def test_a_correction_after_a_handover_is_due_from_today(state: DeliveryState) -> None:
    decided = decider().version(version(verb=Verb.CORRECT), [past(state)], NOW)

    assert decided.superseded == []
    assert only(decided).state is S.READY
    assert only(decided).due_at == end_of(date(2026, 10, 19))


def test_a_correction_inherits_the_due_time_of_the_one_it_replaces() -> None:
    inherited = end_of(date(2026, 10, 15))
    before = [past(S.ACCEPTED), past(S.DEFERRED, 12, due=inherited)]

    decided = decider().version(version(verb=Verb.CORRECT), before, NOW)

    assert decided.superseded == [12]
    assert only(decided).due_at == inherited


def test_the_state_at_one_destination_does_not_affect_another() -> None:
    some = decider(destination("one"), destination("two"))

    decided = some.version(version(verb=Verb.CORRECT), [past(S.LEASED, name="one")], NOW)

    assert [(d.destination, d.state) for d in decided.obligation.routes] == [
        ("one", S.WAITING),
        ("two", S.READY),
    ]
