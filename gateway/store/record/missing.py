"""Messages that the bus deleted before they were read 缺失的来件."""

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
    skipped_by: str | None = None  #: the person who skipped them; Kafka deleted the others
    taken_back: bool = False  #: by a person; they are read once a process begins

    @property
    def told(self) -> str:
        """A sentence for people."""
        at = f"{self.found_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
        place = f"{self.origin} 的 {self.first} 至 {self.end - 1} 号"
        if self.taken_back:
            return f"{place}（{at} 跳过）已收回，尚未读；读取 Kafka 的进程重启后读"
        return (
            f"{place}没有读到：读之前已被 Kafka 删除，"
            f"或读不出来、由人跳过（{at} 记下）；请来源单位补发"
        )


_SPANS = text(
    """
    select first_position, end_position from missing_messages
    where origin = :origin and closed_at is null and taken_back_at is null
    order by first_position, end_position
    """
)


async def spans(connection: Connection, origin: str) -> list[tuple[int, int]]:
    """Return what is missing of an origin, as (first, end), in order; it is never taken.

    What is closed is not among it, since other messages stand there now; nor what was taken back.
    """
    rows = await connection.execute(_SPANS, {"origin": origin})
    return [(int(row[0]), int(row[1])) for row in rows]


_ADD = text(
    """
    insert into missing_messages (origin, first_position, end_position, found_at, skipped_by)
    values (:origin, :first, :end, :found_at, :skipped_by)
    on conflict (origin, first_position, end_position) where closed_at is null do update
        set taken_back_at = null, skipped_by = excluded.skipped_by
        where missing_messages.taken_back_at is not null
    """
)


async def add_missing(connection: Connection, missing: MissingMessages) -> bool:
    """Note missing messages, and return whether they are new; found again they change nothing."""
    values = {"origin": missing.origin, "first": missing.first, "end": missing.end}
    values |= {"found_at": missing.found_at, "skipped_by": missing.skipped_by}
    return (await connection.execute(_ADD, values)).rowcount > 0


_CLOSE = text(
    """
    update missing_messages set closed_at = :now
    where origin = :origin and closed_at is null and end_position > :beyond
    returning origin, first_position, end_position, found_at, skipped_by
    """
)


async def close_spans(
    connection: Connection, origin: str, now: datetime, *, beyond: int = -1
) -> list[MissingMessages]:
    """Close what is missing of an origin, if it ends beyond a position; return what was closed.

    It stays told, and what stands there now is taken.
    """
    rows = await connection.execute(_CLOSE, {"origin": origin, "now": now, "beyond": beyond})
    return [MissingMessages(*row) for row in rows]


_TAKE_BACK = text(
    """
    update missing_messages set taken_back_at = :now
    where origin = :origin and first_position = :first and end_position = :end
        and closed_at is null and skipped_by is not null and taken_back_at is null
    """
)


async def take_back(
    connection: Connection, origin: str, first: int, end: int, now: datetime
) -> bool:
    """Take back what a person has skipped; return whether it was noted.

    It stays told until it is read: a process that is behind it goes back when it begins.
    """
    values = {"origin": origin, "first": first, "end": end, "now": now}
    return (await connection.execute(_TAKE_BACK, values)).rowcount > 0


_BACK_TO = text(
    """
    select min(first_position) from missing_messages
    where origin = :origin and closed_at is null and taken_back_at is not null
    """
)


async def back_to(connection: Connection, origin: str) -> int | None:
    """Return the first position of what was taken back and is not read yet; None if nothing is."""
    found: int | None = await connection.scalar(_BACK_TO, {"origin": origin})
    return found


_WENT_BACK = text(
    """
    delete from missing_messages
    where origin = :origin and closed_at is null and taken_back_at is not null
        and first_position >= :place
    """
)
_CANNOT = text(
    """
    update missing_messages
    set taken_back_at = null, end_position = least(end_position, greatest(:place, first_position))
    where origin = :origin and closed_at is null and taken_back_at is not null
    """
)


async def went_back(connection: Connection, origin: str, place: int) -> None:
    """Forget what was taken back and is read now, from a place on.

    What stands before that place was deleted meanwhile: it is missing indeed.
    """
    await connection.execute(_WENT_BACK, {"origin": origin, "place": place})
    await connection.execute(_CANNOT, {"origin": origin, "place": place})


_FOUND = text(
    """
    select origin, first_position, end_position, found_at, skipped_by,
        taken_back_at is not null and closed_at is null
    from missing_messages
    where found_at >= :start and found_at < :stop order by found_at, origin, first_position
    """
)


async def missing_found(
    connection: Connection, start: datetime, stop: datetime
) -> list[MissingMessages]:
    """Return what was found missing in a span, in the order of finding."""
    rows = await connection.execute(_FOUND, {"start": start, "stop": stop})
    return [MissingMessages(*row) for row in rows]
