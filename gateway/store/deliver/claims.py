"""Claim deliveries under a lease, and finish them.

Leases run on the clock of the database; due and retry times are parameters.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of, unnest
from gateway.store.deliver.chains import supersede_overtaken
from gateway.store.deliver.deliveries import believed, lock, promote
from gateway.store.deliver.receipts import early_receipts, move
from schemas.delivery import (
    ANSWERABLE,
    FREES_CHAIN,
    HANDED_OVER,
    NOT_CALLED,
    UNSENT,
    Claimed,
    Finish,
)

#: Deliveries never tried have a share of each claim: many retries, all due earlier, would starve
#: them. Each of the two has its own index, so that it is read in the order of due times.
_PICK_READY = """
    with fresh as (
        select id, due_at from delivery
        where destination = :destination and state = 'ready' and attempts = 0
        order by due_at, id limit :limit for update skip locked),
    tried as (
        select id, due_at from delivery
        where destination = :destination and state = 'ready' and attempts > 0
        order by due_at, id limit :limit for update skip locked),
    heads as (
        select id, due_at, row_number() over (order by due_at, id) <= :fresh as shared from fresh
        union all select id, due_at, false from tried)
    select id from heads order by shared desc, due_at, id limit :limit
"""
_PICK_UNKNOWN = """
    select id from delivery where destination = :destination and state = 'unknown'
      and next_at <= :now and (look_after is null or look_after <= clock_timestamp())
    order by next_at limit :limit for update skip locked
"""
#: A decision that became secret is withdrawn with what the destination has: its own new version
#: must not leave.
_CLAIM = """
    with picked as ({pick}),
    leased as (
        update delivery d set state = 'leased', lease_token = :token, attempts = d.attempts + 1,
            lease_until = clock_timestamp() + cast(:lease as interval)
        from picked where d.id = picked.id
        returning d.id, d.item_kind, d.item_id, d.subject_id, d.chain_id, d.destination, d.verb,
            d.attempts, d.due_at, d.maybe_arrived),
    opened as (
        insert into attempt (delivery_id, lease_token, started_at, act)
        select id, :token, :now, :act from leased)
    select l.*, cast(:token as text), cast(:look as boolean),
        exists (select from delivery h where h.chain_id = l.chain_id
            and h.destination = l.destination and h.id < l.id
            and (h.maybe_arrived or h.state in {handed_over})) as holds,
        coalesce(dec.kind, 'grade_change'), coalesce(own.version, 1), s.code, s.person, s.name,
        dec.document_number, dec.decision_date, coalesce(v.body, g.body::json), v.secret,
        v.key_version, coalesce(own.recorded_at, g.recorded_at), g.number
    from leased l
    join subject s on s.id = l.subject_id
    left join record_version own on l.item_kind = 'record_version' and own.id = l.item_id
    left join lateral (select h.item_id as id from delivery h where l.verb = 'withdraw'
        and own.verb <> 'withdraw' and h.chain_id = l.chain_id and h.destination = l.destination
        and h.id < l.id and (h.maybe_arrived or h.state in {handed_over})
        order by h.id desc limit 1) told on true
    left join record_version v on v.id = coalesce(told.id, own.id)
    left join decision dec on dec.id = own.decision_id
    left join grade_change g on l.item_kind = 'grade_change' and g.id = l.item_id
    order by l.due_at, l.id
