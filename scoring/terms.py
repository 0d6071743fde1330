"""The terms of a rule set: items, vetoes, bands, repair waits, notes, and the table of one kind."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from schemas.codes import EventType, SubjectKind
from scoring.intervals import Exact, Interval, Terms

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Months = Annotated[int, Field(ge=0, le=1200)]
NoteIds = tuple[Text, ...]


class Direction(StrEnum):
    """Whether misdeeds take points away 扣分制 or pile them up 记分制."""

    DEDUCT = "deduct"
    ACCUMULATE = "accumulate"


class Note(Terms):
    """How a gap or a contradiction of the text is read 解释说明, and on what ground."""

    id: Text
    question: Text
    reading: Text
    source: Text
    verified: bool = True


class Match(Terms):
    """What an item matches: any of the penalty words (within the amount) or of the event types."""

    penalties: tuple[Text, ...] = ()
    other_words: tuple[Text, ...] = ()  #: free words that stand after 其他-
    amount: Interval | None = None  #: of the fine, in 万元
    events: tuple[EventType, ...] = ()


class DatedPoints(Terms):
    """The points for decisions from a day on: the law at the decision date."""

    decided_from: date
    points: Exact


class Item(Terms):
    """One row of the tariff 评价项; points are signed as they change the score."""

    id: Text
    group: Text
    title: Text
    match: Match = Match()
    points: Exact | None = None
    points_from: Literal["principal"] | None = None
    dated: tuple[DatedPoints, ...] = ()
    printed: Text | None = None  #: the value as the text prints it, where that differs
    article: Text
    text: Text
    validity_months: Annotated[int, Field(ge=1, le=1200)] | None = None
    stacking: Literal["once_per_decision", "each_word"] = "once_per_decision"
    bonus: bool = False
    repairable: bool = True
    notes: NoteIds = ()
    verified: bool = True


class VetoRule(Terms):
    """A situation that sets the grade whatever the score 直接评定; by itself or with an item."""

    id: Text
    title: Text
    match: Match = Match()
    with_items: tuple[Text, ...] = ()
    grade: Text
    article: Text
    text: Text
    repairable: bool = True
    notes: NoteIds = ()
    verified: bool = True

    @property
    def stands_alone(self) -> bool:
        """Whether a fact can be this veto by itself, without an item and its points."""
        return self.match != Match()


class Band(Interval):
    """The scores of one grade 等级分段."""

    grade: Text
    title: Text
    colour: Text | None = None
    article: Text
    verified: bool = True


class Wait(Interval):
    """Months between rectification and repair for records of these points 修复等待期."""

    months: Months
    printed_from: Exact | None = None  #: points below it fall in a hole of the printed text
    text: Text
    notes: NoteIds = ()
    verified: bool = True


class Repair(Terms):
    """How a record is repaired 信用修复: waits by the record's own points, unsigned."""

    article: Text
    waits: tuple[Wait, ...]


class Warning(Terms):  # noqa: A001 - the regulation's own word
    """That a warning 信用预警 suspends points and vetoes up to its last day."""

    article: Text
    text: Text


class Caps(Terms):
    """The lowest and highest score given; the scale is what the score is meant to lie in."""

    lowest: Exact | None = None
    highest: Exact | None = None
    scale: Interval | None = None


class Snapshot(Terms):
    """How often a grade is published 评价周期, beside the live one."""

    cadence: Literal["live", "half_year", "year"]
    article: Text
    text: Text


class Sites(Terms):
    """How the sites of one legal person are put together 多厂址."""

    combined: Literal["per_site", "weighted"]
    weight: Text | None = None
    article: Text
    text: Text
    notes: NoteIds = ()


class Reliance(Terms):
    """The notes that a trace relies on as soon as the circumstance occurs."""

    repairable: NoteIds = ()  #: a record counts that could be repaired
    bonus: NoteIds = ()  #: a bonus counts
    veto: NoteIds = ()
    several_rows: NoteIds = ()  #: one decision hits several rows, or one row several times
    unmapped: NoteIds = ()
    warning: NoteIds = ()
    repaired: NoteIds = ()
    repair_void: NoteIds = ()
    repair_hole: NoteIds = ()
    beyond_scale: NoteIds = ()
    site: NoteIds = ()


class Table(Terms):
    """The scoring table 评价标准 of one or more kinds of subject."""

    title: Text
    kinds: Annotated[tuple[SubjectKind, ...], Field(min_length=1)]
    article: Text
    text: Text
    direction: Direction
    start: Exact
    items: tuple[Item, ...]
    vetoes: tuple[VetoRule, ...] = ()
    bands: tuple[Band, ...]  #: best first
    repair: Repair | None = None
    warning: Warning | None = None
    caps: Caps = Caps()
    activation_delay_days: Annotated[int, Field(ge=0, le=3660)] = 0
    snapshot: Snapshot | None = None
    sites: Sites | None = None
    relies_on: Reliance = Reliance()
    unverified: tuple[Text, ...] = ()  #: names of plain values above that were not read

    @property
    def rows(self) -> tuple[Item | VetoRule, ...]:
        """Everything with an id: items, then vetoes."""
        return (*self.items, *self.vetoes)
