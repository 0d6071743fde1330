"""The delivery table: the head of each chain is `ready`, the rest `waiting`.

A chain is the decision for records and the subject for grade changes, for each destination. Only
its head can be claimed, so a claim never searches. Adding and finishing both lock the subject
first, so that making the next one ready never misses a row written meanwhile.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, as_json, names, one_of, unnest
from schemas.codes import FOLLOW_UPS, Verb
from schemas.delivery import (
    BLOCKING,
    HANDED_OVER,
    OF_A_PERSON,
    OVER,
    REPLACEABLE,
    RETRYABLE,
    DeliveryState,
    ItemKind,
)
from schemas.obligation import DueTime, Obligation, PastDelivery, Route

_OWED = "item_id bigint, subject_id bigint, chain_id bigint, goes bigint"
_ROUTES = (
    "routes bigint, item_kind text, verb text, destination text, state text, due_at timestamptz, "
    "clock text, calendar text, provisional boolean, dues json, reasons jsonb"
)
_ADD = text(
    f"""
    insert into delivery (id, item_kind, item_id, destination, subject_id, chain_id, verb, state,
        due_at, clock, calendar, provisional, dues, reasons, created_at)
    select nextval('gateway_id'), item_kind, item_id, destination, subject_id, chain_id, verb,
        state, due_at, clock, calendar, provisional, dues, reasons, :now
    from (select * from {unnest(_OWED, "owed")} join {unnest(_ROUTES, "route")} on routes = goes
        order by owed.place, route.place) in_order
    """
)


async def add(connection: Connection, owed: Sequence[Obligation], now: datetime) -> None:
    """Write a delivery for each route of the obligations, in this order.

    Most items of a batch have the same routes: each group of routes is sent once and the database
    multiplies it. The subjects must be locked.
    """
    rows = []
    numbers: dict[tuple[object, ...], int] = {}
    groups: dict[tuple[ItemKind, Verb, tuple[Route, ...]], int] = {}
    for one in owed:
        if one.routes:
            known = (one.item_kind, one.verb, id(one.routes))
            number = numbers.get(known)
            if number is None:
                group = (one.item_kind, one.verb, tuple(one.routes))
                number = numbers[known] = groups.setdefault(group, len(groups))
            rows.append((one.item_id, one.subject_id, one.chain_id, number))
    if rows:
        going = [
            _route_row(number, kind, verb, route)
            for (kind, verb, routes), number in groups.items()
            for route in routes
        ]
        values = {**arrays(names(_OWED), rows), **arrays(names(_ROUTES), going), "now": now}
        await connection.execute(_ADD, values)


def _route_row(number: int, kind: ItemKind, verb: Verb, route: Route) -> tuple[Any, ...]:
    """Return the columns of one route; `clock` is the strictest."""
    clock = route.dues[0].clock
    return (
        number,
        kind,
        verb,
        route.destination,
        route.state,
        route.due_at,
        clock,
        *kept_dues(route.dues),
        None if route.reason is None else as_json([route.reason]),
    )


def kept_dues(dues: Sequence[DueTime]) -> tuple[str | None, bool, str]:
    """Return the columns calendar, provisional and dues of a delivery.

    `calendar` is the one that any due time uses; `provisional` is true if any due time is.
    """
    calendar = next((due.calendar for due in dues if due.calendar), None)
    text_ = orjson.dumps({due.clock: due.at.isoformat() for due in dues}).decode()
    return calendar, any(due.provisional for due in dues), text_


_PAST = text(
    f"""
    select chain_id, id, destination, state, due_at, verb, maybe_arrived, created_at
    from delivery
    where chain_id = any(cast(:ids as bigint[])) and item_kind = 'record_version'
      and (maybe_arrived or state not in {one_of(OVER)}) order by id for update
    """
)


async def past(
    connection: Connection, decision_ids: Sequence[int]
) -> dict[int, list[PastDelivery]]:
    """Lock and return the deliveries of these decisions that stand or may have arrived.

    The row locks keep workers from claiming one before the caller supersedes it.
    """
    found: dict[int, list[PastDelivery]] = {}
    for row in await connection.execute(_PAST, {"ids": list(decision_ids)}):
        found.setdefault(row[0], []).append(
            PastDelivery(row[1], row[2], DeliveryState(row[3]), row[4], Verb(row[5]), *row[6:])
        )
    return found


_SUPERSEDE = text(
    f"""
    update delivery set state = 'superseded' where id = any(cast(:ids as bigint[]))
      and state in {one_of(REPLACEABLE)}
    """
)


#: How far the clock of a destination may be behind ours.
BEHIND = "interval '5 minutes'"


def believable(at: str, read_at: str = ":now") -> str:
    """Return SQL for a time `at` of a destination about delivery `d`; null if it is no evidence.

    A time before the first attempt is that of a wrong clock, and midnight in China is a day without
    a time. A time in the future is the time when it was read.
    """
    since = f"coalesce(d.first_tried_at, d.created_at) - {BEHIND}"
    midnight = f"cast({at} at time zone 'Asia/Shanghai' as time) = '00:00'"
    return f"case when {at} >= {since} and not {midnight} then least({at}, {read_at}) end"


async def supersede(connection: Connection, ids: Sequence[int]) -> None:
    """Mark deliveries superseded where their state allows it: nothing was handed over."""
    await connection.execute(_SUPERSEDE, {"ids": list(ids)})


#: A repair that waits: the destination has no version yet, and a person has to mend or free one.
BEHIND_A_PERSON = f"""
    ({{repair}}.verb = '{Verb.REPAIR}'
     and exists (select from delivery o where o.chain_id = {{repair}}.chain_id
         and o.destination = {{repair}}.destination and o.id < {{repair}}.id
         and o.verb not in {one_of(FOLLOW_UPS)} and o.state in {one_of(OF_A_PERSON)})
     and not exists (select from delivery h where h.chain_id = {{repair}}.chain_id
         and h.destination = {{repair}}.destination and h.id < {{repair}}.id
         and (h.maybe_arrived or h.state in {one_of(HANDED_OVER)})))
