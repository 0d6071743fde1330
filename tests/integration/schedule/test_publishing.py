"""The grades of a period are stored when their day of publication is over, and who hears of it."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from gateway.rules.files import parse_rule_set
from gateway.rules.rulebook import InForce
from gateway.schedule import publishing
from gateway.score.publish import publications_until
from gateway.score.verify import verify_published
from gateway.store.score.published import Publication
from schemas.base import SHANGHAI
from tests.factories import (
    REGION,
    about,
    credit_code,
    event,
    grade,
    participant,
    penalty,
    person_penalty,
)
from tests.integration.conftest import MakeWorld
from tests.integration.world import World

pytestmark = pytest.mark.integration

SCORING: dict[str, Any] = {
    "bindings": [
        {
            "rule_set": "nm-2023-draft",
            "kinds": ["enterprise", "agency", "individual"],
            "regions": [REGION, ""],
            "measures": ["nm-2023-draft"],
        }
    ]
}
BLACKLIST = "环境保护领域失信黑名单"


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(scoring=SCORING)


def at(day: str) -> datetime:
    return datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=SHANGHAI)


async def stored(world: World) -> list[tuple[Any, ...]]:
    return await world.rows(
        "select s.code, p.period_end, p.grade, p.listings from published_grade p "
        "join subject s on s.id = p.subject_id order by p.published_on, s.code"
    )


async def told(world: World) -> list[dict[str, Any]]:
    """Return the bodies of the grade changes that a publication made."""
    return await world.column(
        "select body from grade_change where body ->> 'cause' = 'published' order by id"
    )


async def fraud_of_each_year(world: World, *years: int) -> None:
    """Let a company obtain a permit by fraud in each year; it is D in each of them."""
    for year in years:
        world.clock.set(at(f"{year}-10-12"))
        day = f"{year}-10-09"
        await world.take(event(year, 1, type="dishonesty.permit_fraud", occurred_on=day))
        world.clock.set(at(f"{year + 1}-07-01"))
        await world.schedule.tick()


async def test_a_grade_is_stored_once_its_day_is_over(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))

    world.clock.set(at("2027-06-30"))
    await world.schedule.tick()
    on_the_day = await stored(world)
    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()
    world.clock.set(at("2027-07-02"))
    await world.schedule.tick()

    assert on_the_day == []
    [(code, end, grade_, listings)] = await stored(world)
    assert (code, end, listings) == (credit_code(1), date(2026, 12, 31), [])
    assert grade_ is not None
    assert "grades_published" in await world.events()


async def test_what_comes_after_the_day_changes_no_stored_grade(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.set(at("2027-07-03"))
    await world.take(penalty(1, verb="withdraw"), penalty(2, 2))

    await world.schedule.tick()

    [(code, _, grade_, _)] = await stored(world)
    assert (code, grade_) == (credit_code(1), "A")
    assert await verify_published(world.database, lambda _: None) == (1, [])


TAMPERINGS = [
    "criminal_suspect = true",
    "grade = 'D'",
    "fact_ids = '{}'",
    "listings = '{假名单}'",
    "published_on = '2027-06-29'",
]


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_a_manipulated_published_grade_is_found(world: World, tampering: str) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    await world.run(f"update published_grade set {tampering}")

    count, [wrong] = await verify_published(world.database, lambda _: None)
    assert count == 1
    assert "公布等级" in wrong["problem"]


async def test_a_publication_that_was_cut_off_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "SLICE", 1)
    await world.take(*(penalty(n, n) for n in range(1, 6)))
    world.clock.set(at("2027-07-01"))
    now = world.clock()

    ends = [await world.schedule.daily.publishing.run(now, 2) for _ in range(12)]

    assert (ends[0], ends[-1]) == (False, True)
    codes = [row[0] for row in await stored(world)]
    assert sorted(codes) == sorted(credit_code(n) for n in range(1, 6))


async def test_banks_hear_of_a_publication_with_its_measures(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    await world.turn()
    before = len(world.connector("bank").stored)

    world.clock.set(at("2027-07-01"))
    await world.turn()
    await world.turn()  # the number is given by one turn, and the delivery made by the next

    [body] = await told(world)
    assert body["from_grade"] == body["to_grade"]
    assert body["published"] == {
        "period_end": "2026-12-31",
        "published_on": "2027-06-30",
        "grade": "A",
        "listings": [],
    }
    assert body["reasons"] == ["截至2026-12-31的评价期：A，2027-06-30公布"]
    assert len(world.connector("bank").stored) > before


async def test_three_bad_years_put_on_the_list_and_tell_of_it(world: World) -> None:
    await fraud_of_each_year(world, 2026, 2027, 2028)

    assert [row[3] for row in await stored(world)] == [[], [], [BLACKLIST]]
    body = (await told(world))[-1]
    assert body["published"]["listings"] == [BLACKLIST]
    assert body["reasons"][1] == f"列入{BLACKLIST}（第十九条）"
    assert [one["id"] for one in body["measures_begin"]] == ["inspection-blacklist"]


async def test_a_live_change_keeps_the_measures_of_the_list(world: World) -> None:
    await fraud_of_each_year(world, 2026, 2027, 2028)

    for year in (2026, 2027, 2028):
        day = f"{year}-10-09"
        await world.take(event(year, 1, type="commendation.praise", occurred_on=day))

    live = await world.column("select body from grade_change order by id")
    assert (live[-1]["to_grade"], live[-1]["published"]["listings"]) == ("A", [BLACKLIST])
    ended = {one["id"] for one in live[-1]["measures_end"]}
    assert "inspection-d" in ended
    assert "inspection-blacklist" not in ended


async def test_a_grade_that_stays_is_not_told_again(world: World) -> None:
    await fraud_of_each_year(world, 2026, 2027)

    assert [row[2] for row in await stored(world)] == ["D", "D"]
    assert [body["published"]["period_end"] for body in await told(world)] == ["2026-12-31"]


async def test_nobody_hears_of_publications_that_are_history(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))

    world.clock.set(at("2027-08-15"))
    await world.schedule.tick()

    assert len(await stored(world)) == 1
    assert await told(world) == []


async def test_persons_and_received_grades_are_published_by_nobody_here(world: World) -> None:
    await world.take(person_penalty(1), penalty(2, 2), grade(3, 2))

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert await told(world) == []
    assert credit_code(2) not in [row[0] for row in await stored(world)]


async def test_a_grade_received_after_the_day_hides_no_publication(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.set(datetime(2027, 7, 1, 0, 5, tzinfo=SHANGHAI))
    await world.take(grade(3, 1, effective_on="2027-07-01"))

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


async def test_an_earlier_bad_year_without_a_stored_grade_is_computed(world: World) -> None:
    rows = [
        event(year, 1, type="dishonesty.permit_fraud", occurred_on=f"{year}-05-09")
        for year in (2024, 2025, 2026)
    ]
    await world.take(*rows)

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert (await stored(world))[-1][1:] == (date(2026, 12, 31), "D", [BLACKLIST])


async def test_a_repair_before_the_day_counts_in_the_grade_of_the_period(world: World) -> None:
    await world.take(penalty(1, CF_NR_FK="60"))
    world.clock.set(at("2027-03-12"))
    repaired = {
        "type": "repair",
        "decision": about(1),
        "rectified_on": "2026-11-01",
        "repair_applied_on": "2027-03-10",
        "repair_confirmed_on": "2027-03-11",
        "occurred_on": "2027-03-11",
    }
    await world.take(event(9, 1, **repaired))

    world.clock.set(at("2027-07-01") + timedelta(hours=1))
    await world.schedule.tick()

    assert [row[2] for row in await stored(world)] == ["A"]
