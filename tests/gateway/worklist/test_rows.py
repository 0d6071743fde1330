"""A row of the work list: what will be late, why, and who must act."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.worklist.rows import Actor, Grouping, Late, Receiver, grouped, work_row
from schemas.delivery import DeliveryState
from tests.factories import IDENTITY

S = DeliveryState
NOW = datetime(2026, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def stored(**changes: Any) -> Any:
    plain = {
        "id": 1,
        "item_kind": "record_version",
        "destination": "platform",
        "verb": "new",
        "state": "ready",
        "due_at": NOW + 2 * HOUR,
        "provisional": False,
        "reasons": None,
        "document_number": "样环罚字〔2026〕1号",
        "authority": "样例市生态环境局",
        "subject_name": "样例公司",
        "problems": None,
        "submitted_at": NOW - 6 * 24 * HOUR,
        "silent": False,
    }
    return SimpleNamespace(**(plain | changes))


@pytest.mark.parametrize(
    ("changes", "receiver", "ahead", "late", "actor", "why"),
    [
        ({}, Receiver(1.0), 10, Late.IN_TIME, Actor.NOBODY, "前面还有 9 件"),
        ({}, Receiver(1.0), 8000, Late.SLOW, Actor.NOBODY, "前面还有 7999 件"),
        ({}, Receiver(1.0, is_down=True), 10, Late.DOWN, Actor.PLATFORM, "接收方中断"),
        (
            {},
            Receiver(1.0, by_person=True),
            8000,
            Late.STANDS,
            Actor.CLERK,
            "下载模板上报：upload make platform",
        ),
        (
            {"state": "unknown", "reasons": ["由 李四 下载（批次 7）"]},
            Receiver(by_person=True),
            1,
            Late.STANDS,
            Actor.CLERK,
            "由 李四 下载（批次 7）",
        ),
        (
            {"state": "unknown"},
            Receiver(by_person=True),
            1,
            Late.STANDS,
            Actor.CLERK,
            "可能已人工上报：到平台页面上查明，再用 deliveries resolve 登记",
        ),
        ({"state": "unknown"}, Receiver(), 1, Late.IN_TIME, Actor.NOBODY, "结果不明"),
        ({"state": "held"}, Receiver(), None, Late.STANDS, Actor.CLERK, "待补正"),
        (
            {"state": "held", "problems": [{"message": "处罚机关代码：必填项为空"}]},
            Receiver(),
            None,
            Late.STANDS,
            Actor.CLERK,
            "处罚机关代码：必填项为空",
        ),
        (
            {"state": "rejected", "reasons": ["代码不存在"]},
            Receiver(),
            None,
            Late.STANDS,
            Actor.CLERK,
            "代码不存在",
        ),
        (
            {"state": "parked", "reasons": ["待查"]},
            Receiver(),
            None,
            Late.STANDS,
            Actor.OPERATOR,
            "待查",
        ),
        ({"state": "submitted"}, Receiver(), None, Late.UNANSWERED, Actor.PLATFORM, "已报送待回执"),
        (
            {"state": "submitted"},
            Receiver(is_down=True),
            None,
            Late.DOWN,
            Actor.PLATFORM,
            "已报送待回执",
        ),
        (
            {"state": "submitted", "silent": True},
            Receiver(),
            None,
            Late.STANDS,
            Actor.OPERATOR,
            "送达 6 天没有回执：询问接收方；仍无答复的，出具送达证明（deliveries attest）",
        ),
        ({"due_at": NOW}, Receiver(), 1, Late.OVERDUE, Actor.NOBODY, "待报送"),
    ],
)
def test_a_row_says_what_will_be_late_and_who_must_act(
    changes: dict[str, Any],
    receiver: Receiver,
    ahead: int | None,
    late: Late,
    actor: Actor,
    why: str,
) -> None:
    row = work_row(stored(**changes), receiver, ahead, NOW)

    assert (row.late, row.actor, row.why) == (late, actor, why)


@pytest.mark.parametrize(
    "column", ["document_number", "authority", "subject_name", "reasons", "problems"]
)
def test_no_identity_number_stands_on_the_list(column: str) -> None:
    said: Any = f"样例{IDENTITY}"
    if column in {"reasons", "problems"}:
        said = [said] if column == "reasons" else [{"message": said}]
    row = work_row(stored(state="held", **{column: said}), Receiver(), None, NOW)

    assert IDENTITY[4:14] not in str(row)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("destination", ["platform", "bank"]),
        ("authority", ["甲局", "（等级变动）"]),
        ("state", ["待补正", "待报送"]),
        ("actor", ["经办人员", "接收方"]),
    ],
)
def test_groups_are_summed_up_the_earliest_due_first(by: str, names: list[str]) -> None:
    def count(destination: str, state: str, authority: str | None, hours: int) -> Any:
        return SimpleNamespace(
            destination=destination,
            state=state,
            authority=authority,
            silent=False,
            open=3,
            overdue=1,
            due_at=NOW + hours * HOUR,
        )

    counts = [
        count("platform", "held", "甲局", 1),
        count("bank", "ready", None, 5),
        count("platform", "held", "甲局", 3),
    ]

    found = grouped(counts, Grouping(by), {"bank": Receiver(is_down=True)})

    assert [group.name for group in found] == names
    assert [(group.open, group.overdue) for group in found] == [(6, 2), (3, 1)]
