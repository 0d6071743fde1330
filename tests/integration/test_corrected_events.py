"""Corrections and withdrawals of events: what they set before is taken back."""

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest

from schemas.problem import Rule
from schemas.verdict import Verdict
from tests.factories import REGION, about, credit_code, event, penalty
from tests.integration.conftest import MakeWorld
from tests.integration.test_participants import grades
from tests.integration.world import World

pytestmark = pytest.mark.integration

FRAUD = {"type": "dishonesty.permit_fraud", "occurred_on": "2026-05-09"}


@pytest.fixture
async def confirming(make_world: MakeWorld) -> World:
    """A gateway that counts what participants report once it is confirmed."""
    return await make_world(scoring={"bindings": [{"rule_set": "henan-2018", "regions": [REGION]}]})


def of(number: int) -> dict[str, str]:
    return {"kind": "event", "document_number": f"E-{number}", "authority": "局"}


def repair(of_event: int, **changes: Any) -> dict[str, Any]:
    """Event 9, the repair of another one."""
    row = {
        "type": "repair",
        "decision": of(of_event),
        "rectified_on": "2026-06-01",
        "repair_applied_on": "2026-10-01",
        "repair_confirmed_on": "2026-10-02",
        "occurred_on": "2026-10-02",
    }
    return event(9, 1, **{**row, **changes})


async def dates(world: World) -> dict[str, set[str]]:
    """Return the names of the dates that the present facts have, by document number."""
    names = {"rectified_on", "repair_applied_on", "repair_confirmed_on", "confirmed_on"}
    names |= {"warning_until"}
    bodies = await world.column("select body from fact where known_to is null order by id")
    return {body["document_number"]: names & body.keys() for body in bodies}


REPAIRED = {"rectified_on", "repair_applied_on", "repair_confirmed_on"}


@pytest.mark.parametrize("together", [True, False])
async def test_a_repair_that_is_corrected_to_another_record_leaves_the_first_one(
    world: World, *, together: bool
) -> None:
    rows = [event(1, 1, **FRAUD), event(2, 1, occurred_on="2026-05-09")]
    await world.take(*rows)

    if together:
        await world.take(repair(1), repair(2))
    else:
        await world.take(repair(1))
        await world.take(repair(2))

    assert await dates(world) == {"E-1": set(), "E-2": REPAIRED}
    assert (await grades(world))[-1][2] == "D"


@pytest.mark.parametrize("verb", ["withdraw", "撤回"])
async def test_a_withdrawn_repair_takes_its_dates_back(world: World, verb: str) -> None:
    await world.take(event(1, 1, **FRAUD, rectified_on="2026-05-20"), repair(1))
    repaired = (await grades(world))[-1][2]

    [taken] = await world.take(repair(1, verb=verb))

    assert (taken.verdict, taken.problems) == (Verdict.OK, ())
    assert (repaired, (await grades(world))[-1][2]) == ("A", "D")
    assert await dates(world) == {"E-1": {"rectified_on"}}
    assert (await world.column("select body ->> 'rectified_on' from fact order by id"))[-1] == (
        "2026-05-20"
    )


async def test_a_repair_that_is_sent_again_after_its_withdrawal_counts(world: World) -> None:
    await world.take(event(1, 1, **FRAUD), repair(1))
    await world.take(repair(1, verb="withdraw"))

    await world.take(repair(1))

    assert await dates(world) == {"E-1": REPAIRED}


async def test_a_withdrawn_event_counts_no_more(world: World) -> None:
    await world.take(event(1, 1, **FRAUD))

    await world.take(event(1, 1, **FRAUD, verb="withdraw"))

    assert [row[2] for row in await grades(world)] == ["D", "A"]
    assert await dates(world) == {}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("about_it", [{"verb": "withdraw"}, {"rectified_on": "2026-06-02"}])
async def test_an_event_of_another_type_stays_gone_whatever_comes_with_it(
    world: World, about_it: dict[str, Any], order: int
) -> None:
    await world.take(event(1, 1, **FRAUD), repair(1))
    other = event(1, 1, type="rectification", occurred_on="2026-05-09", decision=of(77))

    await world.take(*[other, repair(1, **about_it)][::order])

    assert await dates(world) == {}
    assert (await grades(world))[-1][2] == "A"


