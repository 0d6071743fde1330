"""Messages that the bus deleted before they were read 缺失的来件."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from schemas.base import SHANGHAI


@dataclass(frozen=True, slots=True)
class MissingMessages:
    """Positions of an origin that can no longer be read: from `first` up to, without, `end`."""

    origin: str
    first: int
    end: int
    found_at: datetime

    @property
    def told(self) -> str:
        """A sentence for people."""
        at = f"{self.found_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        return (
            f"{self.origin} 的 {self.first} 至 {self.end - 1} 号没有读到：读之前已被 Kafka 删除，"
            f"或读不出来、由人跳过（{at} 记下）；请来源单位补发"
        )


async def last_position(connection: Connection, origin: str) -> int | None:
    """Return the last position that was ever taken from an origin; None if none is known."""
    return (await last_positions(connection, [origin])).get(origin)


_LAST_OF = text(
    """
    select o.name, (select max(i.position) from inbox i where i.origin_id = o.id) as last
    from origin o where o.name = any(cast(:names as text[]))
    """
)


async def last_positions(connection: Connection, origins: Sequence[str]) -> dict[str, int]:
    """Return the last position that was ever taken from each of these origins, where one is."""
    rows = await connection.execute(_LAST_OF, {"names": list(origins)})
    return {row.name: int(row.last) for row in rows if row.last is not None}


_SPANS = text(
    """
    select first_position, end_position from missing_messages
    where origin = :origin and closed_at is null order by first_position, end_position
    """
)


async def spans(connection: Connection, origin: str) -> list[tuple[int, int]]:
    """Return what is missing of an origin, as (first, end), in order; it is never taken.

    What is closed is not among it: other messages stand there now.
    """
    rows = await connection.execute(_SPANS, {"origin": origin})
    return [(int(row[0]), int(row[1])) for row in rows]


_ADD = text(
    """
    insert into missing_messages (origin, first_position, end_position, found_at)
    values (:origin, :first, :end, :found_at) on conflict do nothing
    """
)


async def add_missing(connection: Connection, missing: MissingMessages) -> bool:
    """Note missing messages, and return whether they are new; found again they change nothing."""
    values = {"origin": missing.origin, "first": missing.first, "end": missing.end}
    added = await connection.execute(_ADD, values | {"found_at": missing.found_at})
    return added.rowcount > 0


_CLOSE = text(
    """
    update missing_messages set closed_at = :now
    where origin = :origin and closed_at is null and end_position > :beyond
    returning first_position, end_position
    """
)


async def close_spans(
    connection: Connection, origin: str, now: datetime, *, beyond: int = -1
) -> list[tuple[int, int]]:
    """Close what is missing of an origin, if it ends beyond a position; return what was closed.

    It stays told, and what stands there now is taken.
    """
    rows = await connection.execute(_CLOSE, {"origin": origin, "now": now, "beyond": beyond})
    return [(int(row[0]), int(row[1])) for row in rows]


_PASSED = text(
    """
    select exists (select from missing_messages m join origin o on o.name = m.origin
        join inbox i on i.origin_id = o.id and i.position >= m.end_position
            and i.recorded_at >= m.found_at
        where m.origin = :origin and m.first_position = :first and m.end_position = :end
            and m.closed_at is null)
    """
)


async def is_passed(connection: Connection, origin: str, first: int, end: int) -> bool:
    """Whether anything behind missing messages was taken since they were noted."""
    values = {"origin": origin, "first": first, "end": end}
    return bool(await connection.scalar(_PASSED, values))


_REMOVE = text(
    """
    delete from missing_messages
    where origin = :origin and first_position = :first and end_position = :end
        and closed_at is null
    """
)


async def remove_missing(connection: Connection, origin: str, first: int, end: int) -> bool:
    """Remove what was noted as missing and is not; return whether it was noted."""
    removed = await connection.execute(_REMOVE, {"origin": origin, "first": first, "end": end})
    return removed.rowcount > 0


_FOUND = text(
    """
    select origin, first_position, end_position, found_at from missing_messages
    where found_at >= :start and found_at < :stop order by found_at, origin, first_position
    """
)


async def missing_found(
    connection: Connection, start: datetime, stop: datetime
) -> list[MissingMessages]:
    """Return what was found missing in a span, in the order of finding."""
    rows = await connection.execute(_FOUND, {"start": start, "stop": stop})
    return [MissingMessages(*row) for row in rows]
