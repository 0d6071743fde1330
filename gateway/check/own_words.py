"""What columns of a bureau's own say of a decision, though they decide nothing here (pure)."""

from collections.abc import Mapping
from typing import Any

from gateway.check.values import told
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


def _word(value: Any) -> str:
    return "" if isinstance(value, dict | list) else fold_once(told(value)[:_LONGEST_WORD])
