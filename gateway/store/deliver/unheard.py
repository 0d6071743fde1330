"""Versions that a destination was not told, though it has an earlier one."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from schemas.codes import FOLLOW_UPS, RecordKind, Verb
from schemas.delivery import OVER
from schemas.obligation import ReportedVersion

#: `d` turned out to have arrived after it was over. A withdrawal or repair is owed unless one comes
#: later in the chain, and another version unless any does; a destination that is not configured any
#: more gets no such version. A person's withdrawal by hand, with a reason, stands: nothing more is
#: owed then.
_UNHEARD = text(
    f"""
    select distinct d.destination, v.id, dec.id as decision_id, s.id as subject_id, s.code,
        dec.kind, dec.verb, dec.decision_date, dec.excluded is not null as excluded, s.person,
        array(select json_object_keys(v.body)) as columns,
        coalesce(v.problems, '[]'::jsonb) as problems
    from delivery d join decision dec on dec.id = d.chain_id and d.item_kind = 'record_version'
    join record_version v on v.id = dec.version_id join subject s on s.id = dec.subject_id
    where d.maybe_arrived and d.state in {one_of(OVER)}
      and d.verb not in {one_of(FOLLOW_UPS)}
      and (cast(:chains as bigint[]) is null or d.chain_id = any(cast(:chains as bigint[])))
      and d.item_id <> dec.version_id
      and (dec.verb in {one_of(FOLLOW_UPS)} or dec.excluded is not null
          or d.destination = any(cast(:configured as text[])))
      and not exists (select from delivery l where l.chain_id = d.chain_id
          and l.destination = d.destination and l.id > d.id
          and (l.verb in {one_of(FOLLOW_UPS)}
               or (dec.verb not in {one_of(FOLLOW_UPS)} and dec.excluded is null))
          and l.state <> 'superseded' and (l.state <> 'withdrawn' or l.reasons is not null))
    order by dec.id limit :limit
    """
)


class Unheard(NamedTuple):
    """The latest version of a decision, and the destination that has an earlier one."""

    destination: str
    version: ReportedVersion


async def unheard(
    connection: Connection,
    limit: int,
    configured: Sequence[str],
    chains: Sequence[int] | None = None,
) -> list[Unheard]:
    """Return the latest versions that are not told to who has an earlier one; of these chains."""
    values = {"limit": limit, "configured": list(configured)}
    values["chains"] = None if chains is None else list(chains)
    rows = await connection.execute(_UNHEARD, values)
    return [
        Unheard(
            row.destination,
            ReportedVersion(
                id=row.id,
                decision_id=row.decision_id,
                subject_id=row.subject_id,
                subject_code=row.code,
                kind=RecordKind(row.kind),
                verb=Verb(row.verb),
                decision_date=row.decision_date,
                record=None,
                problem_fields=frozenset(problem["field"] for problem in row.problems),
                excluded=row.excluded,
                person=row.person,
                columns=frozenset(row.columns),
            ),
        )
        for row in rows
    ]
