"""How a subject takes part on a day, by its entries in the register 参评单位名录."""

from collections.abc import Iterable, Iterator
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
    """A subject as the entries of a day say, or why it is not evaluated.

    `days` are the days on which entries begin and end.
    """

    facts: Facts
    refusal: NotEvaluated | None
    days: list[date]


def place(facts: Facts, day: date) -> Placed:
    """Return the subject with the kind, the sites and the kinds of agency of its entries.

    Its facts are those that count for it: of a branch, those of the time of which an entry that has
    begun says so; what the subject itself did as a branch counts for its legal person. Without an
    entry in force it stays as it is otherwise.
    """
    entries = list(in_force(facts, day))
    days = [turn for fact in facts.register for turn in _turns_of(fact)]
    if any(entry.parent is not None for entry in entries):
        return Placed(facts, NotEvaluated.BRANCH, days)
    if not entries and facts.participants_only:
        return Placed(facts, NotEvaluated.NOT_PARTICIPANT, days)
    counting = [fact for fact in facts.facts if _owner(facts, fact, day) == _own(facts, fact)]
    placed = replace(facts, facts=tuple(counting))
    return Placed(_with_entries(placed, entries) if entries else placed, None, days)


def _with_entries(facts: Facts, entries: list[RegisterEntry]) -> Facts:
    """Return the subject as its entries in force say.

    A permit without a weight makes no site. What is decided about a permit that is none of the
    sites counts like what names no site.
    """
    weights = {
        entry.permit: entry.weight
        for entry in entries
        if entry.permit is not None and entry.weight is not None
    }
    kinds = dict.fromkeys(kind for entry in entries for kind in entry.agency_kinds)
    changes = {"kind": entries[-1].kind, "agency_kinds": tuple(kinds)}
    if len(weights) < SEVERAL:
        return replace(facts, **changes)
    known = tuple(
        fact if fact.site is None or fact.site in weights else replace(fact, site=None)
        for fact in facts.facts
    )
    return replace(facts, facts=known, sites=tuple(Site(*p) for p in weights.items()), **changes)


def _own(facts: Facts, fact: Fact) -> str | None:
    """Return the owner with which a fact counts here: the subject for a branch, else None."""
    return None if fact.branch is None else facts.id


def _owner(facts: Facts, fact: Fact, day: date) -> str | None:
    """Return the legal person for which a fact counts on a day, by the entries of who did it.

    Of those that name one, the latest of the day of its decision counts; without one of that day
    the next one, so that nothing that a branch did is nobody's.
    """
    entries = [
        (one.decided_on, one.entry.until or date.max, one.entry.parent)
        for one in facts.register
        if one.entry is not None and one.branch == fact.branch and one.decided_on <= day
        if one.entry.parent is not None
    ]
    decided = fact.decided_on
    at = [parent for since, until, parent in entries if since <= decided <= until]
    later = [parent for since, _, parent in entries if since > decided]
    return at[-1] if at else later[0] if later else None


def in_force(facts: Facts, day: date) -> Iterator[RegisterEntry]:
    """Yield the subject's own entries in force on a day, the latest last."""
    for fact in facts.register:
        entry = fact.entry if fact.branch is None else None
        if entry is not None and fact.decided_on <= day <= (entry.until or date.max):
            yield entry


def kind_on(facts: Facts, day: date) -> SubjectKind:
    """Return the kind of a subject on a day: that of its latest entry, else the given one."""
    entries = list(in_force(facts, day)) if facts.register else ()
    return entries[-1].kind if entries else facts.kind


def next_turn(facts: Facts, day: date) -> date | None:
    """Return the first day after `day` on which an entry begins, or is over; None without one."""
    return min(_after(facts.register, day), default=None)


def _after(register: Iterable[Fact], day: date) -> Iterator[date]:
    return (turn for fact in register for turn in _turns_of(fact) if turn > day)


def _turns_of(fact: Fact) -> Iterator[date]:
    """Yield the first day of an entry, and the day after its last."""
    yield fact.decided_on
    until = None if fact.entry is None else fact.entry.until
    over = None if until is None else add_days(until, 1)
    if over is not None:
        yield over
