"""Subjects 行政相对人; every writer locks them first."""

from collections.abc import Iterable

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, unnest
from schemas.known import Subject

_NEW_SUBJECTS = text(
    f"""
    insert into subject (id, code, name, person)
    select nextval('gateway_id'), code, name, person from (
        select code, name, person from {unnest("code text, name text, person boolean")}
        where not exists (select from subject s where s.code = t.code) order by code) n
    on conflict (code) do nothing
    """
)
_LOCK_SUBJECTS = text(
    """
    select id, code, criminal_suspect from subject
    where code = any(cast(:codes as text[])) order by id for no key update
    """
)


async def lock_subjects(
    connection: Connection, subjects: Iterable[tuple[str, str | None, bool]]
) -> dict[str, Subject]:
    """Lock subjects, given as (code, name, person), in the order of their ids.

    Subjects that do not exist are added. Intake, finish and schedule all begin with this lock, so
    that they wait for each other only here. Subjects that another batch has just added are locked
    last; if that leads to a deadlock, PostgreSQL ends one transaction and `Database.run` repeats
    it.
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


_SUSPECTS = text(
    """
    update subject set criminal_suspect = t.suspected
    from unnest(cast(:ids as bigint[]), cast(:suspected as boolean[])) as t(id, suspected)
    where subject.id = t.id
    """
)


async def set_suspects(connection: Connection, suspected: dict[int, bool]) -> None:
    """Set or clear the exclusion of criminal suspects 涉嫌犯罪: subject id → suspected."""
    if suspected:
        values = {"ids": list(suspected), "suspected": list(suspected.values())}
        await connection.execute(_SUSPECTS, values)
