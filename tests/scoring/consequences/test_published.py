"""The grade that is published for a period, and the list that bad years lead to."""

from datetime import date
from typing import Any

import pytest
from msgspec.structs import replace

from schemas.codes import SubjectKind
from scoring.consequences.published import (
    listed,
    period,
    publication_day,
    publications,
    published,
)
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Penalty, RegisterEntry
from tests.scoring.tiny import DAY, QUOTED, item, rows, tiny

YEAR = {"cadence": "year", "counts": "of_period", **QUOTED}
END = date(2026, 12, 31)
WAITS = [{"months": 2, "text": "二个月"}]


def subject(*facts: Fact) -> Facts:
    return Facts("c1", SubjectKind.ENTERPRISE, facts)


@pytest.mark.parametrize(
    ("cadence", "day", "first", "last"),
    [
        ("year", DAY, date(2026, 1, 1), END),
        ("half_year", date(2026, 6, 30), date(2026, 1, 1), date(2026, 6, 30)),
        ("half_year", date(2026, 7, 1), date(2026, 7, 1), END),
        ("live", DAY, DAY, DAY),
    ],
)
def test_a_day_lies_in_its_period(cadence: str, day: date, first: date, last: date) -> None:
    assert period(cadence, day) == (first, last)


def test_an_unknown_cadence_is_refused() -> None:
    with pytest.raises(ValueError, match="no cadence week"):
        period("week", DAY)


def test_the_grade_of_a_year_counts_the_records_of_that_year() -> None:
    rules = tiny(item(), item("B1", "3", bonus=True, repairable=False, validity={"months": 6}),
                 snapshot=YEAR)  # fmt: skip
    facts = subject(
        Fact("f0", date(2025, 12, 31), "A1"),
        Fact("f1", date(2026, 1, 1), "A1"),
        Fact("f2", END, "A1"),
        Fact("f3", date(2027, 1, 1), "A1"),
        Fact("b1", date(2026, 8, 1), "B1"),
    )

    found = published(facts, rules, END)

    assert rows(found) == ["f1 A1 -1", "b1 B1 3", "f2 A1 -1"]
    assert (found.as_of, found.changes_on) == (END, None)


@pytest.mark.parametrize(
    ("repaired", "score"), [(date(2027, 6, 30), "100"), (date(2027, 7, 1), "99")]
)
def test_a_repair_known_when_the_year_is_published_counts_and_no_later_one(
    repaired: date, score: str
) -> None:
    repair = {"article": "一", "waits": WAITS}
    rules = tiny(repair=repair, snapshot={**YEAR, "published_on": "06-30"})
    fact = Fact("f1", END, "A1", rectified_on=END, repair_confirmed_on=repaired)

    assert published(subject(fact), rules, END).score == score


def test_a_grade_is_published_on_its_day_and_not_before() -> None:
    snapshot = tiny(snapshot={**YEAR, "published_on": "06-30"}).tables["enterprise"].snapshot
    assert snapshot is not None

    assert publication_day(snapshot, END) == date(2027, 6, 30)
    assert publications(snapshot, date(2025, 3, 1), date(2027, 6, 29), 6) == [date(2025, 12, 31)]
    assert publications(snapshot, date(2025, 3, 1), date(2027, 6, 30), 6) == [
        date(2025, 12, 31),
        END,
    ]


@pytest.mark.parametrize("until", [date(2027, 1, 31), date(2026, 12, 31)])
def test_a_warning_over_the_end_of_the_year_counts_in_one_year(until: date) -> None:
    rules = tiny(item(validity={"months": 12}), snapshot=YEAR, warning=QUOTED)
    fact = Fact("f1", date(2026, 12, 20), "A1", warning_until=until)

    years = [published(subject(fact), rules, date(year, 12, 31)).score for year in (2026, 2027)]

    assert years == ["100", "99"]


def test_a_warning_within_the_year_counts_in_that_year() -> None:
    rules = tiny(item(validity={"months": 12}), snapshot=YEAR, warning=QUOTED)
    fact = Fact("f1", date(2026, 6, 1), "A1", warning_until=date(2026, 8, 1))

    years = [published(subject(fact), rules, date(year, 12, 31)).score for year in (2026, 2027)]

    assert years == ["99", "100"]


