"""The days on which a record counts: warning 信用预警, validity 有效期, repair 信用修复."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from scoring.dates import add_days, add_months
from scoring.engine.note_bits import NoteBook
from scoring.facts import Fact
from scoring.regulation.table import Reliance, Wait

#: Most point values that the cache holds; facts can state any points, so it needs a limit.
MEMORY = 1_000


class When(NamedTuple):
    """The day of the assessment, and the day up to which repairs and the register are known.

    They are usually the same.
    """

    as_of: date
    known: date


class Conduct(NamedTuple):
    """The properties of a row that decide when it counts."""

    warnable: bool
    repairable: bool
    points: Decimal


@dataclass(frozen=True, slots=True)
class Span:
    """The days on which a record counts: from `begin` to the day before `stop` or `repaired`."""

    begin: date | None  #: None: it never counts
    stop: date | None  #: None: no end
    repaired: date | None
    notes: int

    def covers(self, when: When) -> bool:
        """Return whether the record counts on `when.as_of`, given repairs known by `when.known`."""
        return (
            self.begin is not None
            and self.begin <= when.as_of
            and (self.stop is None or when.as_of < self.stop)
            and (self.repaired is None or when.known < self.repaired)
        )


class Waits:
    """The repair waits of a table, and the notes that warnings and repairs rely on."""

    def __init__(self, waits: Sequence[Wait], relies_on: Reliance, book: NoteBook) -> None:
        """Prepare the waits and the bits of their notes."""
        self._waits = [(wait, book.mask(wait.notes)) for wait in waits]
        self._known: dict[Decimal, tuple[int, int]] = {}
        self._hole = book.mask(relies_on.repair_hole)
        self.warning = book.mask(relies_on.warning)
        self.repaired = book.mask(relies_on.repaired)
        self.void = book.mask(relies_on.repair_void)

    def wait(self, points: Decimal) -> tuple[int, int]:
        """Return the months to wait for a record with these points, and the bits of the notes."""
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
    """Return the first day a warned record counts; None if it was rectified during the warning.

    第二十二条: 在评价期内要求的时限内完成有效整改……在评价期内不予扣分.
    """
    if fact.rectified_on is not None and fact.rectified_on <= until:
        return None
    after = add_days(until, 1)
    return None if after is None else max(start, after)


def repaired_on(fact: Fact, free: date | None) -> date | None:
    """Return the day of a valid repair confirmation, or None.

    The application and the confirmation must not be before `free`, the end of the wait, nor before
    the decision: nothing is repaired that is not decided yet. The confirmation must not be before
    the application. `free` is None if the wait never ends.
    """
    confirmed, applied = fact.repair_confirmed_on, fact.repair_applied_on
    if free is None or confirmed is None:
        return None
    free = max(free, fact.decided_on)
    if confirmed < free:
        return None
    if applied is not None and not free <= applied <= confirmed:
        return None
    return confirmed


def lasting(
    fact: Fact,
    start: date,
    stop: date | None,
    conduct: Conduct,
    waits: Waits,
    graded: date | None = None,
) -> Span:
    """Return the days on which a row of a fact counts, between `start` and `stop`.

    `start` is the day the fact takes effect; `stop` is the end of validity (None: no end). The wait
    for a repair counts from the rectification, or from `graded` if that is later.
    """
    begin: date | None = start
    repaired, notes = None, 0
    if conduct.warnable and fact.warning_until is not None:
        # A warning that ended before the decision warns of nothing that it decided.
        if fact.warning_until >= fact.decided_on:
            begin = warned_from(fact, fact.warning_until, start)
        notes = waits.warning
    if conduct.repairable and fact.rectified_on is not None:
        months, wait_notes = waits.wait(conduct.points)
        since = fact.rectified_on if graded is None else max(fact.rectified_on, graded)
        repaired = repaired_on(fact, add_months(since, months))
        notes |= wait_notes
    if conduct.repairable and fact.repair_confirmed_on is not None:
        notes |= waits.void if repaired is None else waits.repaired
    return Span(begin, stop, repaired, notes)
