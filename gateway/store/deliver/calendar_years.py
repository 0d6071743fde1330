"""The imported calendars 导入的工作日历: every import stays, the last one of a year counts."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection


class ImportedYear(NamedTuple):
    """The calendar of a year as it was imported (JSON), when and by whom."""

    content: bytes
    imported_at: datetime
    imported_by: str


_LATEST = text(
    "select distinct on (year) content, imported_at, imported_by from calendar_year "
    "order by year, imported_at desc"
)
#: An import counts although the clock stepped back since the one before, or its command was begun
#: earlier than that and waited.
_ADD = text(
    """
    insert into calendar_year (year, imported_at, imported_by, hash, content)
    select :year, greatest(cast(:now as timestamptz), max(imported_at) + interval '1 microsecond'),
        :actor, :hash, :content
    from calendar_year where year = :year
    """
)


async def latest(connection: Connection) -> list[ImportedYear]:
    """Return the calendars that count, by year."""
    rows = await connection.execute(_LATEST)
    return [ImportedYear(row[0].encode(), row[1], row[2]) for row in rows]


async def add(
    connection: Connection, year: int, hash_: str, content: bytes, actor: str, now: datetime
) -> None:
    """Store the calendar of a year."""
    values = {"year": year, "hash": hash_, "content": content.decode(), "actor": actor, "now": now}
    await connection.execute(_ADD, values)
