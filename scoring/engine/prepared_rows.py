"""Prepare tariff rows for the engine: texts rendered, notes as bits, grade rules attached."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from schemas.credit import NotEvaluated
from scoring.dates import add_months, year_end
from scoring.engine.note_bits import NoteBook
from scoring.engine.repair import Waits
from scoring.facts import Fact, plain
from scoring.regulation.intervals import Interval
from scoring.regulation.table import ActivationDelay, Table
from scoring.regulation.terms import (
    DatedPoints,
    Direction,
    GradeRule,
    Source,
    TariffItem,
    Unless,
    Validity,
)

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Mark:
    """The grade that a row sets: article, rank (0 is the best), and whether it is a promotion."""

    article: str
    rank: int
    promotes: bool
    validity: Validity | None
    unless: tuple[Unless, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One item, or one grade rule without points, as the engine counts it."""

    item: str
    points: Decimal | None  #: None: no points, or the fact states them
    points_text: str
    article: str
    text: str
    amount: Interval | None
    validity: Validity | None
    dated: tuple[DatedPoints, ...]
    source: Source | None
    factor: Decimal  #: multiplies the points stated by the fact
    repairable: bool
    warnable: bool
    each_word: bool
    latest: bool
    bonus: bool
    unless: tuple[Unless, ...]
    mark: Mark | None
    notes: int
    fixed: bool  #: its points and grade do not depend on dates or on other records
    waits: Waits  #: those of its table

    @property
    def adverse(self) -> bool:
        """Whether the row is negative: no bonus, no promotion and no indicator."""
        lifts = self.mark is not None and self.mark.promotes
        return not self.bonus and not lifts and self.source is not Source.INDICATOR

    def lacks(self, fact: Fact) -> NotEvaluated | None:
        """Return why the fact lacks the points that this row needs, or None if it does not."""
        if self.source is Source.PRINCIPAL:
            return NotEvaluated.MISSING_PRINCIPAL_POINTS if fact.principal_points is None else None
        if self.source is not None and fact.stated_points is None:
            return NotEvaluated.MISSING_STATED_POINTS
        if self.source is Source.INDICATOR and (fact.stated_points or 0) > HUNDRED:
            return NotEvaluated.BEYOND_INDICATOR_SCALE
        return None

    def terms_for(self, fact: Fact) -> tuple[Decimal | None, Validity | None]:
        """Return the signed points for this fact (None: no points) and their validity."""
        if self.source is not None:
            return self._brought(fact) * self.factor, self.validity
        points, validity = self.points, self.validity
        for dated in self.dated:
            if dated.decided_from <= fact.decided_on:
                points, validity = dated.points, dated.validity or validity
        return points, validity

    def _brought(self, fact: Fact) -> Decimal:
        brought = (
            fact.principal_points if self.source is Source.PRINCIPAL else fact.stated_points
        ) or Decimal(0)
        return brought - HUNDRED if self.source is Source.INDICATOR else brought


def counted_from(fact: Fact, activation: ActivationDelay) -> date:
    """Return the day from which the delay of a fact is counted: its decision or its creation."""
    if activation.counted_from == "created_on" and fact.created_on is not None:
        return fact.created_on
    return fact.decided_on


def valid_from(fact: Fact, start: date, activation: ActivationDelay | None) -> date:
    """Return the day from which the months of validity of a fact count, that takes effect then."""
    if activation is None or activation.validity_from == "effect":
        return start
    return max(counted_from(fact, activation), fact.decided_on)


def stop(validity: Validity | None, fact: Fact, start: date) -> date | None:
    """Return the first day on which the validity of a record has ended; None: no end.

    Months are counted from `start`, see `valid_from`; `year_end` is that of the decision.
    """
    if validity is None:
        return None
    if validity.months is None:
        return year_end(fact.decided_on)
    return add_months(start, validity.months)


class RowMaker:
    """Builds the prepared rows of one table."""

    def __init__(self, table: Table, book: NoteBook, waits: Waits) -> None:
        """Prepare which grade rule applies together with which item."""
        self._table = table
        self._book = book
        self._waits = waits
        self._ranks = {band.grade: place for place, band in enumerate(table.bands)}
        self._marks = {item: self._mark(rule) for rule in table.rules for item in rule.with_items}
        relies = table.relies_on
        self._always = (relies.activation if table.activation else ()) + (
            relies.department if table.once_per else ()
        )

    def item(self, item: TariffItem) -> Row:
        """Return the row of an item, with the grade rule that applies together with it."""
        mark = self._marks.get(item.id)
        repairable = item.repairable and self._table.repair is not None
        odd = (item.validity, item.dated, item.points_from, item.unless, item.stacking == "latest")
        return Row(
            item=item.id,
            points=item.points,
            points_text="" if item.points is None else plain(item.points),
            article=item.article,
            text=item.text,
            amount=item.match.amount,
            validity=item.validity,
            dated=item.dated,
            source=item.points_from,
            factor=self._factor(item),
            repairable=repairable,
            warnable=not item.bonus and self._table.warning is not None,
            each_word=item.stacking == "each_word",
            latest=item.stacking == "latest",
            bonus=item.bonus,
            unless=item.unless,
            mark=mark,
            notes=self._book.mask(self._item_notes(item, mark, repairable=repairable)),
            fixed=not any(odd) and _fixed(mark),
            waits=self._waits,
        )

    def rule(self, rule: GradeRule) -> Row:
        """Return the row of a veto or promotion that facts match without an item."""
        mark = self._mark(rule)
        relies = self._table.relies_on
        return Row(
            item=rule.id,
            points=None,
            points_text="",
            article=rule.article,
            text=rule.text,
            amount=rule.match.amount,
            validity=rule.validity,
            dated=(),
            source=None,
            factor=Decimal(0),
            repairable=rule.repairable and self._table.repair is not None and not mark.promotes,
            warnable=self._table.warning is not None and not mark.promotes,
            each_word=False,
            latest=False,
            bonus=False,
            unless=(),
            mark=mark,
            notes=self._book.mask(
                rule.notes + self._always + (relies.promotion if mark.promotes else ())
            ),
            fixed=_fixed(mark),
            waits=self._waits,
        )

    def _item_notes(
        self, item: TariffItem, mark: Mark | None, *, repairable: bool
    ) -> tuple[str, ...]:
        relies = self._table.relies_on
        ids = item.notes + self._always + (relies.bonus if item.bonus else ())
        ids += relies.repairable if repairable else ()
        if mark is not None:
            ids += relies.promotion if mark.promotes else relies.veto
        return ids

    def _factor(self, item: TariffItem) -> Decimal:
        """Return the factor that turns points stated by a fact into a change of the score."""
        if item.weight is not None:
            return item.weight / HUNDRED
        takes = (self._table.direction is Direction.DEDUCT) is not item.bonus
        return Decimal(-1 if takes else 1)

    def _mark(self, rule: GradeRule) -> Mark:
        promotes = rule in self._table.promotions
        rank = self._ranks[rule.grade]
        return Mark(rule.article, rank, promotes, rule.validity, rule.unless)


def _fixed(mark: Mark | None) -> bool:
    return mark is None or (mark.validity is None and not mark.unless)
