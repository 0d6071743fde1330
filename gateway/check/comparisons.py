"""Compare the columns of a decision with each other 比对 (pure).

What does not fit is a warning that holds nothing, unless the comparison is configured to hold. One
thing always is a problem: an amount in 元 that was typed into a column of 万元.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from gateway.check.amounts import YUAN_PER_WAN
from gateway.check.completeness import column_of, is_natural
from gateway.check.document_numbers import names_several
from gateway.check.fine_words import has_fine, imposes_fine, imposes_none
from gateway.check.stop_words import stops_in
from gateway.check.values import problem
from gateway.check.written_amounts import Amounts, Written, written_in
from schemas.codes import RecordKind
from schemas.fines import names_fine
from schemas.input_rules import Comparison
from schemas.problem import Problem, Rule

#: Few fines have fewer yuan; a small number may stand in a text for anything, such as a price.
_LEAST_YUAN = 100
_OF_A_PRICE = re.compile("[元圆]\\s*/|每")
#: 公示截止期 later than so many years after the decision is most likely a slip of the pen.
_LONGEST_PUBLICITY_YEARS = 3
#: Kinds of penalties without an amount.
_WITHOUT_AMOUNT = frozenset({"警告", "通报批评"})

_OTHER = "其他"

#: Columns of 万元: 罚款金额 and 没收金额.
_AMOUNTS = ("fine_wan", "confiscated_wan")

#: The first year of a decision: administrative penalties and licences of today are younger.
_FIRST_YEAR = 1990
Values = Mapping[str, Any]


def typed_in_yuan(kind: RecordKind, values: Values) -> list[tuple[str, Problem]]:
    """Return the field of each amount that stands in 处罚内容 as the same number of 元.

    It may be the sum of the numbers there. A number without a written unit proves nothing.
    """
    found = []
    for name in _AMOUNTS:
        amount = values.get(name)
        if not amount:
            continue
        written, said = _written(values)
        if not said.have(amount) or written.have(amount * YUAN_PER_WAN):
            continue
        if amount < _LEAST_YUAN and not _is_the_fine(values, written):
            continue
        what = "是" if amount in said.each else "合计是"
        words = f"{amount} 万元，而处罚内容写的{what} {amount} 元：差一万倍"
        fix = f"单位是万元，{amount} 元填 {(amount / YUAN_PER_WAN).normalize():f}"
        found.append((name, problem(column_of(kind, name), Rule.AMOUNT, words, fix)))
    return found


def _is_the_fine(values: Values, written: Amounts) -> bool:
    """Whether the amount of a text is the only one, and no price such as 5元/吨."""
    return len(written.each) == 1 and not _OF_A_PRICE.search(values["penalty_content"])


def before_1990(kind: RecordKind, values: Values) -> list[tuple[str, Problem]]:
    """Return the day of a decision of a year that must be another one, such as 0226 or 1026."""
    day = values.get("decision_date")
    if day is None or day.year >= _FIRST_YEAR:
        return []
    column, words = column_of(kind, "decision_date"), f"{day} 早于 {_FIRST_YEAR} 年"
    return [(column.name, problem(column, Rule.FORMAT, words, "按决定书核对年份"))]


def compared(kind: RecordKind, values: Values) -> list[tuple[Comparison | None, Problem]]:
    """Return what does not fit together, by comparison; by none, if it must hold nothing."""
    told: list[tuple[Comparison | None, Problem]] = []
    for name, compare in _COMPARISONS:
        if name in values and (found := compare(values)) is not None:
            comparison, rule, words, fix = found
            told.append((comparison, problem(column_of(kind, name), rule, words, fix)))
    return told


def _written(values: Values) -> Written:
    """Return the amounts of 处罚内容 in yuan."""
    return written_in(values.get("penalty_content") or "")


Found = tuple[Comparison | None, Rule, str, str] | None


def _amount_in_words(values: Values) -> Found:
    fine: Decimal = values["fine_wan"]
    written, with_unit = _written(values)
    if not _contradict(values, written):
        return None
    said = "、".join(f"{amount.normalize():f}元" for amount in written.each[:3])
    words = f"{fine} 万元，与处罚内容里的{said}不一致"
    if _contradict(values, with_unit):
        return Comparison.AMOUNT_IN_WORDS, Rule.AMOUNT, words, "按决定书核对金额"
    fix = "按决定书核对金额；处罚内容里的数写上单位"
    return None, Rule.AMOUNT, f"{words}（没有写单位，按元读）", fix


def _contradict(values: Values, written: Amounts) -> bool:
    """Whether there are amounts in words, and none of them is the fine, nor are all together."""
    yuan = values["fine_wan"] * YUAN_PER_WAN
    if not written.each or written.have(yuan):
        return False
    return not written.have(yuan + (values.get("confiscated_wan") or 0) * YUAN_PER_WAN)


def _published_until(values: Values) -> Found:
    decided, until = values.get("decision_date"), values["published_until"]
    if decided is None:
        return None
    if until < decided:
        words = f"{until} 早于决定日期 {decided}"
    elif until > _years_after(decided, _LONGEST_PUBLICITY_YEARS):
        words = f"{until} 在决定日期 {decided} 的{_LONGEST_PUBLICITY_YEARS}年以后"
    else:
        return None
    return Comparison.PUBLISHED_UNTIL, Rule.ORDER, words, "核对公示截止期"


def _years_after(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February, or the end of the calendar
        return date(min(day.year + years, 9999), 3, 1)


def _amount_and_kinds(values: Values) -> Found:
    kinds, fine = values.get("penalty_kinds"), values["fine_wan"]
    if not kinds or not fine or names_fine(kinds):
        return None
    if _WITHOUT_AMOUNT.issuperset(kinds):
        comparison, only = Comparison.WARNING_WITH_AMOUNT, f"只有{'、'.join(kinds)}"
    else:
        comparison, only = Comparison.AMOUNT_WITHOUT_KIND, "没有罚款"
    words = f"处罚类别{only}，却有 {fine} 万元；评分和公示按罚款计"
    return comparison, Rule.AMOUNT, words, "核对处罚类别和金额"


def _fine_in_words(values: Values) -> Found:
    """Return that only the words have a fine; one with an amount is told by its amount."""
    kinds = values.get("penalty_kinds")
    if not kinds or values.get("fine_wan") or names_fine(kinds):
        return None
    content = values["penalty_content"]
    if not has_fine(content):
        return None
    words = "写有罚款，而处罚类别没有罚款，也没有金额"
    if imposes_fine(content):
        words += "；评分按缺金额的罚款处理"
    return None, Rule.AMOUNT, words, "处罚类别补上罚款，并填罚款金额"


def _valid_before_decision(values: Values) -> Found:
    decided, start = values.get("decision_date"), values["valid_from"]
    if decided is None or start >= decided:
        return None
    words = f"{start} 早于决定日期 {decided}"
    return Comparison.VALID_BEFORE_DECISION, Rule.ORDER, words, "核对有效期的开始"


def _foreign_name(values: Values) -> Found:
    name: str = values["subject_name"]
    if not name.isascii() or is_natural(values):
        return None
    return None, Rule.FORMAT, f"“{name[:60]}”里没有汉字", "按决定书核对名称"


def _several_decisions(values: Values) -> Found:
    number: str = values["document_number"]
    if not names_several(number):
        return None
    words = f"“{number[:60]}”像是几个决定的文号，而一行只报一个决定"
    return None, Rule.FORMAT, words, "一个决定写一行，各写各的文号"


def _none_imposed(values: Values) -> Found:
    """Return that the words impose nothing, although the kinds do."""
    kinds, content = values.get("penalty_kinds"), values["penalty_content"]
    if not kinds or not imposes_none(content) or has_fine(content):
        return None
    words = f"写有不予处罚，而处罚类别是{'、'.join(kinds)[:60]}"
    return None, Rule.CONFLICT, words, "按决定书核对：不予处罚的决定不是行政处罚，不要报"


def _kind_in_words(values: Values) -> Found:
    """Return that only the words name a kind that the kinds call 其他."""
    kinds = values.get("penalty_kinds") or ()
    if not any(kind.startswith(_OTHER) for kind in kinds):
        return None
    named = "".join(kinds)
    found = stops_in(values["penalty_content"])
    said = [one for one in found if one.removeprefix("责令") not in named]
    if not said:
        return None
    words = (
        f"写有{'、'.join(said)}，而处罚类别只写其他；评分和公示按处罚类别，不计{'、'.join(said)}"
    )
    return None, Rule.CONFLICT, words, f"按决定书核对；处罚类别写成 其他-{said[0]}"


#: Field → what is compared with it if it has a value.
_COMPARISONS: tuple[tuple[str, Callable[[Values], Found]], ...] = (
    ("subject_name", _foreign_name),
    ("fine_wan", _amount_in_words),
    ("fine_wan", _amount_and_kinds),
    ("penalty_content", _fine_in_words),
    ("penalty_content", _none_imposed),
    ("penalty_content", _kind_in_words),
    ("document_number", _several_decisions),
    ("published_until", _published_until),
    ("valid_from", _valid_before_decision),
)
