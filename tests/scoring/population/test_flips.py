"""Which grades flip between two rule sets, and which rows make them."""

from collections.abc import Callable
from datetime import date
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.codes import SubjectKind
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts
from scoring.population import Flips, Population, flips
from scoring.regulation.ruleset import RuleSet
from tests.scoring import populations
from tests.scoring.conftest import Change

Variant = Callable[[Change], RuleSet]
DAY = date(2026, 10, 31)


def company(
    *items: str, kind: SubjectKind = SubjectKind.ENTERPRISE, suspect: bool = False
) -> Facts:
    facts = (Fact(f"f{n}", date(2026, 3, 1), item=item) for n, item in enumerate(items, 1))
    return Facts("c1", kind, tuple(facts), None, suspect)


def between(old: RuleSet, new: RuleSet, *given: Facts) -> list[dict[str, Any]]:
    return flips(old, new, Population.of(given), DAY).frame.to_dicts()


def dearer(data: dict[str, Any]) -> None:
    data["tables"]["enterprise"]["items"][0]["points"] = "-6"


def without_e01(data: dict[str, Any]) -> None:
    del data["tables"]["enterprise"]["items"][0]["match"]
    data["tables"]["enterprise"]["items"][0]["id"] = "E00"


def test_a_flip_lists_the_rows_that_differ(draft: RuleSet, variant: Variant) -> None:
    [flip] = between(draft, variant(dearer), company("E31"), company("E01", "E31"))

    assert (flip["from_grade"], flip["to_grade"], flip["direction"]) == ("A", "B", "down")
    assert (flip["from_score"], flip["to_score"]) == ("98.5", "93")
    assert flip["gone"] == [{"item": "E01", "points": "-0.5", "fact": "f1"}]
    assert flip["come"] == [{"item": "E01", "points": "-6", "fact": "f1"}]


def test_the_reverse_change_of_rule_sets_is_an_upgrade(draft: RuleSet, variant: Variant) -> None:
    [flip] = between(variant(dearer), draft, company("E01", "E31"))

    assert (flip["from_grade"], flip["to_grade"], flip["direction"]) == ("B", "A", "up")


def test_a_moved_band_flips_a_grade_without_a_differing_row(
    draft: RuleSet, variant: Variant
) -> None:
    def stricter(data: dict[str, Any]) -> None:
        best, second = data["tables"]["enterprise"]["bands"][:2]
        best["at_least"], second["below"] = "99.75", "99.75"

    [flip] = between(draft, variant(stricter), company("E01"), company())

    assert (flip["direction"], flip["gone"], flip["come"]) == ("down", [], [])


def test_a_subject_kind_of_only_one_rule_set_flips_as_first_or_ended(
    draft: RuleSet, variant: Variant
) -> None:
    def alone(data: dict[str, Any]) -> None:
        del data["tables"]["agency"]

    agency = company(kind=SubjectKind.AGENCY)

    [ended] = between(draft, variant(alone), agency)
    [first] = between(variant(alone), draft, agency)

    assert (ended["direction"], ended["to_not_evaluated"]) == ("ended", "wrong_kind:agency")
    assert (first["direction"], first["from_not_evaluated"]) == ("first", "wrong_kind:agency")


def test_a_flip_between_different_scales_has_direction_other(
    draft: RuleSet, variant: Variant
) -> None:
    def coloured(data: dict[str, Any]) -> None:
        table = data["tables"]["enterprise"]
        table["listing"] = None
        for band, name in zip(table["bands"], ["绿", "蓝", "黄", "红"], strict=True):
            band["grade"] = name
        for rule in table["vetoes"]:
            rule["grade"] = "红"

    [flip] = between(draft, variant(coloured), company("E01"))

    assert (flip["from_grade"], flip["to_grade"], flip["direction"]) == ("A", "绿", "other")


def test_the_totals_count_every_flip_once(draft: RuleSet, variant: Variant) -> None:
    given = [company("E01", "E31")] * 3 + [company(), company("E01", suspect=True)]

    found = flips(draft, variant(dearer), Population.of(given), DAY)

    assert found.subjects == 5
    assert found.by_direction == {"up": 0, "down": 3, "first": 0, "ended": 0, "other": 0}
    assert found.by_pair == [("A", "B", 3)]


def test_the_flips_of_slices_join_to_the_flips_of_the_population(
    draft: RuleSet, variant: Variant
) -> None:
    given = [company("E01", "E31"), company(), company("E01", "E31")]

    parts = [flips(draft, variant(dearer), Population.of([one]), DAY) for one in given]

    whole = flips(draft, variant(dearer), Population.of(given), DAY)
    assert Flips.together(parts).frame.equals(whole.frame)
    assert Flips.together([]).subjects == 0


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_flips_equal_those_of_the_row_engine(
    draft: RuleSet, variant: Variant, data: st.DataObject
) -> None:
    new = variant(dearer)
    given = data.draw(st.lists(populations.subjects(draft), max_size=6))

    found = flips(draft, new, Population.of(given), DAY).frame

    grades = [(assess(one, draft, DAY).grade, assess(one, new, DAY).grade) for one in given]
    expected = [pair for pair in grades if pair[0] != pair[1]]
    assert found.select("from_grade", "to_grade").rows() == expected
