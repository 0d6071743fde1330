"""How much of what a destination was told changes in a day 批量变更."""

from collections.abc import Mapping
from datetime import date
from math import ceil
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of, unnest
from schemas.delivery import HANDED_OVER


class Changed(NamedTuple):
    """The changes of a day at one destination, and the decisions that it was told of.

    `told` is counted no further than the changes need.
    """

    destination: str
    changes: int
    told: int


_COUNT = text(
    f"""
    with given as (select * from {unnest("destination text, changes bigint, times bigint")}),
    counted as (
        insert into mass_change (destination, day, changes)
        select destination, :day, changes from given order by destination
        on conflict (destination, day)
            do update set changes = mass_change.changes + excluded.changes
        returning destination, changes)
    select counted.destination, counted.changes,
        (select count(*) from (
            select from delivery d
            where counted.changes >= :least and d.destination = counted.destination
              and d.item_kind = 'record_version' and d.verb = 'new'
              and d.state in {one_of(HANDED_OVER)}
            limit (counted.changes + 1) * given.times) as told)
    from counted join given using (destination)
    """
)
_WAITING = text(
    """
    select destination, count(*) from delivery
    where state = 'parked' and reasons ->> 0 like cast(:begin as text) || '%'
    group by destination order by destination
    """
)


async def count(
    connection: Connection,
    changes: Mapping[str, int],
    shares: Mapping[str, float],
    day: date,
    least: int,
) -> list[Changed]:
    """Add the changes of a batch to those of the day; return these, and what was told.

    What was told is only counted from `least` changes on, since that may read many deliveries.
    Batches with changes at one destination wait for each other.
    """
    names = sorted(changes)
    values = {
        "destination": names,
        "changes": [changes[name] for name in names],
        "times": [ceil(1 / max(shares[name], 0.001)) for name in names],
        "day": day,
        "least": least,
    }
    return [Changed(*row) for row in await connection.execute(_COUNT, values)]


async def waiting(connection: Connection, begin: str) -> dict[str, int]:
    """Return how many deliveries wait for a person, parked with a reason that begins so."""
    rows = await connection.execute(_WAITING, {"begin": begin})
    return {row[0]: row[1] for row in rows}
