"""Items as rows of a staging table: its columns as the database has them, and typed values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

import orjson
from sqlalchemy import Column, Connection, MetaData, Table, inspect
from sqlalchemy.exc import NoSuchTableError

from connectors.errors import CallRejected
from connectors.exchange_database.settings import MovedTable, StagingTable
from schemas.base import SHANGHAI
from schemas.delivery import Item


class NotFitting(ValueError):
    """A value does not fit its column; the message says so in Chinese."""


@dataclass(frozen=True, slots=True)
class Staging:
    """A staging table as it is, and as it is configured."""

    settings: StagingTable
    match: tuple[str, ...]  #: wire columns by which rows of one decision are found
    table: Table
    moved: Table | None

    def column(self, name: str) -> Column[Any]:
        """Return a column by the platform's name, in whatever case."""
        return column_of(self.table, name)


def staging(connection: Connection, settings: StagingTable, match: tuple[str, ...]) -> Staging:
    """Read the tables of the database; raises CallRejected for a table or column that it lacks."""
    table = _table(connection, settings.name)
    named = [settings.key_column, *settings.constants]
    named += [
        name
        for name in (
            settings.inserted_column,
            settings.status_column,
            settings.check_column,
            settings.cause_column,
        )
        if name is not None
    ]
    for name in (*named, *map(settings.theirs, match)):
        column_of(table, name)
    moved = settings.moved_to
    return Staging(settings, match, table, None if moved is None else _moved(connection, moved))


def _moved(connection: Connection, settings: MovedTable) -> Table:
    table = _table(connection, settings.name)
    for name in (settings.key_column, settings.time_column):
        column_of(table, name)
    return table


def _table(connection: Connection, name: str) -> Table:
    schema, _, plain = name.rpartition(".")
    try:
        found = inspect(connection).get_columns(plain, schema or None)
    except NoSuchTableError:
        found = []
    if not found:
        raise CallRejected(f"前置库里没有表 {name}，或账号看不到它：核对表名、模式和授权")
    columns = [Column(one["name"], one["type"]) for one in found]
    return Table(plain, MetaData(), *columns, schema=schema or None)


def column_of(table: Table, name: str) -> Column[Any]:
    """Return a column by its name, in whatever case; raises CallRejected without one."""
    folded = name.lower()
    for column in table.columns:
        if column.name.lower() == folded:
            return column
    raise CallRejected(
        f"前置库的表 {table.fullname} 没有列 {name}：在 columns 里写它的名字，或写进 left_out"
    )


def row_of(item: Item, place: Staging, now: datetime) -> dict[str, Any]:
    """Return the row of an item, by the names of the table.

    Raises:
        NotFitting: a value is too long for its column, or not of its type.
        CallRejected: the table lacks a column.
    """
    settings = place.settings
    texts: dict[str, Any] = {
        settings.theirs(wire): value
        for wire, value in item.columns.items()
        if wire not in settings.left_out and value is not None
    }
    texts |= settings.constants
    if settings.status_column is not None:
        texts[settings.status_column] = settings.statuses.get(item.verb)
    if settings.inserted_column is not None:
        texts[settings.inserted_column] = now.astimezone(SHANGHAI).replace(tzinfo=None)
    texts[settings.key_column] = item.key
    return {(column := place.column(name)).name: value_for(column, v) for name, v in texts.items()}


def matching(item: Item, place: Staging) -> Mapping[str, Any]:
    """Return the values by which the rows of an item's decision are found, by their columns."""
    found = {}
    for wire in place.match:
        column = place.column(place.settings.theirs(wire))
        found[column.name] = value_for(column, item.columns.get(wire))
    return found


def value_for(column: Column[Any], value: Any) -> Any:
    """Return a value as the type of its column; raises NotFitting with the column and the fault."""
    if value is None or isinstance(value, datetime):
        return value if value is None else _at(column, value)
    text = value if isinstance(value, str) else _text(value)
    wanted = _python_type(column)
    try:
        if wanted is date or wanted is datetime:
            day = date.fromisoformat(text[:10])
            return day if wanted is date else datetime.combine(day, time())
        if wanted is Decimal or wanted is float:
            return Decimal(text)
        if wanted is int:
            return int(text)
    except (ValueError, InvalidOperation):
        raise NotFitting(f"{column.name}：“{text[:60]}”不是前置库这一列的类型") from None
    length = getattr(column.type, "length", None)
    if wanted is str and length is not None and len(text) > length:
        raise NotFitting(f"{column.name}：前置库这一列最长{length}，现为{len(text)}")
    return text


def _at(column: Column[Any], at: datetime) -> Any:
    wanted = _python_type(column)
    if wanted is date:
        return at.date()
    return at.replace(microsecond=0) if wanted is datetime else f"{at:%Y-%m-%d %H:%M:%S}"


def _text(value: Any) -> str:
    return orjson.dumps(value).decode() if isinstance(value, (list, dict, bool)) else str(value)


def _python_type(column: Column[Any]) -> type:
    try:
        return column.type.python_type
    except NotImplementedError:  # a type of the platform's own
        return str
