"""Facts 评分事实, which are closed but never changed, and the process events that close them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.branches import ARE_ANY, facts_of_branches
from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy, arrays, unnest
from gateway.store.record.decisions import PLACES, places
from schemas.known import PROCESS_DATES, DecisionKey, Letter, ProcessDates, Relation

add_process_events = Copy(
    "process_event",
    "id, subject_id, kind, number_key, authority_id, type, dates, letter, recorded_at",
)

_PROCESS = text(
    f"""
    select p.subject_id, p.number_key, p.authority_id, p.kind,
           p.letter, p.id, p.dates, e.decision_date, e.id
    from {unnest(PLACES)} join process_event p using (subject_id, number_key)
    join record_version v on v.id = p.id
    join decision e on e.id = v.decision_id and e.version_id = p.id
    """
)
_TARGETS = text(
    """
    select p.id, p.subject_id, p.number_key, p.authority_id, p.kind
    from unnest(cast(:ids as bigint[])) as t(id) join process_event p using (id)
    """
)
_OWN_DATES = text(
    f"""
    select d.id, {", ".join(f"v.body ->> '{name}'" for name in PROCESS_DATES)}
    from unnest(cast(:ids as bigint[])) as t(id)
    join decision d using (id) join record_version v on v.id = d.version_id
    where d.kind = 'event'
    """
)


async def told_of(
    connection: Connection, keys: Sequence[DecisionKey]
) -> tuple[dict[DecisionKey, list[ProcessDates]], dict[DecisionKey, list[Letter]]]:
    """Return the dates that process events set for each decision, and the letters about it.

    An event counts by its latest version only, and not at all once it is withdrawn.
    """
    wanted = set(keys)
    dates: dict[DecisionKey, list[ProcessDates]] = {}
    letters: dict[DecisionKey, list[Letter]] = {}
    for row in await connection.execute(_PROCESS, places(wanted)):
        key, letter, id_ = (row[0], row[1], row[2], row[3]), row.letter, row[-1]
        if key in wanted and letter is None:
            dates.setdefault(key, []).append(ProcessDates(*row[5:]))
        elif key in wanted:
            one = Letter(id_, row.decision_date, letter["severity"], letter["found"])
            letters.setdefault(key, []).append(one)
    return dates, letters


async def targets_of(connection: Connection, version_ids: Sequence[int]) -> dict[int, DecisionKey]:
    """Return the decisions that these versions are about, of those of process events."""
    rows = await connection.execute(_TARGETS, {"ids": list(version_ids)})
    return {row[0]: (row[1], row[2], row[3], row[4]) for row in rows}


async def own_dates(
    connection: Connection, decision_ids: Sequence[int]
) -> dict[int, dict[str, Any]]:
    """Return the dates that the records of these decisions have themselves; only events have."""
    rows = await connection.execute(_OWN_DATES, {"ids": list(decision_ids)})
    return {
        row[0]: {
            name: day for name, day in zip(PROCESS_DATES, row[1:], strict=True) if day is not None
        }
        for row in rows
    }


_CLOSE = text(
    f"""
    update fact f set known_to = greatest(:now, f.known_from)
    from {unnest("subject_id bigint, decision_id bigint")}
    where f.subject_id = t.subject_id and f.decision_id = t.decision_id and f.known_to is null
    """
)
_PRESENT = text(
    f"""
    select f.decision_id, f.body from {unnest("subject_id bigint, decision_id bigint")}
    join fact f using (subject_id, decision_id) where f.known_to is null
    """
)


def _facts_of_subjects(known: str) -> str:
    return f"""
    select subject_id, convert_to('[' || string_agg(body, ',' order by id) || ']', 'UTF8')
    from (select f.subject_id, f.id, f.body::text as body from fact f
        where f.subject_id = any(cast(:ids as bigint[])) and {known.format("f")}
        union all {facts_of_branches("p.id = any(cast(:ids as bigint[]))", known)}) as f
    group by subject_id
    """


_FACTS_OF_SUBJECTS = text(_facts_of_subjects("{0}.known_to is null"))
_FACTS_KNOWN_AT = text(
    _facts_of_subjects("{0}.known_from <= :at and ({0}.known_to is null or {0}.known_to > :at)")
)
_PARENTS = text(
    f"""
    select distinct f.parent from unnest(cast(:ids as bigint[])) as t(id)
    join fact f on f.subject_id = t.id and f.parent is not null and f.known_to is null
    where {ARE_ANY}
    """
)
_BRANCHES_AMONG = text(
    """
    select f.decision_id, s.code, f.parent, f.decided_on, f.body -> 'entry' ->> 'until'
    from (select f.id from subject s join fact f on f.subject_id = s.id and f.parent is not null
            where s.code = any(cast(:codes as text[]))
        union select f.id from unnest(cast(:codes as text[])) as t(code)
            join fact f on f.parent = t.code) found
    join fact f using (id) join subject s on s.id = f.subject_id where f.known_to is null
    """
)
_OF_BRANCHES = text(
    f"""
    select distinct d.subject_id, d.number_key, d.authority_id, d.kind, p.id, s.code
    from {unnest(PLACES)} join subject p on p.id = t.subject_id
    join fact r on r.parent = p.code and r.known_to is null
    join decision d on d.subject_id = r.subject_id and d.number_key = t.number_key
        and d.verb <> 'withdraw'
    join subject s on s.id = d.subject_id
    """
)
_FACTS = text("select subject_id, body from fact where id = any(cast(:ids as bigint[]))")
_LOCK_SUBJECTS_OF = text(
    """
    select id from subject where id in (
        select subject_id from fact where id = any(cast(:ids as bigint[])))
    order by id for no key update
    """
)
_STILL_OPEN = text(
    """
    select subject_id, decision_id, body, decided_on from fact
    where id = any(cast(:ids as bigint[])) and known_to is null order by id
    """
)

add_facts = Copy("fact", "id, subject_id, decision_id, body, decided_on, parent, known_from")


async def present_facts(
    connection: Connection, decisions: Sequence[tuple[int, int]]
) -> dict[int, dict[str, Any]]:
    """Return the bodies of the open facts of these (subject id, decision id), by decision."""
    if not decisions:
        return {}
    values = arrays(("subject_id", "decision_id"), decisions)
    return {row[0]: row[1] for row in await connection.execute(_PRESENT, values)}


_FORMER = text(
    f"""
    select distinct on (decision_id) decision_id, body
    from {unnest("subject_id bigint, decision_id bigint")}
    join fact using (subject_id, decision_id) order by decision_id, fact.id desc
    """
)


async def former_facts(
    connection: Connection, decisions: Sequence[tuple[int, int]]
) -> dict[int, dict[str, Any]]:
    """Return the bodies of the last facts, closed or not, of these decisions, by decision."""
    if not decisions:
        return {}
    values = arrays(("subject_id", "decision_id"), decisions)
    return {row[0]: row[1] for row in await connection.execute(_FORMER, values)}


async def close_facts(
    connection: Connection, decisions: Sequence[tuple[int, int]], now: datetime
) -> None:
    """Close the open facts of these (subject id, decision id); they stay readable."""
    if decisions:
        values = {**arrays(("subject_id", "decision_id"), decisions), "now": now}
        await connection.execute(_CLOSE, values)


async def parents_of(connection: Connection, subject_ids: Sequence[int]) -> list[str]:
    """Return the codes of the legal persons of which these subjects are branches by the register.

    Only the subjects' own locks keep the answer true.
    """
    return list(await connection.scalars(_PARENTS, {"ids": list(subject_ids)}))


async def branches_among(connection: Connection, codes: Sequence[str]) -> dict[int, Relation]:
    """Return the relations of branches by decision id, where either is one of these codes."""
    rows = await connection.execute(_BRANCHES_AMONG, {"codes": list(codes)})
    return {
        id_: Relation(code, parent, since, date.fromisoformat(until) if until else date.max)
        for id_, code, parent, since, until in rows
    }


async def decisions_of_branches(
    connection: Connection, keys: Sequence[DecisionKey]
) -> dict[DecisionKey, str]:
    """Return those of these keys of legal persons that a decision of a branch of it has: its code.

    Somebody may have named the legal person where the branch is meant.
    """
    if not keys:
        return {}
    wanted = set(keys)
    rows = await connection.execute(_OF_BRANCHES, places(wanted))
    found = {(row[4], row[1], row[2], row[3]): row[5] for row in rows}
    return {key: code for key, code in found.items() if key in wanted}


async def facts_of_subjects(connection: Connection, subject_ids: Sequence[int]) -> dict[int, bytes]:
    """Return the open facts of these subjects and of their branches: subject id → JSON list.

    The database joins the bodies of a subject, because one JSON text is parsed much faster than
    many.
    """
    rows = await connection.execute(_FACTS_OF_SUBJECTS, {"ids": list(subject_ids)})
    return {row[0]: row[1] for row in rows}


async def lock_open_facts(
    connection: Connection, ids: Sequence[int]
) -> list[tuple[int, int, dict[str, Any], date]]:
    """Lock the subjects of these facts; return those still open, in the order of their ids.

    Each as (subject id, decision id, body, decision day).
    """
    await connection.execute(_LOCK_SUBJECTS_OF, {"ids": list(ids)})
    rows = await connection.execute(_STILL_OPEN, {"ids": list(ids)})
    return [(row[0], row[1], row[2], row[3]) for row in rows]


async def facts_known_at(
    connection: Connection, subject_ids: Sequence[int], at: datetime
) -> dict[int, bytes]:
    """Return what `facts_of_subjects` would have returned at a time."""
    values = {"ids": list(subject_ids), "at": at}
    return {row[0]: row[1] for row in await connection.execute(_FACTS_KNOWN_AT, values)}


async def facts(connection: Connection, ids: Sequence[int]) -> list[tuple[int, dict[str, Any]]]:
    """Return (subject id, body) of these facts, closed ones too."""
    rows = await connection.execute(_FACTS, {"ids": list(ids)})
    return [(row[0], row[1]) for row in rows]
