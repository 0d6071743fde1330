"""What makes a rule set unusable although each of its values is well formed."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Protocol

from schemas.codes import PENALTY_KINDS
from scoring.intervals import Exact, Interval, cover_problems
from scoring.terms import Direction, Item, Match, Note, Table, VetoRule


class _Checked(Protocol):
    """The parts of a rule set that are checked here."""

    @property
    def notes(self) -> tuple[Note, ...]: ...
    @property
    def tables(self) -> dict[str, Table]: ...
    @property
    def criminal_suspects(self) -> "_Noted": ...


class _Noted(Protocol):
    @property
    def notes(self) -> tuple[str, ...]: ...


def problems_of(rule_set: _Checked) -> list[str]:
    """Everything wrong with the rule set, each naming table and item."""
    problems = _doubles("note", (note.id for note in rule_set.notes))
    kinds = (kind.value for table in rule_set.tables.values() for kind in table.kinds)
    problems += _doubles("kind of subject", kinds)
    known = frozenset(note.id for note in rule_set.notes)
    problems += _unknown("criminal_suspects", rule_set.criminal_suspects.notes, known)
    for name, table in rule_set.tables.items():
        problems += [f"{name} {problem}" for problem in _table_problems(table, known)]
    return problems


def _table_problems(table: Table, known: frozenset[str]) -> Iterator[str]:
    rows = table.rows
    yield from _doubles("item", (row.id for row in rows))
    yield from _doubles("band", (band.grade for band in table.bands))
    for row in rows:
        yield from _unknown(f"item {row.id}", row.notes, known)
        yield from _word_problems(row.id, row.match)
    for item in table.items:
        yield from (f"item {item.id}: {fault}" for fault in _point_problems(item, table.direction))
    yield from _veto_problems(table)
    yield from _cover("bands", ((band.grade, band) for band in table.bands))
    yield from _repair_problems(table, known)
    yield from _match_problems(rows)
    for circumstance, notes in table.relies_on:
        yield from _unknown(f"relies_on {circumstance}", notes, known)
    yield from _unknown("sites", table.sites.notes if table.sites else (), known)
    fields = type(table).model_fields
    yield from (f"unverified: no value {name}" for name in table.unverified if name not in fields)


def _doubles(what: str, names: Iterable[str]) -> list[str]:
    counts = Counter(names).items()
    return [f"{what} {name}: there {count} times" for name, count in counts if count > 1]


def _unknown(where: str, notes: Iterable[str], known: frozenset[str]) -> list[str]:
    return [f"{where}: unknown note {note}" for note in notes if note not in known]


def _cover(what: str, ranges: Iterable[tuple[str, Interval]]) -> list[str]:
    return [f"{what}: {problem}" for problem in cover_problems(ranges)]


def _point_problems(item: Item, direction: Direction) -> Iterator[str]:
    if (item.points is None) == (item.points_from is None):
        yield "needs either points or points_from"
    if item.dated and item.points is None:
        yield "dated points need points to start from"
    days = [dated.decided_from for dated in item.dated]
    if any(later <= day for day, later in pairwise(days)):
        yield "dated points cross: decided_from must rise"
    if item.bonus and item.repairable:
        yield "a bonus is never repaired: write repairable: false"
    upward = item.bonus == (direction is Direction.DEDUCT)
    values = [item.points, *(dated.points for dated in item.dated)]
    for points in values:
        if points is not None and not _signed(points, upward=upward):
            yield f"points {points} have the wrong sign for {direction.value}"


def _signed(points: Exact, *, upward: bool) -> bool:
    return points > 0 if upward else points < 0


def _word_problems(name: str, match: Match) -> Iterator[str]:
    for word in match.penalties:
        if word not in PENALTY_KINDS:
            yield f"item {name}: unknown penalty word {word}"
    if match.amount is not None and not match.penalties:
        yield f"item {name}: an amount needs penalty words"


def _veto_problems(table: Table) -> Iterator[str]:
    items = {item.id for item in table.items}
    grades = {band.grade for band in table.bands}
    for rule in table.vetoes:
        yield from (
            f"item {rule.id}: with_items names no item {item}"
            for item in rule.with_items
            if item not in items
        )
        if not rule.with_items and not rule.stands_alone:
            yield f"item {rule.id}: needs a match or with_items"
        if rule.grade not in grades:
            yield f"item {rule.id}: no band has the grade {rule.grade}"
    yield from _doubles("veto of item", (item for rule in table.vetoes for item in rule.with_items))


def _repair_problems(table: Table, known: frozenset[str]) -> Iterator[str]:
    if table.repair is None:
        return
    yield from _cover("repair waits", ((wait.text, wait) for wait in table.repair.waits))
    for wait in table.repair.waits:
        yield from _unknown(f"repair wait {wait.text}", wait.notes, known)


def _match_problems(rows: Iterable[Item | VetoRule]) -> Iterator[str]:
    """Two rows for one event, or amounts that leave a gap for one word."""
    by_word: dict[str, list[tuple[str, Interval]]] = {}
    events: list[str] = []
    for row in rows:
        events += [event.value for event in row.match.events]
        for word in (*row.match.penalties, *row.match.other_words):
            by_word.setdefault(word, []).append((row.id, row.match.amount or Interval()))
    yield from _doubles("event", events)
    for word, ranges in by_word.items():
        yield from _cover(f"penalty word {word}", ranges)
