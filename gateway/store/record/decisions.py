"""Decisions and their versions, for the record step 入账."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import Copy, Insert, arrays, unnest
from schemas.codes import RecordKind, Verb
from schemas.identifiers import plain_number
from schemas.kinds import KINDS
from schemas.known import DecisionKey, KnownDecision, StoredContent
from schemas.record import BusinessKey

#: Looked up by subject and number, which few decisions share; Python compares the rest of the key.
PLACES = "subject_id bigint, number_key text"
_EXISTING = text(
    f"""
    select d.subject_id, d.number_key, d.authority_id, d.kind,
           d.id, d.version, d.version_id, d.verb, d.content_hash, d.decision_date, d.verdict,
           d.excluded is not null,
           coalesce((select v.verb = 'repair' from record_version v
               where v.decision_id = d.id and v.verb <> '{Verb.WITHDRAW}' and v.excluded is null
               order by v.version desc limit 1), false),
           case when d.kind = '{RecordKind.EVENT}'
               then (select v.body ->> 'type' from record_version v where v.id = d.version_id) end
    from {unnest(PLACES)} join decision d using (subject_id, number_key)
    """
)


def places(keys: Iterable[DecisionKey]) -> Mapping[str, list[Any]]:
    """Return subject and number of each key as the arrays of `PLACES`."""
    return arrays(("subject_id", "number_key"), {(key[0], key[1]) for key in keys})


async def known_decisions(
    connection: Connection, keys: Sequence[DecisionKey]
) -> dict[DecisionKey, KnownDecision]:
    """Return the decisions of these keys that exist."""
    wanted = set(keys)
    rows = await connection.execute(_EXISTING, places(wanted))
    return {key: KnownDecision(*row[4:]) for row in rows if (key := tuple(row[:4])) in wanted}


#: The plain number is that of `plain_number`; of most the pattern takes nothing off.
#: The subject's own decisions are read once. Python compares the rest of the key.
_ALIKE = text(
    f"""
    with own as materialized (
        select subject_id, number_key, authority_id, kind,
               rtrim(case when strpos(number_key, '年〕') > 0 or strpos(number_key, '〕第') > 0
                       or strpos(number_key, '〕0') > 0
                   then regexp_replace(number_key, '年?〕第?0*', '〕', 'g')
                   else number_key end, '号') as plain
        from decision where subject_id = any(cast(:subject_id as bigint[]))
          and verb <> '{Verb.WITHDRAW}')
    select o.subject_id, o.number_key, o.authority_id, o.kind, plain
    from {unnest("subject_id bigint, plain text")} join own o using (subject_id, plain)
    """
)


async def decisions_alike(
    connection: Connection, keys: Iterable[DecisionKey]
) -> Sequence[DecisionKey]:
    """Return the decisions that differ from these new ones in 第, leading zeros, 年 or 号."""
    wanted = {(key[0], plain_number(key[1]), key[2], key[3]) for key in keys}
    places_ = arrays(("subject_id", "plain"), {one[:2] for one in wanted})
    rows = await connection.execute(_ALIKE, places_)
    return [tuple(row[:4]) for row in rows if (row[0], row[4], row[2], row[3]) in wanted]


_GRADES_OF_OTHERS = text(
    f"""
    select d.number_key, d.authority_id, s.code from {unnest("number_key text")}
    join decision d using (number_key) join subject s on s.id = d.subject_id
    where d.kind = '{RecordKind.GRADE}' and d.verb <> '{Verb.WITHDRAW}'
    """
)


async def grades_of(
    connection: Connection, keys: Iterable[DecisionKey]
) -> dict[tuple[str, int], str]:
    """Return the subjects, by number and authority, of the grades of these keys that stand."""
    numbers = sorted({key[1] for key in keys if key[3] == RecordKind.GRADE})
    if not numbers:
        return {}
    rows = await connection.execute(_GRADES_OF_OTHERS, {"number_key": numbers})
    return {(row[0], row[1]): row[2] for row in rows}


_DECISION = (
    "id bigint, kind text, number_key text, authority_id bigint, subject_id bigint, "
    "document_number text, decision_date date, excluded text, verdict text, verb text, "
    "version int, version_id bigint, content_hash bytea, recorded_at timestamptz"
)
add_decisions = Copy("decision", _DECISION)
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
    "id, decision_id, version, verb, body, secret, unknown_columns, key_version, verdict, "
    "problems, excluded, recorded_at",
)

#: A name of an authority may be one of its aliases.
_LATER = text(
    """
    select max(v.recorded_at) from decision d
    join subject s on s.id = d.subject_id
    join record_version v on v.decision_id = d.id
    where s.code = :subject and d.kind = :kind and d.number_key = :number
      and (:authority = '' or d.authority_id in (select authority_id from authority_alias
          where alias = :authority))
      and (v.recorded_at > :since or (v.recorded_at = :since and exists (
          select from inbox i join inbox q on q.origin_id = i.origin_id
          where i.record_version_id = v.id and q.quarantine_id = :item
            and q.recorded_at = i.recorded_at and i.position > q.position)))
    """
)


async def later_version(
    connection: Connection, key: BusinessKey, item: int, since: datetime
) -> datetime | None:
    """Return when a decision got its latest version, if it came after a refused item.

    `since` is when that came; of the same batch the place within its origin decides.
    """
    values = {**key._asdict(), "item": item, "since": since}
    found: datetime | None = await connection.scalar(_LATER, values)
    return found


_VERSIONS_LIKE = text(
    f"""
    with added as (
        insert into record_version
            (id, decision_id, version, verb, body, secret, key_version, verdict, problems,
            recorded_at)
        select t.id, t.decision_id, t.version, t.verb, v.body, v.secret, v.key_version,
            v.verdict, case when t.verb <> '{Verb.REPAIR}' then v.problems end, :now
        from {unnest("id bigint, decision_id bigint, version int, verb text, source bigint")}
        join record_version v on v.id = t.source
        returning id, decision_id, version, verb),
    last as (select distinct on (decision_id) * from added order by decision_id, version desc)
    update decision d set version = last.version, version_id = last.id, verb = last.verb
    from last where d.id = last.decision_id and d.version < last.version
    """
)


async def add_versions_like(
    connection: Connection, added: Sequence[tuple[int, int, int, str, int]], now: datetime
) -> None:
    """Add versions given as (id, decision id, version, verb, source).

    The content is that of the version `source`. The subjects must be locked.
    """
    if added:
        columns = ("id", "decision_id", "version", "verb", "source")
        await connection.execute(_VERSIONS_LIKE, {**arrays(columns, added), "now": now})


_CONTENTS = text(
    f"""
    select t.id, v.id, array(select json_object_keys(v.body)),
        array(select p ->> 'field' from jsonb_array_elements(v.problems) p)
    from unnest(cast(:ids as bigint[])) as t(id)
    cross join lateral (select id, body, problems from record_version v
        where v.decision_id = t.id and v.verb <> '{Verb.REPAIR}'
        order by v.version desc limit 1) v
    """
)


async def contents_of(
    connection: Connection, decision_ids: Sequence[int]
) -> dict[int, StoredContent]:
    """Return the latest contents of these decisions, by decision."""
    rows = await connection.execute(_CONTENTS, {"ids": list(decision_ids)})
    return {row[0]: StoredContent(row[1], frozenset(row[2]), frozenset(row[3])) for row in rows}


_MONTH = text(
    """
    select d.id, d.kind, d.document_number, a.name as authority, s.code as subject_code,
           s.name as subject_name, s.person, d.decision_date, d.excluded, d.verdict, d.verb,
           d.recorded_at
    from decision d join subject s on s.id = d.subject_id
    join authority a on a.id = d.authority_id
    where d.kind = any(cast(:kinds as text[]))
      and d.decision_date >= :first and d.decision_date < :end
    order by array_position(cast(:kinds as text[]), d.kind), d.decision_date, d.id
    """
)


async def decisions_between(connection: Connection, first: date, end: date) -> list[Any]:
    """Return the decisions dated from `first` to the day before `end`, for the ledger."""
    return list(
        await connection.execute(_MONTH, {"first": first, "end": end, "kinds": KINDS.in_order})
    )
