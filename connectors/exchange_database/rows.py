"""Items as rows of a staging table: its columns as the database has them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, MetaData, Table, inspect
from sqlalchemy.dialects import mysql
from sqlalchemy.exc import NoSuchTableError

from connectors.errors import CallRejected
from connectors.exchange_database.settings import MovedTable, StagingTable
from connectors.exchange_database.values import NotFitting, plain, python_type, value_for
from connectors.shared.words import reason
from schemas.base import SHANGHAI
from schemas.delivery import Item


class NoColumn(CallRejected):
    """The table lacks a column that a row needs."""


@dataclass(frozen=True, slots=True)
class Staging:
    """A staging table as it is, and as it is configured."""

    settings: StagingTable
    table: Table
    moved: Table | None
    passed: tuple[Any, ...] = ()  #: check signs, of the type of their column
    failed: tuple[Any, ...] = ()
    untouched: tuple[Any, ...] = ()  #: signs of a row that the platform has not looked at

    def column(self, name: str) -> Column[Any]:
        """Return a column by the platform's name, in whatever case."""
        return column_of(self.table, name)

    def verdict(self, sign: Any) -> bool | None:
        """Return what a check sign says, however its column writes it; None: nothing yet."""
        written = plain(sign)
        if written in map(plain, self.passed):
            return True
        return False if written in map(plain, self.failed) else None

    @staticmethod
    def words_of(cause: Any) -> str:
        """Return the platform's cause for people; it may quote whom the row is about."""
        if isinstance(cause, bytes):
            cause = cause.decode(errors="replace")
        said = "" if cause is None else str(cause).strip()
        return reason(f"平台校验未通过：{said or '没有写原因'}")


def staging(connection: Connection, settings: StagingTable) -> Staging:
    """Read the tables of the database.

    Raises:
        CallRejected: it lacks a table or a column, or a value of the settings does not fit there.
    """
    table = _table(connection, settings.name)
    if python_type(column_of(table, settings.key_column)) is not str:
        raise CallRejected(
            f"前置库的表 {settings.name}：标识列 {settings.key_column} 不是文本列，放不下本方标识"
        )
    named = (settings.inserted_column, settings.cause_column, *settings.columns.values())
    for name in named:
        if name is not None:
            column_of(table, name)
    if settings.inserted_column is not None:
        _holds_times(column_of(table, settings.inserted_column))
    for name, value in settings.written:
        _fitting(table, name, value)
    passed, failed = settings.passed, settings.failed
    if (check := settings.check_column) is None:
        passed = failed = frozenset()
    moved = settings.moved_to
    return Staging(
        settings,
        table,
        None if moved is None else _moved(connection, moved),
        tuple(_fitting(table, check or "", sign) for sign in sorted(passed)),
        tuple(_fitting(table, check or "", sign) for sign in sorted(failed)),
        () if check is None else tuple(_blank(column_of(table, check))),
    )


def _blank(check: Column[Any]) -> Iterator[Any]:
    """Yield the signs that a table has by default, beside none."""
    for sign in ("", "0"):
        with suppress(NotFitting):
            yield value_for(check, sign)


def _fitting(table: Table, name: str, value: str) -> Any:
    """Return a value of the settings; one that does not fit would have every row refused."""
    try:
        return value_for(column_of(table, name), value)
    except NotFitting as error:
        raise CallRejected(
            f"前置库的表 {table.fullname}：settings 里的值不合适，{error}"
        ) from error


def _moved(connection: Connection, settings: MovedTable) -> Table:
    table = _table(connection, settings.name)
    column_of(table, settings.key_column)
    _holds_times(column_of(table, settings.time_column))
    return table


def _holds_times(column: Column[Any]) -> None:
    if python_type(column) not in {date, datetime, str}:
        raise CallRejected(f"前置库的列 {column.name} 既不是日期时间，也不是文本：换一列")


def _table(connection: Connection, name: str) -> Table:
    schema, _, only = name.rpartition(".")
    try:
        found = inspect(connection).get_columns(only, schema or None)
    except NoSuchTableError:
        found = []
    if not found:
        raise CallRejected(f"前置库里没有表 {name}，或账号看不到它：核对表名、模式和授权")
    columns = [
        Column(one["name"], Integer() if isinstance(one["type"], mysql.BIT) else one["type"])
        for one in found
    ]
    return Table(only, MetaData(), *columns, schema=schema or None)


def column_of(table: Table, name: str) -> Column[Any]:
    """Return a column by its name, in whatever case; raises NoColumn without one."""
    folded = name.lower()
    for column in table.columns:
        if column.name.lower() == folded:
            return column
    raise NoColumn(
        f"前置库的表 {table.fullname} 没有列 {name}：在 columns 里写它的名字，或写进 left_out"
    )


def row_of(item: Item, place: Staging, now: datetime) -> dict[str, Any]:
    """Return the row of an item, by the names of the table.

    Raises:
        NotFitting: a value is too long for its column, or not of its type.
        NoColumn: the table lacks a column.
        CallRejected: our key does not fit, which no row of ours would.
    """
    settings = place.settings
    texts = settings.values(item)
    if settings.status_column is not None:
        texts[settings.status_column] = settings.statuses.get(item.verb)
    if settings.inserted_column is not None:
        texts[settings.inserted_column] = now.astimezone(SHANGHAI).replace(tzinfo=None)
    row = {(column := place.column(name)).name: value_for(column, v) for name, v in texts.items()}
    key = place.column(settings.key_column)
    try:
        return {**row, key.name: value_for(key, item.key)}
    except NotFitting as error:
        raise CallRejected(f"标识列放不下本方标识，请平台加长；{error}") from error
