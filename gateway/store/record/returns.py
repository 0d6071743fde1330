"""Returns 来件回执: what became of what a source sent, until it has been told.

Two triggers write them in the transaction in which something becomes of an item: some twenty
statements write the states of deliveries, and one that was forgotten would be silence. They exist
only where returns are configured, since they cost a little of every statement.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import text

from gateway.store.base import leases
from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from schemas.delivery import DeliveryState as S

#: States of deliveries that a source is told; the others are on the way to one of them.
TOLD = frozenset(
    {S.SUBMITTED, S.ACCEPTED, S.ACCEPTED_BLIND, S.REJECTED, S.PARKED, S.SUPERSEDED, S.WITHDRAWN}
)

_FUNCTIONS = (
    """
    create or replace function note_taken() returns trigger language plpgsql as $$ begin
        insert into intake_return (id, origin_id, position, quarantine_id, version_id)
        select nextval('gateway_id'), origin_id, position, quarantine_id, record_version_id
        from fresh order by origin_id, position;
        return null;
    end $$
    """,
    f"""
    create or replace function note_delivered() returns trigger language plpgsql as $$ begin
        insert into intake_return (id, origin_id, position, version_id, destination, state, reasons)
        select nextval('gateway_id'), i.origin_id, i.position, a.item_id, a.destination, a.state,
            case when a.state in ('rejected', 'parked', 'withdrawn') then a.reasons end
        from after a join before b using (id)
        join lateral (select origin_id, position from inbox where record_version_id = a.item_id
            order by recorded_at, origin_id, position limit 1) i on true
        where a.item_kind = 'record_version' and a.state <> b.state and a.state in {one_of(TOLD)};
        return null;
    end $$
    """,
)
_ON = (
    """
    create index inbox_of_version on inbox (record_version_id) where record_version_id is not null
    """,
    """
    create trigger note_taken after insert on inbox
    referencing new table as fresh for each statement execute function note_taken()
    """,
    """
    create trigger note_delivered after update on delivery
    referencing old table as before new table as after
    for each statement execute function note_delivered()
    """,
)
_OFF = (
    "drop index if exists inbox_of_version",
    "drop trigger if exists note_taken on inbox",
    "drop trigger if exists note_delivered on delivery",
)
_ARE_ON = text(
    "select count(*) = 2 from pg_trigger where tgname in ('note_taken', 'note_delivered')"
)


async def switch(connection: Connection, *, on: bool) -> None:
    """Make the triggers, or drop them with what they left; nothing where it is so already."""
    if await connection.scalar(_ARE_ON) == on:
        return
    for statement in (*_OFF, *((*_FUNCTIONS, *_ON) if on else ("truncate intake_return",))):
        await connection.execute(text(statement))


_LEASE = "returns"
_ANY = text("select exists (select from intake_return)")
_FIRST = text(
    """
    select r.id, o.name, r.position, replayed.origin as of_replay, r.destination, r.state,
        r.reasons, r.version_id is not null as recorded, i.verdict, v.version, v.excluded,
        d.kind, d.document_number, coalesce(s.person, false) as person,
        case when r.destination is null then coalesce(v.problems, q.problems) end as problems
    from (select * from intake_return order by id limit :limit) r
    left join origin o on o.id = r.origin_id
    left join quarantine replayed
        on replayed.id = cast(substring(o.name from '^quarantine:([0-9]+)$') as bigint)
    left join inbox i on i.origin_id = r.origin_id and i.position = r.position
    left join record_version v on v.id = r.version_id
    left join decision d on d.id = v.decision_id
    left join subject s on s.id = d.subject_id
    left join quarantine q on q.id = r.quarantine_id
    order by r.id
    """
)
_FORGET = text("delete from intake_return where id = any(cast(:ids as bigint[]))")


async def claim(connection: Connection, owner: str, time: timedelta, limit: int) -> Sequence[Any]:
    """Return the first returns in their order, which nobody else is given meanwhile.

    Nothing if there are none, or another process is telling them. It is a lease, because no
    transaction may be open while Kafka is waited for.
    """
    if not await connection.scalar(_ANY):
        return []
    if not await leases.claim(connection, _LEASE, owner, time):
        return []
    return list(await connection.execute(_FIRST, {"limit": limit}))


async def renew(connection: Connection, owner: str, time: timedelta) -> None:
    """Let nobody else tell for this time, if nobody else does already."""
    await leases.renew(connection, _LEASE, owner, time)


async def release(connection: Connection, owner: str, told: Sequence[int]) -> None:
    """Forget those that have been told, and let others have the rest."""
    await connection.execute(_FORGET, {"ids": list(told)})
    await leases.release(connection, _LEASE, owner)
