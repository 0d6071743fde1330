"""Delete what is older than its class is kept; what is not finished stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import TextClause, text

from gateway.store.base.engine import Connection
from gateway.store.base.partitions import drop_month
from gateway.store.base.statements import one_of
from schemas.delivery import FINISHED

_UNFINISHED = f"""
    exists (select from delivery d where d.id = old.delivery_id
        and d.state not in {one_of(FINISHED)})
"""
#: The ledger of a month reads when a delivery that was rejected at once was handed over.
_REJECTED = "old.outcome is not distinct from 'rejected'"


@dataclass(frozen=True, slots=True)
class MonthlyClass:
    """A class of rows in monthly partitions, and the condition of rows that must stay."""

    table: str
    column: str
    kept: str


MONTHLY: Mapping[str, MonthlyClass] = {
    "attempts": MonthlyClass("attempt", "started_at", f"{_REJECTED} or {_UNFINISHED}"),
    "receipts": MonthlyClass("receipt", "received_at", _UNFINISHED),
    "audit": MonthlyClass("audit_event", "at", "false"),
}


async def delete_month(
    connection: Connection, name: str, before: datetime, limit: int
) -> tuple[str | None, int]:
    """Drop the oldest month of a class; return its partition and how many single rows went.

    Rows go one by one where they stand outside of their month, in the default partition: those that
    were not finished when it was dropped. It takes the structure lock, and for a moment that of the
    whole table; after two seconds without that lock it drops nothing.
    """
    of = MONTHLY[name]
    dropped = await drop_month(connection, of.table, before, of.kept)
    left = f"{of.table}_default"
    values = {"before": before, "limit": limit}
    statement = text(
        f"""
        delete from {left} where ctid = any(array(
            select ctid from {left} old where {of.column} < :before and not ({of.kept})
            limit :limit))
        """
    )
    return dropped, (await connection.execute(statement, values)).rowcount


#: By blocks: rows stand in the order in which they came, and a BRIN index costs intake nothing.
_DELETE_INBOX = text(
    """
    with gone as (delete from inbox where ctid = any(array(
        select ctid from inbox i where recorded_at < :before and not exists (
            select from quarantine q where q.id = i.quarantine_id and q.resolved_at is null)
        limit :limit)) returning origin_id)
    select origin_id, count(*) from gone group by origin_id
    """
)
#: Intake holds a lock on the origins of its batch until their rows in the inbox are committed.
_DELETE_ORIGINS = text(
    """
    delete from origin where id in (
        select id from origin o where id = any(cast(:ids as bigint[]))
          and not exists (select from inbox i where i.origin_id = o.id)
        for update skip locked)
    """
)
_DELETE_REQUESTS = text(
    """
    delete from intake_request where ctid = any(array(
        select ctid from intake_request where recorded_at < :before limit :limit))
    """
)
_DELETE_ASSESSMENTS = text(
    """
    delete from assessment where ctid = any(array(
        select ctid from assessment a where recorded_at < :before
          and exists (select from assessment later
            where later.subject_id = a.subject_id and later.id > a.id)
          and not exists (select from grade_change g
            where g.subject_id = a.subject_id and g.assessment_id = a.id)
        limit :limit))
    """
)
_DELETE: Mapping[str, TextClause] = {
    "intake_requests": _DELETE_REQUESTS,
    "assessments": _DELETE_ASSESSMENTS,
}


async def delete_rows(connection: Connection, name: str, before: datetime, limit: int) -> int:
    """Delete up to `limit` rows of a class that is not in partitions; return how many."""
    values = {"before": before, "limit": limit}
    if name != "inbox":
        return (await connection.execute(_DELETE[name], values)).rowcount
    rows = list(await connection.execute(_DELETE_INBOX, values))
    if rows:
        await connection.execute(_DELETE_ORIGINS, {"ids": [row[0] for row in rows]})
    return sum(row[1] for row in rows)
