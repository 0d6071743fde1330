import copy
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from scoring.engine.prepared import prepare
from scoring.errors import RuleSetError
from scoring.regulation.ruleset import RuleSet

Change = Callable[[dict[str, Any]], object]
Variant = Callable[[Change], RuleSet]


def table(data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = data["tables"]["enterprise"]
    return found


CHINESE = re.compile("[一-鿿]")


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
        "tables enterprise items E05 article：没有写；补上",
    ),
    "an item with an empty text": (
        lambda data: item(data, "E05").update(text=" "),
        "tables enterprise items E05 text：",
    ),
    "an unknown key": (
        lambda data: item(data, "E05").update(wait=2),
        "tables enterprise items E05 wait：不认识的键；改正键名或删去",
    ),
    "points as a binary fraction": (
        lambda data: item(data, "E01").update(points=-0.5),
        "tables enterprise items E01 points：",
    ),
    "a duplicate item": (
        lambda data: item(data, "E05").update(id="E06"),
        "enterprise 评价项 E06：出现 2 次",
    ),
    "a duplicate note": (
        lambda data: data["notes"].append(data["notes"][0]),
        "理解说明 c01-e36-sign：出现 2 次",
    ),
    "a duplicate band": (
        lambda data: band(data, "C").update(grade="B"),
        "enterprise 等级 B：出现 2 次",
    ),
    "two tables for one kind": (
        lambda data: data["tables"]["agency"].update(kinds=["enterprise"]),
        "对象种类 enterprise：出现 2 次",
    ),
    "an unknown note of an item": (
        lambda data: item(data, "E05").update(notes=["nowhere"]),
        "enterprise 评价项 E05：没有理解说明 nowhere",
    ),
    "an unknown note of a circumstance": (
        lambda data: table(data)["relies_on"].update(warning=["nowhere"]),
        "enterprise relies_on warning：没有理解说明 nowhere",
    ),
    "an unknown note of a repair wait": (
        lambda data: waits(data)[1].update(notes=["nowhere"]),
        "没有理解说明 nowhere",
    ),
    "an unknown note of the exclusion": (
        lambda data: data["criminal_suspects"].update(notes=["nowhere"]),
        "criminal_suspects：没有理解说明 nowhere",
    ),
    "a gap between bands": (
        lambda data: band(data, "B").update(below="94"),
        "enterprise 等级分段：B 与 A 之间有空档",
    ),
    "an edge in no band": (
        lambda data: [band(data, "A").pop("at_least"), band(data, "A").update(above="95")],
        "enterprise 等级分段：B 与 A 之间有空档",
    ),
    "an overlap of bands": (
        lambda data: band(data, "B").update(below="96"),
        "enterprise 等级分段：B 与 A 之间重叠",
    ),
    "an edge in two bands": (
        lambda data: [band(data, "B").pop("below"), band(data, "B").update(at_most="95")],
        "enterprise 等级分段：B 与 A 之间重叠",
    ),
    "a lowest band with an end": (
        lambda data: band(data, "D").update(at_least="0"),
        "enterprise 等级分段：D 以下有空档",
    ),
    "a highest band with an end": (
        lambda data: band(data, "A").update(at_most="100"),
        "enterprise 等级分段：A 以上有空档",
    ),
    "two bands without an upper end": (
        lambda data: band(data, "B").pop("below"),
        "enterprise 等级分段：B 与 A 之间重叠",
    ),
    "a band with two lower ends": (
        lambda data: band(data, "A").update(above="95"),
        "enterprise 等级分段：A：at_least 与 above 不能同写",
    ),
    "a band with two upper ends": (
        lambda data: band(data, "B").update(at_most="95"),
        "enterprise 等级分段：B：at_most 与 below 不能同写",
    ),
    "an empty band": (
        lambda data: band(data, "B").update(below="75"),
        "enterprise 等级分段：B：下限不低于上限",
    ),
    "no bands": (
        lambda data: [table(data).update(bands=[]), table(data).update(vetoes=[])],
        "enterprise 等级分段：一段也没有",
    ),
    "a gap between repair waits": (
        lambda data: waits(data)[1].update(at_most="5"),
        "之间有空档",
    ),
    "a gap between fines": (
        lambda data: item(data, "E02")["match"]["amount"].update(above="11"),
        "enterprise 处罚类别 罚款：E01 与 E02 之间有空档",
    ),
    "two items for one word": (
        lambda data: item(data, "E04")["match"]["penalties"].append("查封"),
        "enterprise 处罚类别 查封：E04 与 E07 之间重叠",
    ),
    "two items for one event": (
        lambda data: item(data, "E12")["match"].update(events=["supervision.top"]),
        "enterprise 事件 supervision.top：同一天有 2 个评价项对应",
    ),
    "an unknown event": (
        lambda data: item(data, "E12")["match"].update(events=["supervision.nobody"]),
        "tables enterprise items E12 match events supervision.nobody：",
    ),
    "an unknown penalty word": (
        lambda data: item(data, "E04")["match"]["penalties"].append("没收所得"),
        "enterprise 评价项 E04：不认识的处罚类别 没收所得",
    ),
    "an amount without penalty words": (
        lambda data: item(data, "E10")["match"].update(amount={"above": "1"}),
        "enterprise 评价项 E10：amount 要与 penalties 或 codes 同写",
    ),
    "an item without points": (
        lambda data: item(data, "E10").pop("points"),
        "enterprise 评价项 E10：points 与 points_from 写且只写一个",
    ),
    "dated points without points": (
        lambda data: item(data, "E10").update(
            points=None,
            points_from="principal",
            dated=[{"decided_from": date(2026, 1, 1), "points": "-1"}],
        ),
        "enterprise 评价项 E10：写了 dated，就要写最初的 points",
    ),
    "dated points that cross": (
        lambda data: item(data, "E10").update(
            dated=[
                {"decided_from": date(2026, 2, 1), "points": "-1"},
                {"decided_from": date(2026, 1, 1), "points": "-2"},
            ]
        ),
        "enterprise 评价项 E10：dated 的 decided_from 要由早到晚",
    ),
    "a misdeed that adds points": (
        lambda data: item(data, "E36").update(points="10"),
        "enterprise 评价项 E36：points 10 正负号不对",
    ),
    "a bonus that takes points": (
        lambda data: item(data, "E38").update(points="-3"),
        "enterprise 评价项 E38：points -3 正负号不对",
    ),
    "a bonus that is repaired": (
        lambda data: item(data, "E38").update(repairable=True),
        "enterprise 评价项 E38：加分项不修复",
    ),
    "a veto with an unknown item": (
        lambda data: table(data)["vetoes"][0].update(with_items=["E99"]),
        "enterprise 评价项 V14-1：with_items 里的 E99 不是评价项",
    ),
    "two vetoes for one item": (
        lambda data: table(data)["vetoes"][0].update(with_items=["E37"]),
        "enterprise with_items 里的评价项 E37：出现 2 次",
    ),
    "a veto with an unknown grade": (
        lambda data: table(data)["vetoes"][0].update(grade="E"),
        "enterprise 评价项 V14-1：等级分段里没有等级 E",
    ),
    "a veto that nothing triggers": (
        lambda data: table(data)["vetoes"][1].pop("with_items"),
        "enterprise 评价项 V14-2：match、by_item、with_items 至少写一个",
    ),
    "crossed dates": (
        lambda data: data.update(effective_from=date(2026, 2, 1), effective_to=date(2026, 1, 1)),
        "effective_to 2026-01-01 早于 effective_from 2026-02-01",
    ),
    "in force without a day": (
        lambda data: data.update(status="in_force"),
        "status 为 in_force，就要写 effective_from",
    ),
    "a version of its own": (
        lambda data: data.update(version="1"),
        "version 是文本的校验值",
    ),
    "an unverified value that is not there": (
        lambda data: table(data).update(unverified=["begin"]),
        "enterprise unverified：没有 begin 这个键",
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
    for line in str(refusal.value).split("\n"):
        assert line.startswith("nm-2023-draft：")
        assert CHINESE.search(line.rpartition("：")[2])


def test_every_fault_is_named_at_once(variant: Variant) -> None:
    def change(data: dict[str, Any]) -> None:
        item(data, "E05").pop("article")
        item(data, "E09").pop("text")

    with pytest.raises(RuleSetError) as refusal:
        variant(change)

    assert "E05 article" in str(refusal.value)
    assert "E09 text" in str(refusal.value)


def test_a_rule_set_without_a_name_is_still_refused_readably() -> None:
    with pytest.raises(RuleSetError, match="没有 name 的评价办法：tables：没有写；补上"):
        RuleSet.load({}, "test")


def test_faults_outside_any_list_are_named_by_their_key(data: dict[str, Any]) -> None:
    changed = copy.deepcopy(data) | {"notes": "none"}

    with pytest.raises(RuleSetError, match="nm-2023-draft：notes："):
        RuleSet.load(changed, "test")


def test_the_shipped_draft_has_the_status_draft(draft: RuleSet) -> None:
    assert prepare(draft).ref.status == "draft"
    assert draft.effective_from is None
    assert len(prepare(draft).ref.version) == 64
