"""Which decisions a letter 信用修复决定书 has taken out of publication, and when it came here."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from schemas.base import today

_ENDED = text(
    """
    select f.id, min(v.recorded_at) from fact f
    join record_version v on v.decision_id = f.decision_id and v.verb = 'repair'
    where f.id = any(cast(:ids as bigint[])) and v.recorded_at <= :known_at group by f.id
    """
)


async def ended(
    connection: Connection, facts: Sequence[str], known_at: datetime
) -> dict[str, date]:
    """Return the day on which the publication of the decision of a fact ended, by fact."""
    values = {"ids": [int(one) for one in facts if one.isdecimal()], "known_at": known_at}
    return {str(row[0]): today(row[1]) for row in await connection.execute(_ENDED, values)}
