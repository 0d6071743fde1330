"""Find the grade change 等级变动 between the last recorded grade and an assessment."""

from collections.abc import Mapping, Sequence

from schemas.credit import Assessment, Deduction, GradeChange, NotEvaluated
from scoring.regulation.ruleset import RuleSet

SUSPENDED = "suspended"
FIRST = "first"
UP = "up"
DOWN = "down"


def compare(
    previous_grade: str | None, assessment: Assessment, rule_set: RuleSet | None = None
) -> GradeChange | None:
    """Return the change from the last recorded grade, or None if there is no change.

    A subject that cannot be evaluated keeps its grade; only one that does not take part any more
    loses it: a criminal suspect, a branch, and who is not in the register. With the rule set, items
    are named by short titles and grades are ranked by its bands; without it, items are named by the
    quoted text and grades are ranked alphabetically (A is the best).
    """
    gone = GONE.get(assessment.not_evaluated or "")
    if gone is not None:
        return None if previous_grade is None else _suspended(previous_grade, gone)
    grade = assessment.grade
    if assessment.not_evaluated is not None or grade is None or grade == previous_grade:
        return None
    way = direction(previous_grade, grade, _order(previous_grade, grade, rule_set))
    return GradeChange(previous_grade, grade, way, reasons(assessment, rule_set))


def reasons(assessment: Assessment, rule_set: RuleSet | None = None) -> tuple[str, ...]:
    """Return the reasons of the grade in Chinese: what sets the grade first, then the points."""
    titles = {} if rule_set is None else rule_set.titles
    came = assessment.received
    lines = [] if came is None else [f"采用{came.issued_by}评定的等级"]
    lines += [
        _line(rule.item, titles.get(rule.item), effect, rule.article)
        for effect, rules in (
            ("直接评定", assessment.vetoes),
            ("直接升级", assessment.promotions),
        )
        for rule in rules
    ]
    lines += [
        _line(row.item, titles.get(row.item, row.text), _points(row), row.article)
        for row in assessment.deductions
    ]
    return tuple(lines) or (f"无扣分项，得{assessment.score}分",)


#: Why a subject does not take part, in Chinese.
GONE: Mapping[str, str] = {
    NotEvaluated.CRIMINAL_SUSPECT: "涉嫌犯罪，不参评",
    NotEvaluated.NOT_PARTICIPANT: "不在参评单位名录，不参评",
    NotEvaluated.BRANCH: "分支机构，并入法人评价",
}


def _suspended(previous_grade: str, reason: str) -> GradeChange:
    return GradeChange(previous_grade, None, SUSPENDED, (reason,))


def _line(item: str, title: str | None, effect: str, article: str) -> str:
    return f"{item} {title} {effect}（{article}）" if title else f"{item} {effect}（{article}）"


def _points(row: Deduction) -> str:
    if row.points.startswith("-"):
        return f"−{row.points[1:]}分"
    return f"+{row.points}分"


def _order(previous: str | None, grade: str, rule_set: RuleSet | None) -> list[str]:
    """Return the grades from best to worst."""
    for table in rule_set.tables.values() if rule_set else ():
        order = [band.grade for band in table.bands]
        if previous in order and grade in order:
            return order
    return sorted({grade, previous or grade})


def direction(previous: str | None, grade: str, order: Sequence[str]) -> str:
    """Return FIRST, UP or DOWN; `order` lists the grades best first and must contain both."""
    if previous is None:
        return FIRST
    return UP if order.index(grade) < order.index(previous) else DOWN
