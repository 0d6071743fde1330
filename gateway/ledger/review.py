"""Look again at months whose ledger is frozen 冻结后复核: what differs by now.

A decision that is late, missed or accepted only after the freeze stands in no frozen version until
somebody makes a new one. That is a person's act: a version needs a reason that only a person knows,
and it goes to its recipients; a version each day would bury the one that matters.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from gateway.ledger import month as ledger_of
from gateway.ledger.month import Ledger, days_of, end_of_month
from gateway.ledger.rows import LedgerScope
from gateway.ledger.rows_file import parquet
from gateway.ledger.versions import NO_CHANGE, row_changes
from gateway.store.account import ledger_reviews, ledgers
from gateway.store.account.ledger_reviews import LedgerReview
from gateway.store.account.ledgers import Frozen
from gateway.store.base.engine import Connection, Database
from gateway.store.record import quarantine
from gateway.telemetry.log import LogEvent, logger
from schemas.base import start_of, today

#: So many of the newest months are computed each day: their due times pass without any change.
RIPENING = 2
_COUNTS = {"in_scope": "应报", "handed_over": "已报", "accepted": "有效入库"}
_BY_CLOCK = {"timely": "及时", "late": "迟报", "missed": "漏报"}


async def review_one(
    database: Database, scope: LedgerScope, months: Sequence[str], now: datetime
) -> bool:
    """Compare one frozen month with what it is now; return whether none is left for this day.

    `months` are looked at, the oldest first. One call computes one month at most; one in which
    nothing was stored since the last time costs a statement.
    """
    day = today(now)
    async with database.transaction() as connection:
        newest = await ledgers.newest(connection, months)
        before = await ledger_reviews.of(connection, months)
    for month in reversed(months):
        frozen, last = newest.get(month), before.get(month)
        if frozen is None or frozen.recorded_at < end_of_month(month):
            continue
        if last is not None and last.version != frozen.version:
            last = None
        if last is not None and last.reviewed_on >= day:
            continue
        async with database.transaction() as connection:
            seen = await _seen(connection, month)
            if last is not None and last.seen == seen and month not in months[-RIPENING:]:
                same = LedgerReview(month, frozen.version, day, seen, last.changed)
                await ledger_reviews.save(connection, same)
                continue
            # One that cannot be computed must not keep the others from it: it waits for tomorrow.
            begun = LedgerReview(month, frozen.version, day, "", last.changed if last else None)
            await ledger_reviews.save(connection, begun)
        await _review(database, scope, frozen, seen, now)
        return False
    return True


async def _seen(connection: Connection, month: str) -> str:
    first, end = days_of(month)
    refused = await quarantine.refused_in(connection, first, end)
    return f"{await ledger_reviews.seen(connection, first, end, start_of(first))}/{refused}"


async def _review(
    database: Database, scope: LedgerScope, frozen: Frozen, seen: str, now: datetime
) -> None:
    account = await ledger_of.month(database, scope, frozen.month, now)
    async with database.transaction() as connection:
        rows = await ledgers.frozen_rows(connection, frozen.month, frozen.version)
    words = await asyncio.to_thread(changes, frozen, rows, account)
    if words is not None:
        extra = {"month": frozen.month, "version": frozen.version, "changed": words}
        logger.warning(LogEvent.LEDGER_CHANGED, extra=extra)
    async with database.transaction() as connection:
        review = LedgerReview(frozen.month, frozen.version, today(now), seen, words)
        await ledger_reviews.save(connection, review)


def changes(frozen: Frozen, rows: bytes | None, account: Ledger) -> str | None:
    """Return in Chinese how a month differs from its frozen version; None: not at all.

    Equal content has an equal hash; what an earlier release did not keep is no difference.
    """
    if frozen.hash == account.hash:
        return None
    words = list(_figures(frozen.figures, account.as_json()))
    if rows is not None:
        differing = row_changes(rows, parquet(account.rows), NO_CHANGE)
        if count := sum(1 for _ in differing):
            words.append(f"明细 {count} 条不同")
    return "；".join(words) or None


def _figures(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    known = {one["destination"]: one for one in before.get("figures", ()) if one["kind"] is None}
    for one in after["figures"]:
        old = known.get(one["destination"])
        if one["kind"] is None and old is not None:
            told = [*_moved(_COUNTS, old, one), *_of_clocks(old, one)]
            if told:
                yield f"{one['title']} {'，'.join(told)}"
    yield from _moved({"refused": "拒收"}, before, after)


def _of_clocks(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    known = {one["clock"]: one for one in before["clocks"]}
    for one in after["clocks"]:
        if one["clock"] in known:
            moved = _moved(_BY_CLOCK, known[one["clock"]], one)
            yield from (f"{one['title']} {words}" for words in moved)


def _moved(
    titles: Mapping[str, str], before: Mapping[str, Any], after: Mapping[str, Any]
) -> Iterator[str]:
    for name, title in titles.items():
        if name in before and before[name] != after[name]:
            yield f"{title} {before[name]} → {after[name]}"
