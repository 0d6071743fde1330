"""The terms of a tariff: what items and grade rules match, what they count and until when."""

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


class Quoted(Terms):
    """A rule of the text with its article."""

    article: Text
    text: Text


class Decided(Terms):
    """The days of decision that are meant, both ends included; an end not given is open."""

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
        """Whether a decision of that day is meant."""
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


class Validity(Terms):
    """How long a record counts 有效期: months from taking effect, or the decision's whole year."""

    months: SomeMonths | None = None
    until: Literal["year_end"] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.months is None) == (self.until is None):
            message = "months 与 until 写且只写一个"
            raise ValueError(message)
        return self


class Match(Terms):
    """What a row matches: any of the words or codes (within the amount), or event types.

    All of them only for decisions of the days that are meant. A fact that names the item itself
    is not looked at any further.
    """

    penalties: tuple[Text, ...] = ()
    other_words: tuple[Text, ...] = ()  #: free words that stand after 其他-
    amount: Interval | None = None  #: of the fine, in 万元
    events: tuple[EventType, ...] = ()
    codes: tuple[Text, ...] = ()  #: such as 违法行为代码
    decided: Decided | None = None


class Condition(Terms):
    """When an exception applies: everything that is written has to hold, of lists any entry.

    The two last ones look at the subject's other records that take points or set a grade and were
    decided within so many months before the day asked about, whether or not they count on it.
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
    """An exception 例外: when it applies, other points, or none (null or 0: does not count)."""

    id: Text
    when: Condition
    points: Exact | None = None
    article: Text
    text: Text
    verified: bool = True


class DatedPoints(Terms):
    """Points for decisions from a day on, and the validity if it changed: the law of that day."""

    decided_from: date
    points: Exact
    validity: Validity | None = None


class Source(StrEnum):
    """Where the points of an item come from if they are not printed."""

    PRINCIPAL = "principal"  #: what the client lost 同委托单位
    STATED = "stated"  #: what the decision states
    INDICATOR = "indicator"  #: weight × (score of the indicator − 100) / 100


class Item(Terms):
    """One row of the tariff 评价项; points are signed as they change the score."""

    id: Text
    group: Text
    title: Text
    match: Match = Match()
    points: Exact | None = None
    points_from: Source | None = None
    weight: Exact | None = None  #: of an indicator 权重, in percent
    dated: tuple[DatedPoints, ...] = ()
    printed: Text | None = None  #: the value as the text prints it, where that differs
    article: Text
    text: Text
    validity: Validity | None = None
    stacking: Literal["once_per_decision", "each_word", "latest"] = "once_per_decision"
    unless: tuple[Unless, ...] = ()
    bonus: bool = False
    repairable: bool = True
    notes: NoteIds = ()
    verified: bool = True


class GradeRule(Terms):
    """A situation that sets the grade 直接评定: a veto or a promotion; by itself or with an item.

    With an item it lasts as long as the item counts, unless it has a validity of its own.
    """

    id: Text
    title: Text
    match: Match = Match()
    by_item: bool = False  #: facts name it by its id, nothing else matches it
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
        """Whether a fact can be this rule by itself, without an item and its points."""
        return self.by_item or self.match != Match()
