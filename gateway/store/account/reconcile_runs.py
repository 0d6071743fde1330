"""The runs of the reconciliation 对账: what was compared, when, and how many rows it had."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import text

from gateway.store.base.engine import Connection
from gateway.store.base.statements import as_json


@dataclass(frozen=True, slots=True)
class Run:
    """One comparison of a side over a span of decision dates, which ends before `end`.

    `shown` is None where the side cannot be read; `unproven` counts what nobody answered for and
    the listing does not prove.
    """

    id: int
    side: str
    first: date
    end: date
    began_at: datetime
    finished_at: datetime | None = None
    ours: int | None = None
    shown: int | None = None
    complete_until: datetime | None = None
    unproven: int | None = None
    found: int | None = None
    #: Month, kind and authority of the rows of the other side, and how many there are.
    counts: Sequence[tuple[str, str, str, int]] = ()
    unread: int = 0  #: rows of the other side that say no document number


_BEGIN = text(
    """
    insert into reconcile_run (id, side, first_day, end_day, began_at)
    values (nextval('gateway_id'), :side, :first, :end, :now) returning id
    """
)
_FINISH = text(
    """
    update reconcile_run set finished_at = :now, ours = :ours, shown = :shown, found = :found,
        complete_until = :complete_until, unproven = :unproven, counts = cast(:counts as jsonb),
        unread = :unread
    where id = :id
    """
)
_RUN = """id, side, first_day, end_day, began_at, finished_at, ours, shown, complete_until,
    unproven, found, coalesce(counts, '[]'), coalesce(unread, 0)"""
_LAST_RUNS = text(
    f"""
    select distinct on (side) {_RUN} from reconcile_run
    where finished_at is not null and first_day <= :first and end_day >= :end
    order by side, began_at desc
    """
)
_HAS_RUN = text(
    """
    select exists (select from reconcile_run where side = :side and first_day <= :first
        and end_day >= :end and began_at >= :since
        and (finished_at is not null or began_at > :abandoned))
    """
)


async def begin(connection: Connection, run: Run) -> Run:
    """Note that a run begins, and return it with its id."""
    values = {"side": run.side, "first": run.first, "end": run.end, "now": run.began_at}
    return replace(run, id=int(await connection.scalar(_BEGIN, values) or 0))


async def finish(connection: Connection, run: Run) -> None:
    """Note what a run has compared."""
    values = {
        "id": run.id,
        "now": run.finished_at,
        "ours": run.ours,
        "shown": run.shown,
        "found": run.found,
        "complete_until": run.complete_until,
        "unproven": run.unproven,
        "counts": as_json(run.counts),
        "unread": run.unread,
    }
    await connection.execute(_FINISH, values)


async def last_runs(connection: Connection, first: date, end: date) -> list[Run]:
    """Return the last run of each side over these days that came to its end."""
    days = {"first": first, "end": end}
    return [Run(*row) for row in await connection.execute(_LAST_RUNS, days)]


_LOCK = text("select pg_advisory_xact_lock(hashtext('reconcile ' || :side))")


async def begin_once(
    connection: Connection, wanted: Run, since: datetime, abandoned: datetime
) -> Run | None:
    """Begin a run, unless one like it was done since a time or is in progress; return it.

    One that began before `abandoned` and has not finished is in progress no more.
    """
    await connection.execute(_LOCK, {"side": wanted.side})
    values = {"side": wanted.side, "first": wanted.first, "end": wanted.end}
    times = {"since": since, "abandoned": abandoned}
    if await connection.scalar(_HAS_RUN, {**values, **times}):
        return None
    return await begin(connection, wanted)


_FAIL = text("update reconcile_run set failed = :words where id = :id")
_FAILED = text(
    """
    select side, began_at, failed from (
        select distinct on (side) side, began_at, failed from reconcile_run
        where side = any(cast(:sides as text[])) and (finished_at is not null or failed is not null)
        order by side, began_at desc) last
    where failed is not null order by side
    """
)


async def fail(connection: Connection, run_id: int, words: str) -> None:
    """Note why a run did not come to its end."""
    await connection.execute(_FAIL, {"id": run_id, "words": words})


async def failed(connection: Connection, sides: Iterable[str]) -> list[tuple[str, datetime, str]]:
    """Return those of the sides whose last run failed: when, and why."""
    rows = await connection.execute(_FAILED, {"sides": list(sides)})
    return [(row[0], row[1], row[2]) for row in rows]
