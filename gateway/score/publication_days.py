"""On which day 公布日 a period is published, by the texts that were in force."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from gateway.rules.rulebook import Rulebook
from gateway.store.score.published import Publication
from schemas.codes import SubjectKind
from scoring.consequences.published import period, publication_day, publications
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Snapshot

#: Past publications that are stored if they are not yet: the longest list asks for three years.
PERIODS = 6
_ONE_DAY = timedelta(days=1)


class Serving(NamedTuple):
    """A text of a bound rule set, and the days from which to which it scores."""

    first: date
    last: date
    rule_set: RuleSet


def publications_until(rulebook: Rulebook, today: date) -> list[Publication]:
    """Return the last publications of the bound rule sets whose day has ended, the oldest first."""
    found = set()
    for bound in rulebook.bound_names:
        texts = _texts(rulebook, bound)
        for kind in SubjectKind:
            for end in _ends(texts, kind, today):
                day = _day(texts, kind, end)
                if day is not None and day < today:
                    found.add(Publication(end, day))
    return sorted(found, key=lambda one: (one.published_on, one.period_end))


def day_of(rulebook: Rulebook, kind: SubjectKind, code: str, period_end: date) -> date | None:
    """Return the day on which the grade of a subject for a period is published; None if never."""
    binding = rulebook.binding(kind, code)
    if binding is None:
        return None
    return _day(_texts(rulebook, binding.rule_set), kind, period_end)


def _texts(rulebook: Rulebook, bound: str) -> list[Serving]:
    """Return the texts of a bound rule set that ever scored, each with its days, in their order."""
    begins = {date.min: rulebook.load(bound).rule_set}
    for one in reversed(rulebook.activated):
        if one.bound == bound:
            begins[one.from_day] = one.rule_set
    days = sorted(begins)
    lasts = [day - _ONE_DAY for day in days[1:]] + [date.max]
    return [Serving(day, last, begins[day]) for day, last in zip(days, lasts, strict=True)]


def _day(texts: Sequence[Serving], kind: SubjectKind, period_end: date) -> date | None:
    """Return the day of publication of a period by the text that was in force on it.

    Where a text moves the day from one that was still to come to one before its own start, no text
    would answer on its day: the period is published on the first day of that text.
    """
    awaited = False
    for first, last, rule_set in texts:
        snapshot = snapshot_of(rule_set, kind)
        if snapshot is None or period(snapshot.cadence, period_end)[1] != period_end:
            continue
        day = publication_day(snapshot, period_end)
        if awaited and day < first:
            day = first
        if first <= day <= last:
            return day
        awaited = day > last
    return None


def _ends(texts: Sequence[Serving], kind: SubjectKind, today: date) -> set[date]:
    snapshots = (snapshot_of(one.rule_set, kind) for one in texts)
    return {
        end
        for snapshot in snapshots
        if snapshot is not None
        for end in publications(snapshot, date.min, today, PERIODS)
    }


def snapshot_of(rule_set: RuleSet, kind: SubjectKind) -> Snapshot | None:
    """Return the rule by which grades of such subjects are published, if they are."""
    table = rule_set.table(kind)
    found = None if table is None else table.snapshot
    return None if found is None or found.cadence == "live" else found
