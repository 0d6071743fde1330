"""What the cases of a rule set reach: items, both sides of band edges, both sides of date edges."""

from datetime import date
from typing import Any

from scoring.cases.coverage import Share, coverage, uncovered
from scoring.cases.rule_set_cases import CaseFile
from scoring.regulation.ruleset import RuleSet
from tests.scoring.tiny import DAY, QUOTED, item, rule, tiny, unless


def file(*cases: dict[str, Any], unreachable: tuple[str, ...] = ()) -> CaseFile:
    whole = [
        {"name": str(place), "kind": "enterprise", "as_of": "2026-11-01", **case}
        for place, case in enumerate(cases)
    ]
    exempt = [{"edge": edge, "reason": "无"} for edge in unreachable]
    return CaseFile.load({"rule_set": "tiny", "cases": whole, "unreachable": exempt})


def at(score: str, grade: str, **more: Any) -> dict[str, Any]:
    return {"expect": {"score": score, "grade": grade}, **more}


def fact(item_: str = "A1", on: date = DAY, **more: Any) -> dict[str, Any]:
    return {"id": "f1", "item": item_, "decided_on": on, **more}


def on(day: str, *facts: dict[str, Any]) -> dict[str, Any]:
    return {"as_of": day, "facts": facts, "expect": {"deductions": []}}


def missing_dates(rules: RuleSet, *cases: dict[str, Any]) -> tuple[str, ...]:
    return coverage(rules, file(*cases)).dates.missing


def test_a_band_edge_is_covered_by_a_score_on_it_and_a_score_in_the_other_band() -> None:
    cases = [at("90", "绿"), at("75", "蓝"), at("60", "蓝"), at("12", "黑")]

    assert coverage(tiny(), file(*cases)).bands == Share(4, 4, ())


def test_a_score_inside_a_band_does_not_cover_the_edge_of_that_band() -> None:
    found = coverage(tiny(), file(at("95", "绿"), at("75", "蓝"), at("12", "黑")))

    assert found.bands.missing == ("enterprise 60 蓝", "enterprise 90 绿")


def test_a_grade_set_by_a_veto_or_received_covers_no_band_edge() -> None:
    vetoed = at("95", "黑")
    vetoed["expect"]["vetoes"] = ["f1 V"]
    came = {"id": "r", "decided_on": DAY, "received": {"grade": "绿", "issued_by": "某省"}}

    found = coverage(tiny(), file(vetoed, at("90", "绿", facts=[came])))

    assert found.bands.covered == 0


def test_sides_named_as_unreachable_need_no_case() -> None:
    exempt = ("enterprise 60 黑", "enterprise 60 蓝")

    found = coverage(tiny(), file(at("90", "绿"), at("75", "蓝"), unreachable=exempt))

    assert found.bands == Share(2, 2, ())


def test_a_side_named_as_unreachable_must_exist_and_must_have_no_case() -> None:
    cases = [at("90", "绿"), at("75", "蓝"), at("60", "蓝"), at("12", "黑")]

    found = uncovered(tiny(), file(*cases, unreachable=("enterprise 60 黑", "enterprise 61 黑")))

    assert found == [
        "enterprise A1（在一个用例的 expect 里写出它）",
        "enterprise 60 黑（unreachable 里多写的；删去）",
        "enterprise 61 黑（unreachable 里多写的；删去）",
    ]


def test_items_grade_rules_and_exceptions_each_need_their_own_case() -> None:
    rules = tiny(
        item(unless=[unless("x", codes=["7"])]),
        vetoes=[rule("V", "黑", with_items=["A1"], unless=[unless("y", codes=["8"])])],
        promotions=[rule("P", "绿")],
    )

    nothing = coverage(rules, file()).items
    excepted = coverage(rules, file({"facts": [fact(codes=["7"])], "expect": {}})).items
    no_veto = coverage(rules, file({"facts": [fact(codes=["8"])], "expect": {}})).items

    everything = {"A1", "veto A1", "promotion P", "exception A1 x", "exception V y"}
    assert set(nothing.missing) == {f"enterprise {name}" for name in everything}
    assert "enterprise exception A1 x" not in excepted.missing
    assert "enterprise exception V y" not in no_veto.missing


def test_both_sides_of_a_validity_need_a_case() -> None:
    rules = tiny(item(validity={"months": 1}))

    assert missing_dates(rules, on("2026-03-31", fact())) == ("enterprise A1 validity day after",)
    assert missing_dates(rules, on("2026-04-01", fact())) == ("enterprise A1 validity last day",)


def test_a_case_without_expected_rows_or_score_covers_no_date_edge() -> None:
    rules = tiny(item(validity={"months": 1}))

    assert len(missing_dates(rules, {**on("2026-03-31", fact()), "expect": {"notes": []}})) == 2


def test_both_sides_of_dated_points_and_of_their_validity_need_a_case() -> None:
    dated = [
        {"decided_from": "2026-03-01", "points": "-2", "validity": {"months": 1}},
        {"decided_from": "2026-05-01", "points": "-3"},
    ]
    rules = tiny(item(validity={"months": 2}, dated=dated))
    before, after = fact(on=date(2026, 2, 28)), fact(on=date(2026, 5, 1))

    found = missing_dates(
        rules, on("2026-04-27", before), on("2026-03-31", fact()), on("2026-06-01", after)
    )

    assert found == (
        "enterprise A1 decided 2026-04-30",
        "enterprise A1 validity day after",
    )


def test_both_ends_of_a_range_of_decision_days_need_a_case_on_each_side() -> None:
    days = {"from": date(2026, 3, 1), "to": date(2026, 3, 31)}
    rules = tiny(item(match={"codes": ["7"], "decided": days}), item("A2", match={"codes": ["8"]}))
    coded = [{"id": "f1", "decided_on": day, "codes": ["7"]} for day in ("2026-02-28", DAY)]

    found = missing_dates(rules, *(on("2026-11-01", each) for each in coded))

    assert found == (
        "enterprise A1 decided 2026-03-31",
        "enterprise A1 decided 2026-04-01",
    )


def test_a_validity_of_a_grade_and_an_activation_delay_need_cases() -> None:
    delay = {"days": 15, "counted_from": "decided_on", **QUOTED}
    rules = tiny(
        item(),
        vetoes=[rule("V", "黑", with_items=["A1"], validity={"months": 1})],
        activation=delay,
    )
    never = fact(on=date.max)

    found = missing_dates(rules, on("2026-03-15", fact(), never), on("2026-04-16", fact()))

    assert found == ("enterprise A1 grade validity last day", "enterprise activation day after")
