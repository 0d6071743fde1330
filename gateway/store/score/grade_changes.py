"""Grade changes 等级变动: written with their batch, numbered after commit by one publisher."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy
from schemas.codes import RecordKind, Verb
from schemas.credit import PublishedResult
from schemas.known import Subject

add_grade_changes = Copy(
    "grade_change", "id, subject_id, assessment_id, from_grade, to_grade, body, recorded_at"
)


@dataclass(frozen=True, slots=True)
class LastGrade:
    """The last recorded grade change of a subject, and its last published grade."""

    grade: str | None
    cause: str
    published: PublishedResult | None = None
    rule_set: str = ""  #: by whose name it was computed, here or elsewhere


_LAST_GRADES = text(
    """
    select t.id, g.to_grade, coalesce(g.body ->> 'cause', ''),
           p.period_end, p.published_on, p.grade, p.listings,
           coalesce(g.body -> 'rule_set' ->> 'name', '')
    from unnest(cast(:ids as bigint[])) as t(id)
    left join lateral (select id, to_grade, body from grade_change g where g.subject_id = t.id
        order by g.id desc limit 1) g on true
    left join lateral (select period_end, published_on, grade, listings from published_grade p
        where p.subject_id = t.id order by p.published_on desc, p.id desc limit 1) p on true
    where g.id is not null or p.period_end is not null
    """
)


async def last_grades(connection: Connection, subject_ids: Sequence[int]) -> dict[int, LastGrade]:
    """Return the last recorded grade of each subject; no entry for a subject without one.

    A subject whose grade was published without a grade change before has no cause.
    """
    rows = await connection.execute(_LAST_GRADES, {"ids": list(subject_ids)})
    return {row[0]: LastGrade(row[1], row[2], _published(*row[3:7]), row[7]) for row in rows}


_RECEIVED = text(
    f"""
    select d.subject_id, v.body
    from decision d join record_version v on v.id = d.version_id
    where d.subject_id = any(cast(:ids as bigint[])) and d.kind = '{RecordKind.GRADE}'
      and d.verb <> '{Verb.WITHDRAW}'
    order by d.subject_id, d.decision_date desc, (
        select min(same.id) from record_version same where same.decision_id = d.id
          and same.body ->> 'grade' = v.body ->> 'grade'
          and same.body ->> 'effective_on' = v.body ->> 'effective_on') desc
    """
)


async def received_grades(
    connection: Connection, subject_ids: Sequence[int]
) -> dict[int, list[Mapping[str, Any]]]:
    """Return the bodies of the received grades that stand of each subject, the first one counts.

    That of the latest day counts, so that the order in which they come does not decide; of one day
    it is the one that came last; a correction of its name or score only overrides nothing.
    """
    found: dict[int, list[Mapping[str, Any]]] = {}
    for id_, body in await connection.execute(_RECEIVED, {"ids": list(subject_ids)}):
        found.setdefault(id_, []).append(body)
    return found


_GRADED_ELSEWHERE = text(
    f"""
    select s.id, s.code, s.criminal_suspect from (
        select distinct subject_id from decision
        where kind = '{RecordKind.GRADE}' and subject_id > :after
        order by subject_id limit :limit) d
    join subject s on s.id = d.subject_id and s.id > :after order by s.id
    """
)


async def graded_elsewhere(connection: Connection, after: int, limit: int) -> list[Subject]:
    """Return the next subjects of which a received grade ever came, withdrawn ones included."""
    rows = await connection.execute(_GRADED_ELSEWHERE, {"after": after, "limit": limit})
    return [Subject(*row) for row in rows]


def _published(
    period_end: date | None,
    published_on: date | None,
    grade: str | None,
    listings: list[str] | None,
) -> PublishedResult | None:
    if period_end is None or published_on is None:
        return None
    return PublishedResult(period_end, published_on, grade, tuple(listings or ()))


_NUMBER = text(
    """
    with last as (select coalesce(max(number), 0) as n from grade_change),
    pending as (select id, row_number() over (order by id) as k from grade_change
        where number is null order by id limit :limit)
    update grade_change g set number = last.n + pending.k from last, pending
    where g.id = pending.id returning g.id, g.subject_id
    """
)

#: One publisher at a time numbers grade changes; the lock ends with its transaction.
_PUBLISHER_LOCK = 726_180_002


async def number_grade_changes(connection: Connection, limit: int) -> list[tuple[int, int]]:
    """Number the first committed grade changes without a gap, under the publisher lock.

    Returns (grade change id, subject id) of each.
    """
    await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _PUBLISHER_LOCK})
    return [(row[0], row[1]) for row in await connection.execute(_NUMBER, {"limit": limit})]


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
    """Return the grade changes recorded in a span of time."""
    return list(await connection.execute(_CHANGES, {"first": first, "end": end}))
