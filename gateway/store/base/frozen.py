"""Transactions that stand still and block others: who they are, and their end.

Between the parts of a statement, and within a COPY, no time-out of PostgreSQL before 17 applies to
a client that sends nothing: statement_timeout waits until the message is there. Nor does one apply
to a client that does not read the answer. A process that is stopped there (SIGSTOP, a paused
virtual machine) would keep its locks for ever.
"""

from datetime import timedelta

from sqlalchemy import text

from gateway.store.base.engine import Connection

#: No client of ours takes so long from one part of a statement to the next, or for its answer; nor
#: so long for a COPY, or for a long answer in a transaction that only reads.
FROZEN_AFTER, FROZEN_COPY_AFTER = timedelta(minutes=1), timedelta(minutes=6)

#: Only those of our own user: nobody else's may be ended, and a dump or a restore blocks nobody.
_END = text(
    """
    with blocking as materialized (
        select distinct unnest(pg_blocking_pids(w.pid)) as pid from pg_stat_activity w
        where w.datname = current_database() and w.wait_event_type = 'Lock'),
    frozen as materialized (
        select a.pid from pg_stat_activity a join blocking b on b.pid = a.pid
        where a.datname = current_database() and a.usename = current_user
          and a.state = 'active' and a.wait_event in ('ClientRead', 'ClientWrite')
          and a.state_change <= clock_timestamp()
              - case when a.query ilike 'copy %' or a.backend_xid is null
                     then cast(:copying as interval) else cast(:after as interval) end)
    select pid from frozen where pg_terminate_backend(pid)
    """
)
_LONGEST = text(
    """
    select pid, coalesce(host(client_addr), 'local') as host, state,
        extract(epoch from clock_timestamp() - xact_start)::int as seconds
    from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid()
      and backend_type = 'client backend'
      and xact_start < clock_timestamp() - interval '5 seconds'
    order by xact_start limit 3
    """
)


async def end_frozen(
    connection: Connection,
    after: timedelta = FROZEN_AFTER,
    copying: timedelta = FROZEN_COPY_AFTER,
) -> list[int]:
    """End the connections that stand still within a statement and block others; return their pids.

    The server rolls back what they did, as if their process had died.
    """
    return list(await connection.scalars(_END, {"after": after, "copying": copying}))


async def longest_transactions(connection: Connection) -> str:
    """Say in Chinese which transactions of the database are open for longest; empty if none is."""
    found = await connection.execute(_LONGEST)
    return "、".join(
        f"pid {one.pid}（来自 {one.host}，已 {one.seconds} 秒，{one.state}）" for one in found
    )
