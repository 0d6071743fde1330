"""Delete what is older than its class is kept; what is not finished, or still read, stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import TextClause, text

from gateway.store.base.engine import Connection
from gateway.store.base.partitions import drop_empty, months_before
from gateway.store.base.statements import one_of
from schemas.delivery import FINISHED

_UNFINISHED = f"""exists (select from delivery d where d.id = old.delivery_id
    and d.state not in {one_of(FINISHED)})"""


@dataclass(frozen=True, slots=True)
class MonthlyClass:
    """A class of rows in monthly partitions, and which of the rows `old` stay for ever."""

    table: str
    column: str
    kept: str


MONTHLY: Mapping[str, MonthlyClass] = {
    #: The ledger reads when a delivery that was rejected at once was handed over.
    "attempts": MonthlyClass(
        "attempt", "started_at", f"old.outcome is not distinct from 'rejected' or {_UNFINISHED}"
    ),
    #: A rejection that a destination tells again must be known, or it would count again.
    "receipts": MonthlyClass("receipt", "received_at", f"not old.accepted or {_UNFINISHED}"),
    "audit": MonthlyClass("audit_event", "at", "false"),
}


async def partitions(connection: Connection, name: str, before: datetime) -> list[str]:
    """Return the partitions of a monthly class with rows before that time, the oldest first."""
    table = MONTHLY[name].table
    return [*await months_before(connection, table, before), f"{table}_default"]


async def delete_of_partition(
    connection: Connection, name: str, partition: str, before: datetime, limit: int
) -> int:
    """Delete up to `limit` rows of one partition of a monthly class; return how many."""
    of = MONTHLY[name]
    statement = text(
        f"""
        delete from {partition} where ctid = any(array(
            select ctid from {partition} old where {of.column} < :before and not ({of.kept})
            limit :limit))
        """
    )
    return (await connection.execute(statement, {"before": before, "limit": limit})).rowcount


async def drop_if_empty(connection: Connection, name: str, partition: str) -> bool:
    """Drop a month without rows; return whether that was done. The default partition stays."""
    table = MONTHLY[name].table
    return partition != f"{table}_default" and await drop_empty(connection, table, partition)


#: Not one that was put aside since its topic was made again.
_OF_A_PARTITION = "o.name ~ '^kafka:.*/[0-9]+$'"
#: By blocks: rows stand in the order in which they came, and a BRIN index costs intake nothing. The
#: last message that was taken of a partition stays: intake goes by it after a restart. So does,
#: where returns are told, what has a delivery that is not finished: its source is told the end.
_DELETE_INBOX = text(
    f"""
    with gone as (delete from inbox where ctid = any(array(
        select ctid from inbox i where recorded_at < :before and not exists (
            select from quarantine q where q.id = i.quarantine_id and q.resolved_at is null)
          and not (exists (select from pg_trigger where tgname = 'note_delivered')
            and exists (select from record_version v join delivery d
                    on d.chain_id = v.decision_id and d.item_id = v.id
                where v.id = i.record_version_id and d.item_kind = 'record_version'
                  and d.state not in {one_of(FINISHED)}))
          and (exists (select from inbox later
                where later.origin_id = i.origin_id and later.position > i.position)
            or not exists (select from origin o
                where o.id = i.origin_id and {_OF_A_PARTITION}))
        limit :limit)) returning origin_id)
    select origin_id, count(*) from gone group by origin_id
    """
)
#: Intake has a lock on the origins of its batch until their rows in the inbox are committed. The
#: next statement sees the rows of those that we could lock.
_LOCK_ORIGINS = text(
    """
    select id from origin where id = any(cast(:ids as bigint[])) order by id
    for update skip locked
    """
)
_DELETE_ORIGINS = text(
    """
    delete from origin o where id = any(cast(:ids as bigint[]))
      and not exists (select from inbox i where i.origin_id = o.id)
    """
)
_DELETE_REQUESTS = text(
    """
    delete from intake_request where ctid = any(array(
        select ctid from intake_request where recorded_at < :before limit :limit))
    """
)
#: Explaining a past grade reads by which text, and whether as a suspect, a subject was assessed:
#: where that changed, the assessment stays, and so do the last one and those of grade changes.
_DELETE_ASSESSMENTS = text(
    """
    delete from assessment where ctid = any(array(
        select a.ctid from assessment a
        cross join lateral (select p.rule_set_hash, p.criminal_suspect from assessment p
            where p.subject_id = a.subject_id and p.id < a.id order by p.id desc limit 1) before
        where a.recorded_at < :before
          and before.rule_set_hash is not distinct from a.rule_set_hash
          and before.criminal_suspect = a.criminal_suspect
          and exists (select from assessment later
            where later.subject_id = a.subject_id and later.id > a.id)
          and not exists (select from grade_change g
            where g.subject_id = a.subject_id and g.assessment_id = a.id)
        limit :limit))
    """
)
#: The rows stay. What a version says of a person goes once every delivery of its decision has ended
#: for so long: until then a correction or withdrawal may need it. So do unknown columns, which may
#: say as much.
_ERASE_IDENTITY = text(
    f"""
    update record_version set secret = null, unknown_columns = null where ctid = any(array(
        select v.ctid from record_version v
        where (v.secret is not null or v.unknown_columns is not null) and v.recorded_at < :before
          and not exists (select from delivery d where d.chain_id = v.decision_id
            and d.item_kind = 'record_version' and (d.state not in {one_of(FINISHED)}
              or greatest(d.created_at, d.submitted_at, d.accepted_at) >= :before))
        limit :limit))
    """
)
_DELETE_QUARANTINE = text(
    """
    delete from quarantine where ctid = any(array(
        select ctid from quarantine where resolved_at < :before limit :limit))
    """
)
_DELETE: Mapping[str, TextClause] = {
    "identity_numbers": _ERASE_IDENTITY,
    "quarantine": _DELETE_QUARANTINE,
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
        ours = list(await connection.scalars(_LOCK_ORIGINS, {"ids": [row[0] for row in rows]}))
        await connection.execute(_DELETE_ORIGINS, {"ids": ours})
    return sum(row[1] for row in rows)


_HORIZON = text("select max(day) from job_run where job = 'retention'")
_SET_HORIZON = text(
    """
    insert into job_run (job, day, finished_at) values ('retention', :day, :now)
    on conflict (job, day) do nothing
    """
)


async def horizon(connection: Connection) -> date | None:
    """Return the latest day as of which anything was deleted; None before the first time."""
    found: date | None = await connection.scalar(_HORIZON)
    return found


async def set_horizon(connection: Connection, day: date, now: datetime) -> None:
    """Store the day as of which rows are deleted now."""
    await connection.execute(_SET_HORIZON, {"day": day, "now": now})


_DATABASE_DAY = text("select current_date")


async def database_day(connection: Connection) -> date:
    """Return the day by the clock of the database."""
    day: date = await connection.scalar(_DATABASE_DAY)
    return day