async def test_a_warning_that_becomes_a_rectification_warns_no_more(world: World) -> None:
    await world.take(event(1, 1, **FRAUD))
    await world.take(event(2, type="warning", warning_until="2027-12-31", decision=of(1)))

    await world.take(event(2, type="rectification", rectified_on="2026-10-05", decision=of(1)))

    assert await dates(world) == {"E-1": {"rectified_on"}}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"decision": of(3)}, {"E-1": set(), "E-3": {"confirmed_on"}}),
        ({"verb": "withdraw"}, {"E-1": set(), "E-3": set()}),
        ({"confirmed_by": "别局"}, {"E-1": {"confirmed_on"}, "E-3": set()}),
    ],
)
async def test_a_confirmation_is_of_what_its_latest_version_names(
    confirming: World, changes: dict[str, Any], expected: dict[str, set[str]]
) -> None:
    own = {"type": None, "self_reported": True}
    await confirming.take(event(1, item="N1", **own), event(3, item="N2", **own))
    confirmed = {"type": "confirmation", "confirmed_by": "样例局", "decision": of(1)}
    await confirming.take(event(2, **confirmed))

    await confirming.take(event(2, **{**confirmed, **changes}))

    assert await dates(confirming) == expected


def told(number: int, type_: str, day: str, **changes: Any) -> dict[str, Any]:
    """A process event about event 1."""
    return event(number, 1, type=type_, occurred_on=day, decision=of(1), **changes)


HISTORIES = {
    "warnings": [
        told(3, "warning", "2026-05-10", warning_until="2026-06-01"),
        told(4, "warning", "2026-05-20", warning_until="2026-12-01"),
    ],
    "repairs": [
        told(
            3, "repair", "2026-06-20", repair_confirmed_on="2026-06-20", rectified_on="2026-06-19"
        ),
        told(4, "repair", "2026-09-26", repair_confirmed_on="2026-09-26"),
        told(5, "rectification", "2026-07-01"),
    ],
}
STANDING = {
    "warnings": {"warning_until": "2026-12-01"},
    "repairs": {"repair_confirmed_on": "2026-09-26", "rectified_on": "2026-07-01"},
}


def arrivals(rows: list[dict[str, Any]]) -> Iterator[list[list[dict[str, Any]]]]:
    """Yield the batches of each order: all in one, or one in each."""
    for order in permutations(rows):
        yield [list(order)]
        yield [[row] for row in order]


async def body(world: World, subject: int = 1) -> dict[str, Any]:
    query = "select f.body from fact f join subject s on s.id = f.subject_id"
    query += " where f.known_to is null and s.code = :code"
    return dict(await world.value(query, code=credit_code(subject)))


@pytest.mark.parametrize("name", HISTORIES)
async def test_the_latest_event_decides_by_its_own_day_however_they_come(
    world: World, name: str
) -> None:
    rows = [event(1, 1, **FRAUD), *HISTORIES[name]]

    for number, batches in enumerate(arrivals(rows), start=1):
        for batch in batches:
            await world.take(*({**row, "subject_code": credit_code(number)} for row in batch))

        assert STANDING[name].items() <= (await body(world, number)).items(), batches


@pytest.mark.parametrize("name", HISTORIES)
async def test_a_mere_correction_of_an_older_event_makes_it_no_later_one(
    world: World, name: str
) -> None:
    first, *later = HISTORIES[name]
    await world.take(event(1, 1, **FRAUD), first)
    await world.take(*later)

    await world.take({**first, "details": {"note": "改"}})

    assert STANDING[name].items() <= (await body(world)).items()


async def test_of_two_events_of_one_day_the_later_one_decides(world: World) -> None:
    first = told(3, "warning", "2026-05-10", warning_until="2026-06-01")
    await world.take(event(1, 1, **FRAUD), first)
    await world.take(told(4, "warning", "2026-05-10", warning_until="2026-12-01"))

    await world.take({**first, "details": {"note": "改"}})

    assert (await body(world))["warning_until"] == "2026-12-01"


