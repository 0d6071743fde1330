"""Several sites 多厂址 of one legal person: each is scored alone, then averaged by weight."""

from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from math import floor

from msgspec.structs import replace

from schemas.credit import Deduction, NotEvaluated
from scoring.engine.count import count
from scoring.engine.prepared import PreparedTable
from scoring.engine.repair import When
from scoring.engine.tally import Tally
from scoring.facts import Fact, Facts, Site, plain

#: Decimal places of an averaged score. It is rounded down, so rounding never raises a grade.
PLACES = 6


#: The sites of facts by their ids, where they were others on the day of the decision.
OfDays = Mapping[str, tuple[Site, ...]]


def _refusal(facts: Facts, entry: PreparedTable, then: OfDays) -> str | None:
    """Return why the sites cannot be combined, or None if they can."""
    if entry.sites is None or entry.sites.combined == "per_site":
        return NotEvaluated.SITES_SCORED_APART.value
    permits = {None, *(site.permit for sites in (facts.sites, *then.values()) for site in sites)}
    unknown = [fact.site for fact in facts.facts if fact.site not in permits]
    return f"{NotEvaluated.UNKNOWN_SITE.value}:{unknown[0]}" if unknown else None


def count_at(facts: Facts, entry: PreparedTable, when: When, then: OfDays) -> Tally:
    """Return the combined tally of all sites, or a tally with the reason why there is none.

    A fact without a site counts at each of them. A row counts with the share that its site has by
    `then`, else with that of now.
    """
    refused = _refusal(facts, entry, then)
    if refused is None:
        return _count(facts, entry, when, then)
    tally = Tally(entry.start)
    tally.refuse(refused)
    return tally


def _count(facts: Facts, entry: PreparedTable, when: When, then: OfDays) -> Tally:
    weights = _Weights(facts, then)
    tallies = [
        (permit, count(facts.id, weights.facts_at(permit), entry, when))
        for permit in weights.permits
    ]
    whole = Tally(_weighted(tallies, entry.start, weights))
    for _, tally in tallies:
        take_over(tally, whole)
    whole.deductions = _shared(tallies, weights)
    in_order(whole, facts)
    whole.notes |= entry.notes.several_sites | (entry.notes.site_veto if whole.vetoes else 0)
    if any(fact.site is None and fact.decided_on <= when.as_of for fact in facts.facts):
        whole.notes |= entry.notes.unattributed
    return whole


class _Weights:
    """The sites that facts count at, and with which weights; one without sites counts in full."""

    def __init__(self, facts: Facts, then: OfDays) -> None:
        self._facts = facts.facts
        self._then = then
        self._now = facts.sites or next(filter(None, then.values()))
        given = (self._now, *(self.of(fact.id) for fact in facts.facts))
        self.permits = list(dict.fromkeys(site.permit for sites in given for site in sites))

    def of(self, fact: str) -> tuple[Site, ...]:
        """Return the sites that a row about this fact counts at."""
        return self._then.get(fact) or self._now

    def facts_at(self, permit: str) -> list[Fact]:
        """Return the facts that count at a site."""
        return [
            fact
            for fact in self._facts
            if fact.site in {None, permit} and any(s.permit == permit for s in self.of(fact.id))
        ]

    def at(self, permit: str, fact: str) -> Decimal:
        """Return the weight of a site for a fact; 0 if it is none of its day."""
        return next((s.weight for s in self.of(fact) if s.permit == permit), Decimal(0))

    def total(self, fact: str) -> Decimal:
        """Return the sum of the weights for a fact."""
        return sum((site.weight for site in self.of(fact)), start=Decimal(0))


def _weighted(tallies: list[tuple[str, Tally]], start: Decimal, weights: _Weights) -> Decimal:
    """Return the exact weighted average, rounded down to six decimal places."""
    points = Fraction(start)
    for permit, tally in tallies:
        for row in tally.deductions:
            share = Fraction(weights.at(permit, row.fact)) / Fraction(weights.total(row.fact))
            points += Fraction(row.points) * share
    return Decimal(floor(points * 10**PLACES)).scaleb(-PLACES)


def in_order(whole: Tally, facts: Facts) -> None:
    """Sort the rows by fact and item, rows about the subject last."""
    order = {fact.id: place for place, fact in enumerate(facts.facts)}
    whole.vetoes.sort(key=lambda row: (order[row.fact], row.item))
    whole.promotions.sort(key=lambda row: (order[row.fact], row.item))
    whole.unmapped.sort(key=lambda word: (order[word.fact], word.type))
    whole.deductions.sort(key=lambda row: (order.get(row.fact, len(order)), row.item))


def take_over(tally: Tally, whole: Tally) -> None:
    """Merge everything but points and deductions of a tally into `whole`, without duplicates."""
    whole.notes |= tally.notes
    whole.rank = max(whole.rank, tally.rank)
    lifted = [rank for rank in (whole.lifted, tally.lifted) if rank is not None]
    whole.lifted = min(lifted, default=None)
    whole.vetoes += [veto for veto in tally.vetoes if veto not in whole.vetoes]
    whole.promotions += [one for one in tally.promotions if one not in whole.promotions]
    whole.unmapped += [word for word in tally.unmapped if word not in whole.unmapped]
    whole.exceptions += [one for one in tally.exceptions if one not in whole.exceptions]
    whole.days += tally.days
    if tally.received is not None:
        whole.receive(*tally.received)
    if tally.refusal is not None:
        whole.refuse(tally.refusal)


def _shared(tallies: list[tuple[str, Tally]], weights: _Weights) -> list[Deduction]:
    """Return each distinct row once, with the sites where it counts and their share of weight."""
    rows: dict[tuple[object, ...], Deduction] = {}
    at: defaultdict[tuple[object, ...], list[str]] = defaultdict(list)
    for permit, tally in tallies:
        seen: defaultdict[tuple[object, ...], int] = defaultdict(int)
        for row in tally.deductions:
            alike = (row.fact, row.item, row.points, tuple(sorted(row.values.items())))
            seen[alike] += 1
            key = (*alike, seen[alike])
            rows[key] = row
            at[key].append(permit)
    return [_with_share(row, at[key], weights) for key, row in rows.items()]


def _with_share(row: Deduction, permits: list[str], weights: _Weights) -> Deduction:
    weight = sum((weights.at(permit, row.fact) for permit in permits), start=Decimal(0))
    share = f"{plain(weight)}/{plain(weights.total(row.fact))}"
    return replace(row, values=row.values | {"site": "、".join(permits), "share": share})
