"""Collect the results of a subject's facts: points, grade rules, unmapped words, days."""

from datetime import date
from decimal import Decimal

from schemas.credit import Deduction, Unmapped, Veto
from scoring.engine.prepared import PreparedTable
from scoring.engine.prepared_rows import Mark, Row
from scoring.facts import Fact, Received, by_number, plain

ZERO = Decimal(0)


class Tally:
    """The results of the facts counted so far."""

    __slots__ = ("days", "deductions", "exceptions", "lifted", "notes", "promotions", "rank",
                 "received", "refusal", "total", "unmapped", "vetoes")  # fmt: skip

    def __init__(self, start: Decimal) -> None:
        """Begin with `start`, the score of a subject without facts."""
        self.total = start
        self.deductions: list[Deduction] = []
        self.vetoes: list[Veto] = []
        self.promotions: list[Veto] = []
        self.unmapped: list[Unmapped] = []
        self.exceptions: list[str] = []  #: the exceptions that applied, as "fact item exception"
        self.notes = 0
        self.rank = -1  #: rank of the worst grade that a veto sets; -1: no veto
        self.lifted: int | None = None  #: rank of the best grade by promotion
        self.received: tuple[Fact, Received] | None = None  #: the latest, with its fact
        self.refusal: str | None = None
        self.days: list[date] = []  #: later days on which the result may differ

    def add(self, fact: Fact, row: Row, values: dict[str, str]) -> None:
        """Add a plain row: its printed points and the grade that it sets."""
        if row.points is not None:
            self.total += row.points
            self.deductions.append(
                Deduction(row.item, row.points_text, fact.id, row.article, row.text, values)
            )
        if row.mark is not None:
            self.mark(fact.id, row.item, row.mark)

    def receive(self, fact: Fact, came: Received) -> None:
        """Keep a grade computed elsewhere if it is the latest; of one day it is the last id."""
        if self.received is None or by_number(fact) >= by_number(self.received[0]):
            self.received = fact, came

    def count(self, fact: Fact, row: Row, points: Decimal, values: dict[str, str]) -> None:
        """Add a row with the given points."""
        self.total += points
        self.deductions.append(
            Deduction(row.item, plain(points), fact.id, row.article, row.text, values)
        )

    def mark(self, fact: str, item: str, mark: Mark) -> None:
        """Add the grade that a row sets, as a veto or a promotion."""
        found = Veto(item, fact, mark.article)
        if mark.promotes:
            self.promotions.append(found)
            self.lifted = mark.rank if self.lifted is None else min(self.lifted, mark.rank)
        else:
            self.vetoes.append(found)
            self.rank = max(self.rank, mark.rank)

    def refuse(self, reason: str) -> None:
        """Record why there is no result; only the first reason is kept."""
        if self.refusal is None:
            self.refusal = reason

    def limit(
        self, name: str, about: str, change: tuple[Decimal, Decimal], entry: PreparedTable
    ) -> None:
        """Add a row for the change that a limit makes; `change` is (value before, difference).

        Does nothing if the difference is zero.
        """
        before, points = change
        if points == ZERO:
            return
        self.total += points
        article, text = entry.caps.article or "", entry.caps.text or ""
        shown = {"before": plain(before)}
        self.deductions.append(Deduction(name, plain(points), about, article, text, shown))
        self.notes |= entry.notes.capped

    def close(self, subject: str, entry: PreparedTable) -> None:
        """Bring the total within the table's limits and add a row for the change."""
        missing = entry.capped(self.total) - self.total
        name = "lowest" if missing > ZERO else "highest"
        self.limit(name, subject, (self.total, missing), entry)
