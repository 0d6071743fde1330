"""Several sites 多厂址 of one legal person: each is scored alone, then averaged by weight."""

from collections import defaultdict
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


def refusal(facts: Facts, entry: PreparedTable) -> str | None:
    """Return why the sites cannot be combined, or None if they can."""
    if entry.sites is None or entry.sites.combined == "per_site":
        return NotEvaluated.SITES_SCORED_APART.value
    permits = {None, *(site.permit for site in facts.sites)}
    unknown = [fact.site for fact in facts.facts if fact.site not in permits]
    return f"{NotEvaluated.UNKNOWN_SITE.value}:{unknown[0]}" if unknown else None


def count_sites(facts: Facts, entry: PreparedTable, when: When) -> Tally:
    """Return the combined tally of all sites; a fact without a site counts at each of them."""
    tallies = [(site, count(facts.id, _of(site, facts), entry, when)) for site in facts.sites]
    whole = Tally(_average(tallies))
    for _, tally in tallies:
        _take_over(tally, whole)
    order = {fact.id: place for place, fact in enumerate(facts.facts)}
    whole.vetoes.sort(key=lambda row: (order[row.fact], row.item))
    whole.promotions.sort(key=lambda row: (order[row.fact], row.item))
    whole.unmapped.sort(key=lambda word: (order[word.fact], word.type))
    whole.deductions = sorted(
        _shared(tallies), key=lambda row: (order.get(row.fact, len(order)), row.item)
    )
    whole.notes |= entry.notes.several_sites | (entry.notes.site_veto if whole.vetoes else 0)
    if any(fact.site is None and fact.decided_on <= when.as_of for fact in facts.facts):
        whole.notes |= entry.notes.unattributed
    return whole


def _of(site: Site, facts: Facts) -> list[Fact]:
    return [fact for fact in facts.facts if fact.site is None or fact.site == site.permit]


def _average(tallies: list[tuple[Site, Tally]]) -> Decimal:
    """Return the exact weighted average, rounded down to six decimal places."""
    total = sum((Fraction(site.weight) for site, _ in tallies), Fraction(0))
    points = sum((Fraction(tally.total) * Fraction(site.weight) for site, tally in tallies), 0)
    return Decimal(floor(points / total * 10**PLACES)).scaleb(-PLACES)


def _take_over(tally: Tally, whole: Tally) -> None:
    """Merge everything but points and deductions of one site into `whole`, without duplicates."""
    whole.notes |= tally.notes
    whole.rank = max(whole.rank, tally.rank)
    lifted = [rank for rank in (whole.lifted, tally.lifted) if rank is not None]
    whole.lifted = min(lifted, default=None)
    whole.vetoes += [veto for veto in tally.vetoes if veto not in whole.vetoes]
    whole.promotions += [one for one in tally.promotions if one not in whole.promotions]
    whole.unmapped += [word for word in tally.unmapped if word not in whole.unmapped]
    whole.exceptions += [one for one in tally.exceptions if one not in whole.exceptions]
    whole.days += tally.days
    whole.received = tally.received or whole.received
    if tally.refusal is not None:
        whole.refuse(tally.refusal)


def _shared(tallies: list[tuple[Site, Tally]]) -> list[Deduction]:
    """Return each distinct row once, with the sites where it counts and their share of weight."""
    rows: dict[tuple[object, ...], Deduction] = {}
    at: defaultdict[tuple[object, ...], list[Site]] = defaultdict(list)
    for site, tally in tallies:
        seen: defaultdict[tuple[object, ...], int] = defaultdict(int)
        for row in tally.deductions:
            alike = (row.fact, row.item, row.points, tuple(sorted(row.values.items())))
            seen[alike] += 1
            key = (*alike, seen[alike])
            rows[key] = row
            at[key].append(site)
    total = sum(site.weight for site, _ in tallies)
    return [_with_share(row, at[key], Decimal(total)) for key, row in rows.items()]


def _with_share(row: Deduction, sites: list[Site], total: Decimal) -> Deduction:
    weight = sum((site.weight for site in sites), start=Decimal(0))
    share = f"{plain(weight)}/{plain(total)}"
    return replace(
        row, values=row.values | {"site": "、".join(site.permit for site in sites), "share": share}
    )
