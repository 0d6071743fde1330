"""The settings of what is accounted for: ledgers, reconciliation, and how long rows are kept."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Annotated

from pydantic import Field, model_validator

from schemas.base import Schema
from schemas.columns import ColumnType, columns_of
from schemas.kinds import KINDS
from schemas.recipient import Recipient
from schemas.register import Register


class LedgerSettings(Schema):
    """The ledger of a month 台账: the days of the next month on which it is frozen and is due."""

    #: None: only a person freezes it.
    freeze_day: int | None = Field(default=3, ge=1, le=28)
    #: 郑环办〔2022〕21号: 每月4日前; Suzhou: the 10th.
    due_day: int = Field(default=4, ge=1, le=28)
    recipients: tuple[Recipient, ...] = ()
    #: Authority → its own website 本单位公示网址, for the published table.
    sites: Mapping[str, str] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _each_once(self) -> "LedgerSettings":
        for name, times in Counter(one.name for one in self.recipients).items():
            if times > 1:
                raise ValueError(f"recipients：{name} 写了{times}次；每个 name 只能有一个")
        return self

    @model_validator(mode="after")
    def _frozen_in_time(self) -> "LedgerSettings":
        if self.freeze_day is not None and self.freeze_day > self.due_day:
            raise ValueError(
                f"freeze_day {self.freeze_day} 晚于 due_day {self.due_day}，每月的台账都会逾期；"
                "freeze_day 改成不晚于 due_day，或写 null 由人冻结"
            )
        return self


class ReconcileSettings(Schema):
    """Reconciliation 对账: when it runs by itself, and what may differ."""

    #: The time of day in Beijing from which every side is compared; None: only when asked for.
    at: time | None = time(2, 30)
    #: Column → by how much the two sides may differ: 万元 of amounts, days of dates.
    tolerances: Mapping[str, Annotated[Decimal, Field(ge=0)]] = Field(default_factory=dict)
    #: Columns that are not compared.
    ignored: frozenset[str] = frozenset()
    registers: tuple[Register, ...] = ()

    @model_validator(mode="after")
    def _of_the_standard(self) -> "ReconcileSettings":
        known = {
            column.wire: column.type
            for kind in KINDS.in_order
            for column in columns_of(KINDS[kind].model)
        }
        if wrong := sorted((self.ignored | self.tolerances.keys()) - known.keys()):
            raise ValueError(f"没有列 {'、'.join(wrong)}；列的代码见 schemas/generated")
        measured = {ColumnType.AMOUNT, ColumnType.DATE}
        if wrong := sorted(one for one in self.tolerances if known[one] not in measured):
            raise ValueError(f"tolerances：{'、'.join(wrong)} 不是金额或日期，不比较的写在 ignored")
        return self


#: None: for ever.
MonthsKept = Annotated[int, Field(ge=1, le=1200)] | None


class RetentionSettings(Schema):
    """How many whole months the rows of a class are kept; what is not finished always stays."""

    attempts: MonthsKept = None
    receipts: MonthsKept = None
    audit: MonthsKept = None
    #: With their origins 来源. A topic that keeps messages for longer and is read again from its
    #: start would bring old versions as new ones.
    inbox: MonthsKept = None
    intake_requests: MonthsKept = None  #: Idempotency-Keys
    #: The last one of a subject and those that changed a grade stay.
    assessments: MonthsKept = None

    #: Identity numbers 身份证件号码 of persons, and columns that are not known; the rows stay. From
    #: the last delivery of a decision on, so longer than any platform takes corrections.
    identity_numbers: MonthsKept = None
    quarantine: MonthsKept = None  #: what was resolved; what waits stays

    def classes(self) -> list[str]:
        """Return the names of the classes that are not kept for ever."""
        return [name for name, months in self.model_dump().items() if months is not None]

    def end(self, name: str, day: date) -> datetime:
        """Return the time before which the rows of a class are too old on this day."""
        years, month = divmod(day.year * 12 + day.month - 1 - getattr(self, name), 12)
        return datetime(years, month + 1, 1, tzinfo=UTC)
