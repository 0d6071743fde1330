"""Laws that hold for every input: repeats, batch limits and interleavings change nothing."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event as sqlalchemy_event

from gateway.check.raw import Raw
from gateway.config.clock import SteppedClock
from tests.conftest import BuildGateway, NewDatabase
from tests.factories import (
    about,
    credit_code,
    event,
    grade,
    licence,
    penalty,
    person_penalty,
    publicity_repair,
    raw,
    stream,
)
from tests.integration.world import World
from tests.soak import examples

pytestmark = pytest.mark.integration

SNAPSHOT = {
    "decisions": """
        select d.kind, d.number_key, a.name, s.code, d.version, d.verb, d.excluded, d.verdict,
            d.decision_date from decision d join subject s on s.id = d.subject_id
        join authority a on a.id = d.authority_id order by 1, 2, 3, 4""",
    "versions": """
        select d.kind, d.number_key, s.code, v.version, v.verb, v.body::text, v.verdict
        from record_version v join decision d on d.id = v.decision_id
        join subject s on s.id = d.subject_id order by 1, 2, 3, 4""",
    "deliveries": """
        select d.kind, d.number_key, s.code, l.destination, v.version, v.body::text, l.verb,
            l.state, l.due_at, l.dues::text
        from delivery l join record_version v on v.id = l.item_id
        join decision d on d.id = v.decision_id join subject s on s.id = d.subject_id
        where l.item_kind = 'record_version' order by 1, 2, 3, 4, l.id""",
    "facts": """
        select s.code, (f.body::jsonb - 'id')::text, f.decided_on
        from fact f join subject s on s.id = f.subject_id
        where f.known_to is null order by 1, 2""",
    "grades": """
        select code, to_grade from (
            select distinct on (s.code) s.code, g.to_grade from grade_change g
            join subject s on s.id = g.subject_id order by s.code, g.id desc) last
        where to_grade is not null""",
    "present assessments": """
        select distinct on (s.code) s.code, a.grade, a.not_evaluated, a.result ->> 'score'
        from assessment a join subject s on s.id = a.subject_id order by s.code, a.id desc""",
    "quarantine": "select problems::text from quarantine order by 1",
}

numbers = st.integers(1, 2)
contents = st.sampled_from(
    [
        {},
        {"CF_NR_FK": "60", "CF_CFLB": "罚款、责令停产停业"},
        {"CF_YXQ": None},
        {"verb": "withdraw"},
        {"state_secret": "是"},
    ]
)
#: Where no rule set is bound that has grades of its own.
ELSEWHERE = credit_code(2, region="410100")
days = st.sampled_from(["2026-10-10", "2026-10-11"])
companies = st.integers(1, 2)
penalties = st.builds(lambda n, c, more: penalty(n, c, **more), numbers, companies, contents)
others = st.one_of(
    st.builds(licence, numbers, companies),
    st.builds(event, numbers, companies),
    st.builds(lambda more: person_penalty(3, **more), contents),
    st.builds(
        lambda n, g: grade(n, 2, grade=g, subject_code=ELSEWHERE),
        numbers,
        st.sampled_from(["警示", "诚信"]),
    ),
    st.builds(lambda s: event(8, 1, type="criminal_suspicion", suspected=s), st.booleans()),
    st.just(b"broken"),
)
processes = st.builds(
    lambda n, c, more: event(10 + n, c, decision=about(n), **more),
    numbers,
    companies,
    st.one_of(
        st.builds(lambda day: {"type": "rectification", "rectified_on": day}, days),
        st.builds(lambda day: {"type": "repair", "repair_confirmed_on": day}, days),
        st.just({"type": "repair", "repair_applied_on": "2026-10-10"}),
        st.just({"type": "publicity_repair", "letter": "样信修1号", "severity": "轻微"}),
    ),
)
letters = st.builds(
    lambda n, i, c, more: publicity_repair(n, c, id=f"L-{i}", **more),
    numbers,
    numbers,
    companies,
    st.sampled_from([{}, {"severity": "一般"}, {"verb": "withdraw"}]),
)
rows = st.lists(
    st.one_of(penalties, penalties, others, processes, letters), min_size=2, max_size=10
)


async def snapshot(world: World) -> dict[str, list[tuple[Any, ...]]]:
    return {name: await world.rows(query) for name, query in SNAPSHOT.items()}


def batches(items: Sequence[Raw], cuts: Sequence[int]) -> list[Sequence[Raw]]:
    places = sorted({0, *(cut % (len(items) + 1) for cut in cuts), len(items)})
    return [items[a:b] for a, b in pairwise(places)]


@pytest.mark.soak
@examples(12)
@given(rows=rows, cuts=st.lists(st.integers(0, 10), max_size=4))
async def test_the_division_into_batches_does_not_change_the_result(
    new_database: NewDatabase,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    rows: list[Any],
    cuts: list[int],
) -> None:
    items = stream(rows)
    found = []

    for parts in (batches(items, range(len(items))), batches(items, cuts)):
        async with new_database() as database:
            world = World(await build_gateway(database), clock)
            for part in parts:
                await world.gateway.pipeline.process(part)
            found.append(await snapshot(world))

    assert found[0] == found[1]


@pytest.mark.soak
@examples(12)
@given(rows=rows, cuts=st.lists(st.integers(0, 10), max_size=4), again=st.integers(0, 10))
async def test_a_replay_changes_nothing(
    new_database: NewDatabase,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    rows: list[Any],
    cuts: list[int],
    again: int,
) -> None:
    items = stream(rows)
    async with new_database() as database:
        world = World(await build_gateway(database), clock)
        await world.gateway.pipeline.process(items)
        before = await snapshot(world), await world.rows("select * from delivery order by id")

        repeated = []
        for part in batches(items[again % len(items) :] + items, cuts):
            repeated += await world.gateway.pipeline.process(part)

        after = await snapshot(world), await world.rows("select * from delivery order by id")
    assert all(one.repeat for one in repeated)
    assert after == before


@pytest.mark.soak
@examples(12)
@given(
    one=st.lists(st.builds(lambda n, m: penalty(n, 1, **m), numbers, contents), max_size=5),
    other=st.lists(st.builds(lambda n, m: penalty(n, 2, **m), numbers, contents), max_size=5),
    order=st.lists(st.booleans(), min_size=10, max_size=10),
)
async def test_the_order_of_partitions_does_not_change_the_result(
    new_database: NewDatabase,
    build_gateway: BuildGateway,
    clock: SteppedClock,
    one: list[Any],
    other: list[Any],
    order: list[bool],
) -> None:
    merged = merge(stream(one, "0"), stream(other, "1"), order)
    found = []

    for items in (stream(one, "0") + stream(other, "1"), merged):
        async with new_database() as database:
            world = World(await build_gateway(database), clock)
            for start in range(0, len(items), 3):
                await world.gateway.pipeline.process(items[start : start + 3])
            found.append(await snapshot(world))

    assert found[0] == found[1]


def merge(one: list[Raw], other: list[Raw], order: list[bool]) -> list[Raw]:
    merged: list[Raw] = []
    left, right = list(one), list(other)
    for first in order:
        source = left if first else right
        merged += [source.pop(0)] if source else []
    return merged + left + right


# ---------------------------------------------------------------- statements


async def statements_of(world: World, items: Sequence[Raw]) -> int:
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = world.database.engine.sync_engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    try:
        await world.gateway.pipeline.process(items)
    finally:
        sqlalchemy_event.remove(engine, "before_cursor_execute", note)
    return len(seen)


def mixture(first: int, count: int) -> list[Mapping[str, Any] | bytes]:
    """Return items of every kind: penalties, corrections, licences, events, grades, broken rows."""
    found: list[Mapping[str, Any] | bytes] = []
    for n in range(first, first + count):
        found += [
            penalty(n, n),
            penalty(n, n, CF_NR_FK="3"),
            licence(n, n),
            event(n, n),
            event(n + 5000, n, type="repair", decision=about(n), repair_confirmed_on="2026-10-10"),
            publicity_repair(n, n, id=f"P-{n}"),
            event(n + 9000, n, type="criminal_suspicion"),
            grade(n, subject_code=credit_code(n + 20_000, region="410100")),
            person_penalty(n),
            b"broken",
            penalty(n, n, CF_YXQ=None),
        ]
    return found


async def test_the_number_of_statements_does_not_depend_on_the_batch_size(world: World) -> None:
    await world.take(*mixture(0, 2))

    ten = await statements_of(world, stream(mixture(10, 1), "ten"))
    two_hundred = await statements_of(world, stream(mixture(100, 20), "two hundred"))

    assert ten == two_hundred


async def test_the_number_of_statements_for_corrections_does_not_depend_on_the_batch_size(
    world: World,
) -> None:
    await world.take(*[penalty(n, n) for n in range(300)])

    ten = await statements_of(world, [raw(penalty(n, n, CF_NR="改"), n, "ten") for n in range(10)])
    two_hundred = await statements_of(
        world, [raw(penalty(n, n, CF_NR="改"), n, "more") for n in range(10, 210)]
    )

    assert ten == two_hundred


async def test_the_number_of_statements_for_letters_does_not_depend_on_the_batch_size(
    world: World,
) -> None:
    for numbers_ in (range(100), range(100, 300)):
        await world.take(*[penalty(n, n) for n in numbers_])
        await world.take(*[publicity_repair(n, n) for n in numbers_])

    def told(first: int, end: int) -> list[Raw]:
        rows = []
        for n in range(first, end):
            rows += [publicity_repair(2 * n, 2 * n, verb="withdraw")]
            rows += [penalty(2 * n + 1, 2 * n + 1, CF_NR="改")]
        return stream(rows, f"{first}")

    ten, two_hundred = [await statements_of(world, told(*part)) for part in ((0, 5), (10, 110))]

    assert ten == two_hundred
