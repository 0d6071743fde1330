"""Which decisions letters 信用修复决定书 have taken out of publication, and since when."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from schemas.base import today
from schemas.codes import Verb

#: Of the versions of one moment the last counts: a correction of what is repaired has its repair
#: behind it. What is away meanwhile, withdrawn or not reported, changes nothing.
_ENDED = text(
    f"""
    with moment as (
        select distinct on (f.id, v.recorded_at)
            f.id, v.recorded_at as at, v.verb = '{Verb.REPAIR}' as ended
        from fact f join record_version v on v.decision_id = f.decision_id
        where f.id = any(cast(:ids as bigint[])) and v.recorded_at <= :known_at
          and v.verb <> '{Verb.WITHDRAW}' and v.excluded is null
        order by f.id, v.recorded_at, v.version desc)
    select id, min(at) from moment m
    where not exists (select from moment o where o.id = m.id and o.at >= m.at and not o.ended)
    group by id
    """
)


async def ended(
    connection: Connection, facts: Sequence[str], known_at: datetime
) -> dict[str, date]:
    """Return the day on which the publication of the decision of a fact ended, by fact."""
    values = {"ids": [int(one) for one in facts if one.isdecimal()], "known_at": known_at}
    return {str(row[0]): today(row[1]) for row in await connection.execute(_ENDED, values)}