"""

_PROMOTE_CHAINS = text(
    f"""
    with chain as (select distinct chain_id, destination
        from unnest(cast(:chains as bigint[]), cast(:destinations as text[]))
            as t(chain_id, destination)),
    head as (
        select chain.chain_id, chain.destination, next.id, next.due_at
        from chain cross join lateral (
            select d.id, d.item_kind, d.item_id, d.chain_id, d.destination, d.verb,
                min(d.due_at) over (partition by d.verb in {one_of(FOLLOW_UPS)}) as due_at
            from delivery d
            where d.chain_id = chain.chain_id and d.destination = chain.destination
              and d.state = 'waiting' order by d.id limit 1) next
        where not exists (select from delivery b where b.chain_id = chain.chain_id
              and b.destination = chain.destination
              and b.state in {one_of(BLOCKING)})
          and (next.item_kind <> 'grade_change'
               or exists (select from grade_change g where g.id = next.item_id
                          and g.number is not null))
          and not {BEHIND_A_PERSON.format(repair="next")})
    update delivery d set state = 'ready', due_at = head.due_at
    from head where d.id = head.id
    """
)


async def promote(connection: Connection, chains: Sequence[tuple[int, str]]) -> None:
    """Make the first waiting delivery of each (chain, destination) ready if nothing blocks it.

    It takes the earliest due time of the waiting ones of its sort: a version that of versions, a
    withdrawal or repair that of those. The subjects must be locked.
    """
    values = {"chains": [c for c, _ in chains], "destinations": [d for _, d in chains]}
    await connection.execute(_PROMOTE_CHAINS, values)


LOCK_SUBJECTS = text(
    """
    select id from subject where id = any(cast(:ids as bigint[])) order by id for no key update
    """
)


async def lock(connection: Connection, subject_ids: Iterable[int]) -> None:
    """Lock subjects in the order of their ids, as intake does, until the transaction ends."""
    await connection.execute(LOCK_SUBJECTS, {"ids": sorted(set(subject_ids))})


_RETRYABLE = text(
    f"""
    select d.id, d.subject_id, d.chain_id, d.destination from delivery d
    where d.id = any(cast(:ids as bigint[])) and d.state in {one_of(RETRYABLE)}
      and not exists (select from delivery later where later.chain_id = d.chain_id
          and later.destination = d.destination and later.id > d.id
          and later.item_kind = d.item_kind and later.state <> 'superseded'
          and not (later.verb = '{Verb.REPAIR}' and later.state = 'waiting'))
    """
)
_RETRY = text(
    f"""
    update delivery d set state = case when maybe_arrived then 'unknown'
            when exists (select from delivery b where b.chain_id = d.chain_id
                and b.destination = d.destination and b.id < d.id
                and b.state in {one_of(BLOCKING)}) then 'waiting'
            else 'ready' end,
        next_at = case when maybe_arrived then cast(:now as timestamptz) end
    where id = any(cast(:ids as bigint[])) and state in {one_of(RETRYABLE)}
      and state = coalesce(cast(:among as text), state) returning id
    """
)


async def retryable(connection: Connection, ids: Sequence[int]) -> set[int]:
    """Return which of these a person may retry now."""
    return {row.id for row in await connection.execute(_RETRYABLE, {"ids": list(ids)})}


async def retry(
    connection: Connection, ids: Sequence[int], now: datetime, among: DeliveryState | None = None
) -> set[int]:
    """Make deferred, rejected or parked deliveries ready now, at a person's request.

    With `among` only those that still have this state, since the person chose them by it.
    What may have arrived becomes unknown instead, to be found out first, and what is behind an
    earlier one of its chain waits for that. It locks their subjects
    and returns the ids that changed. A delivery with a later one in its chain stays, also if that
    one was withdrawn: it would be sent after its successor.
    """
    rows = list(await connection.execute(_RETRYABLE, {"ids": list(ids)}))
    await lock(connection, {row.subject_id for row in rows})
    again = sorted(await retryable(connection, ids))
    return set(await connection.scalars(_RETRY, {"ids": again, "now": now, "among": among}))
