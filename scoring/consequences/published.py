"""The published grade 公布等级 of a period, and the blacklist 黑名单 after several bad years."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from schemas.credit import Assessment
from scoring.dates import add_days
from scoring.engine.assess import evaluate_placed
from scoring.engine.decisions import by_decision
from scoring.engine.participations import as_before
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
    book = prepare(rule_set)
    placed = as_before(place(facts, known.known), book)
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
        decisions = by_decision(counting)
        counting = tuple(one for parts in decisions for one in _of_one(parts, snapshot.cadence))
    of_period = (fact for fact in counting if first <= fact.decided_on <= last)
    by_day = sorted(of_period, key=lambda fact: (fact.decided_on, fact.id))
    then = {fact.id: placed.then[fact.id] for fact in by_day if fact.id in placed.then}
    of_the_period = placed._replace(facts=replace(subject, facts=tuple(by_day)), then=then)
    return evaluate_placed(of_the_period, book, known)[0]


def _of_one(parts: Sequence[Fact], cadence: str) -> Iterator[Fact]:
    """Yield the facts of a decision as of one period, the last in which one of them begins.

    A warning that ends in a later period moves the decision there, whole, from the day after it:
    it would count in no period otherwise, or in two.
    """
    begin = max(_begin(part, cadence) for part in parts)
    yield from (part if _is_mended(part) else _moved(part, begin) for part in parts)


def _begin(fact: Fact, cadence: str) -> date:
    """Return the day after a warning that ends in a later period; else that of the decision."""
    until, decided = fact.warning_until, fact.decided_on
    begin = None if until is None or until < decided else add_days(until, 1)
    if begin is None or begin <= period(cadence, decided)[1] or _is_mended(fact):
        return decided
    return begin


def _is_mended(fact: Fact) -> bool:
    """Whether a fact was mended during its warning, and so counts in no period."""
    until, rectified = fact.warning_until, fact.rectified_on
    if until is None or rectified is None or until < fact.decided_on:
        return False
    return rectified <= until


def _moved(fact: Fact, begin: date) -> Fact:
    """Return a fact as of a later day; a repair of the time between is of that day at the least."""
    days = fact.repair_applied_on, fact.repair_confirmed_on
    applied, confirmed = (
        max(day, begin) if day is not None and day >= fact.decided_on else day for day in days
    )
    return replace(fact, decided_on=begin, repair_applied_on=applied, repair_confirmed_on=confirmed)


def listed(grades_of_years: Mapping[int, str], table: Table) -> Listing | None:
    """Return the list the subject is on because of the grades of the last years, or None."""
    listing = table.listing
    if listing is None or not grades_of_years:
        return None
    last = max(grades_of_years)
    years = range(last - listing.years + 1, last + 1)
    return listing if all(grades_of_years.get(y) == listing.grade for y in years) else None
