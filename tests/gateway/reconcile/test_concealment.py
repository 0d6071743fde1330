"""Hints of concealed decisions: holes in series of numbers, and authorities that fall silent."""

from collections.abc import Iterable
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reconcile.concealment import HintKind, NumberedDecision, holes, silences
from schemas.codes import RecordKind
from schemas.identifiers import document_number_key

DAY = date(2026, 10, 9)
YEARS = range(2025, 2027)


def decided(number: str, authority: str = "样例局", day: date = DAY) -> NumberedDecision:
    return NumberedDecision(authority, RecordKind.PENALTY, document_number_key(number), day)


def series(numbers: Iterable[int], form: str = "样环罚字〔2026〕{n}号") -> list[NumberedDecision]:
    return [decided(form.format(n=n)) for n in numbers]


@pytest.mark.parametrize(
    "form",
    [
        "样环罚字〔2026〕{n}号",
        "样环罚（2026）第{n}号",
        "样环罚字[2026]0{n}号",
        "样环罚2026年{n}号",
        "样环（大气）罚字【2026】{n}号",
    ],
)
def test_a_missing_number_is_named(form: str) -> None:
    [hint] = holes(series([1, 2, 3, 5, 6, 9, 10], form), YEARS)

    assert (hint.kind, hint.authority) == (HintKind.HOLE, "样例局")
    assert hint.words == "行政处罚 1–10 号中缺 3 个：4、7–8"


@pytest.mark.parametrize(
    "numbers",
    [
        range(1, 20),  # none is missing
        [1, 3, 5, 7],  # too few
        range(1, 100, 7),  # shared with decisions that do not come here
    ],
)
def test_where_nobody_can_tell_there_is_no_hint(numbers: Iterable[int]) -> None:
    assert holes(series(numbers), YEARS) == []


def test_a_series_that_begins_late_is_not_looked_for_from_one() -> None:
    [hint] = holes(series([101, 102, 103, 105, 106]), YEARS)

    assert "101–106 号中缺 1 个：104" in hint.words


def test_a_series_of_which_only_the_end_was_read_gives_no_hint() -> None:
    rows = series([1, 2, 3, 5, 6, 7], "样环罚字〔2024〕{n}号")

    assert holes(rows, YEARS) == []


def test_series_of_other_authorities_and_forms_are_their_own() -> None:
    rows = [*series(range(1, 7)), *series([8, 9, 10, 11, 13], "样环告字〔2026〕{n}号")]
    rows += [decided(f"样环罚字〔2026〕{n}号", "乙局") for n in (1, 2, 3, 4, 6)]

    found = holes(rows, YEARS)

    assert [(hint.authority, hint.key) for hint in found] == [
        ("乙局", "样环罚字〔2026〕…号"),
        ("样例局", "样环告字〔2026〕…号"),
    ]


@given(st.sets(st.integers(1, 60), min_size=5))
def test_every_number_is_there_or_named(numbers: set[int]) -> None:
    found = holes(series(numbers), YEARS)

    whole = set(range(1 if min(numbers) <= 5 else min(numbers), max(numbers) + 1))
    missing = len(whole - numbers)
    if missing and len(numbers) * 2 >= len(whole):
        assert f"缺 {missing} 个" in found[0].words
    else:
        assert found == []


def monthly(months: Iterable[int], each: int = 3, year: int = 2026) -> list[NumberedDecision]:
    return [
        decided(f"样环罚字〔{year}〕{month * 10 + n}号", day=date(year, month, 5))
        for month in months
        for n in range(each)
    ]


def test_an_authority_that_falls_silent_is_named_with_its_history() -> None:
    before = monthly(range(1, 10)) + monthly([12], year=2025)

    [hint] = silences(before, date(2026, 11, 3))

    assert (hint.kind, hint.key) == (HintKind.SILENCE, "penalty 2026-10")
    assert hint.words == "行政处罚 2026年10月没有一件；之前12个月有10个月作出决定，共30件"


@pytest.mark.parametrize(
    "rows", [monthly(range(1, 11)), monthly(range(1, 6)), monthly(range(1, 10), each=1), []]
)
def test_a_quiet_authority_is_no_hint(rows: list[NumberedDecision]) -> None:
    assert silences(rows, date(2026, 11, 3)) == []
