"""Compare the columns of a decision with each other 比对 (pure).

What does not fit is a warning that holds nothing, unless the comparison is configured to hold. One
thing always is a problem: an amount in 元 that was typed into a column of 万元.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from gateway.check.amounts import yuan_in
from gateway.check.values import problem
from schemas.codes import RecordKind
from schemas.columns import Column, columns_of
from schemas.identifiers import half_width
from schemas.input_rules import Comparison
from schemas.problem import Problem, Rule
from schemas.record import RECORD_KINDS

_YUAN_PER_WAN = 10_000
#: 公示截止期 later than so many years after the decision is most likely a slip of the pen.
_LONGEST_PUBLICITY_YEARS = 3
#: Kinds of penalties without an amount, and those that have one.
_WITHOUT_AMOUNT = frozenset({"警告", "通报批评"})
_WITH_AMOUNT = ("罚款", "没收", "按日连续处罚", "其他")

Values = Mapping[str, Any]


def typed_in_yuan(kind: RecordKind, values: Values) -> Problem | None:
    """Return the problem of a fine that stands in 处罚内容 as the same number of 元."""
    fine, written = values.get("fine_wan"), _written(values)
    if not fine or not written or fine * _YUAN_PER_WAN in written or fine not in written:
        return None
    words = f"{fine} 万元，而处罚内容写的是 {fine} 元：差一万倍"
    fix = f"单位是万元，{fine} 元填 {(fine / _YUAN_PER_WAN).normalize():f}"
    return problem(_column(kind, "fine_wan"), Rule.AMOUNT, words, fix)


def compared(kind: RecordKind, values: Values) -> Iterator[tuple[Comparison, Problem]]:
    """Yield what does not fit together, by comparison."""
    for comparison, (name, compare) in _COMPARISONS.items():
        found = compare(values)
        if found is not None:
            rule, words, fix = found
            yield comparison, problem(_column(kind, name), rule, words, fix)


def _written(values: Values) -> list[Decimal]:
    content = values.get("penalty_content")
    return yuan_in(half_width(content)) if content and ("元" in content or "圆" in content) else []


Found = tuple[Rule, str, str] | None


def _amount_in_words(values: Values) -> Found:
    fine, written = values.get("fine_wan"), _written(values)
    if not fine or not written:
        return None
    confiscated = values.get("confiscated_wan") or Decimal(0)
    yuan = fine * _YUAN_PER_WAN
    both = yuan + confiscated * _YUAN_PER_WAN
    if yuan in written or both in written or sum(written) in {yuan, both}:
        return None
    said = "、".join(f"{amount.normalize():f}元" for amount in written[:3])
    return Rule.AMOUNT, f"{fine} 万元，与处罚内容里的{said}不一致", "按决定书核对金额"


def _published_until(values: Values) -> Found:
    decided, until = values.get("decision_date"), values.get("published_until")
    if decided is None or until is None:
        return None
    if until < decided:
        return Rule.ORDER, f"{until} 早于决定日期 {decided}", "核对公示截止期"
    if until > _years_after(decided, _LONGEST_PUBLICITY_YEARS):
        words = f"{until} 在决定日期 {decided} 的{_LONGEST_PUBLICITY_YEARS}年以后"
        return Rule.ORDER, words, "核对公示截止期"
    return None


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February, or the end of the calendar
        return date(min(day.year + years, 9999), 3, 1)


def _warning_with_amount(values: Values) -> Found:
    kinds, fine = values.get("penalty_kinds"), values.get("fine_wan")
    if not kinds or not fine or not _WITHOUT_AMOUNT.issuperset(kinds):
        return None
    return Rule.AMOUNT, f"处罚类别只有{'、'.join(kinds)}，却有 {fine} 万元", "核对处罚类别和金额"


def _amount_without_kind(values: Values) -> Found:
    kinds, fine = values.get("penalty_kinds"), values.get("fine_wan")
    if not kinds or not fine or _WITHOUT_AMOUNT.issuperset(kinds):
        return None
    if any(kind.startswith(_WITH_AMOUNT) for kind in kinds):
        return None
    return Rule.AMOUNT, f"处罚类别没有罚款，却有 {fine} 万元", "核对处罚类别和金额"


def _valid_before_decision(values: Values) -> Found:
    decided, start = values.get("decision_date"), values.get("valid_from")
    if decided is None or start is None or start >= decided:
        return None
    return Rule.ORDER, f"{start} 早于决定日期 {decided}", "核对有效期的开始"


_COMPARISONS: dict[Comparison, tuple[str, Callable[[Values], Found]]] = {
    Comparison.AMOUNT_IN_WORDS: ("fine_wan", _amount_in_words),
    Comparison.PUBLISHED_UNTIL: ("published_until", _published_until),
    Comparison.WARNING_WITH_AMOUNT: ("fine_wan", _warning_with_amount),
    Comparison.AMOUNT_WITHOUT_KIND: ("fine_wan", _amount_without_kind),
    Comparison.VALID_BEFORE_DECISION: ("valid_from", _valid_before_decision),
}


def _column(kind: RecordKind, name: str) -> Column:
    return next(column for column in columns_of(RECORD_KINDS[kind]) if column.name == name)
