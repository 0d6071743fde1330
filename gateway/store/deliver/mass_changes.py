"""How much of what a destination was told changes in a day 批量变更."""

from collections.abc import Iterable
from datetime import date
from math import ceil
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.held_back import HELD_BACK
from gateway.store.base.statements import arrays, names, one_of, unnest
from schemas.codes import FOLLOW_UPS
from schemas.delivery import HANDED_OVER


class Changing(NamedTuple):
    """The changes of a batch at one destination, and from how many on their share matters."""

    destination: str
    changes: int
    share: float
    least: int


class Changed(NamedTuple):
    """The changes of a day at one destination, and the decisions that it was told of.

    `told` is counted no further than the changes need.
    """

    destination: str
    changes: int
    told: int


_GIVEN = "destination text, changes bigint, times bigint, least bigint"
_COUNT = text(
    f"""
    with given as (select * from {unnest(_GIVEN)}),
    counted as (
        insert into mass_change (destination, day, changes)
        select destination, :day, changes from given order by destination
        on conflict (destination, day)
            do update set changes = mass_change.changes + excluded.changes
        returning destination, changes)
    select counted.destination, counted.changes,
        (select count(distinct chain_id) filter (where verb not in {one_of(FOLLOW_UPS)})
                - count(distinct chain_id) filter (where verb = 'withdraw')
            from (select d.chain_id, d.verb from delivery d
                where counted.changes >= given.least and d.destination = counted.destination
                  and d.item_kind = 'record_version' and d.state in {one_of(HANDED_OVER)}
                limit (counted.changes + 1) * given.times * 2) as told)
    from counted join given using (destination)
    """
)
#: Of a delivery `d`: it was parked for a mass change.
_WAITING = text(
    f"""
    select d.destination, count(*) from delivery d where {HELD_BACK}
    group by d.destination order by d.destination
    """
)


async def count(connection: Connection, changing: Iterable[Changing], day: date) -> list[Changed]:
    """Add the changes of a batch to those of the day; return these, and what is shown.

    What was told and not withdrawn since is only counted where the changes may be too many, since
    that may read many deliveries. Batches with changes at one destination wait for each other.
    """
    rows = [
        (one.destination, one.changes, ceil(1 / max(one.share, 0.001)), one.least)
        for one in changing
    ]
    values = {**arrays(names(_GIVEN), rows), "day": day}
    return [Changed(*row) for row in await connection.execute(_COUNT, values)]


async def waiting(connection: Connection) -> dict[str, int]:
    """Return how many deliveries of mass changes wait for a person."""
    rows = await connection.execute(_WAITING)
    return {row[0]: row[1] for row in rows}
