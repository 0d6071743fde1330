"""The whole population in pages: the subjects that are scored, and their open facts."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.base.branches import facts_of_branches
from gateway.store.base.engine import Connection


class StoredSubject(NamedTuple):
    """A subject that was assessed and whose grade is not received from elsewhere."""

    id: int
    code: str
    person: bool
    criminal_suspect: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Subjects in the order of their ids; their facts as two lists, subject ids and bodies."""

    subjects: list[StoredSubject]
    fact_subjects: list[int]
    bodies: str  #: one JSON object per line


_SUBJECTS = text(
    """
    select s.id, s.code, s.person, s.criminal_suspect from subject s
    where s.id > :after and exists (select from assessment a where a.subject_id = s.id)
      and coalesce((select g.body ->> 'cause' from grade_change g where g.subject_id = s.id
          order by g.id desc limit 1), '') <> 'received'
    order by s.id limit :limit
    """
)
_OPEN = "{0}.known_to is null"
_FACTS = text(
    f"""
    select coalesce(array_agg(subject_id order by subject_id, id), '{{}}'),
           coalesce(string_agg(body, E'\\n' order by subject_id, id), '')
    from (select subject_id, id, body::text as body from fact
        where subject_id > :after and subject_id <= :last and known_to is null
        union all {facts_of_branches("p.id > :after and p.id <= :last", _OPEN)}) as f
    """
)


async def page(connection: Connection, after: int, limit: int) -> Page:
    """Return the next subjects after an id and their facts, in two statements of a snapshot."""
    rows = await connection.execute(_SUBJECTS, {"after": after, "limit": limit})
    subjects = [StoredSubject(*row) for row in rows]
    if not subjects:
        return Page([], [], "")
    values = {"after": after, "last": subjects[-1].id}
    of, bodies = (await connection.execute(_FACTS, values)).one()
    return Page(subjects, of, bodies)
