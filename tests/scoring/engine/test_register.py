"""How a subject takes part by the register of participants, and from which day on."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from gateway.config.settings import ScoringSettings
from gateway.rules.rulebook import Rulebook
from schemas.codes import EventType, SubjectKind
from schemas.credit import Assessment
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Penalty, RegisterEntry
from scoring.regulation.ruleset import RuleSet
from tests.scoring.tiny import AS_OF, DAY, QUOTED, item, rows, tiny

BEGIN, END = date(2026, 1, 1), date(2026, 11, 30)
KIND = SubjectKind.ENTERPRISE


def entry(id_: str = "r1", on: date = BEGIN, **more: object) -> Fact:
    return Fact(id_, on, entry=RegisterEntry(**{"kind": KIND, **more}))  # type: ignore[arg-type]


def assessed(*facts: Fact, on: date = AS_OF, only: bool = False, **table: Any) -> Assessment:
    kinds = ["enterprise", "agency"]
    sites = {"combined": "weighted", "weight": "产值", **QUOTED}
    rules = tiny(item(points="-10"), kinds=kinds, sites=sites, **table)
    return assess(Facts("c1", KIND, facts, participants_only=only), rules, on)


def test_without_a_register_everybody_is_evaluated() -> None:
    assert assessed(Fact("f1", DAY, "A1")).score == "90"


def test_without_an_entry_nobody_is_evaluated_where_only_participants_are() -> None:
    found = assessed(Fact("f1", DAY, "A1"), only=True)

    assert (found.score, found.not_evaluated, found.changes_on) == (None, "not_participant", None)


@pytest.mark.parametrize(
    ("on", "reason", "changes_on"),
    [
        (date(2025, 12, 31), "not_participant", BEGIN),
        (BEGIN, None, DAY),
        (END, None, date(2026, 12, 1)),
        (date(2026, 12, 1), "not_participant", None),
    ],
)
def test_a_subject_takes_part_from_its_first_day_to_its_last(
    on: date, reason: str | None, changes_on: date | None
) -> None:
    found = assessed(entry(until=END), Fact("f1", DAY, "A1"), on=on, only=True)

    assert (found.not_evaluated, found.changes_on) == (reason, changes_on)


def test_the_latest_entry_says_the_kind() -> None:
    later = entry("r2", date(2026, 6, 1), kind=SubjectKind.AGENCY)
    rules = tiny(item(points="-10"), kinds=["agency"])
    facts = Facts("c1", KIND, (entry(), later, Fact("f1", date(2026, 6, 1), "A1")))

    before, after = (assess(facts, rules, day) for day in (date(2026, 5, 31), date(2026, 6, 1)))

    assert (before.not_evaluated, before.changes_on) == ("wrong_kind:enterprise", date(2026, 6, 1))
    assert after.score == "90"


def test_what_was_done_as_a_kind_of_which_there_is_no_table_is_not_forgotten() -> None:
    later = entry("r2", date(2026, 6, 1), kind=SubjectKind.AGENCY)
    rules = tiny(item(points="-10"), kinds=["agency"])

    found = assess(Facts("c1", KIND, (entry(), later, Fact("f1", DAY, "A1"))), rules, AS_OF)

    assert (found.grade, found.not_evaluated) == (None, "earlier_kind:f1")


PENALTY = Penalty(("罚款",), Decimal(60))
OTHER_PENALTY = Penalty(("警告", "罚款"), Decimal(20))
ONE_DECISION: dict[str, Any] = {
    "penalty": PENALTY,
    "document_number": "环罚〔2026〕1号",
    "department": "某局",
}


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ({}, ["f2 A1 -10"]),
        ({"penalty": OTHER_PENALTY}, ["f2 A1 -10", "f2 A2 -5"]),
        ({"document_number": "环罚[2026] 1号"}, ["f2 A1 -10"]),
        ({"document_number": "环罚〔2026〕2号"}, ["f1 A1 -10", "f2 A1 -10"]),
        ({"department": "别局"}, ["f1 A1 -10", "f2 A1 -10"]),
        ({"document_number": None}, ["f1 A1 -10", "f2 A1 -10"]),
    ],
)
def test_one_decision_about_a_legal_person_and_its_branch_counts_once(
    branch: dict[str, Any], expected: list[str]
) -> None:
    rules = tiny(
        item("A1", "-10", match={"penalties": ["罚款"]}),
        item("A2", "-5", match={"penalties": ["警告"]}),
    )
    of_branch = replace(entry("r2", parent="c1"), branch="b1")
    done = Fact("f1", DAY, branch="b1", **{**ONE_DECISION, **branch})
    facts = (of_branch, done, Fact("f2", DAY, **ONE_DECISION))

    found = assess(Facts("c1", KIND, facts), rules, AS_OF)

    assert rows(found) == expected


@pytest.mark.parametrize("parent", [None, "c1"])
def test_what_was_done_with_an_entry_of_its_own_is_never_charged_to_a_legal_person(
    parent: str | None,
) -> None:
    first = replace(entry("r1", parent=parent, until=DAY), branch="b1")
    later = replace(entry("r2", date(2026, 6, 1), parent="c1"), branch="b1")
    facts = (first, later, Fact("f1", DAY, "A1", branch="b1"))

    found = assess(Facts("c1", KIND, facts), tiny(item(points="-10")), AS_OF)

    assert found.score == ("100" if parent is None else "90")


def test_what_was_done_in_a_gap_goes_to_the_next_entry() -> None:
    later = replace(entry("r2", date(2026, 6, 1), parent="c1"), branch="b1")
    before = replace(entry("r1", until=date(2026, 2, 1)), branch="b1")
    facts = (before, later, Fact("f1", DAY, "A1", branch="b1"))

    assert assess(Facts("c1", KIND, facts), tiny(item(points="-10")), AS_OF).score == "90"


def test_one_permit_makes_no_sites() -> None:
    found = assessed(entry(permit="X1", weight=Decimal(3)), Fact("f1", DAY, "A1", site="X9"))

    assert (found.score, rows(found)) == ("90", ["f1 A1 -10"])


def test_a_permit_without_weight_makes_no_site() -> None:
    entries = (entry(permit="X1", weight=Decimal(3)), entry("r2", permit="X2"))

    assert assessed(*entries, Fact("f1", DAY, "A1", site="X1")).score == "90"


def test_the_last_weight_of_a_permit_counts() -> None:
    found = assessed(
        entry(permit="X1", weight=Decimal(9)),
        entry("r2", permit="X2", weight=Decimal(3)),
        entry("r3", date(2026, 2, 1), permit="X1", weight=Decimal(1)),
        Fact("f1", DAY, "A1", site="X1"),
    )

    assert found.score == "97.5"


def test_a_branch_is_evaluated_again_once_it_is_none_any_more() -> None:
    found = assessed(entry(parent="91150100MA0N999929", until=END), Fact("f1", DAY, "A1"))

    assert (found.not_evaluated, found.changes_on) == ("branch", date(2026, 12, 1))


def test_an_entry_counts_no_points_and_is_no_fact() -> None:
    facts = Facts("c1", KIND, (entry(), Fact("f1", DAY, "A1")))

    assert [fact.id for fact in facts.facts] == ["f1"]
    assert [fact.id for fact in facts.register] == ["r1"]


def test_what_a_participant_reported_waits_for_its_confirmation() -> None:
    confirmation: dict[str, Any] = {
        "confirmation": QUOTED,
        "relies_on": {"unconfirmed": ["unmapped"]},
    }
    own = Fact("f1", DAY, "A1", self_reported=True)
    confirmed = Fact("f1", DAY, "A1", self_reported=True, confirmed_on=date(2026, 11, 2))

    assert assessed(own, **confirmation).score == "100"
    assert assessed(own).score == "90"
    assert assessed(confirmed, **confirmation).changes_on == date(2026, 11, 2)
    assert assessed(confirmed, on=date(2026, 11, 2), **confirmation).score == "90"


AGENCY = SubjectKind.AGENCY
NM = Rulebook(ScoringSettings()).load("nm-2023-draft").rule_set


def first_as_agency(*facts: Fact, only: bool = False) -> Assessment:
    later = entry("r1", date(2026, 6, 1), kind=AGENCY)
    return assess(Facts("c1", KIND, (later, *facts), participants_only=only), NM, AS_OF)


FINED = Fact("f1", DAY, penalty=Penalty(("吊销许可证件",)))
ABOUT_AGENCIES = Fact("f2", DAY, item="A06")


def test_a_first_entry_as_another_kind_takes_no_points_away() -> None:
    without = assess(Facts("c1", KIND, (FINED,)), NM, AS_OF)

    found = first_as_agency(FINED)

    assert (without.score, found.score) == ("95", "95")
    assert "r29-earlier-kind" in found.notes


def test_what_no_enterprise_has_a_row_for_counts_by_the_first_entry() -> None:
    assert first_as_agency(ABOUT_AGENCIES, FINED).score == "85"


def test_a_fine_without_its_amount_stays_without_after_a_first_entry() -> None:
    unknown = Fact("f1", DAY, penalty=Penalty(("罚款",)))

    assert first_as_agency(unknown).not_evaluated == "missing_amount:f1"


def test_where_only_participants_are_evaluated_the_first_entry_says_the_kind() -> None:
    assert first_as_agency(FINED, only=True).score == "100"


def test_what_was_done_after_the_first_entry_counts_by_its_kind() -> None:
    assert first_as_agency(replace(FINED, decided_on=date(2026, 6, 1))).score == "100"
    assert first_as_agency(replace(FINED, decided_on=date(2026, 5, 31))).score == "95"


WARNED = Fact("f1", DAY, penalty=Penalty(("警告",)))
WARNED_AND_FINED = replace(WARNED, penalty=Penalty(("警告", "罚款"), Decimal(5)))


def test_of_one_decision_before_a_first_entry_each_word_counts_by_the_table_that_has_it() -> None:
    both = first_as_agency(WARNED_AND_FINED)

    assert rows(first_as_agency(WARNED)) == ["f1 A06 -10"]
    assert (rows(both), both.score) == (["f1 A06 -10", "f1 E01 -0.5"], "89.5")
    assert (both.unmapped, "r29-earlier-kind" in both.notes) == ((), True)


def test_items_events_and_codes_before_a_first_entry_count_each_by_their_own_table() -> None:
    fact = replace(ABOUT_AGENCIES, penalty=FINED.penalty)
    event = replace(fact, item=None, type=EventType("agency.interviewed"))

    assert rows(first_as_agency(fact)) == ["f2 A06 -10", "f2 E05 -5"]
    assert rows(first_as_agency(event)) == ["f2 A05 -10", "f2 E05 -5"]


@pytest.mark.parametrize("types", [("吊销许可证件",), ("警告", "吊销许可证件"), ("责令改正",)])
def test_a_part_of_a_branch_takes_no_points_away_from_a_decision_before_a_first_entry(
    types: tuple[str, ...],
) -> None:
    of_branch = Fact("r2", BEGIN, branch="b1", entry=RegisterEntry(KIND, parent="c1"))
    named: dict[str, Any] = {"document_number": "环罚〔2026〕1号", "department": "某局"}
    own = replace(WARNED, **named)
    part = replace(own, id="f2", branch="b1", penalty=Penalty(types))

    found = rows(first_as_agency(of_branch, own, part))

    assert found == ["f1 A06 -10", *(["f1 E05 -5"] if "吊销许可证件" in types else [])]


def test_words_before_a_first_entry_wait_for_their_repair_as_their_own_table_says() -> None:
    rules = first_tables(
        repair=[{"months": 0, "text": "即时"}], later=[{"months": 6, "text": "六"}]
    )
    mended = replace(WARNED_AND_FINED, rectified_on=DAY, repair_confirmed_on=date(2026, 6, 1))
    facts = Facts("c1", KIND, (entry(on=date(2026, 5, 1), kind=AGENCY), mended))

    assert rows(assess(facts, rules, AS_OF)) == ["f1 A2 -10"]


def test_words_of_tables_that_do_not_add_up_are_not_evaluated() -> None:
    facts = (entry(on=date(2026, 5, 1), kind=AGENCY), WARNED_AND_FINED)
    back = entry("r2", date(2026, 6, 1))
    rules = first_tables(start="50")

    for given in (facts, (*facts, back)):
        assert assess(Facts("c1", KIND, given), rules, AS_OF).not_evaluated == "earlier_kind:f1"
    whole = assess(Facts("c1", KIND, (*facts, back)), first_tables(), AS_OF)
    assert rows(whole) == ["f1 A1 -1", "f1 A2 -10"]


def first_tables(
    repair: list[dict[str, Any]] | None = None,
    later: list[dict[str, Any]] | None = None,
    start: str = "100",
) -> RuleSet:
    """Tables of enterprises, with fines, and of agencies, with warnings."""
    fines = tiny(item("A1", "-1", match={"penalties": ["罚款"]}), kinds=["enterprise"])
    data = fines.model_dump(exclude={"version"}, exclude_defaults=True)
    [table] = data["tables"].values()
    own = item("A2", "-10", match={"penalties": ["警告"]})
    agency = {**table, "kinds": ["agency"], "items": [own], "start": start}
    for one, waits in ((table, repair), (agency, later)):
        one["repair"] = None if waits is None else {"article": "一", "waits": waits}
    return RuleSet.load({**data, "tables": {"enterprise": table, "agency": agency}}, "tiny")
