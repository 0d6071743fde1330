"""The published grade 公布等级 of a period, and the blacklist 黑名单 after several bad years."""

from collections.abc import Mapping
from datetime import date, timedelta

from msgspec.structs import replace

from schemas.credit import Assessment
from scoring.dates import add_days
from scoring.engine.assess import evaluate_placed
from scoring.engine.prepared import prepare
from scoring.engine.register import place
from scoring.engine.repair import When
from scoring.facts import Fact, Facts
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Listing, Snapshot, Table

JULY = 7
_ONE_DAY = timedelta(days=1)


def period(cadence: str, day: date) -> tuple[date, date]:
    """Return the first and last day of the year or half-year of a day; for `live`, the day twice.

    Raises ValueError for an unknown cadence.
    """
    if cadence == "live":
        return day, day
    if cadence == "year":
        return date(day.year, 1, 1), date(day.year, 12, 31)
    if cadence != "half_year":
        message = f"no cadence {cadence}"
        raise ValueError(message)
    if day.month < JULY:
        return date(day.year, 1, 1), date(day.year, 6, 30)
    return date(day.year, 7, 1), date(day.year, 12, 31)


def publication_day(snapshot: Snapshot | None, period_end: date) -> date:
    """Return the day on which the grade of a period is published; without a rule its last day."""
    if snapshot is None or snapshot.published_on is None:
        return period_end
    month, day = map(int, snapshot.published_on.split("-"))
    found = date(period_end.year, month, day)
    return found if found > period_end else found.replace(year=period_end.year + 1)


def publications(snapshot: Snapshot, first: date, as_of: date, most: int) -> list[date]:
    """Return the last days of the periods whose grade is published by `as_of`, the oldest first.

    At most so many, back to that of the day `first`.
    """
    if snapshot.cadence == "live":
        return []
    found: list[date] = []
    day = period(snapshot.cadence, as_of)[0] - _ONE_DAY
    while day >= first and len(found) < most:
        if publication_day(snapshot, day) <= as_of:
            found.append(day)
        day = period(snapshot.cadence, day)[0] - _ONE_DAY
    return found[::-1]


def published(
    facts: Facts, rule_set: RuleSet, period_end: date, on: date | None = None
) -> Assessment:
    """Return the result published for the period that ends on `period_end`.

    It is published `on` this day, by default that of the rule set.

    `facts` are those known on the day of its publication. If the table counts only records of the
    period, repairs confirmed by then count too, and none that is later: what is published stays.
    Otherwise it is the live result of `period_end`. The register is that of the publication: it is
    made after the period.
    """
    table = rule_set.table(facts.kind)
    snapshot = None if table is None else table.snapshot
    known = When(period_end, on or publication_day(snapshot, period_end))
    book, placed = prepare(rule_set), place(facts, known.known)
    # As what a fact counts depends on the day of its decision, which a warning moves below.
    subject = placed.facts
    table = rule_set.table(subject.kind)
    if placed.refusal is not None:
        return evaluate_placed(placed, book, known)[0]
    if snapshot is None or snapshot.counts == "all":
        return evaluate_placed(placed, book, When(period_end, period_end))[0]
    first, last = period(snapshot.cadence, period_end)
    counting = subject.facts
    if table is not None and table.warning is not None:
        counting = tuple(_from_its_warning(fact, snapshot.cadence) for fact in counting)
    of_period = (fact for fact in counting if first <= fact.decided_on <= last)
    by_day = sorted(of_period, key=lambda fact: (fact.decided_on, fact.id))
    then = {fact.id: placed.then[fact.id] for fact in by_day if fact.id in placed.then}
    of_the_period = placed._replace(facts=replace(subject, facts=tuple(by_day)), then=then)
    return evaluate_placed(of_the_period, book, known)[0]


def _from_its_warning(fact: Fact, cadence: str) -> Fact:
    """Return a fact whose warning ends in a later period as one of that period.

    It counts from the day after the warning, so that it would count in neither of them.
    """
    begin = None if fact.warning_until is None else add_days(fact.warning_until, 1)
    if begin is None or begin <= period(cadence, fact.decided_on)[1]:
        return fact
    return replace(fact, decided_on=begin)


def listed(grades_of_years: Mapping[int, str], table: Table) -> Listing | None:
    """Return the list the subject is on because of the grades of the last years, or None."""
    listing = table.listing
    if listing is None or not grades_of_years:
        return None
    last = max(grades_of_years)
    years = range(last - listing.years + 1, last + 1)
    return listing if all(grades_of_years.get(y) == listing.grade for y in years) else None
