from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reconcile.columns import same
from gateway.reconcile.compare import Platform, compare
from gateway.reconcile.difference import Difference, DifferenceKind
from gateway.reconcile.keep import key_text
from gateway.reconcile.our_rows import subject_code
from gateway.reconcile.pairing import Pairing
from gateway.reconcile.pairs import Ours, Shown
from schemas.columns import columns_of
from schemas.delivery import DeliveryState
from schemas.identifiers import document_number_key
from schemas.penalty import AdministrativePenalty

D = DifferenceKind
NOW = datetime(2026, 11, 1, tzinfo=UTC)
DUE = datetime(2026, 10, 17, 16, tzinfo=UTC)
ACCEPTED = DUE - timedelta(days=2)
DAY = timedelta(days=1)
COLUMNS = {column.name: column for column in columns_of(AdministrativePenalty)}


def columns(number: int) -> dict[str, Any]:
    return {
        "CF_WSH": f"样环罚〔2026〕{number}号",
        "CF_XDR_MC": f"样例公司{number}",
        "CF_NR_FK": "2.500000",
        "CF_JDRQ": "2026-10-10",
        "CF_CFLB": "罚款、没收违法所得",
        "CF_CFJG": "样例市生态环境局",
    }


def ours(number: int, **changes: Any) -> Ours:
    plain = Ours(
        decision_id=number,
        kind="penalty",
        number_key=document_number_key(f"样环罚〔2026〕{number}号"),
        subject_code=f"CODE{number}",
        person=False,
        authority="样例市生态环境局",
        columns=orjson.dumps(columns(number)),
        day=date(2026, 10, 10),
        due=DUE,
        state=DeliveryState.ACCEPTED,
        handed_over_at=ACCEPTED,
        accepted_at=ACCEPTED,
    )
    return replace(plain, **changes)


def shown(number: int, **changes: Any) -> Shown:
    body = columns(number) | changes.pop("columns", {})
    plain = Shown("penalty", f"样环罚[2026]{number}号", f"CODE{number}", body, ACCEPTED)
    return replace(plain, **changes)


def kinds(found: list[Difference]) -> list[tuple[D, int | None]]:
    return [(flag.kind, one.decision_id) for one in found for flag in one.flags]


NUMBERS = st.sets(st.integers(1, 500), min_size=1, max_size=30).map(sorted)
CHOICES = st.integers(0, 10_000)


@given(numbers=NUMBERS)
def test_identical_sides_have_no_difference(numbers: list[int]) -> None:
    assert compare(map(ours, numbers), map(shown, reversed(numbers)), NOW) == []


@given(numbers=NUMBERS, choice=CHOICES)
def test_a_row_missing_on_the_platform_is_not_visible(numbers: list[int], choice: int) -> None:
    gone = numbers[choice % len(numbers)]

    found = compare(map(ours, numbers), (shown(n) for n in numbers if n != gone), NOW)

    assert kinds(found) == [(D.NOT_VISIBLE, gone)]


@given(numbers=NUMBERS, extra=st.integers(501, 999))
def test_a_row_only_on_the_platform_is_over_reported(numbers: list[int], extra: int) -> None:
    found = compare(map(ours, numbers), [*map(shown, numbers), shown(extra)], NOW)

    assert kinds(found) == [(D.OVER_REPORTED, None)]
    assert found[0].key == shown(extra).key


@given(numbers=NUMBERS, choice=CHOICES, times=st.integers(2, 4))
def test_a_row_shown_more_than_once_is_a_duplicate(
    numbers: list[int], choice: int, times: int
) -> None:
    twice = numbers[choice % len(numbers)]

    rows = [*map(shown, numbers), *[shown(twice)] * (times - 1)]
    found = compare(map(ours, numbers), rows, NOW)

    assert kinds(found) == [(D.DUPLICATE, twice)]
    assert found[0].flags[0].detail == {"times": times}


