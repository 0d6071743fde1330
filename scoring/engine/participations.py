"""Count each fact as its subject took part on the day of its decision.

The register may change what a subject is: its kind, its kinds of agency 机构类型, its sites 厂址.
Points stay until they are repaired (art. 19 and 27 of the draft of Inner Mongolia), so a fact keeps
the rows and the share of its day.
"""

import copy
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from schemas.credit import NotEvaluated
from scoring.engine import sites
from scoring.engine.count import count
from scoring.engine.decisions import by_decision
from scoring.engine.prepared import PreparedRules, PreparedTable
from scoring.engine.register import Participation, Placed, at_a_site
from scoring.engine.repair import When
from scoring.engine.tally import Tally
from scoring.engine.tariff import Hits
from scoring.facts import Fact, Facts

#: As what the subject took part on the days of its facts, by their ids.
Stood = Mapping[str, Participation]


def as_before(placed: Placed, book: PreparedRules) -> Placed:
    """Return the subject with what it did before its first entry as what it was without one.

    So a first entry of another kind takes no points away (note r29). What the former table has no
    row for counts by the first entry: a list of agencies is made after what they did. This is so
    for each word, code and item, so that nothing else in the decision takes points away either.
    """
    if not placed.before:
        return placed
    facts = placed.facts
    now = Participation(facts.kind, facts.agency_kinds, facts.sites)
    then, known = dict(placed.then), {fact.id: fact for fact in facts.facts}
    for parts in by_decision(facts.facts):
        was = placed.before.get(parts[0].id)
        if was is None or not any(_has_row(part, was, book) for part in parts):
            continue
        first = placed.then.get(parts[0].id, now)
        if any(_has_more(part, was, first, book) for part in parts):
            was = was._replace(later=first)
        for part in parts:
            known[part.id] = at_a_site(part, was.sites)
            then[part.id] = was
    then = {id_: one for id_, one in then.items() if one != now}
    return placed._replace(facts=replace(facts, facts=tuple(known.values())), then=then)


def _has_row(fact: Fact, was: Participation, book: PreparedRules) -> bool:
    """Whether a table has a row for a fact, or would have if its amount were known."""
    hits, lacks = _matched(fact, was, book)
    return bool(hits) or lacks


def _has_more(fact: Fact, was: Participation, first: Participation, book: PreparedRules) -> bool:
    """Whether the table of a first entry has rows for what the former one has none for."""
    return _matched(fact, was, book) != _matched(fact, was._replace(later=first), book)


def _matched(fact: Fact, one: Participation, book: PreparedRules) -> tuple[int, bool]:
    """Return how many rows a fact hits, and whether one is not found for want of the amount."""
    table = one.table(book)
    if table is None:
        return 0, False
    found = table.match(fact)
    refused = found.refusal is not None and found.refusal[0] is NotEvaluated.MISSING_AMOUNT
    return len(found.hits), refused


def count_as_then(placed: Placed, book: PreparedRules, entry: PreparedTable, when: When) -> Tally:
    """Return the tally of a subject with facts of days on which it was something else than now.

    `entry` is the table of now. What it did as another kind counts by the table of that kind, where
    both tables have one scale; where they have not, it is not evaluated, since the points would
    vanish otherwise.
    """
    facts = placed.facts
    now = Participation(facts.kind, facts.agency_kinds, facts.sites)
    stood = {fact.id: placed.then.get(fact.id, now) for fact in facts.facts}
    whole = Tally(entry.start)
    for table, theirs in _by_table(facts, book, stood):
        own = table is book.entries.get(facts.kind)
        apart = next((f.id for f in theirs.facts if _is_apart(stood[f.id], facts, book)), None)
        if table is None or apart is not None:
            whole.refuse(f"{NotEvaluated.EARLIER_KIND.value}:{apart}")
            continue
        tally = _count(theirs, book, stood, when)
        whole.total += tally.total - table.start
        whole.deductions += tally.deductions
        sites.take_over(tally, whole)
        mixed = any(stood[fact.id].later is not None for fact in theirs.facts)
        whole.notes |= entry.notes.earlier_kind if mixed or not own else 0
    sites.in_order(whole, facts)
    return whole


def _is_apart(then: Participation, facts: Facts, book: PreparedRules) -> bool:
    """Whether the points of a fact of then do not add up with those of what the subject is now."""
    now, of_now = book.entries.get(facts.kind), book.entry(facts.kind, facts.agency_kinds)
    kinds = [one.kind for one in (then, then.later) if one is not None]
    tables = [book.entries.get(kind) for kind in kinds]
    return any(
        one is not now and (one is None or of_now is None or not of_now.adds_up_with(one))
        for one in tables
    )


def _by_table(
    facts: Facts, book: PreparedRules, stood: Stood
) -> Iterator[tuple[PreparedTable | None, Facts]]:
    """Yield the facts of each table, with the kind by which it is found."""
    kinds = dict.fromkeys(one.kind for one in stood.values())
    tables = {id(table): table for table in map(book.entries.get, kinds)}
    for place, table in tables.items():
        theirs = [f for f in facts.facts if id(book.entries.get(stood[f.id].kind)) == place]
        kind = stood[theirs[0].id].kind
        yield table, replace(facts, kind=kind, facts=tuple(theirs))


def _count(facts: Facts, book: PreparedRules, stood: Stood, when: When) -> Tally:
    """Return the tally of facts of one table, each by its kinds of agency and at its sites."""
    entry = _entry(facts.facts, book, stood)
    of_days = {fact.id: stood[fact.id].sites for fact in facts.facts}
    if any(of_days.values()):
        return sites.count_at(facts, entry, when, of_days)
    return count(facts.id, facts.facts, entry, when)


def _entry(facts: Sequence[Fact], book: PreparedRules, stood: Stood) -> PreparedTable:
    """Return the table of facts, in which each of them finds the rows of its kinds of agency."""
    entries: dict[str, PreparedTable] = {}
    for fact in facts:
        entry = stood[fact.id].table(book)
        if entry is not None:
            entries[fact.id] = entry
    first = entries[facts[0].id]
    if all(entry is first for entry in entries.values()):
        return first

    def match(fact: Fact) -> Hits:
        return entries[fact.id].tariff.match(fact)

    whole = copy.copy(book.entries[stood[facts[0].id].kind])
    whole.match = match
    return whole
