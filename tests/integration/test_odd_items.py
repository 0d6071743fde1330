"""One odd item among good ones: whatever it is, the good ones are recorded and delivered."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.decide.decider import Decider
from gateway.score.scorer import Scorer
from gateway.store.record import decisions
from schemas.codes import RecordKind
from schemas.kinds import KINDS
from schemas.problem import Rule
from tests.conftest import BuildGateway, NewDatabase
from tests.factories import about, credit_code, event, grade, licence, penalty, person_penalty
from tests.integration.world import World
from tests.soak import examples

pytestmark = pytest.mark.integration

#: Where no rule set is bound that has grades of its own.
ELSEWHERE = credit_code(4, region="410100")
GOOD = [
    penalty(1, 1),
    licence(2, 2),
    event(3, 3),
    grade(4, 4, subject_code=ELSEWHERE),
    person_penalty(5),
]


async def test_an_item_that_a_step_fails_with_is_set_aside_with_the_reference_of_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    decide = Decider.version

    def failing(self: Decider, version: Any, *rest: Any) -> Any:
        if version.record.document_number.endswith("〔2026〕13号"):
            raise RuntimeError("a bug")
        return decide(self, version, *rest)

    monkeypatch.setattr(Decider, "version", failing)

    results = await world.take(*GOOD, penalty(13, 13), penalty(14, 14))

    [fault] = [one for one in results if one.problems]
    assert fault.position == len(GOOD)
    assert fault.problems[0].rule is Rule.INTERNAL
    [entry] = [one for one in caplog.records if one.message == "item_failed"]
    assert entry.reference in fault.problems[0].message  # type: ignore[attr-defined]
    assert await world.value("select count(*) from decision") == len(GOOD) + 1
    assert await world.column("select id from quarantine") == [fault.quarantine_id]


async def test_an_item_whose_key_the_database_has_twice_is_set_aside(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a look-up missed a decision: the unique key is violated however often we repeat."""
    await world.take(penalty(1, 1))

    async def missing(*_: Any) -> dict[Any, Any]:
        return {}

    monkeypatch.setattr(decisions, "known_decisions", missing)
    results = await world.take(penalty(2, 2), penalty(1, 1, CF_NR_FK="3"), penalty(3, 3))

    assert [bool(one.problems) for one in results] == [False, True, False]


async def test_a_stored_fact_that_cannot_be_read_leaves_its_subject_without_an_evaluation(
    world: World,
) -> None:
    """A fact as a former release wrote it, with neither item nor type."""
    await world.take(event(1, 1), event(2, 2))
    await world.run(
        """update fact set body = (body::jsonb - 'item' - 'type')::json
           where subject_id = (select min(id) from subject)"""
    )

    results = await world.take(penalty(1, 1), penalty(2, 2))

    assert [one.problems for one in results] == [(), ()]
    reasons = """
        select distinct on (subject_id) not_evaluated from assessment order by subject_id, id desc
    """
    assert await world.column(reasons) == ["engine_error", None]


async def test_a_subject_whose_measures_fail_is_not_evaluated_and_the_others_are(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = Scorer.measures

    def failing(self: Scorer, change: Any, kind: Any, code: str, day: Any) -> Any:
        if code == credit_code(1):
            raise RuntimeError("a bug")
        return measures(self, change, kind, code, day)

    monkeypatch.setattr(Scorer, "measures", failing)

    results = await world.take(penalty(1, 1), penalty(2, 2))

    assert [one.problems for one in results] == [(), ()]
    reasons = "select not_evaluated from assessment order by subject_id"
    assert await world.column(reasons) == ["engine_error", None]


async def test_a_missing_table_is_no_fault_of_an_item(world: World) -> None:
    await world.run("drop table fact")

    with pytest.raises(Exception, match="db upgrade"):
        await world.take(penalty(1, 1))

    assert await world.value("select count(*) from quarantine") == 0


# ---------------------------------------------------------------- any odd item

long_texts = st.builds(
    lambda text, times: text * times,
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3),
    st.sampled_from([1, 19, 130, 513, 1481, 70_000]),
)
days = st.sampled_from(
    ["0001-01-01", "1900-01-01", "9999-12-31", "2099/12/31", "2026-02-30", "长期", "2026年10月9日"]
)
amounts = st.sampled_from(
    [
        "0",
        "-1",
        "1e400",
        "NaN",
        "999999999999.999999",
        "0.0000001",
        "1e11",
        "½",
        "一万",
        10**30,
        0.1,
    ]
)
plain = st.one_of(long_texts, days, amounts, st.none(), st.booleans(), st.integers(), st.floats())
nested = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


#: Good items by kind; some are about the decisions of `GOOD`.
BASES = [
    (RecordKind.PENALTY, penalty(1, 1)),
    (RecordKind.PENALTY, person_penalty(6)),
    (RecordKind.LICENCE, licence(6, 6)),
    (RecordKind.EVENT, event(6, 6)),
    (RecordKind.EVENT, event(7, 1, type="repair", decision=about(1))),
    (RecordKind.GRADE, grade(6, 6, subject_code=ELSEWHERE)),
]


@st.composite
def odd_items(draw: st.DrawFn) -> dict[str, Any]:
    """A good item with odd values in some of its fields, and sometimes a field of nobody's."""
    kind, row = draw(st.sampled_from(BASES))
    names = [field.alias or name for name, field in KINDS[kind].model.model_fields.items()]
    fields = st.sampled_from([*names, "verb", "state_secret"])
    changes = draw(st.dictionaries(fields, nested, min_size=1, max_size=3))
    unknown = draw(st.dictionaries(st.text(max_size=5), nested, max_size=1))
    return {"kind": kind, **row, **changes, **unknown}


@pytest.mark.soak
@examples(15)
@given(odd=odd_items(), place=st.integers(0, len(GOOD)))
async def test_good_items_beside_any_odd_one_are_recorded_and_delivered(
    new_database: NewDatabase,
    build_gateway: BuildGateway,
    clock: Any,
    odd: dict[str, Any],
    place: int,
) -> None:
    body = json.dumps(odd, ensure_ascii=True).encode()
    async with new_database() as database:
        world = World(await build_gateway(database), clock)

        results = await world.take(*GOOD[:place], body, *GOOD[place:])
        await world.turn()

        strange, *good = [results.pop(place), *results]
        assert [one.problems for one in good] == [()] * len(GOOD)
        assert {problem.rule for problem in strange.problems}.isdisjoint({Rule.INTERNAL})
        assert set(await world.states()) <= {"accepted", "held", "superseded"}
        for deliverer in world.deliverers.values():
            await deliverer.close()
