"""What makes a rule set unusable although each of its values is well formed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Protocol

from schemas.codes import PENALTY_KINDS
from scoring.intervals import Interval, cover_problems
from scoring.item_checks import exception_problems, item_problems, weight_problems
from scoring.match_checks import match_problems
from scoring.table import Table
from scoring.terms import Match, Note, Unless


class _Checked(Protocol):
    """The parts of a rule set that are checked here."""

    @property
    def notes(self) -> tuple[Note, ...]: ...
    @property
    def tables(self) -> dict[str, Table]: ...
    @property
    def criminal_suspects(self) -> "_Noted | None": ...


class _Noted(Protocol):
    @property
    def notes(self) -> tuple[str, ...]: ...


def problems_of(rule_set: _Checked) -> list[str]:
    """Everything wrong with the rule set, each naming table and item."""
    problems = _doubles("note", (note.id for note in rule_set.notes))
    kinds = (kind.value for table in rule_set.tables.values() for kind in table.kinds)
    problems += _doubles("kind of subject", kinds)
    known = frozenset(note.id for note in rule_set.notes)
    suspects = rule_set.criminal_suspects
    problems += _unknown("criminal_suspects", suspects.notes if suspects else (), known)
    for name, table in rule_set.tables.items():
        problems += [f"{name} {problem}" for problem in _table_problems(table, known)]
    return problems


def _table_problems(table: Table, known: frozenset[str]) -> Iterator[str]:
    yield from _doubles("item", (row.id for row in table.rows))
    yield from _doubles("band", (band.grade for band in table.bands))
    yield from _row_problems(table, known)
    yield from weight_problems(table)
    yield from _rule_problems(table)
    yield from _cover("bands", ((band.grade, band) for band in table.bands))
    yield from _repair_problems(table, known)
    yield from match_problems(table.rows)
    yield from _value_problems(table)
    for circumstance, notes in table.relies_on:
        yield from _unknown(f"relies_on {circumstance}", notes, known)
    yield from _unknown("sites", table.sites.notes if table.sites else (), known)


def _row_problems(table: Table, known: frozenset[str]) -> Iterator[str]:
    for row in table.rows:
        name = f"item {row.id}"
        yield from _unknown(name, row.notes, known)
        yield from (f"{name}: {fault}" for fault in _word_problems(row.match))
        yield from _doubles(f"{name} exception", (each.id for each in row.unless))
        yield from (f"{name}: {fault}" for fault in exception_problems(row.unless))
        yield from (f"{name}: {fault}" for fault in _exception_words(row.unless))
    for item in table.items:
        yield from (f"item {item.id}: {fault}" for fault in item_problems(item, table.direction))


def _doubles(what: str, names: Iterable[str]) -> list[str]:
    counts = Counter(names).items()
    return [f"{what} {name}: there {count} times" for name, count in counts if count > 1]


def _unknown(where: str, notes: Iterable[str], known: frozenset[str]) -> list[str]:
    return [f"{where}: unknown note {note}" for note in notes if note not in known]


def _cover(what: str, ranges: Iterable[tuple[str, Interval]]) -> list[str]:
    return [f"{what}: {problem}" for problem in cover_problems(ranges)]


def _word_problems(match: Match) -> Iterator[str]:
    for word in match.penalties:
        if word not in PENALTY_KINDS:
            yield f"unknown penalty word {word}"
    if match.amount is not None and (match.events or not (match.penalties or match.codes)):
        yield "an amount needs penalty words or codes, and no events"


def _exception_words(exceptions: Iterable[Unless]) -> Iterator[str]:
    for each in exceptions:
        fault = each.when.amount.problem() if each.when.amount else None
        if fault:
            yield f"exception {each.id}: amount: {fault}"


def _rule_problems(table: Table) -> Iterator[str]:
    items = {item.id for item in table.items}
    grades = {band.grade for band in table.bands}
    for rule in table.rules:
        yield from (
            f"item {rule.id}: with_items names no item {item}"
            for item in rule.with_items
            if item not in items
        )
        if not rule.with_items and not rule.stands_alone:
            yield f"item {rule.id}: needs a match, by_item or with_items"
        if rule.by_item and rule.match != Match():
            yield f"item {rule.id}: by_item and a match exclude each other"
        if rule.grade not in grades:
            yield f"item {rule.id}: no band has the grade {rule.grade}"
        if any(each.points for each in rule.unless):
            yield f"item {rule.id}: an exception of a grade rule has no points"
    yield from _doubles("veto of item", (item for rule in table.rules for item in rule.with_items))


def _repair_problems(table: Table, known: frozenset[str]) -> Iterator[str]:
    if table.repair is None:
        return
    yield from _cover("repair waits", ((wait.text, wait) for wait in table.repair.waits))
    for wait in table.repair.waits:
        yield from _unknown(f"repair wait {wait.text}", wait.notes, known)


def _value_problems(table: Table) -> Iterator[str]:
    """Values of the table that need another one, or exclude it."""
    caps = table.caps
    if (caps.lowest, caps.highest, caps.per_decision) != (None, None, None) and not caps.article:
        yield "caps: a limit needs its article and text"
    if caps.lowest is not None and caps.highest is not None and caps.highest < caps.lowest:
        yield "caps: highest lies below lowest"
    if caps.per_decision is not None and not _closed(caps.per_decision):
        yield "caps: per_decision is written with at_least and at_most, both positive"
    if table.snapshot is not None and table.snapshot.period_of_a_day:
        yield "snapshot: a live result has no period whose records it counts"
    if not table.public and table.public_rule is None:
        yield "public: false needs its public_rule"
    if table.listing is not None and table.listing.grade not in {b.grade for b in table.bands}:
        yield f"listing: no band has the grade {table.listing.grade}"
    if table.sites is not None and (table.sites.combined == "weighted") != bool(table.sites.weight):
        yield "sites: weighted needs what they are weighted by, per_site has none"
    fields = type(table).model_fields
    yield from (f"unverified: no value {name}" for name in table.unverified if name not in fields)


def _closed(size: Interval) -> bool:
    ends = [end for end in (size.at_least, size.at_most) if end is not None]
    return size.above is None and size.below is None and size.problem() is None and min(ends) > 0
