"""How the records of several facts stack: the latest of a row, one for each department, limits."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import groupby

from scoring.engine.counted_rows import Record
from scoring.engine.tally import ZERO
from scoring.regulation.intervals import Interval


def latest(found: Sequence[Record]) -> list[Record]:
    """Of the records of a row where only the latest counts, that one."""
    last = {record.row.item: record for record in found if record.row.latest}
    return [record for record in found if last.get(record.row.item, record) is record]


def departments(found: Sequence[Record]) -> list[Record]:
    """Of the records of one department, those of the fact decided first."""
    first: dict[str | None, str] = {}
    for record in found:
        first.setdefault(record.fact.department, record.fact.id)
    kept = []
    for record in found:
        department = record.fact.department
        if department is not None and first[department] == record.fact.id:
            record.values["department"] = department
            kept.append(record)
    return kept


def by_decision(kept: Sequence[Record]) -> Iterator[tuple[str, list[Record]]]:
    """The records of each fact, in their order."""
    for id_, group in groupby(kept, key=lambda record: record.fact.id):
        yield id_, list(group)


def adjustment(records: Sequence[Record], range_: Interval) -> tuple[Decimal, Decimal]:
    """What a decision takes, and what brings that within the range; nothing taken stays so."""
    taken = sum((record.points or ZERO for record in records if not record.row.bonus), start=ZERO)
    if taken == ZERO:
        return ZERO, ZERO
    return taken, _within(abs(taken), range_).copy_sign(taken) - taken


def _within(size: Decimal, range_: Interval) -> Decimal:
    if range_.at_least is not None:
        size = max(size, range_.at_least)
    return size if range_.at_most is None else min(size, range_.at_most)
