"""The grades of a period are stored when their day of publication is over, and who hears of it."""

from datetime import date, timedelta

import pytest

from gateway.schedule import publishing
from gateway.score.verify import verify_published
from tests.factories import (
    about,
    credit_code,
    event,
    grade,
    penalty,
    person_penalty,
)
from tests.integration.conftest import MakeWorld
from tests.integration.schedule.publications import BLACKLIST, SCORING, at, stored, told
from tests.integration.world import World
from tests.receiving_rules import NAME as RECEIVING

pytestmark = pytest.mark.integration


@pytest.fixture
async def world(make_world: MakeWorld) -> World:
    return await make_world(scoring=SCORING)


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

    count, wrong = await verify_published(world.database, lambda _: None)
    assert count == 1
    assert "公布等级" in wrong[0]["problem"]


LIST_TAMPERINGS = [
    ("update published_grade set listings = '{}' where listings <> '{}'", 1),
    (f"update published_grade set listings = '{{{BLACKLIST}}}'", 2),
    ("delete from published_grade where period_end = '2027-12-31'", 2),
    ("delete from published_grade where period_end = '2028-12-31'", 1),
]


@pytest.mark.parametrize(("tampering", "differences"), LIST_TAMPERINGS)
async def test_a_list_and_a_row_that_are_changed_are_found(
    world: World, tampering: str, differences: int
) -> None:
    await fraud_of_each_year(world, 2026, 2027, 2028)
    assert (await verify_published(world.database, lambda _: None))[1] == []

    await world.run(tampering)

    assert len((await verify_published(world.database, lambda _: None))[1]) == differences


async def test_a_publication_that_was_cut_off_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "SLICE", 1)
    await world.take(*(penalty(n, n) for n in range(1, 6)))
    world.clock.set(at("2027-07-01"))
    now = world.clock()

    ends = [await world.schedule.daily.grades.publishing.run(now, 2) for _ in range(12)]

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


async def test_persons_and_received_grades_are_published_by_nobody_here(
    receiving_world: World,
) -> None:
    world = receiving_world
    received = grade(3, 2, rule_set=RECEIVING, grade="D")
    await world.take(person_penalty(1), penalty(2, 2), received)

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert await told(world) == []
    assert credit_code(2) not in [row[0] for row in await stored(world)]


async def test_a_grade_of_a_rule_set_that_is_not_bound_hides_no_publication(
    make_world: MakeWorld,
) -> None:
    world = await make_world(scoring=SCORING)
    other = await make_world(scoring={"bindings": [{"rule_set": "henan-2018"}]})
    await world.take(penalty(2, 2))
    await other.take(grade(3, 2))

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert credit_code(2) in [row[0] for row in await stored(world)]


async def test_an_earlier_bad_year_without_a_stored_grade_is_computed(world: World) -> None:
    rows = [
        event(year, 1, type="dishonesty.permit_fraud", occurred_on=f"{year}-05-09")
        for year in (2024, 2025, 2026)
    ]
    await world.take(*rows)

    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()

    assert (await stored(world))[-1][1:] == (date(2026, 12, 31), "D", [BLACKLIST])


async def test_a_year_that_was_not_published_counts_for_no_list(world: World) -> None:
    await world.take(penalty(1, 5))
    world.clock.set(at("2027-07-01"))
    await world.schedule.tick()
    world.clock.set(at("2027-08-02"))
    late = {"type": "dishonesty.permit_fraud", "occurred_on": "2026-11-10"}
    await world.take(event(2026, 1, **late))

    await fraud_of_each_year(world, 2027, 2028)

    found = [row[1:] for row in await stored(world) if row[0] == credit_code(1)]
    assert found == [(date(2027, 12, 31), "D", []), (date(2028, 12, 31), "D", [])]


async def test_a_year_of_before_publishing_counts_as_it_was_known_then(world: World) -> None:
    await fraud_of_each_year(world, 2026)
    await world.run("delete from published_grade")
    await world.run("delete from publication")
    await world.run(
        "insert into publication (period_end, published_on, finished_at) "
        "values ('2025-12-31', '2026-06-30', now())"
    )
    world.clock.set(at("2027-08-02"))
    await world.take(
        event(2026, 1, type="dishonesty.permit_fraud", occurred_on="2026-10-09", verb="withdraw")
    )

    await fraud_of_each_year(world, 2027, 2028)

    assert (await stored(world))[-1][3] == [BLACKLIST]


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
