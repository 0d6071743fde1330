"""Destination 报送对象: a platform, bank or topic as data; a connector is the code for its kind."""

from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from schemas.base import SHANGHAI, Schema
from schemas.identifiers import is_sole_trader
from schemas.kinds import KINDS, StandardColumn

#: What a destination takes beside the reported kinds.
GRADE_CHANGE = "grade_change"
#: What stands behind a kind where natural persons have a table of their own.
PERSONS = "persons"


class CountedDays(StrEnum):
    """Which days a clock counts."""

    CALENDAR = "calendar"  #: 日历日
    WORKING = "working"  #: 工作日


class TimeLimit(Schema):
    """A legal time limit 时限: a number of days after the decision date, which is day 0.

    It ends with the last second of the last day in Asia/Shanghai. A calendar limit that ends on a
    holiday is not extended.
    """

    name: str
    days: int = Field(gt=0, le=366)
    counts: CountedDays
    source: str = ""


#: The two clocks that every installation has (ARCHITECTURE.md, "Two clocks").
BUILT_IN_TIME_LIMITS = (
    TimeLimit(
        name="calendar-7", days=7, counts=CountedDays.CALENDAR, source="郑环办〔2022〕21号 任务3"
    ),
    TimeLimit(
        name="working-7",
        days=7,
        counts=CountedDays.WORKING,
        source="发改办财金〔2018〕424号",
    ),
)
#: Clocks of entry 录入期限, from the decision to its arrival here.
ENTRY_TIME_LIMITS = (
    TimeLimit(
        name="entry-5", days=5, counts=CountedDays.WORKING, source="江苏省生态环境厅 2019-12"
    ),
    TimeLimit(
        name="entry-10", days=10, counts=CountedDays.WORKING, source="新乡市环境信用评价工作方案"
    ),
    TimeLimit(
        name="entry-20", days=20, counts=CountedDays.WORKING, source="政府信息公开条例 第二十六条"
    ),
)
#: Clocks of withdrawals and objections, in working days 撤回、异议期限.
FOLLOW_UP_TIME_LIMITS = (
    TimeLimit(name="withdraw-1", days=1, counts=CountedDays.WORKING, source="河南省社会信用条例"),
    TimeLimit(name="objection-3", days=3, counts=CountedDays.WORKING, source="河南省社会信用条例"),
    TimeLimit(name="objection-7", days=7, counts=CountedDays.WORKING, source="河南省社会信用条例"),
)


class AcceptedBy(StrEnum):
    """What counts as accepted 有效入库 at a destination."""

    ANSWER = "answer"  #: 应答: that it took the item
    RECEIPT = "receipt"  #: 回执: its verdict later
    LISTING = "listing"  #: 公示清单: that it shows the item


class KeyPart(StrEnum):
    """What a destination tells decisions of one kind apart by 重复键."""

    DOCUMENT_NUMBER = "document_number"  #: 文书号
    SUBJECT = "subject"  #: 相对人代码
    SUBJECT_NAME = "subject_name"  #: 相对人名称
    AUTHORITY = "authority"  #: 机关
    DECISION_DATE = "decision_date"  #: 决定日期


#: What we tell decisions apart by.
OWN_KEY = frozenset({KeyPart.DOCUMENT_NUMBER, KeyPart.SUBJECT, KeyPart.AUTHORITY})


class DailyHours(Schema):
    """Hours of each day, in Asia/Shanghai."""

    starts: time
    ends: time  #: the first moment behind them; before `starts`: over midnight

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.starts == self.ends:
            raise ValueError("starts 和 ends 相同，一刻也不包括；写成不同的时刻")
        return self

    def covers(self, at: time) -> bool:
        """Whether the time of day is in these hours."""
        if self.starts <= self.ends:
            return self.starts <= at < self.ends
        return at >= self.starts or at < self.ends


class CallRate(Schema):
    """At most so many calls in any span as long as `within`, at these hours or always 限速.

    Sends, look-ups and receipts count together, in all processes of an installation.
    """

    calls: int = Field(ge=1, le=100_000)
    within: timedelta = Field(ge=timedelta(seconds=1), le=timedelta(days=1))
    during: DailyHours | None = None


def _taken(name: str) -> str:
    known = (*KINDS.in_order, GRADE_CHANGE)
    if name not in known:
        raise ValueError(f"不认识 {name}；可用：{'、'.join(known)}")
    return name


