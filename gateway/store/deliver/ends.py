"""The end of leases: with the outcome of the call, or because they ran out."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of, unnest
from gateway.store.deliver.chains import supersede_overtaken
from gateway.store.deliver.deliveries import BEHIND_A_PERSON, believable, lock, promote
from gateway.store.deliver.receipts import early_receipts, move
from schemas.delivery import (
    FREES_CHAIN,
    HANDED_OVER,
    NOT_CALLED,
    NOTHING_TO_WITHDRAW,
    REPLACEABLE,
    SENT_AGAIN,
    UNSENT,
    DeliveryState,
    Finish,
)

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
            platform_at = coalesce({believable("o.platform_at")}, d.platform_at),
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
    subjects first, and also applies receipts that came during the lease. Returns the ids that were
    ours; the others were taken over by another worker and their outcome is ignored.
    """
    await lock(connection, {f.subject_id for f in finished})
    finished = await _still_needless(connection, finished)
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
    early = await early_receipts(connection, {f.id: f.token for f in finished})
    ours = set(await connection.scalars(_FINISH, values))
    for destination, answers in early.items():
        await move(connection, destination, [a for a in answers if a.delivery_id in ours], now)
    if over := [f.id for f in finished if f.id in ours and f.outcome == NOTHING_TO_WITHDRAW]:
        await connection.execute(_SUPERSEDE_ENDED, {"ids": over})
    unsent = [f.id for f in finished if f.id in ours and f.state in UNSENT]
    freed = await supersede_overtaken(connection, unsent) if unsent else []
    freed += [
        (f.chain_id, f.destination) for f in finished if f.id in ours and f.state in FREES_CHAIN
    ]
    if freed:
        await promote(connection, freed)
    return ours


#: Of these needless follow-ups, those of which the destination turned out to have the record.
_NEEDED_AFTER_ALL = text(
    f"""
    select d.id from delivery d where d.id = any(cast(:ids as bigint[])) and exists (
        select from delivery h where h.chain_id = d.chain_id and h.destination = d.destination
          and h.id < d.id and (d.verb <> 'withdraw' or h.verb <> 'withdraw')
          and (h.maybe_arrived or h.state in {one_of(HANDED_OVER)}))
    """
)
#: Of these repairs, those of which a person has to mend or free the report first.
_TOO_EARLY = text(
    f"""
    select d.id from delivery d where d.id = any(cast(:ids as bigint[]))
      and {BEHIND_A_PERSON.format(repair="d")}
    """
)
#: A receipt may still say that the destination has one of them: then the withdrawal is owed again,
#: which is looked for among what is superseded. A repair ends no duty to report.
_SUPERSEDE_ENDED = text(
    f"""
    update delivery e set state = 'superseded' from delivery d
    where d.id = any(cast(:ids as bigint[])) and d.verb = 'withdraw' and e.chain_id = d.chain_id
      and e.destination = d.destination and e.id < d.id
      and e.state in {one_of(REPLACEABLE - SENT_AGAIN)}
    """
)


async def _still_needless(connection: Connection, finished: Sequence[Finish]) -> Sequence[Finish]:
    """Return the ends; a follow-up that is needed after all ends as if it had not been called.

    A receipt may have told meanwhile that the destination has the record. A repair whose report is
    still to come waits again.
    """
    needless = [f.id for f in finished if f.outcome == NOTHING_TO_WITHDRAW]
    if not needless:
        return finished
    owed = set(await connection.scalars(_NEEDED_AFTER_ALL, {"ids": needless}))
    early = set(await connection.scalars(_TOO_EARLY, {"ids": needless}))
    again = dict.fromkeys(early, DeliveryState.WAITING) | dict.fromkeys(owed, DeliveryState.READY)
    return [
        replace(f, state=again[f.id], outcome=NOT_CALLED) if f.id in again else f for f in finished
    ]


_LOST = text(
    """
    select id, cast(lease_token as text), subject_id, chain_id from delivery
    where destination = :destination and state = 'leased' and lease_until < clock_timestamp()
    """
)
_EXPIRE = text(
    """
    update delivery set state = 'unknown', next_at = :now, lease_token = null, maybe_arrived = true,
        look_after = lease_until + cast(:settle as interval), lease_until = null
    where id = any(cast(:ids as bigint[])) and state = 'leased' and lease_until < clock_timestamp()
    returning id
    """
)


async def expire_leases(
    connection: Connection, destination: str, settle: timedelta, now: datetime
) -> int:
    """Turn expired leases into unknown outcomes, to look up after the settle time.

    It locks the subjects, and applies the receipts that came during the leases.
    """
    lost = list(await connection.execute(_LOST, {"destination": destination}))
    if not lost:
        return 0
    await lock(connection, {row.subject_id for row in lost})
    early = await early_receipts(connection, {row.id: row.lease_token for row in lost})
    values = {"ids": [row.id for row in lost], "settle": settle, "now": now}
    expired = set(await connection.scalars(_EXPIRE, values))
    answers = [a for a in early.get(destination, ()) if a.delivery_id in expired]
    await move(connection, destination, answers, now)
    return len(expired)


async def release_leases(connection: Connection, destination: str, now: datetime) -> int:
    """Make deliveries ready again whose lease ran out, where nothing was handed over in it.

    So it is where a file is handed out only once its lease has ended with that.
    """
    lost = await connection.execute(_LOST, {"destination": destination})
    ready = DeliveryState.READY
    finished = [
        Finish(id_, token, subject, chain, destination, ready, NOT_CALLED)
        for id_, token, subject, chain in lost
    ]
    return len(await finish(connection, finished, now)) if finished else 0
