"""The hints of concealed decisions 瞒报线索 that were found, and what a person said of them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, unnest
from schemas.kinds import DOUBLE_PUBLICITY


@dataclass(frozen=True, slots=True)
class StoredHint:
    """A hint, when it was found first and last, and by whom and why it was closed.

    `missing` are the numbers of a hole; `gone_at`: since when nothing speaks for it any more.
    """

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
    missing: Sequence[int]
    gone_at: datetime | None


_COLUMNS = """id, kind, authority, key, words, first_seen, last_seen, closed_at, closed_by, reason,
    missing, gone_at"""
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
    values = {"kinds": list(DOUBLE_PUBLICITY), "first": first, "end": end}
    async for part in (await connection.stream(_DECISIONS, values)).partitions(5000):
        yield part


_SETTLED = text(
    "select authority, key, settled from concealment_hint where kind = 'hole' and settled <> '{}'"
)
_FOUND = "kind text, authority text, key text, words text, missing text"
#: One that a person has closed opens again when its evidence changes.
_KEEP = text(
    f"""
    insert into concealment_hint (id, kind, authority, key, words, missing, first_seen, last_seen)
    select nextval('gateway_id'), f.kind, f.authority, f.key, f.words, f.missing::integer[],
        :now, :now
    from {unnest(_FOUND, "f")}
    on conflict (kind, authority, key) do update set
        last_seen = greatest(concealment_hint.last_seen, excluded.last_seen),
        words = excluded.words, missing = excluded.missing, gone_at = null,
        closed_at = case when concealment_hint.words = excluded.words
            then concealment_hint.closed_at end
    """
)
_GONE = text(
    "update concealment_hint set gone_at = :now where gone_at is null and last_seen < :now"
)
_IS_OPEN = "closed_at is null and gone_at is null"
_LIST = text(
    f"""
    select {_COLUMNS} from concealment_hint where cast(:every as boolean) or ({_IS_OPEN})
    order by authority, kind, key
    """
)
_COUNT_OPEN = text(f"select count(*) from concealment_hint where {_IS_OPEN}")
#: What it names is settled, whatever is missing later.
_CLOSE = text(
    f"""
    update concealment_hint set closed_at = :now, closed_by = :actor, reason = :reason,
        settled = array(select distinct unnest(settled || missing) order by 1)
    where id = :id and {_IS_OPEN}
    """
)


#: Kind, authority, key, words, missing numbers.
Found = tuple[str, str, str, str, tuple[int, ...]]


async def settled(connection: Connection) -> dict[tuple[str, str], frozenset[int]]:
    """Return the numbers that people have spoken of, by authority and key of the hole."""
    rows = await connection.execute(_SETTLED)
    return {(row.authority, row.key): frozenset(row.settled) for row in rows}


async def keep(connection: Connection, found: Sequence[Found], now: datetime) -> None:
    """Store the hints of one look; those that it did not find are gone."""
    names = ["kind", "authority", "key", "words", "missing"]
    rows = [(*told, "{" + ",".join(map(str, missing)) + "}") for *told, missing in found]
    await connection.execute(_KEEP, {**arrays(names, rows), "now": now})
    await connection.execute(_GONE, {"now": now})


async def listed(connection: Connection, *, every: bool) -> list[StoredHint]:
    """Return the open hints; with `every` all of them."""
    return [StoredHint(*row) for row in await connection.execute(_LIST, {"every": every})]


async def count_open(connection: Connection) -> int:
    """Return how many hints stand that nobody has closed."""
    return int(await connection.scalar(_COUNT_OPEN) or 0)


async def close(connection: Connection, id_: int, actor: str, reason: str, now: datetime) -> bool:
    """Close a hint for a reason; return whether it was open."""
    values = {"id": id_, "actor": actor, "reason": reason, "now": now}
    return bool((await connection.execute(_CLOSE, values)).rowcount)
