"""The links between audit events, the heads that were signed, and reading both in order.

An event is linked shortly after its transaction has ended, by one process at a time: the order of
transactions is not that of their ids, and a chain within them would make all of them wait for one
another.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy

_LOCK = text("select pg_advisory_xact_lock(hashtext('credit-gateway/audit-chain'))")
_ANY = text("select exists (select from audit_unlinked)")
_UNLINKED = text(
    """
    select u.event_id, u.at, coalesce(e.event, ''), coalesce(e.actor, ''), e.source,
        coalesce(e.detail, '{}')
    from (select event_id, at from audit_unlinked order by event_id limit :limit) u
    left join audit_event e on e.at = u.at and e.id = u.event_id order by u.event_id
    """
)
_LINKED = text("delete from audit_unlinked where event_id = any(cast(:ids as bigint[]))")
_HEAD = text("select seq, hash from audit_link order by seq desc limit 1")


async def unlinked(connection: Connection, limit: int) -> Sequence[Any]:
    """Return the oldest events that are not linked yet, and keep others from linking any.

    Nothing, at the cost of one statement, where there is none. One that is gone already has no
    words: its link shows that there was one.
    """
    if not await connection.scalar(_ANY):
        return []
    await connection.execute(_LOCK)
    return list(await connection.execute(_UNLINKED, {"limit": limit}))


async def head(connection: Connection) -> tuple[int, bytes] | None:
    """Return number and hash of the last link; None before the first."""
    found = (await connection.execute(_HEAD)).one_or_none()
    return None if found is None else (found.seq, bytes(found.hash))


_add = Copy("audit_link", "seq, event_id, at, digest, hash")


async def add_links(
    connection: Connection, links: Sequence[tuple[int, int, datetime, bytes, bytes]]
) -> None:
    """Write links (number, event, its time, digest, hash); their events are linked then."""
    await _add(connection, links)
    await connection.execute(_LINKED, {"ids": [link[1] for link in links]})


_WAITING = text("select count(*) as events, min(at) as oldest from audit_unlinked")


async def waiting(connection: Connection) -> tuple[int, datetime | None]:
    """Return how many events are not linked, and the time of the oldest."""
    row = (await connection.execute(_WAITING)).one()
    return row.events, row.oldest


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of the chain as it was signed on a day."""

    day: date
    seq: int
    signature: str


_SIGN = text(
    """
    insert into audit_checkpoint (day, seq, signature) values (:day, :seq, :signature)
    on conflict (day) do nothing
    """
)
_IS_SIGNED = text("select exists (select from audit_checkpoint where day = :day)")
_CHECKPOINTS = text(
    "select day, seq, signature from audit_checkpoint where seq between :first and :last order by 1"
)


async def is_signed(connection: Connection, day: date) -> bool:
    """Whether the head of the chain was signed on a day."""
    return bool(await connection.scalar(_IS_SIGNED, {"day": day}))


async def add_checkpoint(connection: Connection, checkpoint: Checkpoint) -> None:
    """Keep a signed head; the first of a day stays."""
    values = {"day": checkpoint.day, "seq": checkpoint.seq, "signature": checkpoint.signature}
    await connection.execute(_SIGN, values)


async def checkpoints(connection: Connection, first: int, last: int) -> list[Checkpoint]:
    """Return the signed heads with these numbers, in their order."""
    rows = await connection.execute(_CHECKPOINTS, {"first": first, "last": last})
    return [Checkpoint(*row) for row in rows]


_SPAN = text(
    "select min(seq) as first, max(seq) as last from audit_link where at >= :start and at < :end"
)
_HASH_AT = text("select hash from audit_link where seq = :seq")
_PAGE = text(
    """
    select l.seq, l.event_id, l.at, l.digest, l.hash, e.event, e.actor, e.source, e.detail
    from audit_link l left join audit_event e on e.at = l.at and e.id = l.event_id
    where l.seq > :after and l.seq <= :last order by l.seq limit :limit
    """
)


async def span(connection: Connection, start: datetime, end: datetime) -> tuple[int, int] | None:
    """Return the first and last number of the links of a span of time; None if there is none."""
    row = (await connection.execute(_SPAN, {"start": start, "end": end})).one()
    return None if row.first is None else (row.first, row.last)


async def hash_at(connection: Connection, seq: int) -> bytes | None:
    """Return the hash of a link."""
    found = await connection.scalar(_HASH_AT, {"seq": seq})
    return None if found is None else bytes(found)


async def links(
    connection: Connection, first: int, last: int, limit: int = 1000
) -> AsyncIterator[Sequence[Any]]:
    """Yield slices of the links with these numbers and their events, those that were not deleted.

    Of a deleted event `event`, `actor`, `source` and `detail` are None.
    """
    after = first - 1
    while rows := list(
        await connection.execute(_PAGE, {"after": after, "last": last, "limit": limit})
    ):
        yield rows
        after = rows[-1].seq
