"""What became of what each source sent 来源报告: a topic, a file, a caller, or an authority."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from gateway.store.base.engine import Database
from gateway.store.record import sources as store
from schemas.base import start_of
from schemas.identifiers import masked


class SourceGrouping(StrEnum):
    """By what the report is summed up."""

    SOURCE = "source"  #: topic, file, caller of HTTP
    AUTHORITY = "authority"  #: 决定机关


@dataclass(frozen=True, slots=True)
class AtDestination:
    """Where what came from a source stands at one destination, now."""

    owed: int
    held: int
    handed_over: int
    accepted: int
    rejected: int
    overdue: int

    @property
    def accepted_rate(self) -> Decimal | None:
        """The accepted ones of those owed, rounded down to 0.0001; None of none."""
        return Decimal(self.accepted * 10_000 // self.owed) / 10_000 if self.owed else None


@dataclass(frozen=True, slots=True)
class SourceReport:
    """What came from one source in a span of time, and what became of it.

    `waiting` are those refused items that still wait in quarantine.
    """

    source: str
    items: int
    repeats: int
    incomplete: int
    excluded: int
    refused: int
    waiting: int
    destinations: Mapping[str, AtDestination] = field(default_factory=dict)
    file_name: str | None = None


async def report(
    database: Database, by: SourceGrouping, first: date, end: date, now: datetime
) -> list[SourceReport]:
    """Return the report of what came from `first` until, without, `end`, in Beijing time."""
    start, stop = start_of(first), start_of(end)
    async with database.snapshot() as connection:
        counts = await store.counts(connection, by, start, stop)
        stands = await store.deliveries(connection, by, start, stop, now)
    found: dict[str, dict[str, AtDestination]] = {}
    for source, destination, *numbers in stands:
        found.setdefault(source, {})[destination] = AtDestination(*numbers)
    is_file = by is SourceGrouping.SOURCE  # of an authority there may be many
    rows = (
        [masked(row[0]), *row[1:-1], found.get(row[0], {}), row.file_name if is_file else None]
        for row in counts
    )
    return [SourceReport(*row) for row in rows]  # in the order of its columns
