"""How records of several facts stack: latest of a row, one per department, decision limits."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from schemas.identifiers import authority_key
from scoring.engine.counted_rows import Counted
from scoring.engine.prepared import PreparedTable
from scoring.engine.tally import ZERO
from scoring.regulation.intervals import Interval


def latest(found: Sequence[Counted]) -> list[Counted]:
    """Drop earlier records of rows where only the latest record counts."""
    last = {record.row.item: record for record in found if record.row.latest}
    return [record for record in found if last.get(record.row.item, record) is record]


def departments(found: Sequence[Counted]) -> list[Counted]:
    """Keep, for each department, only the records of its first fact.

    One department may be written in two ways 〔〕 and （）, with and without blanks. Drops records
    without a department. Writes the department into the values of kept records.
    """
    first: dict[str, str] = {}
    for record in found:
        first.setdefault(authority_key(record.fact.department or ""), record.fact.id)
    kept = []
    for record in found:
        department = record.fact.department
        if department is not None and first[authority_key(department)] == record.fact.id:
            record.values["department"] = department
            kept.append(record)
    return kept


def worst_year(found: Sequence[Counted], entry: PreparedTable, present: int) -> list[Counted]:
    """Keep the records of the year that gives the worst grade; the present one if none is worse.

    Of several past years that are as bad, it is the last.
    """
    years: dict[int, list[Counted]] = {}
    for record in found:
        years.setdefault(record.fact.decided_on.year, []).append(record)
    kept: list[Counted] = []
    worst = entry.grades.rank(entry.start)
    for year in sorted(years, key=lambda year: (year != present, -year)):
        records = years[year] if entry.once_per is None else departments(years[year])
        rank = entry.grades.rank(entry.start + sum((r.points or ZERO for r in records), start=ZERO))
        if year == present or rank > worst:
            kept, worst = records, max(rank, worst)
    return kept


def by_decision(kept: Sequence[Counted]) -> Iterator[tuple[str, list[Counted]]]:
    """Yield each fact id with its records, in their order."""
    for id_, group in groupby(kept, key=lambda record: record.fact.id):
        yield id_, list(group)


def adjustment(records: Sequence[Counted], range_: Interval) -> tuple[Decimal, Decimal]:
    """Return the points a decision takes, and the difference that brings them into the range.

    Bonuses do not count; if the decision takes no points, both results are zero.
    """
    taken = sum((record.points or ZERO for record in records if not record.row.bonus), start=ZERO)
    if taken == ZERO:
        return ZERO, ZERO
    return taken, _within(abs(taken), range_).copy_sign(taken) - taken


def _within(size: Decimal, range_: Interval) -> Decimal:
    if range_.at_least is not None:
        size = max(size, range_.at_least)
    return size if range_.at_most is None else min(size, range_.at_most)
