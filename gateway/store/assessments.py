"""Assessments 评价结果 and grade changes 等级变动."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.engine import Connection
from gateway.store.rows import Copy

add_assessments = Copy(
    "assessment",
    "id, subject_id, subject_kind, criminal_suspect, rule_set_hash, as_of, fact_ids, "
    "grade, not_evaluated, changes_on, result, recorded_at",
)

add_grade_changes = Copy(
    "grade_change", "id, subject_id, assessment_id, from_grade, to_grade, body, recorded_at"
)


@dataclass(frozen=True, slots=True)
class LastGrade:
    """The last recorded grade change of a subject."""

    grade: str | None
    cause: str
    effective_on: str = ""  #: YYYY-MM-DD


_LAST_GRADES = text(
    """
    select t.id, g.to_grade, g.body ->> 'cause', g.body ->> 'effective_on'
    from unnest(cast(:ids as bigint[])) as t(id)
    cross join lateral (select to_grade, body from grade_change g where g.subject_id = t.id
        order by g.id desc limit 1) g
    """
)


async def last_grades(connection: Connection, subject_ids: Sequence[int]) -> dict[int, LastGrade]:
    """The grade that each subject was last said to have; none said, no entry."""
    rows = await connection.execute(_LAST_GRADES, {"ids": list(subject_ids)})
    return {row[0]: LastGrade(row[1], row[2], row[3]) for row in rows}


_RULE_SET = text(
    """
    insert into rule_set_version (hash, name, text, recorded_at) values (:hash, :name, :text, :now)
    on conflict (hash) do nothing
    """
)


async def keep_rule_set(
    connection: Connection, hash_: str, name: str, content: str, now: datetime
) -> None:
    """Keep the text of a rule set, so that what it gave can be computed again."""
    values = {"hash": hash_, "name": name, "text": content, "now": now}
    await connection.execute(_RULE_SET, values)


async def rule_set_texts(connection: Connection) -> dict[str, str]:
    """The kept texts by their hash."""
    rows = await connection.execute(text("select hash, text from rule_set_version"))
    return {row[0]: row[1] for row in rows}


@dataclass(frozen=True, slots=True)
class Stored:
    """A past assessment with what it was made of."""

    id: int
    subject_code: str
    subject_kind: str
    criminal_suspect: bool
    rule_set_hash: str | None
    as_of: date
    fact_ids: list[int]
    result: dict[str, Any]
    grade: str | None
    not_evaluated: str | None
    changes_on: date | None
    changed_to: str | None  #: the grade of the grade change that followed, if one did


_STORED = text(
    """
    select a.id, s.code, a.subject_kind, a.criminal_suspect, a.rule_set_hash, a.as_of, a.fact_ids,
           a.result, a.grade, a.not_evaluated, a.changes_on, g.to_grade
    from assessment a join subject s on s.id = a.subject_id
    left join grade_change g on g.subject_id = a.subject_id and g.assessment_id = a.id
    where a.id > :after order by a.id limit :limit
    """
)


async def stored(connection: Connection, after: int, limit: int) -> list[Stored]:
    """Past assessments in the order of their ids, a page at a time."""
    rows = await connection.execute(_STORED, {"after": after, "limit": limit})
    return [Stored(*row) for row in rows]


_NUMBER = text(
    """
    with last as (select coalesce(max(number), 0) as n from grade_change),
    pending as (select id, row_number() over (order by id) as k from grade_change
        where number is null)
    update grade_change g set number = last.n + pending.k from last, pending
    where g.id = pending.id returning g.id, g.subject_id
    """
)
#: One publisher at a time numbers; the lock ends with its transaction.
_PUBLISHER_LOCK = 726_180_002


async def number_grade_changes(connection: Connection) -> list[tuple[int, int]]:
    """Number what has been committed, without a gap; gives (grade change, subject) pairs."""
    await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _PUBLISHER_LOCK})
    return [(row[0], row[1]) for row in await connection.execute(_NUMBER)]


_CHANGES = text(
    """
    select g.number, s.code, s.name, g.from_grade, g.to_grade, g.body, g.recorded_at
    from grade_change g join subject s on s.id = g.subject_id
    where g.recorded_at >= :first and g.recorded_at < :end order by g.id
    """
)


async def grade_changes_between(
    connection: Connection, first: datetime, end: datetime
) -> list[Any]:
    """The grade changes recorded in a span of time."""
    return list(await connection.execute(_CHANGES, {"first": first, "end": end}))


_TO_CHANGE = text(
    """
    select distinct s.code from subject s
    join lateral (select changes_on from assessment a where a.subject_id = s.id
        order by a.id desc limit 1) a on a.changes_on <= :today
    order by s.code limit :limit
    """
)


async def subjects_to_rescore(connection: Connection, today: date, limit: int) -> list[str]:
    """Subjects whose last assessment said that it would change by today."""
    return list(await connection.scalars(_TO_CHANGE, {"today": today, "limit": limit}))