@given(
    numbers=NUMBERS,
    choice=CHOICES,
    change=st.sampled_from(
        [("CF_NR_FK", "25"), ("CF_JDRQ", "2026-10-11"), ("CF_CFLB", "罚款"), ("CF_XDR_MC", "别家")]
    ),
)
def test_a_row_changed_on_the_platform_is_a_wrong_value(
    numbers: list[int], choice: int, change: tuple[str, str]
) -> None:
    altered = numbers[choice % len(numbers)]

    rows = (shown(n, columns=dict([change]) if n == altered else {}) for n in numbers)
    found = compare(map(ours, numbers), rows, NOW)

    assert kinds(found) == [(D.WRONG_VALUE, altered)]
    assert [each["column"] for each in found[0].flags[0].detail["columns"]] == [change[0]]


@pytest.mark.parametrize(
    ("name", "mine", "theirs"),
    [
        ("fine_wan", "2.500000", "2.5"),
        ("fine_wan", "12000", "12,000"),
        ("decision_date", "2026-10-01", "2026/10/01"),
        ("decision_date", "2026-10-01", "2026/10/1"),
        ("penalty_kinds", "罚款、没收违法所得", "没收违法所得,罚款"),
        ("document_number", "样环罚〔2026〕1号", "样环罚(2026)1號"),
        ("authority", "样例局（本级）", "样例局(本级)"),
        ("violation_facts", "超标 排放ＡＢ", "超标排放AB"),
        ("violation_facts", "张11010519491231002X超标", "张110105**********2X超标"),
    ],
)
def test_two_spellings_of_one_value_are_equal(name: str, mine: str, theirs: str) -> None:
    assert same(COLUMNS[name], mine, theirs)


def test_columns_that_only_one_side_has_are_not_compared() -> None:
    bare = shown(1)
    bare = replace(bare, columns={"CF_WSH": bare.columns["CF_WSH"], "BZ": "备注", "CF_SY": ""})

    assert compare([ours(1)], [bare], NOW) == []


@pytest.mark.parametrize(
    ("changes", "visible", "expected"),
    [
        ({"handed_over_at": None, "accepted_at": None}, False, D.MISSING),
        ({"handed_over_at": None, "accepted_at": None}, True, D.MISSING),
        ({"accepted_at": DUE}, True, D.LATE),
        ({"accepted_at": None, "state": DeliveryState.SUBMITTED}, True, D.LATE),
        ({"excluded": "state_secret"}, True, D.OVER_REPORTED),
        ({"withdrawn_at": DUE}, True, D.OVER_REPORTED),
    ],
)
def test_each_state_gives_its_kind_of_difference(
    changes: dict[str, Any], visible: bool, expected: DifferenceKind
) -> None:
    found = compare([ours(1, **changes)], [shown(1)] if visible else [], NOW)

    assert kinds(found) == [(expected, 1)]
    assert found[0].flags[0].since >= ACCEPTED


@pytest.mark.parametrize(
    "changes",
    [
        {"excluded": "state_secret"},
        {"withdrawn_at": DUE},
        {"repaired": True},
        {"owed": False},
        {"handed_over_at": None, "accepted_at": None, "due": NOW + DAY},
        {"columns": '{"CF_GSJZQ": "2026-10-31"}'},
    ],
)
def test_a_decision_that_need_not_be_shown_gives_no_difference(changes: dict[str, Any]) -> None:
    assert compare([ours(1, **changes)], [], NOW) == []


def test_without_a_listing_only_missing_and_late_are_found() -> None:
    late = ours(1, accepted_at=None, state=DeliveryState.SUBMITTED)
    missing = ours(2, handed_over_at=None, accepted_at=None, state=DeliveryState.HELD)

    found = Platform(NOW, None).differences(Pairing([late, missing, ours(3)]))

    assert kinds(found) == [(D.LATE, 1), (D.MISSING, 2)]
    assert found[1].flags[0].since == DUE
    assert "待补正" in found[1].flags[0].cause


def test_a_number_of_two_authorities_is_paired_by_authority() -> None:
    other = ours(1, decision_id=2, authority="别的局", columns='{"CF_XDR_MC": "别家"}'.encode())

    found = compare(
        [ours(1), other],
        [shown(1, columns={"CF_CFJG": "别的局", "CF_XDR_MC": "别家"}), shown(1)],
        NOW,
    )

    assert found == []


def test_a_subject_shown_under_another_code_is_a_wrong_value() -> None:
    found = compare([ours(1)], [shown(1, subject_code="CODE9")], NOW)

    assert kinds(found) == [(D.WRONG_VALUE, 1)]
    assert found[0].flags[0].detail["columns"][0]["column"] == "subject_code"


