"""The scoring table of a subject kind: tariff, bands, repair, warning, limits, publication."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.codes import SubjectKind
from scoring.regulation.intervals import Exact, Interval, Terms
from scoring.regulation.terms import (
    Direction,
    GradeRule,
    MonthDay,
    Months,
    NoteIds,
    Quoted,
    TariffItem,
    Text,
)


class Band(Interval):
    """The range of scores of one grade 等级分段."""

    grade: Text
    title: Text
    colour: Text | None = None
    article: Text
    verified: bool = True


class Wait(Interval):
    """The wait between rectification and repair for records of these points 修复等待期."""

    months: Months
    printed_from: Exact | None = None  #: the printed text says nothing about points below it
    text: Text
    notes: NoteIds = ()
    verified: bool = True


class Repair(Terms):
    """How a record is repaired 信用修复: waits, found by the absolute points of the record.

    `from_grade`: a wait counts from the day on which the records of the year reached a grade below
    the best, or from the rectification if that is later, and anew from each record within it.
    """

    article: Text
    waits: tuple[Wait, ...]
    from_grade: bool = False


class Warning(Quoted):  # noqa: A001 - the regulation's own word
    """The rule that a warning 信用预警 suspends points and vetoes until its last day."""


class Caps(Terms):
    """Limits of the score: `lowest` and `highest` are enforced, `scale` only adds a note.

    `per_decision` is the least and the most that one decision takes. Each change by a limit is a
    separate row of the trace, named after the limit.
    """

    lowest: Exact | None = None
    highest: Exact | None = None
    per_decision: Interval | None = None
    scale: Interval | None = None
    article: Text | None = None
    text: Text | None = None


class ActivationDelay(Quoted):
    """The day a record takes effect 生效: so many days after its decision or its creation.

    `validity_from` says from when months of validity count: from that day, or from the day that the
    delay is counted from.
    """

    days: Annotated[int, Field(ge=1, le=3660)]
    counted_from: Literal["decided_on", "created_on"]
    validity_from: Literal["effect", "counted_from"] = "effect"


class Snapshot(Quoted):
    """How often a grade is published 评价周期, and which records the published grade counts."""

    cadence: Literal["live", "half_year", "year"]
    counts: Literal["all", "of_period"] = "all"
    #: The day of the year on which the grade of the last period is published 公布日, such as 06-30;
    #: where a text gives a deadline, that.
    published_on: MonthDay | None = None

    @property
    def period_of_a_day(self) -> bool:
        """Whether the values contradict: `live` has no period, so `of_period` is impossible."""
        return self.cadence == "live" and self.counts == "of_period"


class Sites(Quoted):
    """How the sites of one legal person are combined 多厂址."""

    combined: Literal["per_site", "weighted"]
    weight: Text | None = None
    notes: NoteIds = ()


class Listing(Quoted):
    """The blacklist 黑名单: a subject is on it after `years` consecutive years of `grade`."""

    title: Text
    grade: Text
    years: Annotated[int, Field(ge=1, le=100)]


class Reliance(Terms):
    """The notes that an assessment cites if the circumstance occurs."""

    repairable: NoteIds = ()  #: a repairable record counts
    bonus: NoteIds = ()  #: a bonus counts
    veto: NoteIds = ()  #: an item counts that also sets a veto
    promotion: NoteIds = ()  #: a promotion counts
    several_rows: NoteIds = ()  #: one decision hits several rows, or one row several times
    unmapped: NoteIds = ()
    warning: NoteIds = ()
    repaired: NoteIds = ()
    repair_void: NoteIds = ()
    repair_hole: NoteIds = ()
    beyond_scale: NoteIds = ()
    capped: NoteIds = ()  #: a limit changes the score
    activation: NoteIds = ()  #: a record counts or waits, and the table delays its effect
    exception: NoteIds = ()
    department: NoteIds = ()  #: a record counts, and only one per department does
    not_assessed: NoteIds = ()  #: an indicator has no score
    received: NoteIds = ()  #: a grade computed elsewhere replaces the own grade
    site: NoteIds = ()
    several_sites: NoteIds = ()
    unattributed: NoteIds = ()  #: a record of a legal person with several sites names none
    unconfirmed: NoteIds = ()  #: a record that the participant reported waits for confirmation
    site_veto: NoteIds = ()  #: a veto of a legal person with several sites counts
    earlier_kind: NoteIds = ()  #: a record counts that is older than the subject's present kind


class Table(Terms):
    """The scoring table 评价标准 of one or more subject kinds."""

    title: Text
    kinds: Annotated[tuple[SubjectKind, ...], Field(min_length=1)]
    article: Text
    text: Text
    direction: Direction
    start: Exact
    items: tuple[TariffItem, ...]
    vetoes: tuple[GradeRule, ...] = ()
    promotions: tuple[GradeRule, ...] = ()
    bands: tuple[Band, ...]  #: best first
    repair: Repair | None = None
    warning: Warning | None = None
    #: The rule that what a participant reports itself counts only once it is confirmed 审核确认.
    confirmation: Quoted | None = None
    caps: Caps = Caps()
    activation: ActivationDelay | None = None
    once_per: Literal["department"] | None = None  #: only its first record counts
    #: The records of one year count together. A grade that a past year gave stands until repaired.
    by_year: bool = False
    received_grades: Quoted | None = None  #: rule: grades computed elsewhere replace the own
    snapshot: Snapshot | None = None
    public: bool = True
    public_rule: Quoted | None = None  #: the rule that results are not published
    listing: Listing | None = None
    sites: Sites | None = None
    relies_on: Reliance = Reliance()
    unverified: tuple[Text, ...] = ()  #: fields above whose values were not verified

    def knows_agency(self, kind: str) -> bool:
        """Return whether rows count for this kind of agency 机构类型 only."""
        return any(kind in item.agency_kinds for item in self.items)

    @property
    def rules(self) -> tuple[GradeRule, ...]:
        """All grade rules: vetoes, then promotions."""
        return (*self.vetoes, *self.promotions)

    @property
    def rows(self) -> tuple[TariffItem | GradeRule, ...]:
        """All rows with an id: items, then vetoes, then promotions."""
        return (*self.items, *self.rules)
