"""What was known of one subject at a time, to explain its grade."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.branches import facts_of_branches
from gateway.store.base.engine import Connection


@dataclass(frozen=True, slots=True)
class KnownSubject:
    """A subject as known at a time; `facts` are in the order of their ids.

    `rule_set_text` is that of the last assessment up to then, None if there was none.
    """

    code: str
    name: str | None
    person: bool
    criminal_suspect: bool
    facts: list[dict[str, Any]]
    rule_set_text: str | None
    received: list[dict[str, Any]]
    #: The earliest decision of all facts that were ever known by then, withdrawn ones too.
    first_decided_on: date | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was known of it yet."""
        return not (self.facts or self.received or self.rule_set_text)


_SUBJECT = text(
    """
    select s.id, s.code, s.name, s.person,
           coalesce(a.criminal_suspect, s.criminal_suspect), r.text
    from subject s
    left join lateral (select criminal_suspect, rule_set_hash from assessment a
        where a.subject_id = s.id and a.recorded_at <= :known_at order by a.id desc limit 1) a
        on true
    left join rule_set_version r on r.hash = a.rule_set_hash
    where s.code = :code
    """
)
_KNOWN = "{0}.known_from <= :known_at and ({0}.known_to is null or {0}.known_to > :known_at)"
_FACTS = text(
    f"""
    select cast(body as json) from (
        select f.subject_id, f.id, f.body::text as body from fact f
        where f.subject_id = :id and {_KNOWN.format("f")}
        union all {facts_of_branches("p.id = :id", _KNOWN)}) as f
    order by id
    """
)
_FIRST = text(
    """
    select min(f.decided_on) from fact f where f.known_from <= :known_at and f.subject_id in (
        select :id union select r.subject_id from subject p join fact r on r.parent = p.code
        where p.id = :id)
    """
)
_RECEIVED = text(
    """
    select body from (
        select body from grade_change where subject_id = :id and recorded_at <= :known_at
        order by id desc limit 1) as last
    where body ->> 'cause' = 'received'
    """
)


async def known(connection: Connection, code: str, known_at: datetime) -> KnownSubject | None:
    """Return what was known of this subject at that time; None for an unknown subject."""
    values = {"code": code, "known_at": known_at}
    row = (await connection.execute(_SUBJECT, values)).first()
    if row is None:
        return None
    of_subject = {"id": row[0], "known_at": known_at}
    facts = list(await connection.scalars(_FACTS, of_subject))
    received = list(await connection.scalars(_RECEIVED, of_subject))
    first = await connection.scalar(_FIRST, of_subject)
    return KnownSubject(row[1], row[2], row[3], row[4], facts, row[5], received, first)
