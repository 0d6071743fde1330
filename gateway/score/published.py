"""Published grades 公布等级 of one subject: what was known on the day of each publication."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from schemas.base import SHANGHAI
from schemas.credit import Assessment
from scoring.consequences.published import publication_day, publications, published
from scoring.facts import Facts
from scoring.regulation.ruleset import RuleSet

#: Periods of published grades to show.
PERIODS = 6


@dataclass(frozen=True, slots=True)
class PublishedGrade:
    """The grade of a period, as published on a day.

    Without `recorded` nothing was known of the subject here on that day: its history came later,
    and the grade is computed by that.
    """

    published_on: date
    assessment: Assessment
    recorded: bool


def publication_days(facts: Facts, rule_set: RuleSet, as_of: date) -> dict[date, date]:
    """Return the last day of each period that is published by `as_of` → the day of publication."""
    table = rule_set.table(facts.kind)
    if table is None or table.snapshot is None:
        return {}
    snapshot, first = table.snapshot, min((f.decided_on for f in facts.facts), default=as_of)
    ends = publications(snapshot, first, as_of, PERIODS)
    return {end: publication_day(snapshot, end) for end in ends}


def end_of(day: date) -> datetime:
    """Return the end of a day in China: what was known by then was known on that day."""
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)


def published_grades(
    facts: Facts,
    rule_set: RuleSet,
    days: dict[date, date],
    known_then: Callable[[date], Facts | None],
) -> Sequence[PublishedGrade]:
    """Return the grades as they were published; `known_then` gives the facts known on a day."""
    found = []
    for end, day in days.items():
        then = known_then(day)
        result = published(facts if then is None else then, rule_set, end)
        found.append(PublishedGrade(day, result, then is not None))
    return found
