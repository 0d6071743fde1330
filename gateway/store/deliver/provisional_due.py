"""Deliveries with a provisional due time 期限未定: a clock of theirs runs beyond the calendar."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Row, text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of, unnest
from gateway.store.deliver.deliveries import kept_dues
from schemas.base import today
from schemas.delivery import HANDED_OVER
from schemas.obligation import DueTime


@dataclass(frozen=True, slots=True)
class Provisional:
    """A delivery with its stored due times, and the day that its clocks count from."""

    id: int
    due_at: datetime
    dues: Mapping[str, datetime]
    day: date


#: The due times count from the day of recording for withdrawals and repairs, and where the
#: destination already had an earlier version; otherwise from the decision date, as in
#: `gateway.decide`.
_SELECT = f"""
    select d.id, d.due_at, d.dues, dec.decision_date, d.created_at,
        d.verb in ('withdraw', 'repair') or exists (select from delivery h
            where h.chain_id = d.chain_id and h.destination = d.destination and h.id < d.id
              and h.state in {one_of(HANDED_OVER)}
              and h.submitted_at <= d.created_at) as from_recorded
    from delivery d
    join record_version v on v.id = d.item_id join decision dec on dec.id = v.decision_id
    where d.item_kind = 'record_version'
    """
_OF_OTHER_CALENDARS = text(
    f"{_SELECT} and d.provisional and d.calendar <> :calendar order by d.id limit :limit "
    "for update of d skip locked"
)
_OTHER = "d.calendar <> :calendar and d.due_at >= :since"
_MOVABLE = text(
    f"{_SELECT} and d.id > :after and (d.provisional or {_OTHER}) order by d.id limit :limit"
)
_UNSETTLE = text(
    f"""
    update delivery set provisional = true where id in (
        select id from delivery d
        where d.item_kind = 'record_version' and not d.provisional and {_OTHER}
        for update skip locked)
    """
)
#: A correction of a calendar counts for due times since then.
CORRECTED = timedelta(days=31)
#: Deliveries that are read at once.
SLICE = 1000


async def of_other_calendars(
    connection: Connection, calendar: str, limit: int
) -> list[Provisional]:
    """Lock and return provisional deliveries that were computed with another calendar."""
    values = {"calendar": calendar, "limit": limit}
    return _read(await connection.execute(_OF_OTHER_CALENDARS, values))


async def unsettle(connection: Connection, calendar: str, now: datetime) -> None:
    """Make due times provisional again that another calendar settled: it may have been wrong."""
    await connection.execute(_UNSETTLE, {"calendar": calendar, "since": now - CORRECTED})


async def movable(
    connection: Connection, calendar: str, now: datetime
) -> AsyncIterator[Provisional]:
    """Yield all deliveries whose due time this calendar may move, slice by slice."""
    after, values = 0, {"calendar": calendar, "since": now - CORRECTED, "limit": SLICE}
    while found := _read(await connection.execute(_MOVABLE, {"after": after, **values})):
        for one in found:
            yield one
        after = found[-1].id


def _read(rows: Iterable[Row[Any]]) -> list[Provisional]:
    return [
        Provisional(
            row.id,
            row.due_at,
            {clock: datetime.fromisoformat(at) for clock, at in row.dues.items()},
            today(row.created_at) if row.from_recorded else row.decision_date,
        )
        for row in rows
    ]


_RENEW = text(
    f"""
    update delivery d set due_at = t.due_at, clock = t.clock, calendar = t.calendar,
        provisional = t.provisional, dues = t.dues::json, escalation = 0,
        breached_at = case when t.due_at <= coalesce(d.accepted_at, :now) then d.breached_at end
    from {
        unnest(
            "id bigint, due_at timestamptz, clock text, calendar text, provisional boolean, "
            "dues text"
        )
    }
    where d.id = t.id
    """
)


async def renew(
    connection: Connection,
    renewed: Sequence[tuple[int, datetime, Sequence[DueTime]]],
    now: datetime,
) -> None:
    """Write the due times; clear breaches recorded against a provisional time."""
    kept = [kept_dues(dues) for _, _, dues in renewed]
    values = {
        "id": [id_ for id_, _, _ in renewed],
        "due_at": [at for _, at, _ in renewed],
        "clock": [dues[0].clock for _, _, dues in renewed],
        "calendar": [calendar for calendar, _, _ in kept],
        "provisional": [provisional for _, provisional, _ in kept],
        "dues": [dues for _, _, dues in kept],
        "now": now,
    }
    await connection.execute(_RENEW, values)
