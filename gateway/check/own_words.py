"""What a bureau's own columns, and 备注, say of a decision, though they decide nothing (pure)."""

import re
from collections.abc import Mapping
from typing import Any

from gateway.check.completeness import column_of
from gateway.check.values import told
from schemas.codes import RecordKind
from schemas.column_names import name_key
from schemas.identifiers import fold_once
from schemas.problem import Problem, Rule

#: Columns that ask whether a decision is shown to the public. No standard has them.
_OF_PUBLICITY = frozenset({"是否公开", "是否公示", "是否可以公开", "是否可以公示", "公开", "公示"})
_NOT_PUBLIC = frozenset({"否", "0", "N", "NO", "FALSE", "不", "×", "X"}) | {
    "不公开",
    "不公示",
    "不予公开",
    "不予公示",
    "非公开",
}
_ENDED = "(?:撤销|撤消|作废|撤回)"
#: A cell that says nothing but that its decision is revoked.
_REVOKED = re.compile(
    f"(?:该?(?:处罚|许可|决定|案件)?)?(?:已|已被|被|已经|依法|予以)?{_ENDED}[。.]?"
)
#: A column that asks whether it is, and the answers that say that it is not.
_OF_REVOKING = re.compile(f"(?:是否)?(?:已|被|已被|已经)?(?:依法)?{_ENDED}(?:标志|标识|状态)?")
_NO = frozenset({"", "否", "0", "0.0", "N", "NO", "F", "FALSE", "无", "不", "没有", "未", "×", "X"})
_NOT_REVOKED = re.compile(f"[未没无不](?:有|被|予)?{_ENDED}?|正常|有效|(?:NULL|NONE)?")
#: A revocation in a remark; one that is only refused, or of something else, may have such words.
_IN_A_REMARK = re.compile(f"(?:已|被|予以|复议|诉讼|判决|决定|依法){_ENDED}|^{_ENDED}")
_REFUSES = re.compile(f"[未没不](?:有|被|予以?)?{_ENDED}")
_LONGEST_WORD = 64


def not_public(unknown: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return a warning for each column that says of a decision that it is not for the public."""
    return tuple(
        Problem(
            field=name,
            rule=Rule.CODE_LIST,
            message=f"{name}：写的是“{told(value)}”，而这一列不决定是否报送，决定照常报送",
            fix="不公开的，加一列“信息使用范围”，填 1（仅政府部门内部共享）或 2（仅可授权查询）",
        )
        for name, value in unknown.items()
        if name_key(name) in _OF_PUBLICITY and _word(value) in _NOT_PUBLIC
    )


def revoked(
    kind: RecordKind, unknown: Mapping[str, Any], empty: frozenset[str]
) -> tuple[Problem, ...]:
    """Return a problem for each column of one's own that says that a decision is revoked.

    It refuses, as an unknown verb does: were it reported, a revoked decision would be public and
    count for a grade; were it withdrawn, one that stands would vanish by a column nobody defined.
    """
    return tuple(
        _revoked(kind, name, value)
        for name, value in unknown.items()
        if _says_revoked(name, value, empty)
    )


def revoked_in_remark(kind: RecordKind, remark: str | None) -> tuple[Problem, ...]:
    """Return a warning if 备注 speaks of a revocation."""
    if not remark or not _IN_A_REMARK.search(remark) or _REFUSES.search(remark):
        return ()
    column = column_of(kind, "remark")
    words = f"{column.title}：写有“{remark[:60]}”，而决定照常报送"
    fix = f"决定撤销了的，{_how(kind)}"
    return (Problem(field=column.wire, rule=Rule.CONFLICT, message=words, fix=fix),)


def _says_revoked(name: str, value: Any, empty: frozenset[str]) -> bool:
    word = _word(value)
    if not word or word in empty or told(value).strip() in empty:
        return False
    if _REVOKED.fullmatch(word):
        return True
    asks = _OF_REVOKING.fullmatch(name_key(name)) is not None
    return asks and word not in _NO and _NOT_REVOKED.fullmatch(word) is None


def _revoked(kind: RecordKind, name: str, value: Any) -> Problem:
    words = (
        f"{name}：写的是“{told(value)[:_LONGEST_WORD]}”，而这一列不决定什么，看不准决定是否已撤销"
    )
    fix = f"撤销了的，{_how(kind)}；仍然有效的，清空这一格"
    return Problem(field=name, rule=Rule.CONFLICT, message=words, fix=fix)


def _how(kind: RecordKind) -> str:
    """Return how a sender says that a decision is revoked."""
    verb = "加一列 verb，填 withdraw（撤回）"
    return f"在“当前状态”列填 1（撤销），或{verb}" if kind is RecordKind.PENALTY else verb


def _word(value: Any) -> str:
    return "" if isinstance(value, dict | list) else fold_once(told(value)[:_LONGEST_WORD])
