"""Create the monthly partitions before their month begins."""

from datetime import UTC, date, datetime, time

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.upgrade import STRUCTURE_LOCK

#: Tables partitioned by month: they grow without end and need no unique key across months.
PARTITIONED = ("attempt", "receipt", "audit_event")


async def make_partitions(connection: Connection, first: date, months: int = 3) -> None:
    """Create the partitions of `months` months from `first` on, where missing.

    It takes the structure lock until the end of the caller's transaction. Without it, two processes
    that had both read the same default partition would deadlock when they create the partition.
    """
    await connection.execute(STRUCTURE_LOCK)
    month = first.replace(day=1)
    for _ in range(months):
        following = (month.replace(day=28) + (date(2000, 1, 5) - date(2000, 1, 1))).replace(day=1)
        for table in PARTITIONED:
            name = f"{table}_{month:%Y_%m}"
            statement = f"create table if not exists {name} partition of {table} for values from ('{month}') to ('{following}')"  # noqa: E501
            if not await _occupied(connection, table, month, following):
                await connection.execute(text(statement))
        month = following


async def _occupied(connection: Connection, table: str, start: date, end: date) -> bool:
    """Whether the default partition has rows of this range, so that none can be created.

    Partitions begin at midnight UTC, the time zone of every session.
    """
    column = {"attempt": "started_at", "receipt": "received_at", "audit_event": "at"}[table]
    query = f"select exists(select from {table}_default where {column} >= :a and {column} < :b)"
    bounds = {name: datetime.combine(day, time(), UTC) for name, day in (("a", start), ("b", end))}
    return bool(await connection.scalar(text(query), bounds))
