"""A rule set of a few lines, to which a test adds what it is about."""

from datetime import date
from typing import Any

from schemas.codes import SubjectKind
from schemas.credit import Assessment
from scoring.engine.assess import assess
from scoring.facts import Fact, Facts, Site
from scoring.regulation.ruleset import RuleSet

DAY = date(2026, 3, 1)
AS_OF = date(2026, 11, 1)
QUOTED = {"article": "第一条", "text": "原文"}
NOTES = {
    name: [name]
    for name in (
        "several_rows", "unmapped", "warning", "repaired", "repair_void", "beyond_scale", "capped",
        "activation", "exception", "department", "not_assessed", "received", "promotion",
        "several_sites", "unattributed", "site_veto",
    )
}  # fmt: skip


def item(id_: str = "A1", points: str | None = "-1", **more: Any) -> dict[str, Any]:
    """An item that takes a point."""
    return {"id": id_, "group": "组", "title": id_, "points": points, **QUOTED, **more}


def rule(id_: str, grade: str, **more: Any) -> dict[str, Any]:
    """A veto or a promotion that facts name by its id."""
    by_item = not {"match", "with_items"} & more.keys()
    return {"id": id_, "title": id_, "grade": grade, "by_item": by_item, **QUOTED, **more}


def unless(id_: str, points: str | None = None, **when: Any) -> dict[str, Any]:
    """An exception under a condition."""
    return {"id": id_, "when": when, "points": points, **QUOTED}


def tiny(*items: dict[str, Any], **table: Any) -> RuleSet:
    """A rule set with one table: green from 90, blue from 60, black below."""
    whole = {
        "title": "表",
        "kinds": ["enterprise", "site"],
        **QUOTED,
        "direction": "deduct",
        "start": "100",
        "items": items or (item(),),
        "bands": [
            {"grade": "绿", "title": "绿", "at_least": "90", "article": "1"},
            {"grade": "蓝", "title": "蓝", "at_least": "60", "below": "90", "article": "1"},
            {"grade": "黑", "title": "黑", "below": "60", "article": "1"},
        ],
        "relies_on": NOTES,
        **table,
    }
    data = {
        "name": "tiny",
        "title": "办法",
        "jurisdiction": "某省",
        "document_number": None,
        "status": "draft",
        "effective_from": None,
        "effective_to": None,
        "source": {"title": "原文", "sha256": None},
        "notes": [{"id": n, "question": "?", "reading": "!", "source": "1"} for n in NOTES],
        "criminal_suspects": None,
        "tables": {"enterprise": whole},
    }
    return RuleSet.load(data, "tiny")


def scored(
    rule_set: RuleSet, *facts: Fact, on: date = AS_OF, sites: tuple[Site, ...] = ()
) -> Assessment:
    """The assessment of an enterprise with these facts."""
    return assess(Facts("c1", SubjectKind.ENTERPRISE, facts, sites=sites), rule_set, on)


def rows(assessment: Assessment) -> list[str]:
    """The rows of the trace, each as "fact item points"."""
    return [f"{row.fact} {row.item} {row.points}" for row in assessment.deductions]


def everything(**table: Any) -> RuleSet:
    """A rule set that uses every feature of scoring at once."""
    months = {"months": 6}
    dated = [{"decided_from": date(2026, 4, 1), "points": "-4", "validity": {"until": "year_end"}}]
    return tiny(
        item("A1", "-3", unless=[unless("soon", rectified_within_days=30),
                                 unless("again", "-5", counted_within_months=6)]),
        item("A2", "-2", validity=months, dated=dated, match={"penalties": ["警告"]}),
        item("A3", None, points_from="stated", match={"codes": ["7"]}, stacking="each_word"),
        item("A4", "-12", stacking="latest", match={"events": ["eia.unapproved"]}),
        item("A5", "-1", match={"penalties": ["罚款"], "decided": {"to": date(2026, 5, 31)}}),
        item("A6", "-2", match={"penalties": ["罚款"], "decided": {"from": date(2026, 6, 1)}}),
        item("B1", "1", bonus=True, repairable=False, unless=[unless("x", "3", clean_months=3)]),
        vetoes=[
            rule("V1", "黑", with_items=["A4"], validity={"months": 2}),
            rule("V2", "蓝", validity=months, unless=[unless("clean", clean_months=2)]),
        ],
        promotions=[rule("P1", "绿", validity=months,
                         unless=[unless("not-clean", counted_within_months=4)])],
        repair={"article": "一", "waits": [{"months": 1, "text": "一个月"}]},
        warning=QUOTED,
        caps={"lowest": "50", "highest": "101", **QUOTED,
              "per_decision": {"at_least": "2", "at_most": "6"}},
        activation={"days": 15, "counted_from": "created_on", **QUOTED},
        received_grades=QUOTED,
        sites={"combined": "weighted", "weight": "产值", **QUOTED},
        **table,
    )  # fmt: skip
