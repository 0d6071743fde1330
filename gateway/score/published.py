"""Published grades 公布等级 of one subject: what was known on the day of each publication."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from schemas.base import SHANGHAI
from schemas.codes import SubjectKind
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


def publication_days(
    kind: SubjectKind, rule_set: RuleSet, first: date | None, as_of: date
) -> dict[date, date]:
    """Return the last day of each period that is published by `as_of` → the day of publication.

    `first` is the day of the first decision that was ever known of the subject.
    """
    table = rule_set.table(kind)
    if table is None or table.snapshot is None or first is None:
        return {}
    snapshot = table.snapshot
    ends = publications(snapshot, first, as_of, PERIODS)
    return {end: publication_day(snapshot, end) for end in ends}


def end_of(day: date) -> datetime:
    """Return the end of a day in China: what was known by then was known on that day."""
    return datetime.combine(day + timedelta(days=1), time.min, SHANGHAI)


class Then(NamedTuple):
    """What was known of the subject on a day, and the text of the rule set that scored it."""

    facts: Facts
    rule_set: RuleSet


def published_grades(
    now: Then, days: Mapping[date, date], then: Mapping[date, Then]
) -> Sequence[PublishedGrade]:
    """Return the grades as they were published; `now` stands where nothing was known on the day."""
    found = []
    for end, day in days.items():
        known = then.get(day, now)
        result = published(known.facts, known.rule_set, end)
        found.append(PublishedGrade(day, result, day in then))
    return found
