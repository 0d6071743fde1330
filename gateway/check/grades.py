"""Grades computed elsewhere 外部评定等级: by which rule set they count, and their words (pure)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from schemas.event import ReceivedGrade
from schemas.problem import Problem, Rule


@dataclass(frozen=True, slots=True)
class BoundRuleSet:
    """A rule set bound to a region, as far as grades from elsewhere are concerned."""

    names: tuple[str, ...]  #: of the binding, and of the text in force if it has another one
    title: str
    receives: bool  #: whether it takes grades computed elsewhere
    words: Mapping[str, str]  #: the words for its grades, see `GradeRules.grade_words`


class GradeRules(Protocol):
    """What the check knows of rule sets; see gateway.rules.rulebook."""

    def bound_to(self, code: str, day: date) -> Sequence[BoundRuleSet]:
        """Return the rule sets of the region of a credit code on a day, of any kind of subject."""

    def grade_words(self, name: str) -> Mapping[str, str] | None:
        """Return the words for the grades of a rule set; None if it is not here."""


def graded(record: ReceivedGrade, rules: GradeRules) -> ReceivedGrade | Problem:
    """Return a received grade by the name that its rule set has for it, or what is wrong with it.

    It must be of a rule set bound to the region that takes such grades: it replaces our own. Where
    none is bound there is no grade of ours, and one of a rule set that is not here stays as it is.
    """
    bound = rules.bound_to(record.subject_code, record.effective_on)
    own = next((one for one in bound if record.rule_set in one.names), None)
    if bound and (own is None or not own.receives):
        return _not_taken(record, bound, own)
    words = rules.grade_words(record.rule_set) if own is None else own.words
    if words is None or record.grade in words.values():
        return record
    grade = words.get(record.grade)
    if grade is not None:
        return record.model_copy(update={"grade": grade})
    known = "、".join(dict.fromkeys(words.values()))
    return Problem(
        field="grade",
        rule=Rule.CODE_LIST,
        message=f"等级：“{record.grade}”不是 {record.rule_set} 的等级",
        fix=f"填 {known} 之一，或对应的名称、颜色",
    )


def _not_taken(
    record: ReceivedGrade, bound: Sequence[BoundRuleSet], own: BoundRuleSet | None
) -> Problem:
    """Return that a grade would replace one of ours that it must not replace."""
    if own is not None:
        words = f"{record.rule_set}（{own.title}）由本系统评定，不采用外部评定的等级"
        fix = "不报这条等级；单位所在地区绑错了办法的，改 scoring.bindings"
    else:
        names = "、".join(dict.fromkeys(f"{one.names[0]}（{one.title}）" for one in bound))
        words = f"单位所在地区适用 {names}，不是 {record.rule_set}"
        fix = "核对评价办法和统一社会信用代码；绑错了办法的，改 scoring.bindings"
    return Problem(field="rule_set", rule=Rule.CODE_LIST, message=f"评价办法：{words}", fix=fix)
