"""Published grades 公布等级: stored when a period's grades are published, and never changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy

add_published_grades = Copy(
    "published_grade",
    "id, subject_id, subject_kind, criminal_suspect, period_end, published_on, rule_set_hash, "
    "fact_ids, grade, listings, result, recorded_at",
)


class Publication(NamedTuple):
    """The publication of the grades of the period that ends on a day."""

    period_end: date
    published_on: date


_FINISHED = text("select period_end, published_on from publication where finished_at is not null")
_BEGIN = text(
    """
    insert into publication (period_end, published_on) values (:period_end, :published_on)
    on conflict do nothing
    """
)
_CLAIM = text(
    """
    select stored_to from publication
    where period_end = :period_end and published_on = :published_on and finished_at is null
    for update
    """
)
_ADVANCE = text(
    """
    update publication set stored_to = :to, stored = stored + :stored
    where period_end = :period_end and published_on = :published_on
    """
)
_FINISH = text(
    """
    update publication set finished_at = :now
    where period_end = :period_end and published_on = :published_on returning stored
    """
)


_BEGUN = text("select recorded_at from assessment order by id limit 1")


async def begun(connection: Connection) -> datetime | None:
    """Return when the first assessment was made; nothing was known of anybody before."""
    first: datetime | None = await connection.scalar(_BEGUN)
    return first


async def finished(connection: Connection) -> set[Publication]:
    """Return the publications of which every grade is stored."""
    return {Publication(*row) for row in await connection.execute(_FINISHED)}


class StoredPublication(NamedTuple):
    """A publication with how many grades it says it stored, and how many there are."""

    period_end: date
    published_on: date
    stored: int
    found: int
    finished_at: datetime | None


_TOLD = text(
    """
    select p.period_end, p.published_on, p.stored, coalesce(g.found, 0), p.finished_at
    from publication p left join (select period_end, published_on, count(*) as found
        from published_grade group by period_end, published_on) g using (period_end, published_on)
    order by p.period_end, p.published_on
    """
)


async def publications_told(connection: Connection) -> list[StoredPublication]:
    """Return the publications in their order, with what they say of themselves."""
    return [StoredPublication(*row) for row in await connection.execute(_TOLD)]


_PERIODS = text("select distinct period_end from publication where finished_at <= :at")


async def finished_periods(connection: Connection, at: datetime) -> set[date]:
    """Return the periods whose grades were stored by a time: what is not, was not published."""
    return set(await connection.scalars(_PERIODS, {"at": at}))


async def claim(connection: Connection, one: Publication) -> int | None:
    """Lock a publication; return the last subject that is stored, or None if it is finished."""
    await connection.execute(_BEGIN, one._asdict())
    stored_to: int | None = await connection.scalar(_CLAIM, one._asdict())
    return stored_to


async def advance(connection: Connection, one: Publication, to: int, stored: int) -> None:
    """Store the progress: the last subject looked at, and how many grades the slice stored."""
    await connection.execute(_ADVANCE, {**one._asdict(), "to": to, "stored": stored})


async def finish(connection: Connection, one: Publication, now: datetime) -> int:
    """Finish a publication; return how many grades it stored."""
    stored: int = await connection.scalar(_FINISH, {**one._asdict(), "now": now})
    return stored


class LastAssessed(NamedTuple):
    """The last assessment of a subject up to a time, and the text by which it was scored."""

    subject_id: int
    kind: str
    criminal_suspect: bool
    rule_set_hash: str
    result: dict[str, Any]


_LAST_ASSESSED = text(
    """
    select t.id, a.subject_kind, a.criminal_suspect, a.rule_set_hash, a.result
    from unnest(cast(:ids as bigint[])) as t(id)
    cross join lateral (select * from assessment a where a.subject_id = t.id
        and a.recorded_at <= :at order by a.id desc limit 1) a
    where a.rule_set_hash is not null
    """
)
_RECEIVED_BY = text(
    """
    select t.id, coalesce(g.rule_set, '') from unnest(cast(:ids as bigint[])) as t(id)
    cross join lateral (select g.body ->> 'cause' as cause,
        g.body -> 'rule_set' ->> 'name' as rule_set from grade_change g
        where g.subject_id = t.id and g.recorded_at <= :at order by g.id desc limit 1) g
    where g.cause = 'received'
    """
)
_FIRST_DECIDED = text(
    """
    select p.id, min(f.decided_on) from unnest(cast(:ids as bigint[])) as t(id)
    join subject p using (id)
    cross join lateral (select p.id as subject_id
        union select r.subject_id from fact r where r.parent = p.code) o
    join fact f on f.subject_id = o.subject_id and f.known_from <= :at group by p.id
    """
)
_GRADES_OF_PERIODS = text(
    """
    select p.subject_id, p.period_end, p.grade from unnest(cast(:ids as bigint[])) as t(id)
    cross join lateral (select * from published_grade p where p.subject_id = t.id) p order by p.id
    """
)


async def last_assessed(
    connection: Connection, subject_ids: Sequence[int], at: datetime
) -> list[LastAssessed]:
    """Return the last assessment up to a time of those subjects that were scored by a rule set."""
    values = {"ids": list(subject_ids), "at": at}
    return [LastAssessed(*row) for row in await connection.execute(_LAST_ASSESSED, values)]


async def received_by(
    connection: Connection, subject_ids: Sequence[int], at: datetime
) -> dict[int, str]:
    """Return those of these subjects whose grade was computed elsewhere at a time, by its rules."""
    values = {"ids": list(subject_ids), "at": at}
    return {row[0]: row[1] for row in await connection.execute(_RECEIVED_BY, values)}


async def first_decided(
    connection: Connection, subject_ids: Sequence[int], at: datetime
) -> dict[int, date]:
    """Return the day of the first decision or entry that was known of these subjects by a time.

    Those of their branches count, and withdrawn ones: something was known all the same.
    """
    values = {"ids": list(subject_ids), "at": at}
    return {row[0]: row[1] for row in await connection.execute(_FIRST_DECIDED, values)}


async def grades_of_periods(
    connection: Connection, subject_ids: Sequence[int]
) -> dict[int, dict[date, str | None]]:
    """Return the published grades of these subjects by the last day of their period."""
    found: dict[int, dict[date, str | None]] = {}
    for row in await connection.execute(_GRADES_OF_PERIODS, {"ids": list(subject_ids)}):
        found.setdefault(row[0], {})[row[1]] = row[2]
    return found


@dataclass(frozen=True, slots=True)
class StoredGrade:
    """A published grade with what it was computed from."""

    id: int
    subject_id: int
    subject_code: str
    subject_kind: str
    criminal_suspect: bool
    rule_set_hash: str
    period_end: date
    published_on: date
    fact_ids: list[int]
    grade: str | None
    listings: list[str]
    result: dict[str, Any]
    recorded_at: datetime
    earlier: dict[str, str | None]  #: the grades that were stored before, by the end of the period


_COLUMNS = (
    "p.id, s.id, s.code, p.subject_kind, p.criminal_suspect, p.rule_set_hash, p.period_end, "
    "p.published_on, p.fact_ids, p.grade, p.listings, p.result, p.recorded_at, "
    "coalesce((select jsonb_object_agg(e.period_end, e.grade) from published_grade e "
    "where e.subject_id = p.subject_id and e.id < p.id), '{}')"
)
_PAGE = text(
    f"select {_COLUMNS} from published_grade p join subject s on s.id = p.subject_id "
    "where p.id > :after order by p.id limit :limit"
)
_OF_SUBJECT = text(
    f"select {_COLUMNS} from published_grade p join subject s on s.id = p.subject_id "
    "where s.code = :code and p.recorded_at <= :known_at order by p.published_on, p.id"
)


async def page(connection: Connection, after: int, limit: int) -> list[StoredGrade]:
    """Return a page of published grades in the order of their ids."""
    rows = await connection.execute(_PAGE, {"after": after, "limit": limit})
    return [StoredGrade(*row) for row in rows]


async def of_subject(connection: Connection, code: str, known_at: datetime) -> list[StoredGrade]:
    """Return the published grades of a subject that were stored by a time, the oldest first."""
    rows = await connection.execute(_OF_SUBJECT, {"code": code, "known_at": known_at})
    return [StoredGrade(*row) for row in rows]
