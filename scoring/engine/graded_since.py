"""From when the wait for a repair counts where it follows a bad grade, not the rectification."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from schemas.identifiers import authority_key
from scoring.dates import add_months
from scoring.engine.prepared import PreparedTable
from scoring.facts import Fact

_NONE: Mapping[str, date] = MappingProxyType({})


def graded_since(facts: Sequence[Fact], entry: PreparedTable, as_of: date) -> Mapping[str, date]:
    """Return by fact the day from which its wait counts; no entry where there is no bad grade.

    It is the day on which the records of its year reached the grade. A record within the wait lets
    it begin anew on its own day. Repairs change nothing here. `facts` are sorted by day.
    """
    if not entry.waits_from_grade:
        return _NONE
    points = {fact.id: _points(fact, entry) for fact in facts if fact.decided_on <= as_of}
    known = [fact for fact in facts if points.get(fact.id)]
    found: dict[str, date] = {}
    for year in {fact.decided_on.year for fact in known}:
        of_year = [fact for fact in known if fact.decided_on.year == year]
        reached = _reached(of_year, points, entry)
        if reached is not None:
            found |= {fact.id: _since(reached, points[fact.id], known, entry) for fact in of_year}
    return found


def _points(fact: Fact, entry: PreparedTable) -> Decimal:
    taken = (hit.row.terms_for(fact)[0] for hit in entry.match(fact).hits)
    return sum((one for one in taken if one is not None), start=Decimal(0))


def _reached(
    of_year: Sequence[Fact], points: Mapping[str, Decimal], entry: PreparedTable
) -> date | None:
    """Return the day on which the records of a year reached a grade below the best."""
    total = entry.start
    for fact in _counting(of_year, entry):
        total += points[fact.id]
        if entry.grades.rank(total) > entry.grades.rank(entry.start):
            return fact.decided_on
    return None


def _counting(of_year: Sequence[Fact], entry: PreparedTable) -> Iterator[Fact]:
    """Yield the records that add up: of each department the first, if the table says so."""
    seen = set()
    for fact in of_year:
        department = authority_key(fact.department or "")
        if entry.once_per is None or department not in seen:
            yield fact
        seen.add(department)


def _since(reached: date, points: Decimal, known: Sequence[Fact], entry: PreparedTable) -> date:
    months, since = entry.waits.wait(points)[0], reached
    for fact in known:
        free = add_months(since, months)
        if fact.decided_on > since and (free is None or fact.decided_on < free):
            since = fact.decided_on
    return since
