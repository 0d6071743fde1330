import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from schemas.codes import SubjectKind
from scoring.errors import RuleSetError
from scoring.ruleset import RuleSet

Change = Callable[[dict[str, Any]], object]
Variant = Callable[[Change], RuleSet]


def table(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["tables"]["enterprise"]
    return found


def item(data: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in table(data)["items"] if row["id"] == name)


def band(data: dict[str, Any], grade: str) -> dict[str, Any]:
    return next(row for row in table(data)["bands"] if row["grade"] == grade)


def waits(data: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = table(data)["repair"]["waits"]
    return found


REFUSALS: dict[str, tuple[Change, str]] = {
    "an item without an article": (
        lambda data: item(data, "E05").pop("article"),
        "tables enterprise items E05 article: Field required",
    ),
    "an item with an empty text": (
        lambda data: item(data, "E05").update(text=" "),
        "tables enterprise items E05 text: ",
    ),
    "an unknown key": (
        lambda data: item(data, "E05").update(wait=2),
        "tables enterprise items E05 wait: Extra inputs are not permitted",
    ),
    "points as a binary fraction": (
        lambda data: item(data, "E01").update(points=-0.5),
        "tables enterprise items E01 points: ",
    ),
    "a duplicate item": (
        lambda data: item(data, "E05").update(id="E06"),
        "enterprise item E06: there 2 times",
    ),
    "a duplicate note": (
        lambda data: data["notes"].append(data["notes"][0]),
        "note c01-e36-sign: there 2 times",
    ),
    "a duplicate band": (
        lambda data: band(data, "C").update(grade="B"),
        "enterprise band B: there 2 times",
    ),
    "two tables for one kind": (
        lambda data: data["tables"]["agency"].update(kinds=["enterprise"]),
        "kind of subject enterprise: there 2 times",
    ),
    "an unknown note of an item": (
        lambda data: item(data, "E05").update(notes=["nowhere"]),
        "enterprise item E05: unknown note nowhere",
    ),
    "an unknown note of a circumstance": (
        lambda data: table(data)["relies_on"].update(warning=["nowhere"]),
        "enterprise relies_on warning: unknown note nowhere",
    ),
    "an unknown note of a repair wait": (
        lambda data: waits(data)[1].update(notes=["nowhere"]),
        "unknown note nowhere",
    ),
    "an unknown note of the exclusion": (
        lambda data: data["criminal_suspects"].update(notes=["nowhere"]),
        "criminal_suspects: unknown note nowhere",
    ),
    "a gap between bands": (
        lambda data: band(data, "B").update(below="94"),
        "enterprise bands: gap between B and A",
    ),
    "an edge in no band": (
        lambda data: [band(data, "A").pop("at_least"), band(data, "A").update(above="95")],
        "enterprise bands: gap between B and A",
    ),
    "an overlap of bands": (
        lambda data: band(data, "B").update(below="96"),
        "enterprise bands: overlap between B and A",
    ),
    "an edge in two bands": (
        lambda data: [band(data, "B").pop("below"), band(data, "B").update(at_most="95")],
        "enterprise bands: overlap between B and A",
    ),
    "a lowest band with an end": (
        lambda data: band(data, "D").update(at_least="0"),
        "enterprise bands: gap below D",
    ),
    "a highest band with an end": (
        lambda data: band(data, "A").update(at_most="100"),
        "enterprise bands: gap above A",
    ),
    "two bands without an upper end": (
        lambda data: band(data, "B").pop("below"),
        "enterprise bands: overlap between B and A",
    ),
    "a band with two lower ends": (
        lambda data: band(data, "A").update(above="95"),
        "enterprise bands: A: at_least and above exclude each other",
    ),
    "a band with two upper ends": (
        lambda data: band(data, "B").update(at_most="95"),
        "enterprise bands: B: at_most and below exclude each other",
    ),
    "an empty band": (
        lambda data: band(data, "B").update(below="75"),
        "enterprise bands: B: the range is empty",
    ),
    "no bands": (
        lambda data: [table(data).update(bands=[]), table(data).update(vetoes=[])],
        "enterprise bands: no range at all",
    ),
    "a gap between repair waits": (
        lambda data: waits(data)[1].update(at_most="5"),
        "enterprise repair waits: gap between",
    ),
    "a gap between fines": (
        lambda data: item(data, "E02")["match"]["amount"].update(above="11"),
        "enterprise penalty word 罚款: gap between E01 and E02",
    ),
    "two items for one word": (
        lambda data: item(data, "E04")["match"]["penalties"].append("查封"),
        "enterprise penalty word 查封: overlap between E04 and E07",
    ),
    "two items for one event": (
        lambda data: item(data, "E12")["match"].update(events=["supervision.top"]),
        "enterprise event supervision.top: there 2 times",
    ),
    "an unknown event": (
        lambda data: item(data, "E12")["match"].update(events=["supervision.nobody"]),
        "tables enterprise items E12 match events supervision.nobody: ",
    ),
    "an unknown penalty word": (
        lambda data: item(data, "E04")["match"]["penalties"].append("没收所得"),
        "enterprise item E04: unknown penalty word 没收所得",
    ),
    "an amount without penalty words": (
        lambda data: item(data, "E10")["match"].update(amount={"above": "1"}),
        "enterprise item E10: an amount needs penalty words or codes, and no events",
    ),
    "an item without points": (
        lambda data: item(data, "E10").pop("points"),
        "enterprise item E10: needs either points or points_from",
    ),
    "dated points without points": (
        lambda data: item(data, "E10").update(
            points=None,
            points_from="principal",
            dated=[{"decided_from": date(2026, 1, 1), "points": "-1"}],
        ),
        "enterprise item E10: dated points need points to start from",
    ),
    "dated points that cross": (
        lambda data: item(data, "E10").update(
            dated=[
                {"decided_from": date(2026, 2, 1), "points": "-1"},
                {"decided_from": date(2026, 1, 1), "points": "-2"},
            ]
        ),
        "enterprise item E10: dated points cross",
    ),
    "a misdeed that adds points": (
        lambda data: item(data, "E36").update(points="10"),
        "enterprise item E36: points 10 have the wrong sign for deduct",
    ),
    "a bonus that takes points": (
        lambda data: item(data, "E38").update(points="-3"),
        "enterprise item E38: points -3 have the wrong sign for deduct",
    ),
    "a bonus that is repaired": (
        lambda data: item(data, "E38").update(repairable=True),
        "enterprise item E38: a bonus is never repaired",
    ),
    "a veto with an unknown item": (
        lambda data: table(data)["vetoes"][0].update(with_items=["E99"]),
        "enterprise item V14-1: with_items names no item E99",
    ),
    "two vetoes for one item": (
        lambda data: table(data)["vetoes"][0].update(with_items=["E37"]),
        "enterprise veto of item E37: there 2 times",
    ),
    "a veto with an unknown grade": (
        lambda data: table(data)["vetoes"][0].update(grade="E"),
        "enterprise item V14-1: no band has the grade E",
    ),
    "a veto that nothing triggers": (
        lambda data: table(data)["vetoes"][1].pop("with_items"),
        "enterprise item V14-2: needs a match, by_item or with_items",
    ),
    "crossed dates": (
        lambda data: data.update(effective_from=date(2026, 2, 1), effective_to=date(2026, 1, 1)),
        "effective_to 2026-01-01 lies before effective_from 2026-02-01",
    ),
    "in force without a day": (
        lambda data: data.update(status="in_force"),
        "in_force without effective_from",
    ),
    "a version of its own": (
        lambda data: data.update(version="1"),
        "version is the hash of the text",
    ),
    "an unverified value that is not there": (
        lambda data: table(data).update(unverified=["begin"]),
        "enterprise unverified: no value begin",
    ),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_broken_rule_set_is_refused_with_its_name_and_the_culprit(
    what: str, variant: Variant
) -> None:
    change, message = REFUSALS[what]

    with pytest.raises(RuleSetError) as refusal:
        variant(change)

    assert message in str(refusal.value)
    assert all(line.startswith("nm-2023-draft: ") for line in str(refusal.value).split("\n"))


def test_every_fault_is_named_at_once(variant: Variant) -> None:
    def change(data: dict[str, Any]) -> None:
        item(data, "E05").pop("article")
        item(data, "E09").pop("text")

    with pytest.raises(RuleSetError) as refusal:
        variant(change)

    assert "E05 article" in str(refusal.value)
    assert "E09 text" in str(refusal.value)


def test_a_rule_set_without_a_name_is_still_refused_readably() -> None:
    with pytest.raises(RuleSetError, match="rule set without a name: tables: Field required"):
        RuleSet.load({}, "test")


def test_faults_outside_any_list_are_named_by_their_key(data: dict[str, Any]) -> None:
    changed = copy.deepcopy(data) | {"notes": "none"}

    with pytest.raises(RuleSetError, match="nm-2023-draft: notes: "):
        RuleSet.load(changed, "test")


def test_the_draft_says_that_it_is_one(draft: RuleSet) -> None:
    assert draft.book.ref.status == "draft"
    assert draft.effective_from is None
    assert len(draft.book.ref.version) == 64


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
        "enterprise start",
        "enterprise E05",
        "enterprise band C",
        "enterprise wait 对扣3分以下（含3分）的环保信用信息，自整改完成后即时修复",
        "individual band 未评为失信",
    ]


def test_unverified_values_of_a_table_without_repair_are_listed(variant: Variant) -> None:
    rule_set = variant(lambda data: table(data).pop("repair"))

    assert "enterprise start" not in rule_set.unverified_values()
