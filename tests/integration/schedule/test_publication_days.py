"""What was known on the day of a publication, and what hinders none."""

from datetime import date, datetime, timedelta

import pytest

from gateway.rules.files import parse_rule_set
from gateway.rules.rulebook import InForce
from gateway.score.publication_days import day_of, publications_until
from gateway.store.score.published import Publication
from schemas.base import SHANGHAI
from schemas.codes import SubjectKind
from tests.factories import (
    credit_code,
    event,
    grade,
    participant,
    penalty,
)
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.publications import SCORING, at, stored, told
from tests.integration.world import World
from tests.receiving_rules import NAME as RECEIVING

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(scoring=SCORING)


async def test_a_grade_received_after_the_day_hides_no_publication(
    receiving_world: World,
) -> None:
    world = receiving_world
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.set(datetime(2027, 7, 1, 0, 5, tzinfo=SHANGHAI))
    await world.take(grade(3, 1, rule_set=RECEIVING, grade="D", effective_on="2027-07-01"))

    world.clock.step(timedelta(minutes=15))
    await world.schedule.tick()

    assert [row[0] for row in await stored(world)] == [credit_code(1)]
    assert await told(world) == []


async def test_a_period_has_one_grade_of_a_subject(world: World) -> None:
    await world.take(penalty(1), participant(1, subject_kind="agency", until="2027-06-10"))
    world.clock.set(at("2027-06-06"))
    await world.schedule.tick()
    world.clock.set(at("2027-06-12"))
    await world.schedule.tick()

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert [row[1] for row in await stored(world)] == [date(2026, 12, 31)]


async def test_a_warning_over_the_new_year_counts_for_whom_it_was_given(world: World) -> None:
    until = {"until": "2026-12-31"}
    warned = {"type": "dishonesty.permit_fraud", "occurred_on": "2026-12-10"}
    await world.take(
        participant(2, parent_code=credit_code(1), **until),
        participant(2, parent_code=credit_code(3), since="2027-01-01"),
    )
    world.clock.set(at("2026-12-12"))
    await world.take(event(2, 2, **warned, warning_until="2027-01-15"))

    world.clock.set(at("2028-07-01"))
    await world.schedule.tick()

    found = {(row[0], row[1].year): row[2] for row in await stored(world)}
    assert found[credit_code(1), 2027] == "D"
    assert found.get((credit_code(3), 2027), "A") == "A"


async def test_the_register_of_the_publication_places_the_subjects(make_world: MakeWorld) -> None:
    only = {"bindings": [{**SCORING["bindings"][0], "participants_only": True}]}
    world = await make_world(scoring=only)
    fraud = {"type": "dishonesty.permit_fraud"}
    await world.take(
        event(1, 1, type="eia.unapproved", details={"site": "P1"}), event(2, 2, **fraud)
    )
    world.clock.set(at("2027-02-10"))
    since = "2027-01-31"
    await world.take(
        participant(1, since=since, permit="P1", weight="1"),
        participant(1, since=since, permit="P2", weight="9"),
        participant(2, since=since, parent_code=credit_code(3)),
        participant(3, since=since),
    )

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    found = {row[0]: row[2] for row in await stored(world)}
    assert found == {credit_code(1): "A", credit_code(2): None, credit_code(3): "D"}


async def test_what_cannot_be_read_stops_neither_the_others_nor_the_work_of_the_day(
    world: World,
) -> None:
    await world.take(penalty(1), penalty(2, 2))
    await world.run(
        "update fact set body = jsonb_set(body::jsonb, '{decided_on}', '\"never\"') "
        "where id = (select min(id) from fact)"
    )

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert [row[0] for row in await stored(world)] == [credit_code(2)]
    months = "select count(*) from pg_class where relname = 'attempt_2027_09'"
    assert await world.value(months) == 1


async def test_a_publication_is_that_of_the_text_of_its_day(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    rulebook = world.gateway.rulebook
    content = rulebook.load("nm-2023-draft").content
    later = parse_rule_set(content.replace('published_on: "06-30"', 'published_on: "07-30"'))
    rulebook.put_in_force([InForce("nm-2023-draft", date(2027, 7, 1), later)])

    due = publications_until(rulebook, date(2027, 7, 1))

    assert Publication(date(2026, 12, 31), date(2027, 6, 30)) in due


async def test_transactions_of_the_day_come_to_their_end_first(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.set(datetime(2027, 7, 1, 0, 1, tzinfo=SHANGHAI))
    await world.schedule.tick()
    early = await stored(world)

    world.clock.step(timedelta(minutes=15))
    await world.schedule.tick()

    assert (early, len(await stored(world))) == ([], 1)


async def test_a_year_before_anything_was_known_has_no_grade(world: World) -> None:
    await world.take(penalty(5, 5))
    world.clock.set(at("2027-05-03"))
    late = {"CF_JDRQ": "2027/05/01", "CF_WSH": "样环罚字〔2027〕1号", "CF_YXQ": "2028/05/01"}
    await world.take(penalty(1, 1, **late))

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert [row[0] for row in await stored(world)] == [credit_code(5)]


async def test_who_joins_after_the_period_has_no_grade_of_it(make_world: MakeWorld) -> None:
    only = {"bindings": [{**SCORING["bindings"][0], "participants_only": True}]}
    world = await make_world(scoring=only)
    await world.take(participant(5), penalty(5, 5))
    world.clock.set(at("2027-06-20"))
    await world.take(participant(1, since="2027-06-15"))

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert [row[0] for row in await stored(world)] == [credit_code(5)]
    assert {body["published"]["grade"] for body in await told(world)} == {"A"}


MOVED = [
    # (day by the text before, day by the new one, its first day, day of publication)
    ("06-30", "05-30", "2027-06-10", date(2027, 6, 10)),
    ("05-30", "06-30", "2027-05-20", date(2027, 6, 30)),
    ("05-30", "06-30", "2027-06-10", date(2027, 5, 30)),
    ("06-30", "05-30", "2027-07-10", date(2027, 6, 30)),
    ("06-30", "06-30", "2027-06-30", date(2027, 6, 30)),
]


@pytest.mark.parametrize(("before", "after", "begins", "expected"), MOVED)
async def test_a_period_is_published_once_when_a_new_text_moves_the_day(
    world: World, before: str, after: str, begins: str, expected: date
) -> None:
    rulebook = world.gateway.rulebook
    content = rulebook.load("nm-2023-draft").content
    texts = [
        parse_rule_set(content.replace('published_on: "06-30"', f'published_on: "{day}"'))
        for day in (before, after)
    ]
    first = date.fromisoformat(begins)
    rulebook.put_in_force(
        [
            InForce("nm-2023-draft", first, texts[1]),
            InForce("nm-2023-draft", date.min, texts[0]),
        ]
    )

    end = date(2026, 12, 31)
    assert day_of(rulebook, SubjectKind.ENTERPRISE, credit_code(1), end) == expected
    assert Publication(end, expected) in publications_until(rulebook, date(2027, 8, 1))
