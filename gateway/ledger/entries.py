"""How soon decisions were entered 录入: from the day of the decision to its arrival here (pure)."""

from collections import Counter
from dataclasses import dataclass

from gateway.due.deadline import due
from gateway.due.workdays import Workdays
from gateway.ledger.figures import Rate
from gateway.ledger.row import LedgerRow
from schemas.codes import RecordKind
from schemas.destination import TimeLimit
from schemas.kinds import KINDS


@dataclass(frozen=True, slots=True)
class EntryFigures:
    """The decisions of one authority and kind by the clock of entry 录入期限.

    `unknown` are those whose clock ends beyond the working-day calendar.
    """

    authority: str
    kind: RecordKind
    produced: int
    timely: int
    late: int
    unknown: int

    @property
    def timely_rate(self) -> Rate:
        """录入及时率."""
        return Rate(self.timely, self.produced)


class EntryCounts:
    """Count the rows of a month by authority and kind; nothing without a clock of entry."""

    def __init__(self, clock: TimeLimit | None, workdays: Workdays) -> None:
        self.clock = clock
        self.workdays = workdays
        self._counts: dict[tuple[str, RecordKind], Counter[str]] = {}

    def add(self, row: LedgerRow) -> None:
        """Count one row; what is not reported is entered all the same."""
        if self.clock is None or row.arrived_at is None:
            return
        end = due(self.clock, row.decision_date, self.workdays)
        in_time = row.arrived_at < end.at
        result = "timely" if in_time else "unknown" if end.provisional else "late"
        self._counts.setdefault((row.authority, row.kind), Counter())[result] += 1

    def figures(self) -> tuple[EntryFigures, ...]:
        """Return the figures, by authority and kind."""
        order = KINDS.in_order
        found = sorted(self._counts.items(), key=lambda one: (one[0][0], order.index(one[0][1])))
        return tuple(
            EntryFigures(
                authority=authority,
                kind=kind,
                produced=counts.total(),
                timely=counts["timely"],
                late=counts["late"],
                unknown=counts["unknown"],
            )
            for (authority, kind), counts in found
        )
