"""Write receipts 回执 and move the deliveries that they answer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of, unnest
from gateway.store.deliver.deliveries import BEHIND, believable, lock, promote
from schemas.delivery import ANSWERABLE, MENDED_BY_RECEIPT, NOTHING_LEFT, OVER

#: Receipts of one delivery that a page may tell, the latest ones.
MOST_OF_ONE = 20

_SAYS_THE_SAME = """
    r.delivery_id = t.id and r.accepted = t.accepted
    and r.reasons is not distinct from t.reasons::jsonb
    and r.reference is not distinct from t.reference
"""
_SENT = """
    coalesce((select max(a.started_at) from attempt a
        where a.delivery_id = t.id and a.act = 'send'), '-infinity')
"""
#: The receipt says a day without a time, and the delivery was last sent on that day or before: it
#: may be about that sending.
_MAY_BE_LATER = f"""
    (extract(epoch from t.platform_at)::bigint % 86400 = 57600 and t.platform_at >=
        date_trunc('day', {_SENT} at time zone 'Asia/Shanghai') at time zone 'Asia/Shanghai')
"""
#: A destination may give the same page again: what is stored already is not stored twice, and no
#: destination answers for another one. A receipt with a time is stored already if one that says
#: the same has this time or a later one, unless the time is a day and may be that of a sending
#: since. It takes the place of earlier ones since the delivery was
#: last sent: a destination may stamp its rows anew whenever it is asked. A receipt without a time
#: is stored already if the last one says the same, and came since the delivery was last sent; of a
#: page that is given again, if any one says the same.
_ADD_RECEIPTS = text(
    f"""
    with given as (
        select t.*, d.lease_token, case when t.platform_at is null then (
            select max(n.received_at) from receipt n where n.delivery_id = t.id) end as last_at
        from {
        unnest("id bigint, accepted boolean, reasons text, platform_at timestamptz, reference text")
    }
        join delivery d on d.id = t.id and d.destination = :destination),
    new as materialized (
        select * from given t where not exists (select from receipt r where {_SAYS_THE_SAME}
            and ((r.platform_at = t.platform_at
                    or least(r.platform_at, r.received_at) >= t.platform_at)
                    and (:again or r.received_at >= {_SENT} or not {_MAY_BE_LATER})
                or (t.platform_at is null and (:again
                    or (r.received_at >= t.last_at and r.received_at >= {_SENT})))))),
    repeated as (
        delete from receipt r using new t where {_SAYS_THE_SAME}
            and r.platform_at <= t.platform_at and r.platform_at <= :now
            and r.received_at >= {_SENT})
    insert into receipt (delivery_id, accepted, reasons, platform_at, received_at, reference,
        lease_token)
    select id, accepted, reasons::jsonb, coalesce(platform_at, :now), :now, reference, lease_token
    from new
    returning delivery_id, accepted, platform_at, reference
    """
)
_RECEIPT_SUBJECTS = text(
    """
    select distinct subject_id from delivery where id = any(cast(:ids as bigint[]))
      and destination = :destination
    """
)
#: A claim skips them meanwhile; one that came first has its lease seen.
_LOCK = text(
    """
    select id from delivery where id = any(cast(:ids as bigint[])) order by id for no key update
    """
)
#: Whether an acceptance `t` says of a delivery `d` that it has arrived, and no more.
_BLIND = "(t.blind and d.item_kind = 'record_version')"
#: A receipt of an earlier attempt says nothing of a later one. Where there was one attempt only, a
#: receipt is about it, whatever its date: the servers of a platform have different clocks. It
#: proves that the delivery was handed over, also where the answer of the call was lost or said
#: otherwise. It never changes the state of a superseded or withdrawn delivery, only that it may
#: have arrived, and leaves a person's reason there. Where only what the destination shows is
#: accepted, an acceptance says no more than that it has the item.
_APPLY_RECEIPTS = text(
    f"""
    update delivery d set
        state = case when d.state in {one_of(OVER)} then d.state
            when t.accepted then case when {_BLIND} then 'accepted_blind' else 'accepted' end
            else 'rejected' end,
        accepted_at = case when t.accepted and not {_BLIND}
            then coalesce(d.accepted_at, :now) else d.accepted_at end,
        maybe_arrived = t.accepted and (d.maybe_arrived or d.state in {one_of(OVER)}),
        submitted_at = coalesce(d.submitted_at, {believable("t.platform_at")}, :now),
        platform_at = {believable("t.platform_at")},
        reasons = case when d.state in {one_of(OVER)} then d.reasons
            else t.reasons::jsonb end,
        reference = coalesce(t.reference, d.reference)
    from (select given.*, not :proof and coalesce((
            select by_listing from destination where name = :destination), false) as blind
        from {
        unnest(
            "id bigint, accepted boolean, reasons text, platform_at timestamptz, reference text",
            "given",
        )
    }) t
    where d.id = t.id and d.destination = :destination
      and (:proof or not exists (select from receipt r where r.delivery_id = d.id
          and least(r.platform_at, r.received_at) > t.platform_at))
      and (:proof or (d.platform_at is null and (t.accepted or d.attempts <= 1 or t.platform_at >= (
                select max(a.started_at) - {BEHIND} from attempt a
                where a.delivery_id = d.id and a.act = 'send')))
           or least(t.platform_at, :now) >= d.platform_at
           or {believable("t.platform_at")} is null
           or ((select count(*) from attempt a where a.delivery_id = d.id and a.act = 'send'
                   and coalesce(a.outcome not in {one_of(NOTHING_LEFT)}, true)) <= 1))
      and (d.state in {one_of(ANSWERABLE)}
           or (d.state = 'parked' and (d.maybe_arrived or (t.accepted and d.attempts > 0)))
           or (d.state = 'accepted' and not t.accepted)
           or (d.state in {one_of(MENDED_BY_RECEIPT)} and t.accepted)
           or (d.state = 'ready' and t.accepted and d.attempts > 0))
    returning d.chain_id
    """
)


@dataclass(frozen=True, slots=True)
class MatchedReceipt:
    """A receipt 回执 with the id of its delivery."""

    delivery_id: int
    accepted: bool
    reasons: tuple[str, ...]
    platform_at: datetime | None  #: None: as late as it is read
    reference: str | None


def telling(answers: Sequence[MatchedReceipt], now: datetime) -> list[MatchedReceipt]:
    """Return what a page tells of each delivery: the latest receipt of each verdict and its words.

    Of those without a time, the last one of a delivery counts: the platform may give the ones
    before it again with every page. One delivery has at most the latest `MOST_OF_ONE`.
    """
    told: dict[int, dict[object, MatchedReceipt]] = {}
    for answer in sorted(answers, key=lambda a: min(a.platform_at or now, now)):
        of_one = told.setdefault(answer.delivery_id, {})
        words = (answer.accepted, answer.reasons, answer.reference) if answer.platform_at else None
        of_one.pop(words, None)
        of_one[words] = answer
    return [answer for of_one in told.values() for answer in list(of_one.values())[-MOST_OF_ONE:]]


async def apply_receipts(
    connection: Connection,
    destination: str,
    answers: Sequence[MatchedReceipt],
    now: datetime,
    *,
    again: bool = False,
    proof: bool = False,
) -> int:
    """Lock the subjects, write the receipts, move their deliveries; return how many moved.

    `again`: the page was read before. `proof`: it is what the destination shows, which has times of
    its own and is compared with no others. Receipts of other destinations' deliveries are left out.
    A receipt that was read before moves nothing: the delivery may have been sent again since.
    """
    subjects = await connection.scalars(
        _RECEIPT_SUBJECTS,
        {"ids": [a.delivery_id for a in answers], "destination": destination},
    )
    await lock(connection, subjects)
    await connection.execute(_LOCK, {"ids": [a.delivery_id for a in answers]})
    values = _values(destination, answers, now) | {"again": again}
    added = {tuple(row) for row in await connection.execute(_ADD_RECEIPTS, values)}
    dated = [a if a.platform_at else replace(a, platform_at=now) for a in answers]
    new = [a for a in dated if (a.delivery_id, a.accepted, a.platform_at, a.reference) in added]
    return await move(connection, destination, new, now, proof=proof)


async def move(
    connection: Connection,
    destination: str,
    answers: Sequence[MatchedReceipt],
    now: datetime,
    *,
    proof: bool = False,
) -> int:
    """Move the deliveries that these receipts answer; the latest receipt of each counts.

    `proof`: it is what the destination shows. A time in the future is the time of reading. An
    unknown outcome is known by the receipt, and the next of the chain goes on. The subjects must be
    locked. Returns how many moved.
    """
    in_order = sorted(answers, key=lambda a: min(a.platform_at or now, now))
    latest = {a.delivery_id: a for a in in_order}
    if not latest:
        return 0
    values = _values(destination, latest.values(), now) | {"proof": proof}
    moved = list(await connection.scalars(_APPLY_RECEIPTS, values))
    if moved:
        await promote(connection, [(chain, destination) for chain in moved])
    return len(moved)


def _values(destination: str, answers: Collection[MatchedReceipt], now: datetime) -> dict[str, Any]:
    """Return the receipts of a destination as the arrays of a statement."""
    return {
        "destination": destination,
        "id": [a.delivery_id for a in answers],
        "accepted": [a.accepted for a in answers],
        "reasons": [orjson.dumps(a.reasons).decode() if a.reasons else None for a in answers],
        "platform_at": [a.platform_at for a in answers],
        "reference": [a.reference for a in answers],
        "now": now,
    }


_EARLY_RECEIPTS = text(
    f"""
    select distinct on (d.id) d.destination, d.id, r.accepted, r.reasons, r.platform_at, r.reference
    from {unnest("id bigint, token uuid")} join delivery d using (id)
    join receipt r on r.delivery_id = d.id and r.lease_token = t.token
    order by d.id, coalesce({believable("r.platform_at", "r.received_at")}, r.received_at) desc,
        r.received_at desc
    """
)


async def early_receipts(
    connection: Connection, leases: Mapping[int, str]
) -> dict[str, list[MatchedReceipt]]:
    """Return the receipts read during leases, the newest of each, by destination.

    `leases` are delivery ids with their tokens. These receipts were stored and not applied, since
    the outcome of the call was not written yet.
    """
    found: dict[str, list[MatchedReceipt]] = {}
    if not leases:
        return found
    values = {"id": list(leases), "token": list(leases.values())}
    for row in await connection.execute(_EARLY_RECEIPTS, values):
        answer = MatchedReceipt(row[1], row[2], tuple(row[3] or ()), row[4], row[5])
        found.setdefault(row[0], []).append(answer)
    return found
