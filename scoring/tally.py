"""The counting of a subject's facts: points, vetoes, unmapped words, and the next change."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.credit import Deduction, NotEvaluated, Unmapped, Veto
from scoring.book import Entry
from scoring.dates import add_days
from scoring.facts import Fact, plain
from scoring.repair import Span, lasting
from scoring.rows import Row
from scoring.tariff import Hit, Hits

ZERO = Decimal(0)


class Tally:
    """What the facts add up to so far."""

    __slots__ = ("changes_on", "deductions", "notes", "rank", "refusal", "total", "unmapped",
                 "vetoes")  # fmt: skip

    def __init__(self, start: Decimal) -> None:
        """Start from the score of a subject without facts."""
        self.total = start
        self.deductions: list[Deduction] = []
        self.vetoes: list[Veto] = []
        self.unmapped: list[Unmapped] = []
        self.notes = 0
        self.rank = -1  #: of the worst grade that a veto sets
        self.refusal: str | None = None
        self.changes_on: date | None = None

    def add(self, fact: Fact, row: Row, points: Decimal | None, values: dict[str, str]) -> None:
        """Count a row of a fact with its points, and its veto."""
        if points is not None:
            self.total += points
            text = row.points_text if points is row.points else plain(points)
            self.deductions.append(
                Deduction(row.item, text, fact.id, row.article, row.text, values)
            )
        if row.veto is not None:
            self.vetoes.append(Veto(row.item, fact.id, row.veto.article))
            self.rank = max(self.rank, row.veto.rank)

    def foresee(self, day: date | None) -> None:
        """Note a day on which the result will differ."""
        if day is not None and (self.changes_on is None or day < self.changes_on):
            self.changes_on = day


@dataclass(frozen=True, slots=True)
class Counted:
    """One row of a fact with its own points and the days on which it counts."""

    hit: Hit
    points: Decimal | None
    span: Span


def count(facts: Sequence[Fact], entry: Entry, as_of: date) -> Tally:
    """Count facts in order; stops at the first one that cannot be evaluated."""
    tally = Tally(entry.start)
    match, delay = entry.tariff.match, entry.delay
    for fact in facts:
        start = add_days(fact.decided_on, delay) if delay else fact.decided_on
        hits = match(fact)
        if start is None or start > as_of:
            _foresee(tally, fact, hits, entry, start)
        elif not _count_one(tally, fact, hits, entry, (start, as_of)):
            break
    return tally


def _count_one(tally: Tally, fact: Fact, hits: Hits, entry: Entry, days: tuple[date, date]) -> bool:
    """Count a fact that has taken effect; False if it cannot be evaluated."""
    if hits.refusal is not None or not hits.fixed:
        tally.refusal = _refusal(fact, hits)
        if tally.refusal is not None:
            return False
    tally.notes |= hits.notes
    if hits.unmapped:
        tally.unmapped += [Unmapped(fact.id, word) for word in hits.unmapped]
    if hits.fixed and _untouched(fact):
        tally.notes |= hits.row_notes
        for hit in hits.hits:
            tally.add(fact, hit.row, hit.row.points, _values(fact, hit))
    else:
        _count_touched(tally, fact, _rows(fact, hits, entry, days[0]), days[1])
    return True


def _count_touched(tally: Tally, fact: Fact, rows: list[Counted], as_of: date) -> None:
    """Count the rows of a fact of which some may not count, or not for ever."""
    for counted in rows:
        row, span = counted.hit.row, counted.span
        tally.notes |= span.notes
        tally.foresee(span.next_change(as_of))
        if span.covers(as_of):
            tally.notes |= row.notes
            values = _values(fact, counted.hit) | _dates(fact)
            tally.add(fact, row, counted.points, values)


def _foresee(tally: Tally, fact: Fact, hits: Hits, entry: Entry, start: date | None) -> None:
    """What a fact that has not taken effect yet will change, and when."""
    if start is None:
        return
    if hits.unmapped or _refusal(fact, hits) is not None:
        tally.foresee(start)
        return
    day_before = date.fromordinal(start.toordinal() - 1)
    for row in _rows(fact, hits, entry, start):
        tally.foresee(row.span.next_change(day_before))


def _rows(fact: Fact, hits: Hits, entry: Entry, start: date) -> list[Counted]:
    rows = []
    for hit in hits.hits:
        points = hit.row.points_for(fact)
        own = ZERO if points is None else points
        rows.append(Counted(hit, points, lasting(fact, start, hit.row, own, entry.waits)))
    return rows


def _untouched(fact: Fact) -> bool:
    """Whether no warning, rectification or repair has to be looked at."""
    return (
        fact.rectified_on is None
        and fact.warning_until is None
        and fact.repair_confirmed_on is None
    )


def _refusal(fact: Fact, hits: Hits) -> str | None:
    """Why a fact cannot be evaluated, with what it is about."""
    if hits.refusal is not None:
        reason, about = hits.refusal
        return f"{reason.value}:{fact.id if about is None else about}"
    if hits.fixed or fact.principal_points is not None:
        return None
    if any(hit.row.principal_sign for hit in hits.hits):
        return f"{NotEvaluated.MISSING_PRINCIPAL_POINTS.value}:{fact.id}"
    return None


def _values(fact: Fact, hit: Hit) -> dict[str, str]:
    """The values of the fact that the deduction rests on."""
    values = {"decided_on": fact.decided_on.isoformat(), **hit.values}
    if hit.row.amount is not None and fact.penalty is not None:
        fine = fact.penalty.fine_wan
        if fine is not None:
            values["fine_wan"] = plain(fine)
    if hit.row.principal_sign and fact.principal_points is not None:
        values["principal_points"] = plain(fact.principal_points)
    if fact.document_number is not None:
        values["document_number"] = fact.document_number
    return values


def _dates(fact: Fact) -> dict[str, str]:
    named = {
        "rectified_on": fact.rectified_on,
        "repair_applied_on": fact.repair_applied_on,
        "repair_confirmed_on": fact.repair_confirmed_on,
        "warning_until": fact.warning_until,
    }
    return {name: day.isoformat() for name, day in named.items() if day is not None}
