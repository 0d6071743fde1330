"""Assess one subject: facts, a rule set and a date give an assessment with its trace."""

from datetime import date

from msgspec.structs import replace

from schemas.codes import SubjectKind
from schemas.credit import Assessment, GradeOrigin, NotEvaluated
from scoring.engine import sites
from scoring.engine.count import count
from scoring.engine.decisions import once_each
from scoring.engine.participations import as_before, count_as_then
from scoring.engine.prepared import PreparedRules, PreparedTable, prepare
from scoring.engine.register import Placed, next_turn, place
from scoring.engine.repair import When
from scoring.engine.tally import Tally
from scoring.facts import Fact, Facts, Received, plain
from scoring.regulation.ruleset import RuleSet


def assess(facts: Facts, rule_set: RuleSet, as_of: date) -> Assessment:
    """Return the score and grade of one subject on one day, with the rows they are based on.

    `changes_on` is the first later day on which the result will differ, or on which an entry of the
    register begins or ends: another rule set may apply then. `facts.as_of` is ignored; only the
    argument `as_of` counts.
    """
    book = prepare(rule_set)
    today, days = evaluate(facts, book, When(as_of, as_of))
    if not days:
        return today
    turn = next_turn(facts, as_of) if facts.register else None
    for day in sorted(set(days)):
        then, _ = evaluate(facts, book, When(day, day))
        if day == turn or replace(then, as_of=as_of) != today:
            return replace(today, changes_on=day)
    return today


def evaluate(facts: Facts, book: PreparedRules, when: When) -> tuple[Assessment, list[date]]:
    """Return the result without `changes_on`, and the later days on which it may differ."""
    if facts.register or facts.participants_only:
        return evaluate_placed(as_before(place(facts, when.known), book), book, when)
    return _evaluate(facts, book, when, None)


def evaluate_placed(
    placed: Placed, book: PreparedRules, when: When
) -> tuple[Assessment, list[date]]:
    """Return the result of a subject as its entries in the register place it on the day."""
    facts = placed.facts
    known, turns = once_each(facts.facts, lambda fact: _table_of(fact, placed, book), when)
    if known is not facts.facts:
        facts = replace(facts, facts=known)
        placed = placed._replace(facts=facts)
    result, days = _evaluate(facts, book, when, placed)
    return result, [*days, *turns, *(day for day in placed.days if day > when.as_of)]


def _table_of(fact: Fact, placed: Placed, book: PreparedRules) -> PreparedTable | None:
    """Return the table by which a fact counts: that of the day of its decision."""
    then = placed.then.get(fact.id)
    if then is not None:
        return then.table(book)
    return book.entry(placed.facts.kind, placed.facts.agency_kinds)


def _evaluate(
    facts: Facts, book: PreparedRules, when: When, placed: Placed | None
) -> tuple[Assessment, list[date]]:
    if facts.criminal_suspect and book.suspect_notes is not None:
        reason = NotEvaluated.CRIMINAL_SUSPECT.value
        return _not_evaluated(facts, book, when.as_of, reason, book.suspect_notes), []
    if placed is not None and placed.refusal is not None:
        return _not_evaluated(facts, book, when.as_of, placed.refusal.value), []
    entry = book.entry(facts.kind, facts.agency_kinds)
    if entry is None:
        reason = f"{NotEvaluated.WRONG_KIND.value}:{facts.kind.value}"
        return _not_evaluated(facts, book, when.as_of, reason), []
    if placed is not None and placed.then:
        tally = count_as_then(placed, book, entry, when)
    elif facts.sites:
        tally = sites.count_at(facts, entry, when, {})
    else:
        tally = count(facts.id, facts.facts, entry, when)
    refused = tally.refusal or _received_refusal(tally.received, entry)
    if refused is not None:
        return _not_evaluated(facts, book, when.as_of, refused), tally.days
    result = _evaluated(facts, book, entry, when.as_of, tally)
    return (result if entry.has_tariff else _without_tariff(result)), tally.days


def _received_refusal(came: tuple[Fact, Received] | None, entry: PreparedTable) -> str | None:
    """Return why a grade computed elsewhere cannot be used, or None if it can."""
    if came is None:
        return None
    fact, received = came
    if not entry.receives:
        return f"{NotEvaluated.RECEIVED_GRADE_NOT_USED.value}:{fact.id}"
    if received.grade not in entry.grades.names:
        return f"{NotEvaluated.UNKNOWN_GRADE.value}:{received.grade}"
    return None


def _evaluated(
    facts: Facts, book: PreparedRules, entry: PreparedTable, as_of: date, tally: Tally
) -> Assessment:
    notes = tally.notes | entry.scale_notes(tally.total)
    if facts.kind is SubjectKind.SITE:
        notes |= entry.notes.site
    own = Assessment(
        facts.id,
        as_of,
        book.ref,
        plain(tally.total),
        entry.grades.names[_rank(tally, entry)],
        tally.rank >= 0,
        tuple(tally.vetoes),
        tuple(tally.deductions),
        tuple(tally.unmapped),
        book.notes.names(notes),
        None,
        None,
        tuple(tally.promotions),
    )
    if tally.received is None:
        return own
    return _received(own, *tally.received, book.notes.names(notes | entry.notes.received))


def _without_tariff(result: Assessment) -> Assessment:
    """Return the result by a table without items: the start score says nothing of a subject.

    A received grade or a veto is a grade all the same.
    """
    if result.received is not None:
        return result
    if result.veto:
        return replace(result, score=None)
    return replace(result, score=None, grade=None, not_evaluated=NotEvaluated.NO_TARIFF.value)


def _rank(tally: Tally, entry: PreparedTable) -> int:
    """Return the rank of the final grade (0 is the best).

    With a veto it is the worse of score and veto; without one, the better of score and promotion.
    """
    by_score = entry.grades.rank(tally.total)
    if tally.rank >= 0:
        return max(by_score, tally.rank)
    return by_score if tally.lifted is None else min(by_score, tally.lifted)


def _received(own: Assessment, fact: Fact, came: Received, notes: tuple[str, ...]) -> Assessment:
    """Replace the own score and grade by the received ones; keep the own rows in the trace."""
    return replace(
        own,
        score=None if came.score is None else plain(came.score),
        grade=came.grade,
        notes=notes,
        received=GradeOrigin(fact.id, came.issued_by, fact.decided_on),
    )


def _not_evaluated(
    facts: Facts, book: PreparedRules, as_of: date, reason: str, notes: int = 0
) -> Assessment:
    return Assessment(
        id=facts.id,
        as_of=as_of,
        rule_set=book.ref,
        score=None,
        grade=None,
        veto=False,
        vetoes=(),
        deductions=(),
        unmapped=(),
        notes=book.notes.names(notes),
        not_evaluated=reason,
        changes_on=None,
    )
