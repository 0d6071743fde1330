"""Subjects, authorities, decisions, their versions and facts: the record step 入账."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import text

from gateway.store.engine import Connection
from gateway.store.rows import Copy, Insert, arrays, unnest
from schemas.value import value

# ---------------------------------------------------------------- subjects and authorities

_NEW_SUBJECTS = text(
    f"""
    insert into subject (id, code, name, person)
    select nextval('gateway_id'), code, name, person from (
        select code, name, person from {unnest("code text, name text, person boolean")}
        where not exists (select from subject s where s.code = t.code) order by code) n
    on conflict (code) do nothing
    """  # noqa: S608  names are ours
)
_LOCK_SUBJECTS = text(
    """
    select id, code, criminal_suspect from subject
    where code = any(cast(:codes as text[])) order by id for no key update
    """
)


@value
class Subject:
    """A subject that this transaction holds locked."""

    id: int
    code: str
    criminal_suspect: bool


async def lock_subjects(
    connection: Connection, subjects: Iterable[tuple[str, str | None, bool]]
) -> dict[str, Subject]:
    """Lock subjects by (code, name, person) in the order of their ids; new ones are written.

    Ingest, finish and schedule all begin with this lock, so that they meet on it and nowhere else.
    Those that another batch has just written are locked last; should that ever cross with a third
    batch, PostgreSQL ends one of them and it is repeated.
    """
    by_code = {code: (code, name, person) for code, name, person in subjects}
    found = await _locked(connection, by_code)
    new = {code: row for code, row in by_code.items() if code not in found}
    if new:
        await connection.execute(_NEW_SUBJECTS, arrays(("code", "name", "person"), new.values()))
        found |= await _locked(connection, new)
    return found


async def _locked(connection: Connection, codes: Iterable[str]) -> dict[str, Subject]:
    rows = await connection.execute(_LOCK_SUBJECTS, {"codes": list(codes)})
    return {row[1]: Subject(*row) for row in rows}


_AUTHORITIES = text(
    """
    with new as (
        insert into authority (id, name)
        select nextval('gateway_id'), name from unnest(cast(:names as text[])) as t(name)
        where not exists (select from authority_alias a where a.alias = t.name)
        on conflict (name) do nothing returning id, name),
    alias as (insert into authority_alias (alias, authority_id) select name, id from new
        returning alias, authority_id)
    select alias, authority_id from alias
    union all
    select alias, authority_id from authority_alias where alias = any(cast(:names as text[]))
    """
)


async def authorities(connection: Connection, names: Iterable[str]) -> dict[str, int]:
    """The id of each authority by its normalised name, through the table of aliases."""
    wanted = sorted(set(names))
    found = await _authority_ids(connection, wanted)
    if len(found) < len(wanted):  # another batch wrote one just now, after our snapshot
        found = await _authority_ids(connection, wanted)
    return found


async def _authority_ids(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    rows = await connection.execute(_AUTHORITIES, {"names": names})
    return {row.alias: row.authority_id for row in rows}


add_authority_codes = Insert(
    "authority_code", "authority_id bigint, code text", "on conflict do nothing"
)

_CONFLICTS = text(
    """
    select a.name, array_agg(distinct c.code order by c.code) codes, 'two_codes' as conflict
    from authority_code c join authority a on a.id = c.authority_id
    group by a.id, a.name having count(*) > 1
    union all
    select c.code, array_agg(distinct a.name order by a.name), 'two_names'
    from authority_code c join authority a on a.id = c.authority_id
    group by c.code having count(*) > 1 order by 3, 1
    """
)


async def authority_conflicts(connection: Connection) -> list[tuple[str, list[str], str]]:
    """Two codes under one name, two names under one code: for a person, never merged by us."""
    return [(row[0], row[1], row[2]) for row in await connection.execute(_CONFLICTS)]


# ---------------------------------------------------------------- decisions and versions

Key = tuple[int, str, int, str]  #: subject id, number key, authority id, kind


@dataclass(slots=True)
class Known:
    """A decision as it stands, and as the batch changes it."""

    id: int
    version: int
    version_id: int
    verb: str
    content_hash: bytes
    is_new: bool = False
    changed: bool = False


#: A subject has few decisions of one number: the rest of the key is compared here.
_PLACES = "subject_id bigint, number_key text"
_EXISTING = text(
    f"""
    select d.subject_id, d.number_key, d.authority_id, d.kind,
           d.id, d.version, d.version_id, d.verb, d.content_hash
    from {unnest(_PLACES)} join decision d using (subject_id, number_key)
    """  # noqa: S608  names are ours
)


def _places(keys: Iterable[Key]) -> Mapping[str, list[Any]]:
    return arrays(("subject_id", "number_key"), {(key[0], key[1]) for key in keys})


async def known_decisions(connection: Connection, keys: Sequence[Key]) -> dict[Key, Known]:
    """The decisions of these keys that are already there."""
    wanted = set(keys)
    rows = await connection.execute(_EXISTING, _places(wanted))
    return {key: Known(*row[4:]) for row in rows if (key := tuple(row[:4])) in wanted}


_DECISION = (
    "id bigint, kind text, number_key text, authority_id bigint, subject_id bigint, "
    "document_number text, decision_date date, excluded text, verdict text, verb text, "
    "version int, version_id bigint, content_hash bytea, recorded_at timestamptz"
)
add_decisions = Copy("decision", ", ".join(pair.split()[0] for pair in _DECISION.split(",")))
change_decisions = Insert(
    "decision",
    _DECISION,
    "on conflict (id) do update set document_number = excluded.document_number, "
    "decision_date = excluded.decision_date, excluded = excluded.excluded, "
    "verdict = excluded.verdict, verb = excluded.verb, version = excluded.version, "
    "version_id = excluded.version_id, content_hash = excluded.content_hash",
)
add_versions = Copy(
    "record_version",
    "id, decision_id, version, verb, body, secret, unknown_columns, verdict, problems, recorded_at",
)

_REPAIR_VERSIONS = text(
    f"""
    with added as (
        insert into record_version
            (id, decision_id, version, verb, body, secret, verdict, recorded_at)
        select t.id, d.id, d.version + 1, 'repair', v.body, v.secret, v.verdict, :now
        from {unnest("id bigint, decision bigint")}
        join decision d on d.id = t.decision join record_version v on v.id = d.version_id
        returning id, decision_id, version)
    update decision d set version = added.version, version_id = added.id, verb = 'repair'
    from added where d.id = added.decision_id returning added.id, d.id, d.decision_date
    """  # noqa: S608  names are ours
)


async def add_repair_versions(
    connection: Connection, pairs: Sequence[tuple[int, int]], now: datetime
) -> list[tuple[int, int, date]]:
    """A version with verb `repair` for each (new id, decision id); gives them with their date."""
    values = {**arrays(("id", "decision"), pairs), "now": now}
    rows = await connection.execute(_REPAIR_VERSIONS, values)
    return [(row[0], row[1], row[2]) for row in rows]


# ---------------------------------------------------------------- facts and process events

add_process_events = Copy(
    "process_event", "id, subject_id, kind, number_key, authority_id, type, dates, recorded_at"
)

_PROCESS = text(
    f"""
    select p.subject_id, p.number_key, p.authority_id, p.kind, p.dates
    from {unnest(_PLACES)} join process_event p using (subject_id, number_key)
    order by p.id
    """  # noqa: S608  names are ours
)


async def process_dates(connection: Connection, keys: Sequence[Key]) -> dict[Key, dict[str, Any]]:
    """What rectification, repair and warning events say of each decision, later ones winning."""
    wanted = set(keys)
    found: dict[Key, dict[str, Any]] = {}
    for row in await connection.execute(_PROCESS, _places(wanted)):
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
    select subject_id, array_agg(id order by id), string_agg(body::text, ',' order by id)
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
) -> dict[int, list[tuple[int, dict[str, Any]]]]:
    """All that is now known of these subjects: subject id → (fact id, body), in order.

    The database joins the bodies of a subject, since one JSON text is read much faster than many.
    """
    rows = await connection.execute(_FACTS_OF_SUBJECTS, {"ids": list(subject_ids)})
    return {row[0]: list(zip(row[1], orjson.loads(f"[{row[2]}]"), strict=True)) for row in rows}


async def facts(connection: Connection, ids: Sequence[int]) -> list[Fact]:
    """Fact versions by id, closed ones too."""
    rows = await connection.execute(_FACTS, {"ids": list(ids)})
    return [Fact(*row) for row in rows]


_SUSPECTS = text(
    """
    update subject set criminal_suspect = t.suspected
    from unnest(cast(:ids as bigint[]), cast(:suspected as boolean[])) as t(id, suspected)
    where subject.id = t.id
    """
)


async def set_suspects(connection: Connection, suspected: dict[int, bool]) -> None:
    """Open or close the exclusion of criminal suspects 涉嫌犯罪."""
    if suspected:
        values = {"ids": list(suspected), "suspected": list(suspected.values())}
        await connection.execute(_SUSPECTS, values)


_MONTH = text(
    """
    select d.id, d.kind, d.document_number, a.name as authority, s.code as subject_code,
           s.name as subject_name, s.person, d.decision_date, d.excluded, d.verdict, d.verb,
           d.recorded_at
    from decision d join subject s on s.id = d.subject_id
    join authority a on a.id = d.authority_id
    where d.kind in ('penalty', 'licence') and d.decision_date >= :first and d.decision_date < :end
    order by d.kind desc, d.decision_date, d.id
    """
)


async def decisions_between(connection: Connection, first: date, end: date) -> list[Any]:
    """The decisions of a span of days, first day in, last day out, for the ledger."""
    return list(await connection.execute(_MONTH, {"first": first, "end": end}))
