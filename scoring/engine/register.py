"""How a subject takes part on a day, by its entries in the register 参评单位名录."""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

from msgspec.structs import replace

from schemas.codes import SubjectKind
from schemas.credit import NotEvaluated
from scoring.dates import add_days
from scoring.facts import Fact, Facts, RegisterEntry, Site

#: One permit is no reason to score sites apart.
SEVERAL = 2


class Placed(NamedTuple):
    """A subject as its entries of a day say, or why it is not evaluated.

    `days` are the days on which its entries begin and end.
    """

    facts: Facts
    refusal: NotEvaluated | None
    days: list[date]


def place(facts: Facts, as_of: date) -> Placed:
    """Return the subject with the kind, the sites and the kinds of agency of its entries.

    Without an entry in force it stays as it is. A permit without a weight makes no site: what is
    decided about it counts fully.
    """
    entries = list(in_force(facts, as_of))
    days = list(turns(facts))
    if any(entry.parent is not None for entry in entries):
        return Placed(facts, NotEvaluated.BRANCH, days)
    if not entries:
        refusal = NotEvaluated.NOT_PARTICIPANT if facts.participants_only else None
        return Placed(facts, refusal, days)
    weights = {
        entry.permit: entry.weight
        for entry in entries
        if entry.permit is not None and entry.weight is not None
    }
    sites = tuple(Site(*pair) for pair in weights.items())
    kinds = dict.fromkeys(kind for entry in entries for kind in entry.agency_kinds)
    placed = replace(
        facts,
        kind=entries[-1].kind,
        sites=sites if len(sites) >= SEVERAL else facts.sites,
        agency_kinds=tuple(kinds),
    )
    return Placed(placed, None, days)


def in_force(facts: Facts, day: date) -> Iterator[RegisterEntry]:
    """Yield the entries in force on a day, the latest last."""
    for fact in facts.register:
        entry = fact.entry
        if entry is not None and fact.decided_on <= day <= (entry.until or date.max):
            yield entry


def kind_on(facts: Facts, day: date) -> SubjectKind:
    """Return the kind of a subject on a day: that of its latest entry, else the given one."""
    entries = list(in_force(facts, day))
    return entries[-1].kind if entries else facts.kind


def turns(facts: Facts) -> Iterator[date]:
    """Yield the first day of each entry, and the day after its last."""
    for fact in facts.register:
        yield fact.decided_on
        over = _after(fact)
        if over is not None:
            yield over


def _after(fact: Fact) -> date | None:
    until = None if fact.entry is None else fact.entry.until
    return None if until is None else add_days(until, 1)
