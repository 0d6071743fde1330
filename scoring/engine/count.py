"""Count the facts of one subject on a day."""

from collections.abc import Sequence
from datetime import date

from schemas.codes import MISCONDUCT
from schemas.credit import NotEvaluated, Unmapped
from scoring.dates import add_days, add_months, year_end
from scoring.engine.conditions import History
from scoring.engine.counted_rows import (
    NO_HISTORY,
    Counted,
    Desk,
    dates,
    plain_values,
    records,
    turning_days,
)
from scoring.engine.graded_since import graded_since
from scoring.engine.prepared import PreparedTable
from scoring.engine.prepared_rows import counted_from
from scoring.engine.repair import When
from scoring.engine.stacking import adjustment, by_decision, departments, latest, worst_year
from scoring.engine.tally import Tally
from scoring.engine.tariff import Hits
from scoring.facts import Fact
from scoring.regulation.table import ActivationDelay


def count(subject: str, facts: Sequence[Fact], entry: PreparedTable, when: When) -> Tally:
    """Count the facts of a subject; `facts` must be sorted by decision date and id."""
    tally = Tally(entry.start)
    if entry.confirms:
        facts = _confirmed(facts, entry, when, tally)
    if entry.jointly:
        graded = graded_since(facts, entry, when.as_of)
        _count_jointly(facts, Desk(entry, when, tally, _history(facts, entry), graded))
    else:
        _count_singly(facts, Desk(entry, when, tally))
    if entry.indicators:
        _note_indicators(entry, tally)
    if entry.limited:
        tally.close(subject, entry)
    return tally


def _confirmed(
    facts: Sequence[Fact], entry: PreparedTable, when: When, tally: Tally
) -> Sequence[Fact]:
    """Return the facts without those that a participant reported and nobody has confirmed yet."""
    known = []
    for fact in facts:
        if is_known(fact, entry, when):
            known.append(fact)
            continue
        if fact.decided_on <= when.as_of:
            tally.notes |= entry.notes.unconfirmed
        if fact.confirmed_on is not None:
            tally.days.append(fact.confirmed_on)
    return known


def _count_singly(facts: Sequence[Fact], desk: Desk) -> None:
    """Count each fact independently of the others, with a fast path for plain rows."""
    match, tally, as_of = desk.entry.match, desk.tally, desk.when.as_of
    for fact in facts:
        hits = match(fact)
        if not (hits.plain and fact.decided_on <= as_of and _untouched(fact)):
            for record in _look(fact, hits, desk):
                _add(record, tally)
            continue
        tally.notes |= hits.all_notes
        for hit in hits.hits:
            tally.add(fact, hit.row, plain_values(fact, hit))
        if hits.unmapped:
            tally.unmapped += [Unmapped(fact.id, word) for word in hits.unmapped]


def _count_jointly(facts: Sequence[Fact], desk: Desk) -> None:
    """Count facts that depend on each other: find the counting rows, then apply stacking."""
    entry, tally = desk.entry, desk.tally
    found = [record for fact in facts for record in _look(fact, entry.match(fact), desk)]
    kept = latest(found)
    if entry.by_year:
        kept = worst_year(kept, entry, desk.when.as_of.year)
        tally.days += [day for day in (year_end(desk.when.as_of),) if day is not None and kept]
    elif entry.once_per is not None:
        kept = departments(kept)
    for id_, together in by_decision(kept):
        for record in together:
            _add(record, tally)
        if entry.caps.per_decision is not None:
            taken, missing = adjustment(together, entry.caps.per_decision)
            tally.limit("per_decision", id_, (taken, missing), entry)
    tally.days += [
        day
        for fact in facts
        for months in (0, *entry.windows)
        if (day := add_months(fact.decided_on, months)) is not None and day > desk.when.as_of
    ]


def _look(fact: Fact, hits: Hits, desk: Desk) -> list[Counted]:
    """Return the rows of a fact that count on the day.

    Adds the fact's notes, unmapped words, refusals and days of change to the tally.
    """
    tally, as_of = desk.tally, desk.when.as_of
    start = start_of(fact, desk.entry.activation)
    if start is None:
        return []
    turning = turning_days(fact, hits.hits, start, desk.entry)
    tally.days += [day for day in turning if day is not None and day > as_of]
    if fact.received is not None and fact.decided_on <= as_of:
        tally.receive(fact, fact.received)
    if start > as_of:
        tally.notes |= desk.entry.notes.activation if fact.decided_on <= as_of else 0
        return []
    if hits.refusal is not None:
        reason, about = hits.refusal
        tally.refuse(f"{reason.value}:{fact.id if about is None else about}")
        return []
    tally.notes |= hits.notes
    tally.unmapped += [Unmapped(fact.id, word) for word in hits.unmapped]
    if hits.hits and desk.entry.once_per is not None and fact.department is None:
        tally.refuse(f"{NotEvaluated.MISSING_DEPARTMENT.value}:{fact.id}")
    return list(records(fact, hits.hits, start, desk))


def _add(record: Counted, tally: Tally) -> None:
    if record.mark is not None:
        tally.mark(record.fact.id, record.row.item, record.mark)
    if record.points is not None:
        shown = record.values | dates(record.fact)
        tally.count(record.fact, record.row, record.points, shown)


def is_known(fact: Fact, entry: PreparedTable, when: When) -> bool:
    """Whether a fact counts at all: what a participant reported waits for its confirmation."""
    waits = entry.confirms and fact.self_reported
    return not waits or (fact.confirmed_on or date.max) <= when.known


def start_of(fact: Fact, activation: ActivationDelay | None) -> date | None:
    """Return the day a fact takes effect, never before its decision; None beyond the calendar."""
    if activation is None:
        return fact.decided_on
    start = add_days(counted_from(fact, activation), activation.days)
    return None if start is None else max(start, fact.decided_on)


def _history(facts: Sequence[Fact], entry: PreparedTable) -> History:
    if not entry.windows:
        return NO_HISTORY
    match = entry.match
    return History(
        (fact.id, fact.decided_on)
        for fact in facts
        if _is_misconduct(fact) or any(hit.row.adverse for hit in match(fact).hits)
    )


def _is_misconduct(fact: Fact) -> bool:
    """Whether a fact is misconduct by itself, also where the rule set has no row for it."""
    if fact.penalty is not None or fact.type in MISCONDUCT:
        return True
    return bool(fact.codes) and fact.type is None and fact.item is None


def _note_indicators(entry: PreparedTable, tally: Tally) -> None:
    if entry.indicators - {row.item for row in tally.deductions}:
        tally.notes |= entry.notes.not_assessed


def _untouched(fact: Fact) -> bool:
    """Return whether the fact has no warning, rectification, repair or received grade."""
    return (
        fact.rectified_on is None
        and fact.warning_until is None
        and fact.repair_confirmed_on is None
        and fact.received is None
    )
