"""Find and mend stuck chains; release grade changes once they are numbered."""

from collections.abc import Sequence

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from gateway.store.deliver.deliveries import lock, promote
from schemas.delivery import BLOCKING

_STUCK = text(
    f"""
    select distinct w.chain_id, w.destination, w.subject_id from delivery w
    where w.state = 'waiting'
      and (w.item_kind <> 'grade_change' or exists (select from grade_change g
           where g.id = w.item_id and g.number is not null))
      and not exists (select from delivery b where b.chain_id = w.chain_id
          and b.destination = w.destination
          and b.state in {one_of(BLOCKING)})
    """
)


async def stuck_chains(connection: Connection) -> list[tuple[int, str, int]]:
    """Return chains (chain, destination, subject) that wait behind nothing: always a bug."""
    return [(row[0], row[1], row[2]) for row in await connection.execute(_STUCK)]


async def mend(connection: Connection, chains: Sequence[tuple[int, str, int]]) -> None:
    """Lock the subjects and make the first waiting delivery of each stuck chain ready."""
    await lock(connection, {subject for _, _, subject in chains})
    await promote(connection, [(chain, destination) for chain, destination, _ in chains])


_GRADE_HEADS = text(
    """
    select distinct d.chain_id, d.destination from delivery d
    where d.item_kind = 'grade_change' and d.state = 'waiting'
      and d.chain_id = any(cast(:subjects as bigint[]))
    """
)


async def release_grade_changes(connection: Connection, subject_ids: Sequence[int]) -> None:
    """Lock the subjects and make the first waiting grade change of each chain ready."""
    await lock(connection, set(subject_ids))
    rows = await connection.execute(_GRADE_HEADS, {"subjects": list(subject_ids)})
    await promote(connection, [(row[0], row[1]) for row in rows])
