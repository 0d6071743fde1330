"""A population assessed at once comes to the same as its subjects assessed one by one."""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from schemas.codes import EventType, SubjectKind
from schemas.credit import Assessment
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Penalty
from scoring.population import Population, rescore
from scoring.population.fact_keys import combined
from scoring.regulation.ruleset import RuleSet
from tests.scoring import populations
from tests.scoring.conftest import Change

RULEBOOK = Rulebook(ScoringSettings())
DAY = date(2026, 10, 31)
Variant = Callable[[Change], RuleSet]
Rows = list[tuple[Any, ...]]


def fact(id_: str = "f1", item: str | None = "E01", **values: Any) -> Fact:
    return Fact(id_, values.pop("decided_on", date(2026, 3, 1)), item=item, **values)


def company(*facts: Fact, kind: SubjectKind = SubjectKind.ENTERPRISE) -> Facts:
    return Facts("c1", kind, facts)


def result(one: Assessment) -> tuple[Any, ...]:
    return one.id, one.score, one.grade, one.veto, one.not_evaluated, one.changes_on


def counted(one: Assessment) -> Rows:
    points: Rows = [(one.id, row.item, row.points, row.fact) for row in one.deductions]
    marks = (*one.vetoes, *one.promotions)
    return points + [(one.id, row.item, None, row.fact) for row in marks]


def one_by_one(given: Sequence[Facts], rule_set: RuleSet, as_of: date) -> tuple[Rows, Rows]:
    assessments = [assess(facts, rule_set, as_of) for facts in given]
    return [result(one) for one in assessments], [
        row for one in assessments for row in counted(one)
    ]


def at_once(given: Sequence[Facts], rule_set: RuleSet, as_of: date) -> tuple[Rows, Rows]:
    rescored = rescore(Population.of(given), rule_set, as_of)
    return rescored.frame.rows(), rescored.counted.rows()


@pytest.mark.parametrize("name", RULEBOOK.names)
@given(data=st.data())
@settings(max_examples=30, deadline=None)
def test_the_column_engine_agrees_with_the_row_engine_for_shipped_rule_sets(
    name: str, data: st.DataObject
) -> None:
    rule_set = RULEBOOK.load(name).rule_set
    population = data.draw(st.lists(populations.subjects(rule_set), max_size=8))
    as_of = data.draw(populations.any_days)

    assert at_once(population, rule_set, as_of) == one_by_one(population, rule_set, as_of)


RULE = {"article": "第一条", "text": "样例"}


def one_by_one_features(data: dict[str, Any]) -> None:
    """What a table can say as long as no record looks at another."""
    table = data["tables"]["enterprise"]
    items = table["items"]
    table["kinds"] = ["enterprise"]
    table["caps"] |= {"lowest": "80.5", "highest": "101", **RULE}
    items[0]["dated"] = [
        {"decided_from": "2026-03-01", "points": "-4", "validity": {"months": 2}},
        {"decided_from": "2026-09-01", "points": "-1.25"},
    ]
    items[3]["stacking"] = "each_word"
    items[4]["validity"] = {"months": 3}
    items[5]["validity"] = {"until": "year_end"}
    items[6]["match"]["codes"] = ["甲"]
    items[7]["match"] |= {"codes": ["乙"], "decided": {"from": "2026-02-01", "to": "2026-10-01"}}
    items[8] |= {"points": None, "points_from": "stated"}
    items[9] |= {"points": None, "points_from": "stated", "weight": None, "repairable": False}
    items[11]["unless"] = [
        {"id": "u1", "when": {"rectified_within_days": 30}, "points": "-1", **RULE}
    ]
    items[12]["points"] = "-0.00000001"
    _direct_grades(table)
    weights = {"I1": "12.5", "I2": "37.5", "I3": "50"}
    indicators = [
        {"id": id_, "group": "样", "title": "样", "points_from": "indicator", "weight": weight,
         "repairable": False, "stacking": "latest", **RULE}
        for id_, weight in weights.items()
    ]  # fmt: skip
    plain = {**table, "items": indicators, "vetoes": [], "promotions": [], "kinds": ["site"]}
    data["tables"]["site"] = plain | {"relies_on": {}}


def _direct_grades(table: dict[str, Any]) -> None:
    """Let single facts make a grade."""
    vetoes = table["vetoes"]
    vetoes[0]["validity"] = {"months": 4}
    vetoes.append({"id": "V1", "title": "样", "by_item": True, "grade": "B", **RULE})
    table["promotions"] = [
        {
            "id": "P1",
            "title": "样",
            "by_item": True,
            "grade": "A",
            "validity": {"months": 6},
            **RULE,
        },
        {"id": "P2", "title": "样", "by_item": True, "grade": "B", **RULE},
    ]
    table["received_grades"] = RULE


