"""Facts 评分事实, which are closed and never changed, and the process events that change them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text

from gateway.store.engine import Connection
from gateway.store.records import PLACES, Key, places
from gateway.store.rows import Copy, unnest

add_process_events = Copy(
    "process_event", "id, subject_id, kind, number_key, authority_id, type, dates, recorded_at"
)

_PROCESS = text(
    f"""
    select p.subject_id, p.number_key, p.authority_id, p.kind, p.dates
    from {unnest(PLACES)} join process_event p using (subject_id, number_key)
    order by p.id
    """  # noqa: S608  names are ours
)


async def process_dates(connection: Connection, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """What rectification, repair and warning events say of each decision, later ones winning."""
    wanted = set(keys)
    found: dict[Key, dict[str, Any]] = {}
    for row in await connection.execute(_PROCESS, places(wanted)):
        key = (row[0], row[1], row[2], row[3])
        if key in wanted:
            found.setdefault(key, {}).update(row[4])
    return found


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact version as stored."""

    id: int
    subject_id: int
    decision_id: int
    body: dict[str, Any]


_FACTS_OF_DECISIONS = text(
    """
    select id, subject_id, decision_id, body from fact
    where decision_id = any(cast(:ids as bigint[])) and known_to is null
    """
)
_CLOSE_FACTS = text(
    """
    update fact set known_to = :now
    where decision_id = any(cast(:ids as bigint[])) and known_to is null
    """
)
_FACTS_OF_SUBJECTS = text(
    """
    select subject_id, array_agg(id order by id),
           convert_to('[' || string_agg(body::text, ',' order by id) || ']', 'UTF8')
    from fact where subject_id = any(cast(:ids as bigint[])) and known_to is null
    group by subject_id
    """
)
_FACTS = text(
    """
    select id, subject_id, decision_id, body from fact where id = any(cast(:ids as bigint[]))
    """
)

add_facts = Copy("fact", "id, subject_id, decision_id, body, decided_on, known_from")


async def facts_of_decisions(connection: Connection, decision_ids: Sequence[int]) -> list[Fact]:
    """The current facts that these decisions made."""
    rows = await connection.execute(_FACTS_OF_DECISIONS, {"ids": list(decision_ids)})
    return [Fact(*row) for row in rows]


async def close_facts(connection: Connection, decision_ids: Sequence[int], now: datetime) -> None:
    """The facts of these decisions are known no longer; they stay readable."""
    if decision_ids:
        await connection.execute(_CLOSE_FACTS, {"ids": list(decision_ids), "now": now})


async def facts_of_subjects(
    connection: Connection, subject_ids: Sequence[int]
) -> dict[int, tuple[list[int], bytes]]:
    """All that is now known of these subjects: subject id → fact ids, and the list of their bodies.

    The database joins the bodies of a subject, since one JSON text is read much faster than many;
    as bytes, since that is what is read.
    """
    rows = await connection.execute(_FACTS_OF_SUBJECTS, {"ids": list(subject_ids)})
    return {row[0]: (row[1], row[2]) for row in rows}


async def facts(connection: Connection, ids: Sequence[int]) -> list[Fact]:
    """Fact versions by id, closed ones too."""
    rows = await connection.execute(_FACTS, {"ids": list(ids)})
    return [Fact(*row) for row in rows]
