"""Chains that wait for nothing are found and mended; grade changes go out once numbered."""

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
    """Chains that wait for nothing: a bug, mended by the sweeper and alerted at one."""
    return [(row[0], row[1], row[2]) for row in await connection.execute(_STUCK)]


async def mend(connection: Connection, chains: Sequence[tuple[int, str, int]]) -> None:
    """Promote the heads of stuck chains under their subjects' locks."""
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
    """Grade changes that have just been numbered may go, in order, each behind the last."""
    await lock(connection, set(subject_ids))
    rows = await connection.execute(_GRADE_HEADS, {"subjects": list(subject_ids)})
    await promote(connection, [(row[0], row[1]) for row in rows])
