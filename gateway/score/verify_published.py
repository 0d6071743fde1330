"""Compare published grades with what they were computed from, lists and numbers included."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import orjson

from gateway.score.publish import ResultOfPeriod, Then, with_list, years_before
from gateway.score.published import end_of, then_of
from gateway.score.stored_result import StoredFact, short
from gateway.store.score.published import StoredGrade, StoredPublication
from schemas.credit import Assessment, NotEvaluated
from scoring.consequences.published import publication_day, published
from scoring.regulation.ruleset import RuleSet


class PublishedHistory(NamedTuple):
    """The publications, and when the first assessment was made here."""

    told: Sequence[StoredPublication]
    begun: datetime | None

    def done_by(self, at: datetime) -> set[date]:
        """Return the periods whose publication was finished by a time."""
        return {
            one.period_end
            for one in self.told
            if one.finished_at is not None and one.finished_at <= at
        }


def missing_grades(told: Sequence[StoredPublication]) -> list[dict[str, Any]]:
    """Return the publications that have not as many grades as they stored."""
    return [
        {
            "period_end": one.period_end,
            "published_on": one.published_on,
            "problem": f"公布等级的个数不对：公布时存了 {one.stored} 个，现有 {one.found} 个",
        }
        for one in told
        if one.stored != one.found
    ]


def published_difference(
    one: StoredGrade,
    rule_sets: Mapping[str, RuleSet],
    facts: Mapping[int, StoredFact],
    history: PublishedHistory,
) -> dict[str, Any] | None:
    """Return what differs of a published grade when it is computed again; None if nothing does.

    Engine errors are not computed again, because they have no result.
    """
    if one.result["not_evaluated"] == NotEvaluated.ENGINE_ERROR:
        return None
    then = then_of(one, facts, rule_sets[one.rule_set_hash])
    result = published(then.facts, then.rule_set, one.period_end, one.published_on)
    same = orjson.loads(short(result, then.facts)) == one.result and result.grade == one.grade
    if (
        same
        and _is_day(then, one, history.told)
        and one.listings == _lists(then, one, result, history)
    ):
        return None
    problem = "公布等级重算结果与原结果不同"
    return {"id": one.id, "problem": problem, "period_end": one.period_end, "score": result.score}


def _is_day(then: Then, one: StoredGrade, told: Sequence[StoredPublication]) -> bool:
    """Whether a grade was published on the day by the text of then; later, if that text was."""
    if then.snapshot is None:
        return False
    day = publication_day(then.snapshot, one.period_end)
    days = {each.published_on for each in told if each.period_end == one.period_end}
    return one.published_on == day or (one.published_on > day and one.published_on in days)


def _lists(
    then: Then, one: StoredGrade, result: Assessment, history: PublishedHistory
) -> Sequence[str]:
    """Return the lists that the grade and the earlier ones bring.

    Of a period of which nothing tells its grade any more they may bring it.
    """
    bare = ResultOfPeriod(result, None)
    ends = years_before(then, bare)
    grades = {end: one.earlier[day] for end in ends if (day := end.isoformat()) in one.earlier}
    done = history.done_by(one.recorded_at)
    untold = [end for end in ends if end not in grades and end not in done]
    if history.begun is not None and history.begun <= one.recorded_at:
        for end in untold:
            if history.begun > end_of(publication_day(then.snapshot, end)):
                grades[end] = published(then.facts, then.rule_set, end).grade
    titles = _titles(then, bare, grades)
    likely = _titles(then, bare, dict.fromkeys(untold, result.grade) | grades)
    return one.listings if one.listings in (titles, likely) else titles


def _titles(then: Then, result: ResultOfPeriod, grades: Mapping[date, str | None]) -> Sequence[str]:
    found = with_list(then, result, grades).listing
    return [] if found is None else [found.title]
