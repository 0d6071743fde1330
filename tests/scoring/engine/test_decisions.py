"""One decision about a legal person and its branches: what counts once, and until when."""

from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.codes import SubjectKind
from schemas.credit import Assessment
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Penalty, RegisterEntry
from scoring.regulation.ruleset import RuleSet
from tests.scoring.tiny import DAY, QUOTED, item, rows, tiny

KIND = SubjectKind.ENTERPRISE
SINCE = date(2026, 1, 1)
RECTIFIED = date(2026, 4, 1)
REPAIRED, AFTER = date(2026, 8, 1), date(2026, 9, 1)
WAITS = [
    {"below": "4", "months": 0, "text": "即时"},
    {"at_least": "4", "months": 2, "text": "两个月"},
]
RULES = tiny(
    item("F1", "-1", match={"penalties": ["罚款"], "amount": {"at_most": "10"}}),
    item("F2", "-2", match={"penalties": ["罚款"], "amount": {"above": "10", "at_most": "50"}}),
    item("F3", "-3", match={"penalties": ["罚款"], "amount": {"above": "50"}}),
    item("S", "-5", match={"penalties": ["责令停产整治"]}),
    warning=QUOTED,
    repair={"waits": WAITS, "article": "一"},
)


def part(id_: str, fine: int | None, *words: str, branch: str | None = None, **more: Any) -> Fact:
    """What one decision imposed on one of the subjects that it names."""
    types = words if fine is None else ("罚款", *words)
    penalty = Penalty(types, None if fine is None else Decimal(fine))
    named: dict[str, Any] = {"document_number": "环罚〔2026〕1号", "department": "某局"}
    return Fact(id_, DAY, penalty=penalty, branch=branch, **named, **more)


def repaired(fact: Fact, on: date = REPAIRED, rectified: date = RECTIFIED) -> Fact:
    return replace(fact, rectified_on=rectified, repair_applied_on=on, repair_confirmed_on=on)


def result(*facts: Fact, on: date = AFTER, rules: RuleSet = RULES) -> Assessment:
    entry = RegisterEntry(KIND, parent="c1")
    branches = (Fact(f"r{b}", SINCE, entry=entry, branch=b) for b in ("b1", "b2"))
    return assess(Facts("c1", KIND, (*branches, *facts)), rules, on)


def counted(*facts: Fact, on: date = AFTER, rules: RuleSet = RULES) -> list[str]:
    return rows(result(*facts, on=on, rules=rules))


OWN = part("f1", 2)
BRANCH = part("f2", 60, "责令停产整治", branch="b1")


def test_the_fines_of_one_decision_add_up() -> None:
    assert counted(part("f1", 40), part("f2", 30, branch="b1")) == ["f1 F3 -3"]


def test_a_decision_counts_once_with_all_that_it_imposed() -> None:
    assert counted(OWN, BRANCH) == ["f1 F3 -3", "f1 S -5"]


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((repaired(OWN), BRANCH), ["f1 F3 -3", "f1 S -5"]),
        ((OWN, repaired(BRANCH)), ["f1 F1 -1"]),
        ((repaired(OWN), repaired(BRANCH)), []),
        ((repaired(OWN), repaired(BRANCH, date(2026, 8, 15))), []),
        ((OWN, replace(BRANCH, rectified_on=RECTIFIED)), ["f1 F3 -3", "f1 S -5"]),
    ],
)
def test_a_repair_ends_what_was_imposed_on_its_own_subject(
    facts: tuple[Fact, ...], expected: list[str]
) -> None:
    assert counted(*facts) == expected


def test_a_part_counts_until_its_repair_and_the_rest_goes_on() -> None:
    facts = (part("f1", 40), repaired(part("f2", 30, branch="b1")))

    assert counted(*facts, on=date(2026, 7, 31)) == ["f1 F3 -3"]
    assert counted(*facts, on=REPAIRED) == ["f1 F2 -2"]


