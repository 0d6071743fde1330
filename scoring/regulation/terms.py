"""The terms of a tariff: what items and grade rules match, their points and their validity."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from schemas.codes import EventType
from scoring.regulation.intervals import Exact, Interval, Terms

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Months = Annotated[int, Field(ge=0, le=1200)]
SomeMonths = Annotated[int, Field(ge=1, le=1200)]
NoteIds = tuple[Text, ...]


class Direction(StrEnum):
    """Whether violations subtract points from a start 扣分制 or add up penalty points 记分制."""

    DEDUCT = "deduct"
    ACCUMULATE = "accumulate"


class Note(Terms):
    """How a gap or a contradiction of the text is interpreted 解释说明, and why."""

    id: Text
    question: Text
    reading: Text
    source: Text
    verified: bool = True


#: A day of every year, such as 06-30.
MonthDay = Annotated[
    str, Field(pattern=r"^(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-30)$")
]


class Quoted(Terms):
    """A rule of the regulation: article and quoted text."""

    article: Text
    text: Text


class Decided(Terms):
    """A range of decision days, both ends included; a missing end is open."""

    model_config = ConfigDict(populate_by_name=True)

    first: date | None = Field(default=None, alias="from")
    last: date | None = Field(default=None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first is not None and self.last is not None and self.last < self.first:
            message = f"to {self.last} 早于 from {self.first}；改正日期"
            raise ValueError(message)
        return self

    def contains(self, day: date) -> bool:
        """Return whether the day is in the range."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Validity(Terms):
    """How long a record counts 有效期: for months, or until the end of the decision's year."""

    months: SomeMonths | None = None
    until: Literal["year_end"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.months is None) == (self.until is None):
            message = "months 与 until 写且只写一个"
            raise ValueError(message)
        return self


class Match(Terms):
    """What a row matches: any of the words or codes, or any of the event types.

    For words and codes the fine must be within `amount`; everything only for decision days within
    `decided`. A fact that names the item by its id hits it without these conditions.
    """

    penalties: tuple[Text, ...] = ()
    other_words: tuple[Text, ...] = ()  #: free words after the prefix 其他-
    amount: Interval | None = None  #: of the fine, in 万元
    events: tuple[EventType, ...] = ()
    codes: tuple[Text, ...] = ()  #: such as 违法行为代码
    decided: Decided | None = None


class Condition(Terms):
    """When an exception applies: every given field must hold; of a list, one entry is enough.

    `clean_months` and `counted_within_months` look at the subject's other adverse records, and at
    penalties without a row, that were decided within so many months before the day of assessment,
    even if they no longer count.
    """

    penalties: tuple[Text, ...] = ()
    amount: Interval | None = None
    codes: tuple[Text, ...] = ()
    events: tuple[EventType, ...] = ()
    decided: Decided | None = None
    rectified_within_days: Annotated[int, Field(ge=0, le=3660)] | None = None
    clean_months: SomeMonths | None = None  #: there is no such record
    counted_within_months: SomeMonths | None = None  #: there is one

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self == Condition.model_construct():
            message = "条件是空的；写明或删去"
            raise ValueError(message)
        return self


class Unless(Terms):
    """An exception 例外: if it applies, these points replace the row's; null or 0: no count."""

    id: Text
    when: Condition
    points: Exact | None = None
    article: Text
    text: Text
    verified: bool = True


class DatedPoints(Terms):
    """Points for decisions from a day on, and the validity if it changed too."""

    decided_from: date
    points: Exact
    validity: Validity | None = None


class Source(StrEnum):
    """The field of the fact that gives an item's points, if the text prints none."""

    PRINCIPAL = "principal"  #: the points that the client lost 同委托单位
    STATED = "stated"  #: the points that the decision states
    INDICATOR = "indicator"  #: weight × (score of the indicator − 100) / 100


class TariffItem(Terms):
    """One row of the tariff 评价项; the sign of the points is that of the change of score."""

    id: Text
    group: Text
    title: Text
    match: Match = Match()
    points: Exact | None = None
    points_from: Source | None = None
    weight: Exact | None = None  #: weight of an indicator 权重, in percent
    dated: tuple[DatedPoints, ...] = ()
    printed: Text | None = None  #: the value as the text prints it, if it differs
    article: Text
    text: Text
    validity: Validity | None = None
    stacking: Literal["once_per_decision", "each_word", "latest"] = "once_per_decision"
    unless: tuple[Unless, ...] = ()
    bonus: bool = False
    repairable: bool = True
    agency_kinds: tuple[Text, ...] = ()  #: 机构类型 for which alone it counts; empty: for all
    notes: NoteIds = ()
    verified: bool = True

    def is_of(self, agency_kinds: tuple[str, ...]) -> bool:
        """Return whether the row counts for an agency of these kinds."""
        return not self.agency_kinds or not set(agency_kinds).isdisjoint(self.agency_kinds)


class GradeRule(Terms):
    """A veto or a promotion: sets the grade 直接评定, matched alone or together with an item.

    Together with an item it applies as long as the item counts, unless it has its own validity.
    """

    id: Text
    title: Text
    match: Match = Match()
    by_item: bool = False  #: only facts that name its id match it
    with_items: tuple[Text, ...] = ()
    grade: Text
    article: Text
    text: Text
    validity: Validity | None = None
    unless: tuple[Unless, ...] = ()
    repairable: bool = True
    notes: NoteIds = ()
    verified: bool = True

    @property
    def stands_alone(self) -> bool:
        """Whether facts can match this rule alone, without an item."""
        return self.by_item or self.match != Match()