def joint_features(data: dict[str, Any]) -> None:
    """What a table can say by which records look at others."""
    enterprise, agency = data["tables"]["enterprise"], data["tables"]["agency"]
    enterprise["activation"] = {"days": 15, "counted_from": "created_on", **RULE}
    enterprise["caps"] |= {"per_decision": {"at_least": "1", "at_most": "4"}, **RULE}
    for item in enterprise["items"][:30]:
        item["validity"] = {"months": 6}
    for item in enterprise["items"][10:14]:
        item["stacking"] = "latest"
    past = {"clean_months": 12}
    enterprise["items"][0]["unless"] = [{"id": "u1", "when": past, "points": None, **RULE}]
    agency["activation"] = {
        "days": 30, "counted_from": "created_on", "validity_from": "counted_from", **RULE,
    }  # fmt: skip
    agency["caps"] |= {"per_decision": {"at_most": "12"}, **RULE}
    data["tables"]["individual"] = {**agency, "kinds": ["individual"], "once_per": "department"}


@pytest.fixture(scope="module", params=[one_by_one_features, joint_features])
def stretched(variant: Variant, request: pytest.FixtureRequest) -> RuleSet:
    """The draft with much of what a rule set can say."""
    change: Change = request.param
    return variant(change)


@given(data=st.data())
@settings(max_examples=50, deadline=None)
def test_the_column_engine_agrees_with_the_row_engine_for_all_features(
    stretched: RuleSet, data: st.DataObject
) -> None:
    population = data.draw(st.lists(populations.subjects(stretched), max_size=8))
    as_of = data.draw(populations.any_days)

    assert at_once(population, stretched, as_of) == one_by_one(population, stretched, as_of)


@pytest.mark.parametrize("start", ["0.0000001", "99999999999"])
def test_a_table_with_too_fine_or_too_large_numbers_goes_to_the_row_engine(
    variant: Variant, start: str
) -> None:
    rule_set = variant(lambda data: data["tables"]["enterprise"].update(start=start))

    rescored = rescore(Population.of([company(fact())]), rule_set, DAY)

    assert rescored.by_engine == 1
    assert rescored.frame.rows() == one_by_one([company(fact())], rule_set, DAY)[0]


def test_ordinary_subjects_do_not_go_to_the_row_engine(draft: RuleSet) -> None:
    penalty = fact("f2", None, penalty=Penalty(("罚款", "没收违法所得"), Decimal(12)))
    repaired = fact("f3", "E31", rectified_on=date(2026, 4, 1), warning_until=date(2026, 3, 20))

    rescored = rescore(Population.of([company(fact(), penalty, repaired)]), draft, DAY)

    assert rescored.by_engine == 0
    assert rescored.frame.rows() == [("c1", "94.5", "B", False, None, None)]


def test_only_subjects_with_a_repeated_fact_id_go_to_the_row_engine(draft: RuleSet) -> None:
    once, twice = company(fact()), company(fact("f1"), fact("f2"))
    columns = Population.of([once, twice, once])
    facts = columns.facts.with_columns(id=pl.lit("f1"))

    rescored = rescore(Population(columns.subjects, facts), draft, DAY)

    assert rescored.by_engine == 1
    assert rescored.frame["score"].to_list() == ["99.5", "99.5", "99.5"]


def test_an_empty_population_gives_empty_results(draft: RuleSet) -> None:
    rescored = rescore(Population.of([]), draft, DAY)

    assert (rescored.frame.height, rescored.counted.height) == (0, 0)


def test_a_population_returns_the_facts_it_was_built_from() -> None:
    penalty = fact("f2", None, penalty=Penalty(("罚款",), Decimal("12.5")), document_number="样1号")
    event = fact("f3", None, type=EventType.SEIZURE, principal_points=Decimal("0.000001"))
    given = [company(penalty, event), company(), company(fact(), kind=SubjectKind.AGENCY)]

    population = Population.of(given)

    assert list(population.each()) == given
    assert list(population.only([2, 0]).each()) == [given[2], given[0]]


def test_facts_not_sorted_by_subject_are_refused() -> None:
    population = Population.of([company(fact()), company(fact())])

    with pytest.raises(ValueError, match="order"):
        Population(population.subjects, population.facts.reverse())


def test_combined_keys_are_equal_only_for_equal_rows() -> None:
    parts = [
        pl.Series([0, 1, 2, None, 0]),
        pl.Series([5, 5, None, 7, 5]),
        pl.Series([1, 1, 0, 1, 1]),
    ]

    for most in (2**63, 20):
        key = combined(parts, most)

        assert key.n_unique() == 4
        assert key[0] == key[4]
