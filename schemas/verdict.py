"""Verdicts 校验结论 of check, and exclusions 不予报送."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What check says of an item."""

    OK = "ok"  #: 合格
    INCOMPLETE = "incomplete"  #: 待补正
    REFUSED = "refused"  #: 拒收


class Exclusion(StrEnum):
    """Why a decision is not reported 不予报送: it is recorded and counted, never delivered.

    ARCHITECTURE.md, "Decisions that are not reported".
    """

    STATE_SECRET = "state_secret"  # noqa: S105  涉密决定
    SIMPLE_PROCEDURE = "simple_procedure"  #: 对自然人适用简易程序（河南省社会信用条例第十三条）
    MINOR_REMEDIED = "minor_remedied"  #: 自然人轻微并主动消除危害（同上）
    RESTRICTED_USE = "restricted_use"  #: 信息使用范围是 1 仅政府部门内部共享，或 2 仅可授权查询


@dataclass(frozen=True, slots=True)
class Scope:
    """What is excluded: reason → (input column, whether it holds for natural persons only)."""

    rules: Mapping[Exclusion, tuple[str, bool]] = field(
        default_factory=lambda: {
            Exclusion.STATE_SECRET: ("state_secret", False),
            Exclusion.SIMPLE_PROCEDURE: ("simple_procedure", True),
            Exclusion.MINOR_REMEDIED: ("minor_remedied", True),
            Exclusion.RESTRICTED_USE: ("use_scope", False),
        }
    )
