"""How a subject takes part on a day, by its entries in the register 参评单位名录."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from msgspec.structs import replace

from schemas.codes import SubjectKind
from schemas.credit import NotEvaluated
from scoring.dates import add_days
from scoring.engine.prepared import PreparedRules, PreparedTable
from scoring.facts import Fact, Facts, RegisterEntry, Site

#: One permit is no reason to score sites apart.
SEVERAL = 2


class Placed(NamedTuple):
    """A subject as the entries of a day say, or why it is not evaluated.

    `days` are the days on which entries begin and end. `then` says by fact as what the subject
    took part on the day of its decision, where that is not what it is now. `before` says by fact
    what it was without any entry, where its first one, which came later, made it another kind.
    """

    facts: Facts
    refusal: NotEvaluated | None = None
    days: Sequence[date] = ()
    then: Mapping[str, "Participation"] = MappingProxyType({})
    before: Mapping[str, "Participation"] = MappingProxyType({})


class Participation(NamedTuple):
    """As what a subject takes part on a day: kind, kinds of agency 机构类型, sites 厂址.

    `later` is what it was by its first entry, whose table has what that of the kind has no row for.
    """

    kind: SubjectKind
    agency_kinds: tuple[str, ...] = ()
    sites: tuple[Site, ...] = ()
    later: "Participation | None" = None

    def table(self, book: PreparedRules) -> PreparedTable | None:
        """Return the table by which it counts, or None if there is none."""
        own = book.entry(self.kind, self.agency_kinds)
        if own is None or self.later is None:
            return own
        return book.either(own, self.later.table(book))


def place(facts: Facts, day: date) -> Placed:
    """Return the subject with the kind, the sites and the kinds of agency of its entries.

    Its facts are those that count for it: what a branch did counts for its legal person, and what
    the subject did as a branch does not count here. Each fact counts as the subject took part on
    the day of its decision: points stay until the repair (art. 19, 27), whatever the register says
    later. Without an entry in force the subject stays as it is otherwise.
    """
    entries = list(in_force(facts, day))
    days = [turn for fact in facts.register for turn in _turns_of(fact)]
    if entries and entries[-1].parent is not None:
        return Placed(facts, NotEvaluated.BRANCH, days)
    if not entries and facts.participants_only:
        return Placed(facts, NotEvaluated.NOT_PARTICIPANT, days)
    history = _History(facts, day)
    otherwise = Participation(facts.kind, facts.agency_kinds, facts.sites)
    now = _participation(entries, otherwise)
    counting = tuple(fact for fact in facts.facts if history.counts_here(fact))
    stood = {fact.id: history.on_day(fact.decided_on) for fact in counting}
    then = {id_: one for id_, one in stood.items() if one != now}
    known = counting
    if facts.register:
        known = tuple(at_a_site(fact, stood[fact.id].sites) for fact in counting)
    kind, agency_kinds, sites, _ = now
    placed = replace(facts, facts=known, kind=kind, agency_kinds=agency_kinds, sites=sites)
    early = (fact for fact in counting if history.is_before_any(fact.decided_on))
    was = otherwise._replace(kind=_unlisted(facts.kind))
    before = {fact.id: was for fact in early if stood[fact.id].kind is not was.kind}
    return Placed(placed, None, days, then, before)


def _unlisted(kind: SubjectKind) -> SubjectKind:
    """Return what a subject is without any entry, whose kind may be that of its entry already."""
    return kind if kind is SubjectKind.INDIVIDUAL else SubjectKind.ENTERPRISE


def _participation(entries: Sequence[RegisterEntry], otherwise: Participation) -> Participation:
    """Return as what a subject takes part by the entries of a day, the latest last.

    A permit without a weight makes no site. An entry of an agency without its kinds says nothing
    of them, so that every row counts (note r28).
    """
    if not entries:
        return otherwise
    weights = {
        entry.permit: entry.weight
        for entry in entries
        if entry.permit is not None and entry.weight is not None
    }
    kind = entries[-1].kind
    said = [entry.agency_kinds for entry in entries if entry.kind is kind]
    agency_kinds = dict.fromkeys(one for kinds in said for one in kinds) if all(said) else ()
    sites = tuple(Site(*one) for one in weights.items()) if len(weights) >= SEVERAL else ()
    return Participation(kind, tuple(agency_kinds), sites or otherwise.sites)


def at_a_site(fact: Fact, sites: tuple[Site, ...]) -> Fact:
    """Return a fact; what names a permit that is none of the sites counts like what names none."""
    if fact.site is None or any(site.permit == fact.site for site in sites):
        return fact
    return replace(fact, site=None)


class _History:
    """Which entries were in force on the days of decisions, as far as they have begun by a day."""

    def __init__(self, facts: Facts, day: date) -> None:
        self._facts = facts
        self._begun = [one for one in facts.register if one.decided_on <= day]
        self._days: dict[date, Participation] = {}
        own = () if facts.participants_only else self._begun
        self._first = min((one.decided_on for one in own if one.branch is None), default=None)

    def counts_here(self, fact: Fact) -> bool:
        """Whether a fact counts for this subject: for its legal person, if a branch did it."""
        entries = self._entries(fact.branch, fact.decided_on)
        owner = entries[-1].parent if entries else None
        return owner == (None if fact.branch is None else self._facts.id)

    def is_before_any(self, decided: date) -> bool:
        """Whether a day is before the first entry of a subject that was evaluated without one."""
        return self._first is not None and decided < self._first

    def on_day(self, decided: date) -> Participation:
        """Return as what the subject took part on the day of a decision."""
        if decided not in self._days:
            facts, entries = self._facts, self._entries(None, decided)
            otherwise = Participation(facts.kind, facts.agency_kinds, facts.sites)
            self._days[decided] = _participation(entries, otherwise)
        return self._days[decided]

    def _entries(self, who: str | None, decided: date) -> list[RegisterEntry]:
        """Return the entries of a day; of a day without any those that begin next.

        So nothing that somebody did in a gap is nobody's, and a list that is made after the
        period holds for it.
        """
        own = [
            (one.decided_on, one.entry)
            for one in self._begun
            if one.entry is not None and one.branch == who
        ]
        at = [one for since, one in own if since <= decided <= (one.until or date.max)]
        later = [since for since, _ in own if since > decided]
        return at or [one for since, one in own if later and since == min(later)]


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
