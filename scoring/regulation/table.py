"""The table of one kind of subject: bands, repair, warning, limits, publication, and its tariff."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.codes import SubjectKind
from scoring.regulation.intervals import Exact, Interval, Terms
from scoring.regulation.terms import Direction, GradeRule, Item, Months, NoteIds, Quoted, Text


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


class Warning(Quoted):  # noqa: A001 - the regulation's own word
    """That a warning 信用预警 suspends points and vetoes up to its last day."""


class Caps(Terms):
    """The lowest and highest score given; the scale is what the score is meant to lie in.

    `per_decision` is how much one decision may take at least and at most. Whatever a limit changes
    stands in the trace as a row of its own, called after the limit.
    """

    lowest: Exact | None = None
    highest: Exact | None = None
    per_decision: Interval | None = None
    scale: Interval | None = None
    article: Text | None = None
    text: Text | None = None


class Activation(Quoted):
    """From which day on a record counts 生效: so many days after the decision or its creation."""

    days: Annotated[int, Field(ge=1, le=3660)]
    counted_from: Literal["decided_on", "created_on"]


class Snapshot(Quoted):
    """How often a grade is published 评价周期, beside the live one, and which records it counts."""

    cadence: Literal["live", "half_year", "year"]
    counts: Literal["all", "of_period"] = "all"

    @property
    def period_of_a_day(self) -> bool:
        """Whether it counts the records of a period and has none."""
        return self.cadence == "live" and self.counts == "of_period"


class Sites(Quoted):
    """How the sites of one legal person are put together 多厂址."""

    combined: Literal["per_site", "weighted"]
    weight: Text | None = None
    notes: NoteIds = ()


class Listing(Quoted):
    """The list that so many years of one grade in a row lead to 黑名单."""

    title: Text
    grade: Text
    years: Annotated[int, Field(ge=1, le=100)]


class Reliance(Terms):
    """The notes that a trace relies on as soon as the circumstance occurs."""

    repairable: NoteIds = ()  #: a record counts that could be repaired
    bonus: NoteIds = ()  #: a bonus counts
    veto: NoteIds = ()  #: an item counts that comes with a veto
    promotion: NoteIds = ()  #: a promotion counts
    several_rows: NoteIds = ()  #: one decision hits several rows, or one row several times
    unmapped: NoteIds = ()
    warning: NoteIds = ()
    repaired: NoteIds = ()
    repair_void: NoteIds = ()
    repair_hole: NoteIds = ()
    beyond_scale: NoteIds = ()
    capped: NoteIds = ()  #: a limit changes the score
    activation: NoteIds = ()  #: a record counts, or waits, that takes effect later than decided
    exception: NoteIds = ()
    department: NoteIds = ()  #: records are told apart by department
    not_assessed: NoteIds = ()  #: an indicator has no score
    received: NoteIds = ()  #: a grade computed elsewhere wins
    site: NoteIds = ()
    several_sites: NoteIds = ()
    unattributed: NoteIds = ()  #: a record of a legal person with several sites names none
    site_veto: NoteIds = ()  #: a veto of a legal person with several sites counts


class Table(Terms):
    """The scoring table 评价标准 of one or more kinds of subject."""

    title: Text
    kinds: Annotated[tuple[SubjectKind, ...], Field(min_length=1)]
    article: Text
    text: Text
    direction: Direction
    start: Exact
    items: tuple[Item, ...]
    vetoes: tuple[GradeRule, ...] = ()
    promotions: tuple[GradeRule, ...] = ()
    bands: tuple[Band, ...]  #: best first
    repair: Repair | None = None
    warning: Warning | None = None
    caps: Caps = Caps()
    activation: Activation | None = None
    once_per: Literal["department"] | None = None  #: of several records the first one counts
    received_grades: Quoted | None = None  #: that grades computed elsewhere win
    snapshot: Snapshot | None = None
    public: bool = True
    public_rule: Quoted | None = None  #: what says that results are not published
    listing: Listing | None = None
    sites: Sites | None = None
    relies_on: Reliance = Reliance()
    unverified: tuple[Text, ...] = ()  #: names of plain values above that were not read

    @property
    def rules(self) -> tuple[GradeRule, ...]:
        """Everything that sets a grade: vetoes, then promotions."""
        return (*self.vetoes, *self.promotions)

    @property
    def rows(self) -> tuple[Item | GradeRule, ...]:
        """Everything with an id: items, then vetoes, then promotions."""
        return (*self.items, *self.rules)
