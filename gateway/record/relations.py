"""Branches 分支机构 and their legal persons by the register (pure): there is one level only."""

from collections.abc import Iterable
from datetime import date

from schemas.known import Relation
from schemas.participant import Participant
from schemas.problem import Problem, Rule


def relation_of(entry: Participant) -> Relation | None:
    """Return the relation of a branch to its legal person that an entry states, or None."""
    if entry.parent_code is None or entry.subject_code is None:
        return None
    until = entry.until or date.max
    return Relation(entry.subject_code, entry.parent_code, entry.since, until)


def chained(relation: Relation, others: Iterable[Relation]) -> Problem | None:
    """Return why a relation makes a branch of a branch in the time of another one."""
    for other in others:
        if other.since > relation.until or other.until < relation.since:
            continue
        if other.branch == relation.parent:
            return _problem(f"{other.branch} 自己也是分支机构")
        if other.parent == relation.branch:
            return _problem(f"{other.parent} 自己有分支机构")
    return None


def of_a_branch(code: str) -> Problem:
    """Return that an event names the legal person, of whom only a branch has the decision yet.

    One decision may name both, so that that of the legal person may still come.
    """
    return Problem(
        field="subject_code",
        rule=Rule.STANDING,
        message=f"统一社会信用代码：法人没有这个决定，同一决定有分支机构 {code} 的",
        fix=f"指分支机构的决定的，填分支机构的代码 {code}；法人的决定报来以后，这一条自动生效",
    )


def _problem(words: str) -> Problem:
    return Problem(
        field="parent_code",
        rule=Rule.STANDING,
        message=f"所属法人统一社会信用代码：名录里 {words}，分支机构只有一层",
        fix="填法人的代码；名录里写错的，先更正或撤回那一条",
    )
