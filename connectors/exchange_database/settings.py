"""Configuration of `exchange-database`. [B] marks values that differ from platform to platform."""

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from connectors.shared.layout import Layout, Name
from connectors.shared.layout_checks import fitting
from schemas.base import Schema
from schemas.destination import TakenTable


class MovedTable(Schema):
    """The table to which the platform moves the rows that pass its check, or a view of it."""

    name: Name = Field(title="表名，可带模式")
    key_column: Name = Field(title="本方标识的列")
    time_column: Name = Field(title="移入时间的列，如 sync_date")


class PullBack(Schema):
    """When a row may still be taken back: from `begin` of its day until the platform's pick-up."""

    begin: time = Field(default=time(8), title="从几点起插入的")
    end: time = Field(default=time(23, 50), title="到几点止，平台夜间提取之前")

    @model_validator(mode="after")
    def _in_one_day(self) -> Self:
        if self.begin >= self.end:
            raise ValueError("begin 应早于 end：只在同一天里、夜间提取之前撤下")
        return self


class StagingTable(Layout):
    """The staging table 暂存表 of one record kind, with the platform's own column names [B]."""

    name: Name = Field(title="表名，可带模式，如 DBO.frxzcf")
    key_column: Name = Field(title="携带本方标识的列；最好有唯一索引")
    inserted_column: Name | None = Field(default=None, title="由本方写入的插入时间列")
    check_column: Name | None = Field(default=None, title="校验标志列，如 check_sign")
    cause_column: Name | None = Field(default=None, title="未通过原因列，如 check_unpass_cause")
    passed: frozenset[str] = Field(default=frozenset({"1"}), title="校验标志：通过")
    failed: frozenset[str] = Field(default=frozenset({"2"}), title="校验标志：未通过")
    moved_to: MovedTable | None = Field(default=None, title="通过后移入的表")

    @model_validator(mode="after")
    def _verdicts_differ(self) -> Self:
        if both := self.passed & self.failed:
            raise ValueError(f"passed 和 failed 都有 {'、'.join(sorted(both))}；一个标志只能是一种")
        return self

    def beside(self) -> Iterator[tuple[str, str]]:
        """Yield the columns that are ours or the platform's, and of no item."""
        yield from super().beside()
        for setting in ("key_column", "inserted_column", "check_column", "cause_column"):
            if (name := getattr(self, setting)) is not None:
                yield setting, name

    @property
    def answers(self) -> bool:
        """Whether the platform says here what became of a row."""
        return self.check_column is not None or self.moved_to is not None

    @property
    def written(self) -> list[tuple[str, str]]:
        """Return the values of these settings that are written, with their columns."""
        status = self.status_column
        statuses = [] if status is None else [(status, one) for one in self.statuses.values()]
        return [*self.constants.items(), *statuses]


class ExchangeDatabaseSettings(Schema):
    """Configuration of an `exchange-database` destination 前置库.

    The account needs insert, select and delete on the tables, and nothing else. Where natural
    persons get a table of their own later, rows of before are found in the other one, and what
    corrects, withdraws or repairs them goes there.
    """

    url: SecretStr = Field(title="数据库地址，SQLAlchemy 的写法")
    tables: Annotated[dict[TakenTable, StagingTable], AfterValidator(fitting)] = Field(
        min_length=1, title="暂存表，按记录种类"
    )
    pull_back: PullBack | None = Field(default=None, title="提取之前可以撤下；不写就不撤下")
    batch_size: int = Field(default=200, ge=1, le=5000, title="每批条数")
    concurrency: int = Field(default=1, ge=1, le=8, title="并发数")
    call_timeout: timedelta = Field(
        default=timedelta(seconds=60), ge=timedelta(seconds=3), title="单次调用时限"
    )

    @field_validator("url")
    @classmethod
    def _can_be_opened(cls, url: SecretStr) -> SecretStr:
        """Refuse an address that no driver reads; its words never quote the password."""
        try:
            place = make_url(url.get_secret_value())
            dialect = place.get_dialect()
            dialect.import_dbapi()
        except (ArgumentError, NoSuchModuleError, ValueError):
            raise ValueError(
                "不是 SQLAlchemy 认识的数据库地址；应如 mysql+pymysql://用户:密码@主机:3306/库"
            ) from None
        except ImportError as error:
            raise ValueError(f"没有装数据库驱动 {error.name}；用 pip 装上再启动") from None
        if dialect.is_async:
            raise ValueError(f"{place.drivername} 是异步驱动；用同步的，如 mysql+pymysql")
        return url

    @model_validator(mode="after")
    def _can_be_taken_back(self) -> Self:
        for kind, table in self.tables.items():
            if self.pull_back is not None and table.inserted_column is None:
                raise ValueError(f"tables.{kind}：写了 pull_back 就要写 inserted_column")
        return self
