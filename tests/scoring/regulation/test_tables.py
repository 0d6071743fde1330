"""The tables of a rule set, and what was not read in its text."""

from typing import Any

from schemas.codes import SubjectKind
from scoring.regulation.ruleset import RuleSet
from tests.scoring.regulation.test_ruleset import Variant, band, item, table, waits


def test_each_kind_has_its_table(draft: RuleSet) -> None:
    assert draft.table(SubjectKind.SITE) is draft.table(SubjectKind.ENTERPRISE)
    assert draft.table(SubjectKind.AGENCY) is not None
    assert draft.table(SubjectKind.INDIVIDUAL) is draft.tables["individual"]


def test_a_note_is_shown_by_its_id(draft: RuleSet) -> None:
    assert draft.note("c01-e36-sign").reading.startswith("扣10分")


def test_unverified_values_are_listed(variant: Variant) -> None:
    def change(data: dict[str, Any]) -> None:
        data["unverified"] = ["effective_from"]
        table(data)["unverified"] = ["start"]
        item(data, "E05")["verified"] = False
        band(data, "C")["verified"] = False
        waits(data)[0]["verified"] = False

    rule_set = variant(change)

    assert rule_set.unverified_values() == [
        "effective_from",
        "notes r19-veto-wait",
        "notes r20-leap-day",
        "notes r21-warning-bonus",
        "notes r22-departments",
        "notes r23-individual-year",
        "notes r24-individual-repair",
        "notes r25-individual-title",
        "notes r26-unattributed",
        "notes r27-site-veto",
        "notes r28-agency-kinds",
        "notes r29-earlier-kind",
        "notes r30-share-of-the-day",
        "enterprise start",
        "enterprise E05",
        "enterprise band C",
        "enterprise wait 对扣3分以下（含3分）的环保信用信息，自整改完成后即时修复",
        "individual band 未评为失信",
    ]


def test_unverified_values_of_a_table_without_repair_are_listed(variant: Variant) -> None:
    rule_set = variant(lambda data: table(data).pop("repair"))

    assert "enterprise start" not in rule_set.unverified_values()