def _table(name: str) -> str:
    """Accept a kind that has tables, or its natural persons."""
    kind, sign, rest = name.partition("/")
    if sign and (rest != PERSONS or kind == GRADE_CHANGE):
        raise ValueError(
            f"不认识 {name}；自然人另有一张表的，写 种类/{PERSONS}，如 penalty/{PERSONS}"
        )
    _taken(kind)
    return name


def _some_kind(takes: frozenset[str]) -> frozenset[str]:
    if not takes:
        raise ValueError(f"至少写一种；可用：{'、'.join((*KINDS.in_order, GRADE_CHANGE))}")
    return takes


#: The name of a reported kind, or "grade_change".
TakenKind = Annotated[str, AfterValidator(_taken)]
#: The key of a table: a kind, or "penalty/persons" where natural persons 自然人 have their own.
TakenTable = Annotated[str, AfterValidator(_table)]
#: A span of time as configured.
Wait = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=366))]


class Destination(Schema):
    """One destination as configured; `settings` belong to its connector and hold no secret."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")
    title: str
    connector: str
    settings: dict[str, Any] = Field(default_factory=dict)
    #: names of reported kinds, and "grade_change"
    takes: Annotated[frozenset[TakenKind], AfterValidator(_some_kind)]
    clocks: tuple[str, ...] = ("working-7",)
    since: date | None = None
    requires: frozenset[StandardColumn] | None = None
    not_required: frozenset[StandardColumn] = frozenset()
    regions: tuple[Annotated[str, Field(pattern=r"^[0-9]{1,6}$")], ...] = ()
    headline: bool = False
    grade_due: Wait = timedelta(hours=1)
    receipt_within: Wait = timedelta(days=2)
    #: After the hand-over: without a receipt by then the item is looked up, and a person is asked.
    silent_after: Wait = timedelta(days=5)
    settle: Wait = timedelta(seconds=60)
    #: What counts as accepted there; null: an answer that says so, or else a receipt.
    accepted_by: AcceptedBy | None = None
    #: What it tells decisions apart by [B]: of two that are one to it, the later waits for a
    #: person, and so does a correction of a part of the key.
    duplicate_key: frozenset[KeyPart] = OWN_KEY
    #: Whether what may have arrived is sent again by itself, as its connector does; else a person
    #: finds out, until he has seen that the platform keeps to its contract.
    resends: bool = True
    #: Whether it has sole traders 个体工商户, whose codes begin with 92, among natural persons.
    #: Switched on later, it counts for all that is sent from then on, corrections and withdrawals
    #: of earlier rows too: `exchange-database` writes these where the row is, others do not.
    sole_traders_are_persons: bool = False
    #: After the hand-over: by then the platform's listing must show the item.
    shown_within: Wait = timedelta(days=1)
    retry_floor: Wait = timedelta(seconds=30)
    retry_cap: Wait = timedelta(hours=1)
    rates: tuple[CallRate, ...] = ()  #: what it bears; all of them hold at once
    #: 免打扰时段, in which it is not called
    quiet_hours: tuple[DailyHours, ...] = ()
    #: Of each claim, the share kept for deliveries that were never tried, so that retries, which
    #: are due earlier, cannot starve them.
    fresh_share: float = Field(default=0.25, ge=0, le=1)
    #: Of each claim, the share for deliveries that were overdue before they were tried, such as a
    #: year that is reported afterwards, while others wait.
    backfill_share: float = Field(default=0.25, ge=0.01, le=1)
    #: Of what it shows, the share that may be corrected or withdrawn in a day; more waits for a
    #: person. null: whatever changes.
    change_share: float | None = Field(default=0.3, ge=0, le=1)

    def has_among_persons(self, code: str) -> bool:
        """Whether the subject of a credit code is a natural person to it."""
        return self.sole_traders_are_persons and is_sole_trader(code)

    @field_validator("duplicate_key")
    @classmethod
    def _has_the_number(cls, key: frozenset[KeyPart]) -> frozenset[KeyPart]:
        if KeyPart.DOCUMENT_NUMBER not in key:
            raise ValueError("要有 document_number：没有一个平台不看文书号")
        return key

    @field_validator("quiet_hours")
    @classmethod
    def _some_hours_left(cls, hours: tuple[DailyHours, ...]) -> tuple[DailyHours, ...]:
        minutes = (time(minute // 60, minute % 60) for minute in range(24 * 60))
        if all(any(one.covers(at) for one in hours) for at in minutes):
            raise ValueError("合起来是全天，永远不会报送；留出可以报送的时段")
        return hours

    def is_quiet(self, at: datetime) -> bool:
        """Whether the destination must not be called at this time."""
        local = at.astimezone(SHANGHAI).time()
        return any(hours.covers(local) for hours in self.quiet_hours)
