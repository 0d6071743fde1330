"""Deliveries and time: breaches, escalations, and the counts for the gauges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.held_back import HELD_BACK
from gateway.store.base.statements import one_of
from schemas.delivery import BLOCKING, OPEN, UNDELIVERED, DeliveryState

_MARK_BREACHED = text(
    f"""
    with owed as (
        select id from delivery where breached_at is null and due_at <= :now
          and state in {one_of(UNDELIVERED)} for update skip locked),
    held_back as (
        select d.id from delivery d where d.breached_at is null and d.due_at <= :now
          and {HELD_BACK} for update skip locked)
    update delivery set breached_at = :now
    where id in (select id from owed union all select id from held_back)
    """
)


async def mark_breached(connection: Connection, now: datetime) -> int:
    """Mark deliveries whose due time passed without acceptance; they are still sent.

    Those that are locked now are for the next call.
    """
    return (await connection.execute(_MARK_BREACHED, {"now": now})).rowcount


#: Percent of slack left at which a delivery is escalated.
ESCALATION_STEPS = (50, 25, 10)
_ESCALATE = text(
    f"""
    with spent as (
        select id, destination, escalation, case
            when slack_left <= 0.10 then 3 when slack_left <= 0.25 then 2 else 1 end as step
        from (select id, destination, escalation,
                extract(epoch from due_at - :now) / extract(epoch from due_at - created_at)
                    as slack_left
            from delivery where due_at > :now and due_at > created_at and breached_at is null
              and state in {one_of(UNDELIVERED - {DeliveryState.WAITING})}
            for update skip locked) d
        where slack_left <= 0.50),
    moved as (
        update delivery d set escalation = spent.step from spent
        where d.id = spent.id and spent.step > spent.escalation
        returning d.destination, spent.step)
    select destination, step, count(*) from moved group by destination, step
    order by destination, step
    """
)


async def escalate(connection: Connection, now: datetime) -> list[tuple[str, int, int]]:
    """Raise the escalation of deliveries whose slack passed a step since the last call.

    Returns (destination, percent left, count). Waiting deliveries are left out: the head of their
    chain stands for them.
    """
    rows = await connection.execute(_ESCALATE, {"now": now})
    return [(row[0], ESCALATION_STEPS[row[1] - 1], row[2]) for row in rows]


_OPEN_BY_HOURS = text(
    f"""
    with open as (select destination, state, due_at, due_at - :now as slack from delivery
        where state in {one_of(OPEN)})
    select t.name, coalesce(min(due_at), to_timestamp(0)),
        count(*) filter (where state = 'ready' and slack < -interval '10 minutes'
            and not (t.name = any(cast(:by_person as text[])))),
        count(*) filter (where state = 'ready' and t.name = any(cast(:by_person as text[]))),
        count(*) filter (where slack <= interval '0'),
        count(*) filter (where slack > interval '0' and slack <= interval '1 hour'),
        count(*) filter (where slack > interval '1 hour' and slack <= interval '8 hours'),
        count(*) filter (where slack > interval '8 hours' and slack <= interval '24 hours'),
        count(*) filter (where slack > interval '24 hours' and slack <= interval '72 hours'),
        count(*) filter (where slack > interval '72 hours')
    from destination t left join open on open.destination = t.name group by t.name
    """
)
_BUCKETS = ("overdue", "1", "8", "24", "72", "more")


@dataclass(frozen=True, slots=True)
class OpenCount:
    """The open deliveries of one destination, by hours to their due time.

    Where a person carries files, what is ready waits `for_a_person`, and nobody is to claim it.
    """

    destination: str
    oldest_due: datetime
    due_unclaimed: int
    for_a_person: int
    buckets: Mapping[str, int]


async def open_by_hours(
    connection: Connection, now: datetime, by_person: Sequence[str]
) -> list[OpenCount]:
    """Count the open deliveries of every destination, zeros included.

    A person carries files to the destinations `by_person`.
    """
    rows = await connection.execute(_OPEN_BY_HOURS, {"now": now, "by_person": list(by_person)})
    return [
        OpenCount(name, oldest, unclaimed, ready, dict(zip(_BUCKETS, counts, strict=True)))
        for name, oldest, unclaimed, ready, *counts in rows
    ]


_PREDICTED = text(
    f"""
    select count(*) from (
        select due_at, row_number() over (order by due_at, id) as ahead from delivery
        where destination = :destination and state in {one_of(BLOCKING)}
          and due_at > :now) d
    where d.due_at < cast(:now as timestamptz) + d.ahead * cast(:seconds as float8)
        * interval '1 second'
    """
)


async def predicted_breaches(
    connection: Connection, destination: str, now: datetime, seconds: float
) -> int:
    """Count deliveries not yet due that will be late at `seconds` for each one before them."""
    values = {"destination": destination, "now": now, "seconds": seconds}
    return int(await connection.scalar(_PREDICTED, values) or 0)


_SILENT = text(
    """
    select count(*) from delivery where destination = :destination and state = 'submitted'
      and submitted_at < :before
    """
)


async def silent_receipts(connection: Connection, destination: str, before: datetime) -> int:
    """Count deliveries handed over before a time that still have no verdict."""
    values = {"destination": destination, "before": before}
    return int(await connection.scalar(_SILENT, values) or 0)
