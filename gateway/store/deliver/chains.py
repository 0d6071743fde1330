"""Find and mend stuck chains; release grade changes once they are numbered."""

from collections.abc import Sequence

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import one_of
from gateway.store.deliver.deliveries import BEHIND_A_PERSON, lock, promote
from schemas.codes import FOLLOW_UPS, Verb
from schemas.delivery import BLOCKING, HANDED_OVER, IN_FLIGHT, REPLACEABLE, UNSENT

_STUCK = text(
    f"""
    select distinct w.chain_id, w.destination, w.subject_id from delivery w
    where w.state = 'waiting'
      and (w.item_kind <> 'grade_change' or (select g.number from grade_change g
           where g.id = w.item_id) is not null)
      and not exists (select from delivery b where b.chain_id = w.chain_id
          and b.destination = w.destination
          and b.state in {one_of(BLOCKING)})
      and not {BEHIND_A_PERSON.format(repair="w")}
    """
)


async def stuck_chains(connection: Connection) -> list[tuple[int, str, int]]:
    """Return chains (chain, destination, subject) that wait behind nothing: always a bug."""
    return [(row[0], row[1], row[2]) for row in await connection.execute(_STUCK)]


async def mend(connection: Connection, chains: Sequence[tuple[int, str, int]]) -> None:
    """Lock the subjects and make the first waiting delivery of each stuck chain ready."""
    await lock(connection, {subject for _, _, subject in chains})
    await promote(connection, [(chain, destination) for chain, destination, _ in chains])


#: `ended` are deliveries that were never sent. A newer version replaces them, a repair only a
#: follow-up; only a withdrawal or repair replaces a withdrawal or repair. A withdrawal of a record
#: that the destination never got is superseded too, because the destination need not be told.
_OVERTAKEN = text(
    f"""
    with ended as (
        select id, chain_id, destination, due_at, verb in {one_of(FOLLOW_UPS)} as follows
        from delivery where id = any(cast(:ids as bigint[])) and item_kind = 'record_version'
          and state in {one_of(UNSENT)} and not maybe_arrived),
    behind as (
        select w.id, e.id as ended, e.due_at, e.follows as replaces_follow_up, w.chain_id,
            w.destination, w.verb in {one_of(FOLLOW_UPS)} as follows,
            w.verb = '{Verb.REPAIR}' as repairs,
            exists (select from delivery h where h.chain_id = w.chain_id
                and h.destination = w.destination and h.id < w.id
                and (h.maybe_arrived or h.state in {one_of(HANDED_OVER | IN_FLIGHT)})) as told
        from ended e join delivery w on w.chain_id = e.chain_id
            and w.destination = e.destination and w.id > e.id
            and w.state in ('waiting', 'held')),
    gone as (
        select ended as id from behind
        where case when repairs then replaces_follow_up else follows or not replaces_follow_up end
        union select id from behind where follows and not repairs and not told),
    superseded as (
        update delivery d set state = 'superseded' from gone
        where d.id = gone.id and d.state in {one_of(REPLACEABLE)}),
    hastened as (
        update delivery d set due_at = least(d.due_at, b.due_at) from behind b
        where d.id = b.id and not b.follows and not b.replaces_follow_up)
    select distinct chain_id, destination from behind
    """
)


async def supersede_overtaken(connection: Connection, ids: Sequence[int]) -> list[tuple[int, str]]:
    """Supersede those of these deliveries that were not handed over and are overtaken.

    A version behind them, also one that is held, takes over their due time. Returns the chains
    (chain, destination) whose next delivery may be made ready. The subjects must be locked.
    """
    return [(row[0], row[1]) for row in await connection.execute(_OVERTAKEN, {"ids": list(ids)})]


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