"""
_CLAIM_READY = text(_CLAIM.format(pick=_PICK_READY, handed_over=one_of(HANDED_OVER)))
_CLAIM_UNKNOWN = text(_CLAIM.format(pick=_PICK_UNKNOWN, handed_over=one_of(HANDED_OVER)))


async def claim(  # noqa: PLR0913  the parts of a lease
    connection: Connection,
    destination: str,
    *,
    limit: int,
    token: str,
    lease: timedelta,
    now: datetime,
    look: bool = False,
    fresh: int = 0,
) -> list[Claimed]:
    """Lease up to `limit` ready deliveries, earliest due first, and open their attempts.

    `fresh` of the places go first to the earliest due that were never tried. With `look` it leases
    deliveries with an unknown outcome instead, once their settle time is over. It is one statement
    and skips rows that others lock; the lease counts once the caller commits.
    """
    values = {
        "destination": destination,
        "limit": limit,
        "token": token,
        "lease": lease,
        "now": now,
        "act": "look_up" if look else "send",
        "look": look,
    }
    if not look:
        values["fresh"] = min(fresh, limit)
    rows = await connection.execute(_CLAIM_UNKNOWN if look else _CLAIM_READY, values)
    return [Claimed(*row) for row in rows]


#: A delivery has a lease token only while it is leased, so the state is not in the condition: with
#: it and stale statistics, the planner read all leased deliveries again for each outcome.
_FINISH = text(
    f"""
    with outcome as (select * from {
        unnest(
            "id bigint, token uuid, state text, outcome text, reasons text, next_at timestamptz, "
            "breached boolean, absent boolean, platform_at timestamptz, reference text, "
            "settle interval"
        )
    }),
    done as (
        update delivery d set state = o.state, next_at = o.next_at,
            look_after = case when o.outcome = '{NOT_CALLED}' then d.look_after
                else clock_timestamp() + o.settle end,
            maybe_arrived = (d.maybe_arrived and not o.absent) or o.state = 'unknown',
            attempts = d.attempts - cast(o.outcome = '{NOT_CALLED}' as int),
            reasons = o.reasons::jsonb, reference = coalesce(o.reference, d.reference),
            platform_at = coalesce({believed("o.platform_at")}, d.platform_at),
            breached_at = case when o.breached then coalesce(d.breached_at, :now)
                else d.breached_at end,
            submitted_at = case when o.state in {one_of(HANDED_OVER)}
                then coalesce(d.submitted_at, :now) else d.submitted_at end,
            accepted_at = case when o.state = 'accepted' then :now else d.accepted_at end,
            lease_token = null, lease_until = null
        from outcome o
        where d.id = o.id and d.lease_token = o.token
        returning d.id),
    closed as (
        update attempt a set finished_at = :now, outcome = o.outcome, reasons = o.reasons::jsonb
        from outcome o where a.delivery_id = o.id and a.lease_token = o.token)
    select id from done
    """
)


async def finish(connection: Connection, finished: Sequence[Finish], now: datetime) -> set[int]:
    """Write the outcomes of deliveries whose lease is still ours, and make the next ones ready.

    What was not handed over and has a newer version waiting behind it is superseded. It locks the
    subjects first, and also applies receipts that came before the outcome. Returns the ids that
    were ours; the others were taken over by another worker and their outcome is ignored.
    """
    await lock(connection, {f.subject_id for f in finished})
    values: dict[str, Any] = {
        "id": [f.id for f in finished],
        "token": [f.token for f in finished],
        "state": [f.state.value for f in finished],
        "outcome": [f.outcome for f in finished],
        "reasons": [orjson.dumps(f.reasons).decode() if f.reasons else None for f in finished],
        "next_at": [f.next_at for f in finished],
        "breached": [f.breached for f in finished],
        "absent": [f.absent for f in finished],
        "platform_at": [f.platform_at for f in finished],
        "reference": [f.reference for f in finished],
        "settle": [f.settle for f in finished],
        "now": now,
    }
    early = await early_receipts(
        connection, [f.id for f in finished if f.state in ANSWERABLE and f.outcome != NOT_CALLED]
    )
    ours = set(await connection.scalars(_FINISH, values))
    for destination, answers in early.items():
        await move(connection, destination, [a for a in answers if a.delivery_id in ours], now)
    unsent = [f.id for f in finished if f.id in ours and f.state in UNSENT]
    freed = await supersede_overtaken(connection, unsent) if unsent else []
    freed += [
        (f.chain_id, f.destination) for f in finished if f.id in ours and f.state in FREES_CHAIN
    ]
    if freed:
        await promote(connection, freed)
    return ours


#: An upper bound for the wait before any retry.
LONGEST_WAIT = timedelta(days=60)
_PROMOTE_DEFERRED = text(
    """
    update delivery set state = 'ready' where id in (
        select id from delivery where destination = :destination and state = 'deferred'
          and (next_at <= :now or next_at > :latest)
        order by next_at limit :limit for update skip locked)
    """
)


async def promote_deferred(
    connection: Connection, destination: str, now: datetime, limit: int = 1000
) -> int:
    """Make deferred deliveries ready whose time has come; return how many.

    A time beyond every wait is of a clock that was wrong.
    """
    latest = now + LONGEST_WAIT
    values = {"destination": destination, "now": now, "latest": latest, "limit": limit}
    return (await connection.execute(_PROMOTE_DEFERRED, values)).rowcount


_EXPIRE = text(
    """
    update delivery set state = 'unknown', next_at = :now, lease_token = null, maybe_arrived = true,
        look_after = lease_until + cast(:settle as interval), lease_until = null
    where destination = :destination and state = 'leased' and lease_until < clock_timestamp()
    """
)


async def expire_leases(
    connection: Connection, destination: str, settle: timedelta, now: datetime
) -> int:
    """Turn expired leases into unknown outcomes, to look up after the settle time."""
    values = {"destination": destination, "settle": settle, "now": now}
    return (await connection.execute(_EXPIRE, values)).rowcount
