"""The differences 对账差异 of each side over its runs, and what a person said of them.

A side is a destination or a source register. A difference stays one row from the run that found it
first until a run finds it no more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from itertools import islice
from typing import Any, NamedTuple

import orjson
from sqlalchemy import text

from gateway.store.account.reconcile_runs import Run
from gateway.store.base.engine import Connection
from gateway.store.base.statements import arrays, one_of, unnest
from schemas.delivery import HANDED_OVER
from schemas.reconciled import FoundDifference, OpenDifference

#: Differences of one statement.
_SLICE = 5_000


class DifferenceState(StrEnum):
    """How a difference stands."""

    OPEN = "open"  #: 未了结
    EXPLAINED = "explained"  #: 已说明: by a person, as long as its flags stay the same
    MENDED = "mended"  #: 已消除: the last run did not find it any more


@dataclass(frozen=True, slots=True)
class StoredDifference:
    """A difference over all runs; it names no natural person."""

    id: int
    side: str
    decision_id: int | None
    key: str
    day: date | None
    flags: Sequence[Mapping[str, Any]]
    since: datetime
    first_seen: datetime
    last_seen: datetime
    mended_at: datetime | None
    explained_at: datetime | None
    explained_by: str | None
    reason: str | None

    @property
    def state(self) -> DifferenceState:
        """How it stands."""
        if self.mended_at is not None:
            return DifferenceState.MENDED
        return DifferenceState.OPEN if self.explained_at is None else DifferenceState.EXPLAINED

    @property
    def kinds(self) -> list[str]:
        """The kinds of its flags, the gravest first."""
        return [flag["kind"] for flag in self.flags]


@dataclass(frozen=True, slots=True)
class Changes:
    """What a run changed: how many differences are new, and how many are mended."""

    opened: int
    mended: int


_COLUMNS = """id, side, decision_id, key, day, flags, since, first_seen, last_seen, mended_at,
    explained_at, explained_by, reason"""
_FOUND = """identity text, decision_id bigint, key text, day date, flags text, words text,
    since timestamptz"""
#: One that came back after it was mended begins anew; one whose words change needs a new
#: explanation.
_KEEP = text(
    f"""
    with found as materialized (
        select f.*, d.id is null or d.mended_at is not null as is_new
        from {unnest(_FOUND, "f")}
        left join difference d on d.side = :side and d.identity = f.identity),
    kept as (
        insert into difference (id, side, identity, decision_id, key, day, flags, words, since,
            run_id, first_seen, last_seen)
        select nextval('gateway_id'), :side, identity, decision_id, key, day, flags::jsonb,
            words, since, :run, :now, :now
        from found
        on conflict (side, identity) do update set key = excluded.key, day = excluded.day,
            flags = excluded.flags, words = excluded.words, since = excluded.since,
            run_id = excluded.run_id, last_seen = excluded.last_seen, mended_at = null,
            first_seen = case when difference.mended_at is null then difference.first_seen
                else excluded.first_seen end,
            explained_at = case when difference.words = excluded.words
                and difference.mended_at is null then difference.explained_at end)
    select count(*) filter (where is_new) from found
    """
)
_MEND = text("update difference set mended_at = :now where id = any(cast(:ids as bigint[]))")
_LOCK = text("select pg_advisory_xact_lock(hashtext('difference ' || :side))")
#: A run that began later has the newer picture of its days.
_NEWER = text(
    """
    select r.first_day, r.end_day from reconcile_run r join reconcile_run mine on mine.id = :run
    where r.side = mine.side and r.finished_at is not null and r.began_at > mine.began_at
      and r.first_day < mine.end_day and r.end_day > mine.first_day
    """
)
_STANDING = text(
    """
    select id, identity, decision_id, key, day, flags, since from difference
    where side = :side and mended_at is null
    """
)


async def lock_side(connection: Connection, side: str) -> None:
    """Lock the differences of a side until the end of the transaction."""
    await connection.execute(_LOCK, {"side": side})


async def overtaken_days(connection: Connection, run_id: int) -> list[tuple[date, date]]:
    """Return the days, from the first to the one after the last, of which a later run has ended.

    Later is what began later.
    """
    rows = await connection.execute(_NEWER, {"run": run_id})
    return [(row.first_day, row.end_day) for row in rows]


async def standing(connection: Connection, side: str) -> list[OpenDifference]:
    """Return the differences of a side that are not mended."""
    rows = await connection.execute(_STANDING, {"side": side})
    return [OpenDifference(row[0], FoundDifference(*row[1:])) for row in rows]


async def write(
    connection: Connection,
    run: Run,
    found: Sequence[FoundDifference],
    mended: Sequence[int],
    now: datetime,
) -> int:
    """Store differences as a run leaves them; return how many are new or open again."""
    names = ["identity", "decision_id", "key", "day", "flags", "words", "since"]
    of_run = {"side": run.side, "run": run.id, "now": now}
    rows, opened = iter(found), 0
    while part := list(islice(rows, _SLICE)):
        given = [
            (
                one.identity,
                one.decision_id,
                one.key,
                one.day,
                orjson.dumps([dict(flag) for flag in one.flags]).decode(),
                one.words,
                one.since,
            )
            for one in part
        ]
        opened += await connection.scalar(_KEEP, {**arrays(names, given), **of_run}) or 0
    await connection.execute(_MEND, {"ids": list(mended), "now": now})
    return opened


#: That one was late stays true: nothing mends it.
_OLDER = text(
    """
    select decision_id, day from difference
    where side = :side and mended_at is null and explained_at is null
      and day < :first and day >= cast(:first as date) - interval '1 year'
      and exists (select from jsonb_array_elements(flags) flag where flag->>'kind' <> 'late')
    """
)


async def older(connection: Connection, side: str, first: date) -> list[tuple[int | None, date]]:
    """Return the open differences of a year before a day that may be mended: decision and day."""
    rows = await connection.execute(_OLDER, {"side": side, "first": first})
    return [(row[0], row[1]) for row in rows]


_LIST = text(
    f"""
    select {_COLUMNS} from difference
    where (cast(:side as text) is null or side = :side)
      and (cast(:kind as text) is null
          or flags @> jsonb_build_array(jsonb_build_object('kind', cast(:kind as text))))
      and (cast(:every as boolean) or (mended_at is null and explained_at is null))
    order by key, side limit :limit
    """
)
_OPEN = text(
    """
    select side, count(*) from difference
    where mended_at is null and explained_at is null group by side order by side
    """
)
_EXPLAIN = text(
    """
    update difference set explained_at = :now, explained_by = :actor, reason = :reason
    where id = :id and mended_at is null
    """
)


async def listed(
    connection: Connection,
    side: str | None = None,
    kind: str | None = None,
    *,
    every: bool = False,
    limit: int | None = None,
) -> list[StoredDifference]:
    """Return the open differences, those of one decision together; with `every` all of them."""
    values = {"side": side, "kind": kind, "every": every, "limit": limit}
    return [StoredDifference(*row) for row in await connection.execute(_LIST, values)]


async def open_by_side(connection: Connection) -> dict[str, int]:
    """Return how many differences of each side are open."""
    return {row[0]: row[1] for row in await connection.execute(_OPEN)}


async def explain(connection: Connection, id_: int, actor: str, reason: str, now: datetime) -> bool:
    """Explain a difference for a reason; return whether there is one that is not mended."""
    values = {"id": id_, "actor": actor, "reason": reason, "now": now}
    return bool((await connection.execute(_EXPLAIN, values)).rowcount)


class RegisterGaps(NamedTuple):
    """What a register has and we have not: what never came here, and what was withdrawn here.

    `withdrawn_reported`: of the latter, what the headline destination was handed before.
    """

    never_came: int
    withdrawn_reported: int


_GAPS = text(
    f"""
    select i.side, count(*) filter (where i.decision_id is null
            and split_part(i.key, '|', 1) = any(cast(:kinds as text[]))) as never_came,
        count(*) filter (where exists (
            select from delivery x where x.chain_id = i.decision_id
                and x.item_kind = 'record_version' and x.destination = :headline
                and x.verb not in ('withdraw', 'repair')
                and (x.submitted_at is not null or x.state in {one_of(HANDED_OVER)}
                    or exists (select from attempt a
                        where a.delivery_id = x.id and a.outcome = 'rejected'))))
            as withdrawn_reported
    from difference i
    where i.mended_at is null and i.day >= :first and i.day < :end
        and i.side = any(cast(:registers as text[]))
        and i.flags @> jsonb_build_array(jsonb_build_object('kind', 'missing'))
    group by i.side
    """
)


async def register_gaps(
    connection: Connection,
    registers: Sequence[str],
    headline: str | None,
    kinds: Sequence[str],
    days: tuple[date, date],
) -> dict[str, RegisterGaps]:
    """Return what each register has of these days and we have not, of the `kinds` of the headline.

    `days`: the first and the one after the last.
    """
    values = {"registers": list(registers), "headline": headline, "kinds": list(kinds)}
    of_days = {"first": days[0], "end": days[1]}
    rows = await connection.execute(_GAPS, {**values, **of_days})
    return {row[0]: RegisterGaps(row[1], row[2]) for row in rows}


_FAULTS = text(
    """
    select side, flag->>'kind', count(*) from difference, jsonb_array_elements(flags) flag
    where mended_at is null and day >= :first and day < :end group by 1, 2
    """
)


async def faults(connection: Connection, first: date, end: date) -> dict[str, dict[str, int]]:
    """Return how many decisions of these days have which fault, by side; mended ones are none."""
    found: dict[str, dict[str, int]] = {}
    for side, kind, count in await connection.execute(_FAULTS, {"first": first, "end": end}):
        found.setdefault(side, {})[kind] = count
    return found
