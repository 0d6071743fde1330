"""What differs between two rule sets is said value by value, in words."""

from collections.abc import Callable
from typing import Any

import pytest

from scoring.regulation.difference import differences
from scoring.regulation.ruleset import RuleSet
from tests.scoring.conftest import Change

Variant = Callable[[Change], RuleSet]


def enterprise(data: dict[str, Any]) -> dict[str, Any]:
    table: dict[str, Any] = data["tables"]["enterprise"]
    return table


def points(data: dict[str, Any]) -> None:
    enterprise(data)["items"][0]["points"] = "-1"


def band(data: dict[str, Any]) -> None:
    best, second = enterprise(data)["bands"][:2]
    best["at_least"], second["below"] = "96", "96"


def gone(data: dict[str, Any]) -> None:
    del enterprise(data)["items"][41]


def come(data: dict[str, Any]) -> None:
    enterprise(data)["items"].append({**enterprise(data)["items"][30], "id": "E99", "match": {}})


def wait(data: dict[str, Any]) -> None:
    enterprise(data)["repair"]["waits"][1]["months"] = 5


def no_repair(data: dict[str, Any]) -> None:
    enterprise(data)["repair"] = None


def scale(data: dict[str, Any]) -> None:
    enterprise(data)["start"] = "99.5"


def table_gone(data: dict[str, Any]) -> None:
    del data["tables"]["agency"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (points, ["enterprise 评价项 E01 分值：-0.5 → -1"]),
        (
            band,
            ["enterprise 等级 A 分段：≥95 → ≥96", "enterprise 等级 B 分段：≥75且<95 → ≥75且<96"],
        ),
        (gone, ["删除 enterprise 评价项 E42：精细管理双赢，1"]),
        (come, ["新增 enterprise 评价项 E99：一般突发环境事件，-1"]),
        (wait, ["enterprise 信用修复 修复等待期 >3且≤6 月数：2 → 5"]),
        (scale, ["enterprise 起始分：100 → 99.5"]),
        (table_gone, ["删除 agency："]),
        (no_repair, ["删除 enterprise 信用修复：第二十七条"]),
        (bool, []),
    ],
)
def test_each_difference_is_listed_once(
    draft: RuleSet, variant: Variant, change: Change, words: list[str]
) -> None:
    found = [one.words for one in differences(draft, variant(change))]

    assert len(found) == len(words)
    for said, expected in zip(found, words, strict=True):
        assert said.startswith(expected), said
