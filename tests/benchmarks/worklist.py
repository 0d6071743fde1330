"""The work list of a million open deliveries: its first page, and all of it by groups."""

import time
from datetime import timedelta
from typing import Any

from gateway.store.base.engine import Database
from gateway.store.deliver.worklist import Wanted
from gateway.worklist.look import WorkList, look
from gateway.worklist.rows import Grouping
from tests.benchmarks.reconcile import DECISIONS, DESTINATION, DUE, fill
from tests.benchmarks.world import World, fresh_database, take_statistics

ROUNDS, PAGE = 5, 50


async def worklist(place: World) -> dict[str, Any]:
    """Measure the best of some looks in milliseconds, a day before all of it is due."""
    url = await fresh_database(place, "bench_worklist")
    await fill(url, state="ready")
    database = Database(url)
    await take_statistics(database)
    rounds = [await _timed(database) for _ in range(ROUNDS)]
    await database.close()
    best, found = min(rounds, key=lambda one: one[0])
    if len(found.rows) != PAGE or sum(group.open for group in found.groups) != DECISIONS:
        raise SystemExit(f"{len(found.rows)} rows, {found.groups}")
    return {"worklist_ms": round(best * 1000)}


async def _timed(database: Database) -> tuple[float, WorkList]:
    start, now = time.perf_counter(), DUE - timedelta(days=1)
    async with database.transaction() as connection:
        found = await look(connection, [DESTINATION], {}, Wanted(), now, Grouping.DESTINATION, PAGE)
    return time.perf_counter() - start, found
