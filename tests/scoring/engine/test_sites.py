"""Several sites of one legal person, put together by weight."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.codes import SubjectKind
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Received, Site
from tests.scoring.tiny import AS_OF, DAY, QUOTED, item, rows, rule, scored, tiny

WEIGHTED: dict[str, Any] = {"combined": "weighted", "weight": "产值", **QUOTED}
SITES = (Site("X1", Decimal(1)), Site("X2", Decimal(2)))


def at(site: str | None, id_: str = "f1", item_: str = "A1", on: date = DAY) -> Fact:
    return Fact(id_, on, item_, site=site)


def test_the_score_is_the_weighted_average_of_the_sites_rounded_down() -> None:
    rules = tiny(item(points="-10"), sites=WEIGHTED)

    found = scored(rules, at("X1"), sites=SITES)

    assert (found.score, rows(found)) == ("96.666666", ["f1 A1 -10"])
    assert found.deductions[0].values["site"] == "X1"
    assert found.deductions[0].values["share"] == "1/3"
    assert found.notes == ("several_sites",)


def test_the_score_limits_apply_to_each_site() -> None:
    rules = tiny(item(points="-130"), sites=WEIGHTED, caps={"lowest": "0", **QUOTED})

    found = scored(rules, at("X1"), sites=SITES)

    assert (found.score, rows(found)) == ("66.666666", ["f1 A1 -130", "c1 lowest 30"])


def test_a_fact_without_site_counts_at_every_site_in_full() -> None:
    rules = tiny(item(points="-10"), sites=WEIGHTED)

    found = scored(rules, at(None), sites=SITES)

    assert (found.score, rows(found)) == ("90", ["f1 A1 -10"])
    assert found.deductions[0].values["share"] == "3/3"
    assert found.notes == ("several_sites", "unattributed")


def test_two_equal_rows_of_one_fact_are_not_merged() -> None:
    words = item(match={"codes": ["7"]}, stacking="each_word")
    rules = tiny(words, sites=WEIGHTED)
    fact = Fact("f1", DAY, "A1", codes=("7",), site="X2")

    assert rows(scored(rules, fact, sites=SITES)) == ["f1 A1 -1", "f1 A1 -1"]


def test_a_veto_or_promotion_at_one_site_sets_the_grade_of_the_legal_person() -> None:
    rules = tiny(
        item(points="-20"), sites=WEIGHTED, vetoes=[rule("V", "黑")], promotions=[rule("P", "绿")]
    )

    vetoed = scored(rules, at("X1", item_="V"), sites=SITES)
    lifted = scored(rules, at(None), at("X2", "p", "P"), at(None, "q", "P"), sites=SITES)

    assert (vetoed.grade, vetoed.notes) == ("黑", ("several_sites", "site_veto"))
    assert (lifted.score, lifted.grade) == ("80", "绿")
    assert [one.fact for one in lifted.promotions] == ["p", "q"]


def test_a_future_fact_at_one_site_gives_the_day_of_change() -> None:
    rules = tiny(sites=WEIGHTED)

    assert scored(rules, at("X2", on=AS_OF), on=DAY, sites=SITES).changes_on == AS_OF


def test_a_subject_with_a_fact_of_an_unknown_site_is_not_evaluated() -> None:
    assert scored(tiny(sites=WEIGHTED), at("X9"), sites=SITES).not_evaluated == "unknown_site:X9"


def test_without_sites_the_site_of_a_fact_is_ignored() -> None:
    assert scored(tiny(sites=WEIGHTED), at("X9")).score == "99"


@pytest.mark.parametrize("sites", [None, {"combined": "per_site", **QUOTED}])
def test_a_subject_with_sites_is_not_evaluated_if_sites_are_scored_separately(
    sites: dict[str, Any] | None,
) -> None:
    found = scored(tiny(sites=sites), at("X1"), sites=SITES)

    assert found.not_evaluated == "sites_scored_apart"


def test_a_separately_scored_site_is_its_own_subject() -> None:
    rules = tiny(sites={"combined": "per_site", **QUOTED})

    assert assess(Facts("X1", SubjectKind.SITE, (at("X1"),)), rules, AS_OF).score == "99"


def test_a_subject_is_not_evaluated_if_one_site_cannot_be() -> None:
    rules = tiny(item(points=None, points_from="stated"), sites=WEIGHTED)

    found = scored(rules, at(None), at("X2", "f2"), sites=SITES)

    assert found.not_evaluated == "missing_stated_points:f1"


def test_a_received_grade_replaces_the_grade_of_the_sites() -> None:
    rules = tiny(sites=WEIGHTED, received_grades=QUOTED)
    grade = Fact("r1", DAY, received=Received("蓝", "某省"), site="X1")

    found = scored(rules, grade, sites=SITES)

    assert (found.grade, found.score) == ("蓝", None)


def test_two_sites_with_the_same_permit_are_refused() -> None:
    with pytest.raises(ValueError, match="对象 c1 有两个厂址的 permit 相同"):
        Facts("c1", SubjectKind.ENTERPRISE, sites=(SITES[0], SITES[0]))


def test_a_weight_must_be_positive() -> None:
    line = {"id": "c1", "kind": "enterprise", "sites": [{"permit": "X1", "weight": "0"}]}

    with pytest.raises(ValidationError):
        Facts.model_validate(line)
