"""Tariff rows made ready for the engine: texts rendered, notes as bits, vetoes attached."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from scoring.facts import Fact, plain
from scoring.intervals import Interval
from scoring.notes import NoteBook
from scoring.terms import Direction, Item, Table, VetoRule


@dataclass(frozen=True, slots=True)
class VetoMark:
    """What a row says about the grade: its article and how bad the grade is."""

    article: str
    rank: int


@dataclass(frozen=True, slots=True)
class Row:
    """One item, or one veto without points, as the engine counts it."""

    item: str
    points: Decimal | None  #: None: without points, or taken from the fact
    points_text: str
    article: str
    text: str
    amount: Interval | None
    validity: int | None
    dated: tuple[tuple[date, Decimal], ...]
    principal_sign: int  #: -1 or 1 where the points come from the fact, else 0
    repairable: bool
    warnable: bool
    each_word: bool
    veto: VetoMark | None
    notes: int

    @property
    def fixed(self) -> bool:
        """Whether the row counts the same whatever the fact says, as long as it is not closed."""
        return self.validity is None and not self.dated and not self.principal_sign

    def points_for(self, fact: Fact) -> Decimal | None:
        """The signed points of this fact; None if the row has none or the fact lacks them."""
        if self.principal_sign:
            principal = fact.principal_points
            return None if principal is None else principal * self.principal_sign
        points = self.points
        for decided_from, dated in self.dated:
            if decided_from <= fact.decided_on:
                points = dated
        return points


class RowMaker:
    """Makes the rows of one table."""

    def __init__(self, table: Table, book: NoteBook) -> None:
        """Remember which veto comes with which item."""
        self._table = table
        self._book = book
        self._ranks = {band.grade: place for place, band in enumerate(table.bands)}
        self._vetoes = {item: rule for rule in table.vetoes for item in rule.with_items}

    def item(self, item: Item) -> Row:
        """The row of an item, with the veto that comes with it."""
        veto = self._vetoes.get(item.id)
        relies = self._table.relies_on
        repairable = item.repairable and self._table.repair is not None
        ids = item.notes + (relies.bonus if item.bonus else ())
        ids += relies.repairable if repairable else ()
        ids += relies.veto if veto else ()
        sign = -1 if self._table.direction is Direction.DEDUCT else 1
        return Row(
            item=item.id,
            points=item.points,
            points_text="" if item.points is None else plain(item.points),
            article=item.article,
            text=item.text,
            amount=item.match.amount,
            validity=item.validity_months,
            dated=tuple((dated.decided_from, dated.points) for dated in item.dated),
            principal_sign=sign if item.points_from else 0,
            repairable=repairable,
            warnable=not item.bonus and self._table.warning is not None,
            each_word=item.stacking == "each_word",
            veto=self._mark(veto) if veto else None,
            notes=self._book.mask(ids),
        )

    def veto(self, rule: VetoRule) -> Row:
        """The row of a veto that stands by itself."""
        repairable = rule.repairable and self._table.repair is not None
        return Row(
            item=rule.id,
            points=None,
            points_text="",
            article=rule.article,
            text=rule.text,
            amount=rule.match.amount,
            validity=None,
            dated=(),
            principal_sign=0,
            repairable=repairable,
            warnable=self._table.warning is not None,
            each_word=False,
            veto=self._mark(rule),
            notes=self._book.mask(rule.notes),
        )

    def _mark(self, rule: VetoRule) -> VetoMark:
        return VetoMark(rule.article, self._ranks[rule.grade])
