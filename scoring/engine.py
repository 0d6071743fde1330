"""Facts + rule set + date → assessment with its trace."""

from datetime import date

from schemas.codes import SubjectKind
from schemas.credit import Assessment, NotEvaluated
from scoring.book import Book, Entry
from scoring.facts import Facts, plain
from scoring.ruleset import RuleSet
from scoring.tally import Tally, count


def assess(facts: Facts, rule_set: RuleSet, as_of: date) -> Assessment:
    """The score and grade of one subject on one day, with everything that they rest on.

    `facts.as_of` is not looked at: the caller decides which day it asks about.
    """
    book = rule_set.book
    if facts.criminal_suspect:
        reason = NotEvaluated.CRIMINAL_SUSPECT.value
        return _not_evaluated(facts, book, as_of, reason, book.suspect_notes)
    entry = book.entries.get(facts.kind)
    if entry is None:
        reason = f"{NotEvaluated.WRONG_KIND.value}:{facts.kind.value}"
        return _not_evaluated(facts, book, as_of, reason, 0)
    tally = count(facts.facts, entry, as_of)
    if tally.refusal is not None:
        return _not_evaluated(facts, book, as_of, tally.refusal, 0)
    return _evaluated(facts, book, entry, as_of, tally)


def _evaluated(facts: Facts, book: Book, entry: Entry, as_of: date, tally: Tally) -> Assessment:
    score = entry.capped(tally.total)
    grades = entry.grades
    notes = tally.notes | entry.scale_notes(score)
    if facts.kind is SubjectKind.SITE:
        notes |= book.site_notes[facts.kind]
    return Assessment(
        facts.id,
        as_of,
        book.ref,
        plain(score),
        grades.grade(score) if tally.rank < 0 else grades.names[tally.rank],
        tally.rank >= 0,
        tuple(tally.vetoes),
        tuple(tally.deductions),
        tuple(tally.unmapped),
        book.notes.names(notes),
        None,
        tally.changes_on,
    )


def _not_evaluated(facts: Facts, book: Book, as_of: date, reason: str, notes: int) -> Assessment:
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
