"""A database that was restored 恢复 or failed over 主备切换 begins a new epoch: no id comes twice.

What it has forgotten may stand at the destinations, under keys that are made of our ids: an id that
is given again would make a new decision look as if it were there already.
"""

from datetime import datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection

#: More ids than can have been given since any back-up that somebody would restore.
STRIDE = 10**10

#: The note is a row, which a transaction that fails leaves as it was; a sequence is not.
_NOTE = text("update installation set noted_id = nextval('gateway_id') returning noted_id")
_NOTED = text("select noted_id from installation")
_LOCK = text("select pg_advisory_xact_lock(hashtext('credit-gateway/epoch'))")
_JUMP = text("select setval('gateway_id', greatest(last_value, :beyond) + :stride) from gateway_id")
#: Open ones may have been sent since: what a destination has is found out before they are sent.
_FIND_OUT = text(
    """
    update delivery set state = 'unknown', next_at = :now, look_after = null, lease_token = null,
        lease_until = null, maybe_arrived = true
    where state in ('ready', 'deferred', 'leased')
    """
)
_WAIT = text(
    "update delivery set maybe_arrived = true where state = 'waiting' and not maybe_arrived"
)


async def noted(connection: Connection) -> int:
    """Return the last id that a process has noted in the database; 0 before the first."""
    found: int | None = await connection.scalar(_NOTED)
    return found or 0


async def note(connection: Connection) -> int:
    """Give an id and note it, so that a database of before this moment shows by it."""
    found: int = await connection.scalar(_NOTE)
    return found


async def begin_epoch(
    connection: Connection, now: datetime, known: int | None = None
) -> int | None:
    """Begin a new epoch: no id is given twice, and open deliveries are found out first.

    With `known`, an id that was noted, only if the database has not noted it; the first process
    does it. Return how many deliveries are found out; None if the database was not restored.
    """
    await connection.execute(_LOCK)
    if known is not None and await noted(connection) >= known:
        return None
    found = await connection.execute(_FIND_OUT, {"now": now})
    waiting = await connection.execute(_WAIT)
    await connection.execute(_JUMP, {"beyond": known or 0, "stride": STRIDE})
    await note(connection)
    return found.rowcount + waiting.rowcount


_TIMELINE = text("select timeline from installation")
_SET_TIMELINE = text("update installation set timeline = :timeline")


async def on_timeline(connection: Connection, timeline: int, now: datetime) -> int | None:
    """Begin a new epoch if ids were given on another timeline before; the first process does it.

    A standby that is promoted may lack what was committed last, and PostgreSQL counts a timeline on
    then, as after a restore to a point in time. Return how many deliveries are found out; None if
    it is the same timeline, or the first one.
    """
    await connection.execute(_LOCK)
    before: int | None = await connection.scalar(_TIMELINE)
    if before == timeline:
        return None
    found = None if before is None else await begin_epoch(connection, now)
    await connection.execute(_SET_TIMELINE, {"timeline": timeline})
    return found
