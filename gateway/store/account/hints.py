"""The hints of concealed decisions 瞒报线索 that were found, and what a person said of them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, unnest
from schemas.kinds import REPORTED_IN_ORDER


@dataclass(frozen=True, slots=True)
class StoredHint:
    """A hint, when it was found first and last, and by whom and why it was closed."""

    id: int
    kind: str
    authority: str
    key: str
    words: str
    first_seen: datetime
    last_seen: datetime
    closed_at: datetime | None
    closed_by: str | None
    reason: str | None


_COLUMNS = "id, kind, authority, key, words, first_seen, last_seen, closed_at, closed_by, reason"
_DECISIONS = text(
    """
    select a.name as authority, d.kind, d.number_key, d.decision_date
    from decision d join authority a on a.id = d.authority_id
    where d.kind = any(cast(:kinds as text[])) and d.decision_date >= :first
      and d.decision_date < :end
    """
)


async def decisions(connection: Connection, first: date, end: date) -> AsyncIterator[Sequence[Any]]:
    """Yield slices of the decisions of a span of dates: authority, kind, number, day."""
    values = {"kinds": REPORTED_IN_ORDER, "first": first, "end": end}
    async for part in (await connection.stream(_DECISIONS, values)).partitions(5000):
        yield part


_FOUND = "kind text, authority text, key text, words text"
#: One that a person has closed opens again when its evidence changes.
_KEEP = text(
    f"""
    insert into concealment_hint (id, kind, authority, key, words, first_seen, last_seen)
    select nextval('gateway_id'), f.kind, f.authority, f.key, f.words, :now, :now
    from {unnest(_FOUND, "f")}
    on conflict (kind, authority, key) do update set last_seen = excluded.last_seen,
        words = excluded.words,
        closed_at = case when concealment_hint.words = excluded.words
            then concealment_hint.closed_at end
    """
)
_LIST = text(
    f"""
    select {_COLUMNS} from concealment_hint
    where cast(:every as boolean) or (closed_at is null and last_seen >= :seen)
    order by authority, kind, key
    """
)
_CLOSE = text(
    """
    update concealment_hint set closed_at = :now, closed_by = :actor, reason = :reason
    where id = :id and closed_at is null
    """
)


async def keep(
    connection: Connection, found: Sequence[tuple[str, str, str, str]], now: datetime
) -> None:
    """Store the hints (kind, authority, key, words) of one look."""
    names = ["kind", "authority", "key", "words"]
    await connection.execute(_KEEP, {**arrays(names, found), "now": now})


async def listed(connection: Connection, seen: datetime, *, every: bool) -> list[StoredHint]:
    """Return the open hints that were found at `seen` or later; with `every` all of them."""
    rows = await connection.execute(_LIST, {"seen": seen, "every": every})
    return [StoredHint(*row) for row in rows]


_COUNT_OPEN = text(
    """
    select count(*) from concealment_hint where closed_at is null
      and last_seen = (select max(last_seen) from concealment_hint)
    """
)


async def count_open(connection: Connection) -> int:
    """Return how many hints the last look found that nobody has closed."""
    return int(await connection.scalar(_COUNT_OPEN) or 0)


async def close(connection: Connection, id_: int, actor: str, reason: str, now: datetime) -> bool:
    """Close a hint for a reason; return whether it was open."""
    values = {"id": id_, "actor": actor, "reason": reason, "now": now}
    return bool((await connection.execute(_CLOSE, values)).rowcount)
