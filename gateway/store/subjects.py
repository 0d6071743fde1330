"""Subjects and authorities: who a decision is about, and whose it is."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.engine import Connection
from gateway.store.rows import Insert, arrays, unnest

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


class Subject(NamedTuple):
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
