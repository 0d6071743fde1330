"""Published grades 公布等级 of one subject: as they were stored, else as known on their day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple

from gateway.rules.files import parse_rule_set
from gateway.score.publication_days import PERIODS
from gateway.score.publish import Then
from gateway.score.stored_result import StoredFact, facts_for, stored_facts, subject_of
from gateway.store.base.engine import Connection
from gateway.store.record import facts as fact_store
from gateway.store.score import published as store
from gateway.store.score.published import StoredGrade
from gateway.store.score.rule_sets import rule_set_texts
from schemas.base import SHANGHAI
from schemas.codes import SubjectKind
from schemas.credit import Assessment, NotEvaluated
from scoring.consequences.published import publication_day, publications, published
from scoring.regulation.ruleset import RuleSet
from scoring.regulation.table import Listing


@dataclass(frozen=True, slots=True)
class PastGrade:
    """The grade of a period, as published on a day.

    `stored_at` is when this program stored it; None for one from before this program or before its
    publication is stored. Without `recorded` nothing was known of the subject here on that day
    either: its history came later, and the grade is computed by that.
    """

    published_on: date
    assessment: Assessment
    recorded: bool
    stored_at: datetime | None = None
    listing: Listing | None = None  #: of a stored one: the list on which it put the subject


class StoredThen(NamedTuple):
    """What a stored grade was computed from, when it was stored, and the list by it."""

    published_on: date
    then: Then
    stored_at: datetime
    listing: Listing | None


class Past(NamedTuple):
    """What the published grades of a subject come from.

    The days of publication and the stored grades by the last day of the period, and what was known
    on a day of which no grade is stored.
    """

    days: Mapping[date, date]
    stored: Mapping[date, StoredThen]
    then: Mapping[date, Then]


NO_PAST = Past({}, {}, {})


def publication_days(
    kind: SubjectKind, rule_set: RuleSet, first: date | None, as_of: date
) -> dict[date, date]:
    """Return the last day of each period that is published by `as_of` → the day of publication.

    `first` is the day of the first decision that was ever known of the subject: nobody is graded
    for a period before it.
    """
    table = rule_set.table(kind)
    if table is None or table.snapshot is None or first is None:
        return {}
    snapshot = table.snapshot
    ends = publications(snapshot, first, as_of, PERIODS)
    return {end: publication_day(snapshot, end) for end in ends}


def end_of(day: date) -> datetime:
    """Return the end of a day in China: what was known by then was known on that day."""
    return datetime.combine(day, time.max, SHANGHAI)


async def stored_grades(
    connection: Connection, code: str, known_at: datetime
) -> dict[date, StoredThen]:
    """Return the grades of a subject that were stored by a time, by the last day of the period.

    One that the engine could not compute is left out.
    """
    rows = await store.of_subject(connection, code, known_at)
    texts = await rule_set_texts(connection) if rows else {}
    bodies = await fact_store.facts(connection, [id_ for row in rows for id_ in row.fact_ids])
    facts = stored_facts(bodies)
    known = [row for row in rows if row.result["not_evaluated"] != NotEvaluated.ENGINE_ERROR]
    return {row.period_end: _stored(row, facts, texts) for row in known}


def _stored(
    row: StoredGrade, facts: Mapping[int, StoredFact], texts: Mapping[str, str]
) -> StoredThen:
    then = then_of(row, facts, parse_rule_set(texts[row.rule_set_hash]))
    table = then.rule_set.table(then.facts.kind)
    rule = None if table is None else table.listing
    listing = rule if rule is not None and rule.title in row.listings else None
    return StoredThen(row.published_on, then, row.recorded_at, listing)


def then_of(row: StoredGrade, facts: Mapping[int, StoredFact], rule_set: RuleSet) -> Then:
    """Return what a stored grade was computed from."""
    known = facts_for(row.subject_id, row.fact_ids, facts)
    subject = subject_of(
        row.subject_code, row.subject_kind, known, row.result, suspect=row.criminal_suspect
    )
    return Then(subject, rule_set)


def published_grades(now: Then, past: Past) -> Sequence[PastGrade]:
    """Return the grades as they were published, the oldest first.

    `now` stands where nothing was known on the day.
    """
    found = []
    for end in sorted({*past.days, *past.stored}):
        if end in past.stored:
            day, known, at, listing = past.stored[end]
            result = published(known.facts, known.rule_set, end, day)
            found.append(PastGrade(day, result, recorded=True, stored_at=at, listing=listing))
            continue
        day = past.days[end]
        known = past.then.get(day, now)
        result = published(known.facts, known.rule_set, end)
        found.append(PastGrade(day, result, day in past.then))
    return found
