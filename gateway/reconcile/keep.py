"""Keep what a run of the reconciliation found: its differences, and what a listing proves."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

from gateway.config.keys import Keys, is_person
from gateway.due.deadline import utc
from gateway.reconcile.difference import Difference, Flag, Key
from gateway.reconcile.lasting import Examined, result_of
from gateway.reconcile.pairs import Pair
from gateway.store.account import differences as store
from gateway.store.account import reconcile_runs
from gateway.store.account.differences import Changes
from gateway.store.account.reconcile_runs import Run
from gateway.store.audit import events
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import receipts
from gateway.store.deliver.receipts import MatchedReceipt
from gateway.telemetry.audit_events import AuditEvent
from schemas.reconciled import FoundDifference

#: What the receipt says that a listing is.
_BY_LISTING = "公示清单"
#: Receipts of one transaction.
_SLICE = 1000


@dataclass(frozen=True, slots=True)
class Reconciled:
    """One run and its differences; `changes` is None if what a later run found stands.

    Of days that a later run compared, what that found stands.
    """

    run: Run
    differences: tuple[FoundDifference, ...]
    changes: Changes | None


async def keep(
    database: Database,
    run: Run,
    found: Iterable[Difference],
    examined: Examined,
    keys: Keys,
) -> Reconciled:
    """Store the end of a run, what it makes of the differences, and that it was done."""
    now = run.finished_at or run.began_at
    rows = await asyncio.to_thread(lambda: tuple(_found(one, keys) for one in found))
    run = replace(run, found=len(rows))
    detail = {
        "side": run.side,
        "run": run.id,
        "ours": run.ours,
        "shown": run.shown,
        "differences": run.found,
    }
    async with database.transaction() as connection:
        changes = await _kept(connection, run, rows, examined, now)
        await reconcile_runs.finish(connection, run)
        await events.add(connection, [events.AuditEntry(AuditEvent.RECONCILED, detail)], now)
    return Reconciled(run, rows, changes)


async def _kept(
    connection: Connection,
    run: Run,
    found: Sequence[FoundDifference],
    examined: Examined,
    now: datetime,
) -> Changes | None:
    await store.lock_side(connection, run.side)
    newer = await store.overtaken_days(connection, run.id)
    if any(first <= run.first and end >= run.end for first, end in newer):
        return None

    def is_ours(day: date | None) -> bool:
        return day is None or not any(first <= day < end for first, end in newer)

    before = [one for one in await store.standing(connection, run.side) if is_ours(one.day)]
    found = [one for one in found if is_ours(one.day)]
    made = await asyncio.to_thread(result_of, before, found, examined)
    opened = await store.write(connection, run, made.standing, made.mended, now)
    return Changes(opened, len(made.mended))


def _found(one: Difference, keys: Keys) -> FoundDifference:
    """Return a difference as it is stored: new pseudonyms of persons make no other one of it."""
    return FoundDifference(
        identity=key_text(one.key, keys.first_published)
        if one.decision_id is None
        else f"decision {one.decision_id}",
        decision_id=one.decision_id,
        key=key_text(one.key, keys.published),
        day=one.day,
        flags=[_flag(flag) for flag in one.flags],
        since=min(flag.since for flag in one.flags),
    )


def _flag(flag: Flag) -> Mapping[str, Any]:
    return {**asdict(flag), "kind": flag.kind.value, "since": utc(flag.since).isoformat()}


def key_text(key: Key, publish: Callable[[str], str]) -> str:
    """Return a key for display, with a pseudonym for a natural person."""
    kind, number, code = key
    return f"{kind}|{number}|{publish(code) if is_person(code) else code}"


async def keep_proven(
    database: Database, destination: str, proven: Sequence[Pair], now: datetime
) -> None:
    """Keep what a listing proves as the answers that never came."""
    answers = [
        MatchedReceipt(pair.ours.report_id, True, (), pair.shown_at, _BY_LISTING)
        for pair in proven
        if pair.ours.report_id is not None
    ]
    for start in range(0, len(answers), _SLICE):
        part = answers[start : start + _SLICE]

        async def work(connection: Connection, part: Sequence[MatchedReceipt] = part) -> None:
            await receipts.apply_receipts(connection, destination, part, now, proof=True)

        await database.run(work)


async def explain(database: Database, id_: int, actor: str, reason: str, now: datetime) -> bool:
    """Explain a difference for a reason, on the record; return whether there is one to explain."""
    async with database.transaction() as connection:
        done = await store.explain(connection, id_, actor, reason, now)
        if done:
            detail = {"difference": id_, "reason": reason}
            entry = events.AuditEntry(AuditEvent.DIFFERENCE_EXPLAINED, detail, actor)
            await events.add(connection, [entry], now)
    return done
