"""Which topic of Kafka an origin 来源 stands for, and the last position that was taken of it.

A topic that is made again begins at offset 0 once more. The origin of the one before is put aside
under another name, so that the positions of both are never taken for one another.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.record.missing import MissingMessages, close_spans


class TopicIs(Enum):
    """What the topic is that the broker has now."""

    SAME = auto()  #: as before, or the first one
    ANOTHER = auto()  #: made again since its messages were taken last
    UNKNOWN = auto()  #: it cannot be told


_FIND = text("select topic_id, anew, former_ids from origin where name = :origin")
_FIRST = text(
    """
    insert into origin (id, name, topic_id) values (nextval('gateway_id'), :origin, :topic_id)
    on conflict (name) do nothing
    """
)
_ADOPT = text("update origin set topic_id = :topic_id where name = :origin and topic_id is null")


async def compare_topic(connection: Connection, origin: str, topic_id: str) -> TopicIs:
    """Compare the id of a topic with the one that its origin has; an origin without takes it."""
    values = {"origin": origin, "topic_id": topic_id}
    found = (await connection.execute(_FIND, {"origin": origin})).first()
    if found is None:
        await connection.execute(_FIRST, values)
        return TopicIs.SAME
    if found.topic_id is None:  # of an earlier release, or begun anew a moment ago
        await connection.execute(_ADOPT, values)
        return TopicIs.SAME if found.anew else TopicIs.UNKNOWN
    if found.topic_id == topic_id or topic_id in found.former_ids:
        return TopicIs.SAME  # a former one is told by a broker that does not know the new one yet
    return TopicIs.ANOTHER


_PUT_ASIDE = text(
    """
    update origin set name = name || '@' || id
    where name = :origin
      and (cast(:topic_id as text) is null or topic_id is distinct from :topic_id)
    returning former_ids || coalesce(array[topic_id], '{}') as former_ids
    """
)
_ANEW = text(
    """
    insert into origin (id, name, anew, former_ids)
    values (nextval('gateway_id'), :origin, true, cast(:former_ids as text[]))
    on conflict (name) do nothing
    """
)


async def begin_anew(
    connection: Connection, origin: str, topic_id: str | None, now: datetime
) -> list[MissingMessages] | None:
    """Begin an origin anew: its topic was made again. Return what was closed of its notes.

    None where another process has done it already: the origin has this id. What was missing of the
    old topic stays told, and hides nothing of the new one.
    """
    values = {"origin": origin, "topic_id": topic_id}
    put = (await connection.execute(_PUT_ASIDE, values)).one_or_none()
    if put is None and await connection.scalar(_IS_THERE, {"origin": origin}):
        return None
    former = [] if put is None else [one for one in put.former_ids if one is not None]
    await connection.execute(_ANEW, {"origin": origin, "former_ids": former})
    return await close_spans(connection, origin, now)


_IS_THERE = text("select exists (select from origin where name = :origin)")
_LAST_OF = text(
    """
    select o.name, o.anew, (select max(i.position) from inbox i where i.origin_id = o.id) as last
    from origin o where o.name = any(cast(:names as text[]))
    """
)


class OriginTaken(NamedTuple):
    """What was ever taken of an origin."""

    behind: int | None  #: the position behind the last one; None if none is known
    anew: bool  #: nothing that was committed before it counts


async def all_taken(connection: Connection, origins: Sequence[str]) -> dict[str, OriginTaken]:
    """Return what was taken of these origins, where known."""
    rows = await connection.execute(_LAST_OF, {"names": list(origins)})
    return {
        row.name: OriginTaken(None if row.last is None else int(row.last) + 1, row.anew)
        for row in rows
    }


async def taken(connection: Connection, origin: str) -> OriginTaken:
    """Return what was ever taken of an origin."""
    return (await all_taken(connection, [origin])).get(origin, OriginTaken(None, anew=False))
