"""From when until when a record counts: warning 信用预警, validity 有效期, repair 信用修复."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from scoring.dates import add_days, add_months, earlier
from scoring.facts import Fact
from scoring.notes import NoteBook
from scoring.rows import Row
from scoring.terms import Reliance, Wait

#: How many different points are remembered; passed-through ones could grow it without end.
MEMORY = 1_000


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which a record counts: from `begin` up to the day before `stop`."""

    begin: date | None  #: None: never
    stop: date | None  #: None: without end
    notes: int
    repairable_from: date | None

    def covers(self, day: date) -> bool:
        """Whether the record counts on that day."""
        return (
            self.begin is not None and self.begin <= day and (self.stop is None or day < self.stop)
        )

    def next_change(self, day: date) -> date | None:
        """The first day after this one on which the record starts or ceases to count."""
        if self.begin is None or (self.stop is not None and self.stop <= self.begin):
            return None
        if self.begin > day:
            return self.begin
        return self.stop if self.stop is not None and self.stop > day else None


class Waits:
    """The repair waits of a table, and the notes that warnings and repairs rely on."""

    def __init__(self, waits: Sequence[Wait], relies_on: Reliance, book: NoteBook) -> None:
        """Make the waits and their notes ready."""
        self._waits = [(wait, book.mask(wait.notes)) for wait in waits]
        self._known: dict[Decimal, tuple[int, int]] = {}
        self._hole = book.mask(relies_on.repair_hole)
        self.warning = book.mask(relies_on.warning)
        self.repaired = book.mask(relies_on.repaired)
        self.void = book.mask(relies_on.repair_void)

    def wait(self, points: Decimal) -> tuple[int, int]:
        """Months to wait for a record of these points, and the notes that this rests on."""
        known = self._known.get(points)
        if known is None:
            known = self._look_up(points)
            if len(self._known) < MEMORY:
                self._known[points] = known
        return known

    def _look_up(self, points: Decimal) -> tuple[int, int]:
        size = abs(points)
        wait, notes = next(pair for pair in self._waits if pair[0].contains(size))
        hole = wait.printed_from is not None and size < wait.printed_from
        return wait.months, notes | (self._hole if hole else 0)


def warned_from(fact: Fact, until: date, start: date) -> date | None:
    """The first day on which a warned record counts; None if it was rectified within the warning.

    第二十二条: 在评价期内要求的时限内完成有效整改……在评价期内不予扣分.
    """
    if fact.rectified_on is not None and fact.rectified_on <= until:
        return None
    after = add_days(until, 1)
    return None if after is None else max(start, after)


def repaired_on(fact: Fact, free: date | None) -> date | None:
    """The day from which a valid confirmation ends the record, if there is one.

    A confirmation, or an application, before the wait has ended (`free`) is void, and so is a
    confirmation before the application.
    """
    confirmed, applied = fact.repair_confirmed_on, fact.repair_applied_on
    if free is None or confirmed is None or confirmed < free:
        return None
    if applied is not None and not free <= applied <= confirmed:
        return None
    return confirmed


def repair_span(fact: Fact, months: int) -> tuple[date | None, date | None]:
    """From when the record can be repaired, and from when it is."""
    if fact.rectified_on is None:
        return None, None
    free = add_months(fact.rectified_on, months)
    return free, repaired_on(fact, free)


def lasting(fact: Fact, start: date, row: Row, points: Decimal, waits: Waits) -> Span:
    """The days on which one row of a fact counts that takes effect on `start`."""
    begin: date | None = start
    stop, free, notes = None, None, 0
    if row.warnable and fact.warning_until is not None:
        begin, notes = warned_from(fact, fact.warning_until, start), waits.warning
    if row.validity is not None:
        stop = add_months(fact.decided_on, row.validity)
    if row.repairable:
        months, wait_notes = waits.wait(points)
        free, repaired = repair_span(fact, months)
        stop = earlier(stop, repaired)
        notes |= wait_notes if free is not None else 0
        if fact.repair_confirmed_on is not None:
            notes |= waits.void if repaired is None else waits.repaired
    return Span(begin, stop, notes, free)
