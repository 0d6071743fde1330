"""Create the monthly partitions before their month begins."""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from gateway.store.base.engine import Connection
from gateway.store.base.sqlstates import LOCK_NOT_AVAILABLE
from gateway.store.base.upgrade import STRUCTURE_LOCK

#: Tables partitioned by month: they grow without end and need no unique key across months.
PARTITIONED = ("attempt", "receipt", "audit_event")
#: SQLSTATE: a row of the month has come into the default partition meanwhile.
_CHECK_VIOLATED = "23514"


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

    async def make() -> None:
        for table, month in missing:
            await _make(connection, table, month)

    return await _unless_held(connection, "2s", make)


async def _unless_held(
    connection: Connection, patience: str, work: Callable[[], Awaitable[object]]
) -> bool:
    """Do the work; undo it and return False if a lock was not had within the patience.

    So does a row that has come into the default partition meanwhile.
    """
    try:
        async with connection.begin_nested():
            await connection.execute(text(f"set local lock_timeout = '{patience}'"))
            await work()
            await connection.execute(text("set local lock_timeout to default"))
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) not in {LOCK_NOT_AVAILABLE, _CHECK_VIOLATED}:
            raise
        return False
    return True


async def months_before(connection: Connection, table: str, end: date) -> list[str]:
    """Return the partitions of the months of a table that are over before `end`, oldest first."""
    found = await connection.scalars(_MONTHS, {"table": table, "end": _name(table, end)})
    return list(found)


async def drop_empty(connection: Connection, table: str, partition: str) -> bool:
    """Drop a partition without rows; return whether that was done.

    For a moment it locks the whole table. A long reader, such as a dump, would make that wait, and
    everybody else behind it: it is given up after half a second.
    """
    await connection.execute(STRUCTURE_LOCK)
    has_rows = text(f"select exists (select from {partition})")
    lock = text(f"lock table {table} in access exclusive mode")
    if (
        await connection.scalar(has_rows)
        or not await _unless_held(connection, "500ms", partial(connection.execute, lock))
        or await connection.scalar(has_rows)  # one may have come before we had the lock
    ):
        return False
    await connection.execute(text(f"drop table {partition}"))
    return True


#: Their names sort as their months do.
_MONTHS = text(
    """
    select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
    where i.inhparent = cast(:table as regclass) and c.relname < :end
      and c.relname <> cast(:table as text) || '_default' order by 1
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
