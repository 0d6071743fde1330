"""Create the monthly partitions before their month begins."""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.store.base.engine import LOCK_NOT_AVAILABLE, Connection
from gateway.store.base.upgrade import STRUCTURE_LOCK

#: Tables partitioned by month: they grow without end and need no unique key across months.
PARTITIONED = ("attempt", "receipt", "audit_event")


async def make_partitions(connection: Connection, first: date, months: int = 4) -> bool:
    """Create the partitions of `months` months from `first` on, where missing; return whether.

    Each is made as a table of its own and then attached, which locks the default partition only. A
    long reader of it, such as a dump, would make that wait, and everybody else behind it: it is
    given up after two seconds, and another call has months to succeed. It takes the structure lock
    until the end of the caller's transaction. Without it, two processes that had both read the same
    default partition would deadlock.
    """
    await connection.execute(STRUCTURE_LOCK)
    missing = [
        (table, month)
        for month in _months(first, months)
        for table in PARTITIONED
        if not await connection.scalar(_EXISTS, {"name": _name(table, month)})
    ]
    try:
        async with connection.begin_nested():
            await connection.execute(text("set local lock_timeout = '2s'"))
            for table, month in missing:
                await _make(connection, table, month)
            await connection.execute(text("set local lock_timeout = 0"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return False
    return True


async def drop_month(connection: Connection, table: str, before: datetime, kept: str) -> str | None:
    """Drop the oldest month of a table that ends before that time; return its partition.

    The rows that the condition `kept` is true for (of the alias `old`) move to the default
    partition. A long reader makes it wait as `make_partitions` does: it then returns None, as it
    does where no month is old enough.
    """
    await connection.execute(STRUCTURE_LOCK)
    found = await connection.scalar(_OLDEST, {"table": table, "name": _name(table, before)})
    if found is None:
        return None
    partition = str(found)
    try:
        async with connection.begin_nested():
            await connection.execute(text("set local lock_timeout = '2s'"))
            await connection.execute(text(f"alter table {table} detach partition {partition}"))
            await connection.execute(text("set local lock_timeout = 0"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
            raise
        return None
    kept_rows = f"select old.* from {partition} old where {kept}"
    await connection.execute(text(f"insert into {table} {kept_rows}"))
    await connection.execute(text(f"drop table {partition}"))
    return partition


#: Their names sort as their months do.
_OLDEST = text(
    """
    select min(c.relname) from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = cast(:table as regclass) and c.relname < :name
      and c.relname <> cast(:table as text) || '_default'
    """
)
_EXISTS = text("select to_regclass(:name) is not null")


def _months(first: date, count: int) -> list[date]:
    months = [first.replace(day=1)]
    while len(months) < count:
        months.append(_following(months[-1]))
    return months


def _following(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def _name(table: str, month: date) -> str:
    return f"{table}_{month:%Y_%m}"


async def _make(connection: Connection, table: str, month: date) -> None:
    name, end = _name(table, month), _following(month)
    if await _occupied(connection, table, month, end):
        return
    await connection.execute(text(f"create table {name} (like {table} including all)"))
    await connection.execute(
        text(
            f"alter table {table} attach partition {name} for values from ('{month}') to ('{end}')"
        )
    )


async def _occupied(connection: Connection, table: str, start: date, end: date) -> bool:
    """Whether the default partition has rows of this range, so that none can be created.

    Partitions begin at midnight UTC, the time zone of every session.
    """
    column = {"attempt": "started_at", "receipt": "received_at", "audit_event": "at"}[table]
    query = f"select exists(select from {table}_default where {column} >= :a and {column} < :b)"
    bounds = {name: datetime.combine(day, time(), UTC) for name, day in (("a", start), ("b", end))}
    return bool(await connection.scalar(text(query), bounds))
