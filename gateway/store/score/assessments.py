"""Write, read and find assessments 评价结果."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy

add_assessments = Copy(
    "assessment",
    "id, subject_id, subject_kind, criminal_suspect, rule_set_hash, as_of, fact_ids, "
    "grade, not_evaluated, changes_on, result, recorded_at",
)


@dataclass(frozen=True, slots=True)
class Stored:
    """A past assessment with its input."""

    id: int
    subject_id: int
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
    changed_to: str | None  #: the new grade if it led to a grade change


_STORED = text(
    """
    select a.id, s.id, s.code, a.subject_kind, a.criminal_suspect, a.rule_set_hash, a.as_of,
           a.fact_ids, a.result, a.grade, a.not_evaluated, a.changes_on, g.to_grade
    from assessment a join subject s on s.id = a.subject_id
    left join grade_change g on g.subject_id = a.subject_id and g.assessment_id = a.id
    where a.id > :after order by a.id limit :limit
    """
)


async def stored(connection: Connection, after: int, limit: int) -> list[Stored]:
    """Return a page of past assessments in the order of their ids."""
    rows = await connection.execute(_STORED, {"after": after, "limit": limit})
    return [Stored(*row) for row in rows]


#: How far the clocks of two hosts may differ, one with a wrong time zone included.
LARGEST_SKEW = timedelta(days=1)
_LAST_RECORDED = text(
    """
    select max(last.recorded_at) from unnest(cast(:ids as bigint[])) as t(id)
    cross join lateral (select a.recorded_at from assessment a where a.subject_id = t.id
        order by a.id desc limit 1) last
    where last.recorded_at <= :latest
    """
)


async def not_before_last(
    connection: Connection, subject_ids: Iterable[int], now: datetime
) -> datetime:
    """Return now, or the time of the last assessment of these subjects if that is a bit later.

    Facts and assessments of a subject are recorded together, so that its known-at times do not go
    back although the clocks of hosts differ. A time further ahead is that of a clock that was
    wrong: it must not become that of other subjects. The subjects must be locked.
    """
    values = {"ids": list(subject_ids), "latest": now + LARGEST_SKEW}
    last = await connection.scalar(_LAST_RECORDED, values)
    return now if last is None else max(now, last)


_TO_CHANGE = text(
    """
    select s.code from assessment a join subject s on s.id = a.subject_id
    where a.changes_on > :since and a.changes_on <= :today and not exists (
        select from assessment later where later.subject_id = a.subject_id and later.id > a.id)
    order by a.changes_on, a.id limit :limit
    """
)


async def subjects_to_rescore(
    connection: Connection, since: date, today: date, limit: int
) -> list[str]:
    """Return the codes of subjects whose last assessment changes after `since` and by today."""
    values = {"since": since, "today": today, "limit": limit}
    return list(await connection.scalars(_TO_CHANGE, values))


_UNSCORED = text(
    """
    select s.id, s.code, last.subject_kind, last.rule_set_hash is null, last.not_evaluated from (
        select distinct subject_id from assessment
        where rule_set_hash is null and subject_id > :after order by subject_id limit :limit) a
    join subject s on s.id = a.subject_id and s.id > :after
    cross join lateral (select subject_kind, rule_set_hash, not_evaluated from assessment l
        where l.subject_id = s.id order by l.id desc limit 1) last
    order by s.id
    """
)


class OnceUnscored(NamedTuple):
    """A subject that was once assessed without a rule set, or where the engine failed."""

    id: int
    code: str
    kind: str  #: of its last assessment
    still: bool  #: the last one is without, too
    not_evaluated: str | None  #: why the last one gave no grade


async def once_unscored(connection: Connection, after: int, limit: int) -> list[OnceUnscored]:
    """Return the next subjects of which any assessment is by no rule set."""
    rows = await connection.execute(_UNSCORED, {"after": after, "limit": limit})
    return [OnceUnscored(*row) for row in rows]