@pytest.mark.parametrize("branch", ["b1", "b2"])
def test_of_two_branches_each_ends_by_its_own_repair(branch: str) -> None:
    parts = [part("f1", 60, branch="b1"), part("f2", 60, "责令停产整治", branch="b2")]
    facts = [repaired(one) if one.branch == branch else one for one in parts]

    assert counted(*facts) == (["f1 F3 -3", "f1 S -5"] if branch == "b1" else ["f1 F3 -3"])


def test_the_words_of_a_part_end_each_after_its_own_wait() -> None:
    early = repaired(BRANCH, date(2026, 4, 2))

    assert counted(OWN, early) == ["f1 F1 -1", "f1 S -5"]


def test_codes_end_with_their_own_rows() -> None:
    rules = tiny(
        item("C1", "-1", match={"codes": ["1"]}),
        item("C5", "-5", match={"codes": ["5"]}),
        item("F", "-1", match={"penalties": ["罚款"]}),
        repair={"waits": WAITS, "article": "一"},
    )
    own = repaired(part("f1", 2, codes=("1", "5")), date(2026, 4, 2))

    assert counted(own, part("f2", 2, branch="b1"), rules=rules) == ["f1 C5 -5", "f1 F -1"]


def test_a_repair_is_no_repair_before_the_wait_is_over() -> None:
    stop = part("f2", None, "责令停产整治", branch="b1")

    assert counted(OWN, repaired(stop, date(2026, 4, 2))) == ["f1 F1 -1", "f1 S -5"]


def test_a_warning_holds_back_the_part_of_its_own_subject() -> None:
    warned = replace(BRANCH, warning_until=REPAIRED)

    assert counted(OWN, warned, on=REPAIRED) == ["f1 F1 -1"]
    assert counted(OWN, warned) == ["f1 F3 -3", "f1 S -5"]
    assert counted(OWN, replace(warned, rectified_on=RECTIFIED)) == ["f1 F1 -1"]


def test_the_day_of_a_repair_of_a_part_is_a_day_of_change() -> None:
    entry = Fact("r", date(2026, 1, 1), entry=RegisterEntry(KIND, parent="c1"), branch="b1")
    facts = Facts("c1", KIND, (entry, OWN, repaired(BRANCH)))

    assert assess(facts, RULES, DAY).changes_on == REPAIRED


NO_AMOUNT = Penalty(("罚款",))


@pytest.mark.parametrize(
    ("facts", "lacking"),
    [
        ((replace(OWN, penalty=NO_AMOUNT), BRANCH), "f1"),
        ((OWN, replace(BRANCH, penalty=NO_AMOUNT)), "f2"),
        ((OWN, repaired(replace(BRANCH, penalty=Penalty(("罚款", "责令停产整治"))))), "f2"),
    ],
)
def test_a_part_without_its_amount_is_never_a_smaller_sum(
    facts: tuple[Fact, ...], lacking: str
) -> None:
    found = result(*facts)

    assert (found.score, found.not_evaluated) == (None, f"missing_amount:{lacking}")


def test_the_trace_names_the_parts_that_count() -> None:
    [both] = result(part("f1", 40), part("f2", 30, branch="b1")).deductions
    [one] = result(repaired(part("f1", 40)), part("f2", 30, branch="b1")).deductions

    assert (both.values["parts"], one.values["parts"]) == ("f1、f2", "f2")


def test_codes_and_stated_points_of_each_part_count() -> None:
    rules = tiny(
        item("C", "-1", match={"codes": ["1"]}),
        item("T", None, points_from="stated", match={"penalties": ["警告"]}),
    )
    own = replace(part("f1", None, "警告"), stated_points=Decimal(2))
    branch = replace(part("f2", None, "警告", branch="b1", codes=("1",)), stated_points=Decimal(5))

    assert counted(own, branch, rules=rules) == ["f1 C -1", "f1 T -5"]