def test_a_repair_during_a_warning_ends_the_record_in_each_year() -> None:
    repair = {"article": "一", "waits": [{"months": 0, "text": "即时"}]}
    rules = tiny(repair=repair, snapshot=YEAR, warning=QUOTED)
    mended = {"rectified_on": date(2027, 2, 2), "repair_confirmed_on": date(2027, 2, 2)}
    early = {"rectified_on": DAY, "repair_confirmed_on": DAY}
    fact = Fact("f1", date(2026, 12, 20), "A1", warning_until=date(2027, 2, 1))

    def years(**changes: Any) -> list[str | None]:
        one = subject(replace(fact, **changes))
        return [published(one, rules, date(year, 12, 31)).score for year in (2026, 2027)]

    assert years() == ["100", "99"]
    assert years(**mended) == ["100", "100"]
    assert years(repair_confirmed_on=date(2027, 1, 5), rectified_on=date(2027, 1, 5)) == ["100"] * 2
    assert years(**{**early, "rectified_on": date(2027, 2, 3)}) == ["100", "99"]


UNTIL = [None, date(2026, 12, 24), date(2027, 2, 1), date(2027, 3, 1), date(2028, 1, 1)]


@pytest.mark.parametrize("branch", UNTIL)
@pytest.mark.parametrize("own", UNTIL)
def test_a_decision_about_several_counts_once_in_one_year(
    own: date | None, branch: date | None
) -> None:
    rules = tiny(
        item("S", "-5", match={"penalties": ["责令停产整治"]}), snapshot=YEAR, warning=QUOTED
    )
    found = [
        rows(published(joint(own, branch), rules, date(year, 12, 31))) for year in range(2026, 2029)
    ]

    last = max(until.year if until is not None else 2026 for until in (own, branch))
    assert found == [["f1 S -5"] if year == last else [] for year in range(2026, 2029)]


def test_a_part_that_was_mended_during_its_warning_moves_no_decision() -> None:
    rules = tiny(
        item("S", "-5", match={"penalties": ["责令停产整治"]}), snapshot=YEAR, warning=QUOTED
    )
    facts = joint(None, date(2027, 2, 1), rectified_on=date(2027, 1, 1))

    years = [published(facts, rules, date(year, 12, 31)).score for year in (2026, 2027)]

    assert years == ["95", "100"]


def joint(own: date | None, branch: date | None, **of_branch: Any) -> Facts:
    """A decision about a legal person and its branch, each with the end of its warning."""
    named: dict[str, Any] = {"document_number": "环罚〔2026〕1号", "department": "某局"}
    part = Fact("f1", date(2026, 12, 20), penalty=Penalty(("责令停产整治",)), **named)
    entry = RegisterEntry(SubjectKind.ENTERPRISE, parent="c1")
    return subject(
        Fact("r1", date(2026, 1, 1), entry=entry, branch="b1"),
        replace(part, warning_until=own),
        replace(part, id="f2", branch="b1", warning_until=branch, **of_branch),
    )


@pytest.mark.parametrize("snapshot", [None, {"cadence": "half_year", **QUOTED}])
def test_without_counts_of_period_the_live_result_of_the_last_day_is_published(
    snapshot: Any,
) -> None:
    rules = tiny(snapshot=snapshot)
    facts = subject(Fact("f0", date(2025, 1, 1), "A1"), Fact("f1", DAY, "A1"))

    found = published(facts, rules, date(2026, 6, 30))

    assert found == replace(assess(facts, rules, date(2026, 6, 30)), changes_on=None)


def test_a_kind_of_subject_without_a_table_is_published_as_not_evaluated() -> None:
    found = published(Facts("c1", SubjectKind.AGENCY), tiny(), END)

    assert found.not_evaluated == "wrong_kind:agency"


LISTING = {"title": "黑名单", "grade": "黑", "years": 3, **QUOTED}


@pytest.mark.parametrize(
    ("grades", "stands"),
    [
        ({2024: "黑", 2025: "黑", 2026: "黑"}, True),
        ({2023: "绿", 2024: "黑", 2025: "黑", 2026: "黑"}, True),
        ({2024: "黑", 2025: "黑", 2026: "蓝"}, False),
        ({2022: "黑", 2024: "黑", 2025: "黑"}, False),
        ({2025: "黑", 2026: "黑"}, False),
        ({}, False),
    ],
)
def test_enough_consecutive_bad_years_lead_to_the_list(
    grades: dict[int, str], stands: bool
) -> None:
    table = tiny(listing=LISTING).tables["enterprise"]

    assert listed(grades, table) == (table.listing if stands else None)


def test_a_table_without_a_list_lists_nobody() -> None:
    assert listed({2024: "黑", 2025: "黑", 2026: "黑"}, tiny().tables["enterprise"]) is None


def test_persons_are_not_published_by_the_draft(draft: Any) -> None:
    assert [name for name, table in draft.tables.items() if not table.public] == ["individual"]
