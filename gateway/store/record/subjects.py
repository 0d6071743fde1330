"""Subjects 行政相对人; every writer locks them first."""

from collections.abc import Iterable

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, unnest
from schemas.codes import EventType, RecordKind, Verb
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
    f"""
    update subject s set criminal_suspect = coalesce((
        select coalesce(cast(v.body ->> 'suspected' as boolean), true)
        from decision d join record_version v on v.id = d.version_id
        where d.subject_id = s.id and d.kind = '{RecordKind.EVENT}'
          and d.verb <> '{Verb.WITHDRAW}' and v.body ->> 'type' = '{EventType.CRIMINAL_SUSPICION}'
        order by d.decision_date desc, d.id desc limit 1), false)
    where s.id = any(cast(:ids as bigint[]))
    returning s.id, s.criminal_suspect
    """
)


async def renew_suspects(connection: Connection, subject_ids: Iterable[int]) -> dict[int, bool]:
    """Set or clear the exclusion of criminal suspects 涉嫌犯罪; return it by subject.

    The latest event that stands decides, by its day; of one day the one whose first version came
    last, so that a correction of an earlier event does not override what came after it.
    """
    rows = await connection.execute(_SUSPECTS, {"ids": list(subject_ids)})
    return {row[0]: row[1] for row in rows}