SITED = tiny(
    item("F1", "-1", match={"penalties": ["罚款"], "amount": {"at_most": "10"}}),
    item("F2", "-2", match={"penalties": ["罚款"], "amount": {"above": "10"}}),
    item("S", "-5", match={"penalties": ["责令停产整治"]}),
    sites={"combined": "weighted", "weight": "产值", **QUOTED},
)


def at_sites(*facts: Fact) -> Decimal:
    """The score of a legal person with a site P1 of a quarter and a site P2 of the rest."""
    weights = (("P1", "0.25"), ("P2", "0.75"))
    entries = (RegisterEntry(KIND, permit=at, weight=Decimal(share)) for at, share in weights)
    register = (Fact(f"s{at}", SINCE, entry=one) for at, one in enumerate(entries))
    return Decimal(result(*register, *facts, rules=SITED).score or "")


STOP = {at: part("f1", None, "责令停产整治", site=at) for at in ("P1", "P2", None)}
BRANCH_STOP = {
    at: part("f2", None, "责令停产整治", site=at, branch="b1") for at in ("P1", "P2", None)
}


@pytest.mark.parametrize(
    ("facts", "score"),
    [
        ((STOP["P1"], BRANCH_STOP["P1"]), "98.75"),
        ((STOP["P1"], BRANCH_STOP["P2"]), "95"),
        ((STOP["P1"], BRANCH_STOP[None]), "95"),
        ((STOP[None], BRANCH_STOP["P1"]), "95"),
        ((part("f1", 8, site="P1"), BRANCH_STOP["P2"]), "96"),
        ((part("f1", 8, site="P1"), part("f2", 8, site="P1", branch="b1")), "99.5"),
        ((part("f1", 8, site="P1"), part("f2", 8, branch="b1")), "98"),
    ],
)
def test_a_part_counts_at_its_own_site(facts: tuple[Fact, ...], score: str) -> None:
    assert at_sites(*facts) == Decimal(score)


def test_a_further_part_never_raises_the_score() -> None:
    own = [*STOP.values(), *(part("f1", 8, site=at) for at in ("P1", "P2", None))]
    theirs = [*BRANCH_STOP.values()]
    theirs += [part("f2", 8, site=at, branch="b1") for at in ("P1", "P2", None)]
    third = [replace(one, id="f3", branch="b2") for one in theirs]

    for one, two in product(own, theirs):
        both = at_sites(one, two)

        assert both <= min(at_sites(one), at_sites(two))
        assert all(at_sites(one, two, more) <= both for more in third)


def event(id_: str, branch: str | None = None, number: str = "E-1", **more: Any) -> Fact:
    return Fact(id_, DAY, item="S", document_number=number, branch=branch, **more)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ((event("f1"), event("f2", "b1")), ["f1 S -5"]),
        ((event("f1", "b2"), event("f2", "b1")), ["f1 S -5"]),
        ((event("f1"), event("f2", "b1", "E-2")), ["f1 S -5", "f2 S -5"]),
        ((event("f1"), event("f2", "b1", department="别局")), ["f1 S -5", "f2 S -5"]),
        ((repaired(event("f1")), event("f2", "b1")), ["f1 S -5"]),
        ((repaired(event("f1")), repaired(event("f2", "b1"))), []),
    ],
)
def test_one_event_about_a_legal_person_and_its_branch_counts_once(
    facts: tuple[Fact, ...], expected: list[str]
) -> None:
    assert counted(*facts) == expected


def test_a_decision_of_an_earlier_kind_about_several_counts_once() -> None:
    table = {"match": {"penalties": ["责令停产整治"]}}
    rules = tiny(item("S", "-5", **table), kinds=["enterprise", "agency"])
    later = Fact("r", date(2026, 6, 1), entry=RegisterEntry(SubjectKind.AGENCY))
    first = Fact("q", SINCE, entry=RegisterEntry(KIND))

    assert counted(first, later, STOP[None], BRANCH_STOP[None], rules=rules) == ["f1 S -5"]