EARLY = event(
    9, 1, type="repair", decision=about(1), occurred_on="2026-06-02",
    rectified_on="2026-03-20", repair_confirmed_on="2026-06-02",
)  # fmt: skip
STOPPED = {"CF_CFLB": "责令停产整治", "CF_NR": "停产整治", "CF_NR_FK": None}
LATE = penalty(1, 1, **STOPPED, CF_JDRQ="2026/10/09")
BEFORE = penalty(1, 1, **STOPPED, CF_JDRQ="2026/06/01")


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("rows", [[LATE, EARLY], [EARLY, LATE], [BEFORE, EARLY, LATE]])
async def test_a_repair_before_its_decision_is_void_and_told(
    world: World, rows: list[dict[str, Any]], *, together: bool
) -> None:
    told = []
    for batch in [rows] if together else [[row] for row in rows]:
        told += await world.take(*batch)

    [warning] = told[-1].checked.warnings
    assert (warning.field, warning.rule) == ("repair_confirmed_on", Rule.ORDER)
    assert "早于决定日期 2026-10-09" in warning.message
    assert await score(world) == "95"


async def test_a_repair_counts_once_the_day_of_its_decision_is_mended(world: World) -> None:
    await world.take(LATE, EARLY)

    [taken] = await world.take(BEFORE)

    assert taken.checked.warnings == ()
    assert await score(world) == "100"


async def test_a_warning_before_its_decision_is_told(world: World) -> None:
    warning = told(9, "warning", "2026-05-01", warning_until="2026-05-08")

    [_, taken] = await world.take(event(1, 1, **FRAUD), warning)

    assert [one.field for one in taken.checked.warnings] == ["warning_until"]
    assert (await grades(world))[-1][2] == "D"


async def test_an_event_with_a_repair_before_its_own_day_is_told(world: World) -> None:
    own = {"rectified_on": "2026-05-01", "repair_confirmed_on": "2026-05-08"}

    [taken] = await world.take(event(1, 1, **FRAUD, **own))

    assert [one.field for one in taken.checked.warnings] == ["repair_confirmed_on"]
    assert (await grades(world))[-1][2] == "D"


async def score(world: World) -> str:
    query = "select result ->> 'score' from assessment order by id desc limit 1"
    return str(await world.value(query))


async def test_a_withdrawn_suspicion_is_none(world: World) -> None:
    await world.take(event(1, 1))
    await world.take(event(7, 1, type="criminal_suspicion"))

    await world.take(event(7, 1, type="criminal_suspicion", verb="withdraw"))

    assert [row[2] for row in await grades(world)] == ["A", None, "A"]


SUSPICION = event(7, 1, type="criminal_suspicion", occurred_on="2026-05-09")
LIFTING = event(8, 1, type="criminal_suspicion", occurred_on="2026-09-09", suspected=False)
LATER = event(6, 1, type="criminal_suspicion", occurred_on="2026-09-10")
SUSPICIONS: list[tuple[list[dict[str, Any]], bool]] = [
    ([SUSPICION, event(7, 1, type="incident.general", occurred_on="2026-05-09")], False),
    ([event(7, 1), SUSPICION], True),
    ([SUSPICION, LIFTING, {**SUSPICION, "details": {"note": "改"}}], False),
    ([LIFTING, SUSPICION], False),
    ([SUSPICION, LIFTING, {**LIFTING, "verb": "withdraw"}], True),
    ([SUSPICION, LIFTING, {**LIFTING, "occurred_on": "2026-05-08"}], True),
    ([SUSPICION, LIFTING, LATER, {**SUSPICION, "verb": "withdraw"}], True),
    ([LATER, LIFTING, {**LATER, "verb": "withdraw"}, LATER], True),
    ([SUSPICION, LATER, {**LATER, "verb": "withdraw"}], True),
    ([SUSPICION, {**SUSPICION, "suspected": False}], False),
    ([SUSPICION, event(8, 1, type="criminal_suspicion", occurred_on="2026-05-09")], True),
    ([LATER, {**LIFTING, "occurred_on": "2026-09-10"}, {**LATER, "details": {"n": "1"}}], False),
]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(("rows", "suspected"), SUSPICIONS)
async def test_the_latest_suspicion_that_stands_decides(
    world: World, rows: list[dict[str, Any]], *, suspected: bool, together: bool
) -> None:
    for batch in [rows] if together else [[row] for row in rows]:
        await world.take(*batch)

    assert await world.column("select criminal_suspect from subject") == [suspected]
    last = await world.column("select not_evaluated from assessment order by id")
    assert (last[-1] == "criminal_suspect") is suspected