def test_a_masked_subject_is_paired_by_the_document_number() -> None:
    assert compare([ours(1)], [shown(1, subject_code="4101**********0011")], NOW) == []


def test_a_person_is_paired_by_hash_and_shown_by_pseudonym() -> None:
    code = subject_code("41010119900101001x", lambda identity: f"person:{identity[-2:]}")

    text = key_text(("penalty", "1号", code), lambda _: "p1-abc")

    assert code == "person:1X"
    assert text == "penalty|1号|p1-abc"


def test_a_persons_values_are_not_in_the_difference() -> None:
    found = compare([ours(1, person=True)], [shown(1, columns={"CF_XDR_MC": "张三"})], NOW)

    assert "张三" not in str(found)
    assert "样例公司1" not in str(found)


# ---------------------------------------------------------------- what a listing proves


BLIND = {
    "state": DeliveryState.ACCEPTED_BLIND,
    "report_state": DeliveryState.ACCEPTED_BLIND,
    "accepted_at": None,
}


def proven(mine: Ours, *rows: Shown) -> bool:
    pairing = Pairing([mine])
    for row in rows:
        pairing.see(row)
    return Platform(NOW, NOW).proven(next(iter(pairing)))


def test_a_listing_proves_what_nobody_answered_for_and_it_is_not_late() -> None:
    mine = ours(1, **BLIND)

    assert proven(mine, shown(1))
    assert compare([mine], [shown(1)], NOW) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"withdrawn_at": DUE},
        {"repaired": True},
        {"correction_due": DUE, "corrected_at": ACCEPTED + DAY},
    ],
)
def test_a_listing_proves_no_withdrawal_repair_or_correction_by_the_row_before(
    changes: dict[str, Any],
) -> None:
    assert not proven(ours(1, **BLIND, **changes), shown(1))


def test_a_correction_is_proven_by_a_row_shown_since() -> None:
    mine = ours(1, **BLIND, correction_due=DUE, corrected_at=ACCEPTED - DAY)

    assert proven(mine, shown(1))


def test_a_correction_that_never_left_is_missing() -> None:
    mine = ours(1, correction_due=DUE, report_state=DeliveryState.REJECTED)

    found = compare([mine], [shown(1)], NOW)

    assert kinds(found) == [(D.MISSING, 1)]
    assert "更正没有送达（被退回）" in found[0].flags[0].cause
    assert compare([replace(mine, correction_due=NOW + DAY)], [shown(1)], NOW) == []


def test_what_is_repaired_must_not_be_shown_once_the_platform_has_taken_it() -> None:
    told = {"repaired": True, "told_at": ACCEPTED}
    taken = ours(1, **told, state=DeliveryState.ACCEPTED)
    on_its_way = ours(1, **told, state=DeliveryState.READY)
    just_told = replace(taken, told_at=NOW + DAY)

    assert kinds(compare([taken], [shown(1)], NOW)) == [(D.OVER_REPORTED, 1)]
    assert compare([on_its_way], [shown(1)], NOW) == []
    assert compare([just_told], [shown(1)], NOW) == []


# ---------------------------------------------------------------- one number, several decisions


def test_a_masked_row_is_the_persons_beside_a_companys() -> None:
    company = ours(1)
    person = ours(1, decision_id=2, subject_code="person:x", person=True)

    assert compare([company, person], [shown(1), shown(1, subject_code="4101***")], NOW) == []


def test_a_row_of_another_authority_is_another_decision() -> None:
    theirs = shown(1, columns={"CF_CFJG": "别市生态环境局"})

    beside = compare([ours(1)], [shown(1), theirs], NOW)
    instead = compare([ours(1)], [replace(theirs, subject_code="CODE9")], NOW)

    assert kinds(beside) == [(D.OVER_REPORTED, None)]
    assert kinds(instead) == [(D.NOT_VISIBLE, 1), (D.OVER_REPORTED, None)]


def test_an_authority_that_is_spelt_otherwise_is_a_wrong_value() -> None:
    found = compare([ours(1)], [shown(1, columns={"CF_CFJG": "样例市环保局"})], NOW)

    assert kinds(found) == [(D.WRONG_VALUE, 1)]
