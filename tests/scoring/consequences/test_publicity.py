"""Whether a penalty is published, from when, until when at least and at most."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.config.settings import ScoringSettings
from gateway.rules.policybook import Policybook
from schemas.codes import PENALTY_KINDS
from scoring.cases.policy_cases import PublicityCase, run_publicity_case, uncovered_publicity
from scoring.consequences.publicity import (
    Penalised,
    PublicityPolicy,
    Published,
    Severity,
    publicity,
    timeline_problems,
)
from scoring.errors import RuleSetError

BOOK = Policybook(ScoringSettings())
CASES = [case for _, cases in BOOK.publicity.values() for case in cases]


def term(severity: str, **more: Any) -> dict[str, Any]:
    months = {"at_least_months": 3, "at_most_months": 12}
    return {
        "severity": severity,
        "published": "yes",
        "article": "第一条",
        "text": "……",
        **months,
        **more,
    }


def policy(*terms: dict[str, Any], **more: Any) -> PublicityPolicy:
    return PublicityPolicy.load(
        {
            "name": "regime",
            "title": "规则",
            "document_number": None,
            "decided_from": date(2026, 1, 1),
            "decided_to": None,
            "otherwise": "ordinary",
            "terms": terms or [term("minor"), term("ordinary"), term("serious")],
            **more,
        }
    )


def exception(name: str, **more: Any) -> dict[str, Any]:
    return {**term("minor"), "id": name, "when": {"any_penalties": ["罚款"]}, **more}


def without_severity(one: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in one.items() if key != "severity"}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_shipped_case_passes(case: PublicityCase) -> None:
    assert run_publicity_case(BOOK.regimes, case) == []


def test_a_failing_case_shows_its_mismatches() -> None:
    case = PublicityCase(
        name="wrong",
        decided_on=date(2026, 5, 1),
        penalties=("警告",),
        expect_severity=Severity.MINOR,
        published=Published.YES,
    )
    early = case.model_copy(update={"decided_on": date(2010, 1, 1)})

    assert run_publicity_case(BOOK.regimes, case) == ["wrong：published 应为 yes，实为 no"]
    assert run_publicity_case(BOOK.regimes, early) == ["wrong：2010-01-01 没有公示规则"]


@given(
    decided_on=st.dates(date(2017, 7, 31), date(2060, 1, 1)),
    penalties=st.lists(st.sampled_from(sorted(PENALTY_KINDS)), max_size=4),
    fine=st.none() | st.decimals(0, 10_000, places=6),
)
def test_every_decision_falls_under_one_regime_and_least_is_never_after_most(
    decided_on: date, penalties: list[str], fine: Decimal | None
) -> None:
    found = publicity(BOOK.regimes, Penalised(decided_on, tuple(penalties), fine))

    assert found is not None
    if found.published is Published.NO:
        assert (found.begins, found.at_least_until, found.at_most_until) == (None, None, None)
    else:
        assert found.begins == decided_on
        assert found.at_least_until is not None
        assert found.at_most_until is not None
        assert decided_on <= found.at_least_until <= found.at_most_until


def test_two_exceptions_with_different_results_are_an_error_that_names_both() -> None:
    one = without_severity(exception("first"))
    other = without_severity(exception("second", at_most_months=24))
    terms = [term("minor"), term("ordinary", unless=[one, other]), term("serious")]

    with pytest.raises(RuleSetError, match="first、second 同时适用而结果不同"):
        publicity([policy(*terms)], Penalised(date(2026, 5, 1), ("罚款",)))


def test_two_exceptions_with_the_same_result_may_apply_together() -> None:
    both = [without_severity(exception(name)) for name in ("first", "second")]
    terms = [term("minor"), term("ordinary", unless=both), term("serious")]

    found = publicity([policy(*terms)], Penalised(date(2026, 5, 1), ("罚款",)))

    assert found is not None
    assert found.exception == "first"


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"decided_to": date(2025, 1, 1)}, "decided_to 早于 decided_from"),
        ({"terms": [term("minor")]}, "severity ordinary：terms 里有 0 条"),
        ({"otherwise": "grave"}, "regime：otherwise"),
    ],
)
def test_a_broken_regime_is_refused_by_name(broken: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleSetError, match=message):
        policy(**broken)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"published": "no"}, "公示的要写月数"),
        ({"at_least_months": 13}, "at_most_months 小于"),
        ({"at_least_months": None, "at_most_months": None}, "公示的要写月数"),
    ],
)
def test_contradictory_months_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(RuleSetError, match=message):
        policy(term("minor", **wrong), term("ordinary"), term("serious"))


def test_a_gap_between_regimes_or_an_ended_last_regime_is_named() -> None:
    early = policy(name="early", decided_from=date(2020, 1, 1), decided_to=date(2025, 12, 30))
    late = policy(name="late")
    ended = policy(name="ended", decided_to=date(2026, 12, 31))

    assert timeline_problems([late, early]) == [
        "early 与 late：decided_to 的次日应是后者的 decided_from；改正日期"
    ]
    assert timeline_problems([ended]) == [
        "ended：之后没有公示规则；decided_to 写 null 或补上后一个"
    ]


def test_severities_exceptions_and_days_without_a_case_are_named() -> None:
    terms = [
        term("minor"),
        term("ordinary", unless=[without_severity(exception("one"))]),
        term("serious"),
    ]

    assert uncovered_publicity(policy(*terms), []) == [
        "severity minor",
        "severity ordinary",
        "severity serious",
        "exception one",
        "day 2026-01-01",
    ]
