"""Locks that others hold: what stands still is ended, and a start waits for the rest."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TypeVar

from gateway.store.base.engine import Database, DatabaseAway, DatabaseBusy
from gateway.store.base.frozen import end_frozen, longest_transactions
from gateway.telemetry.log import LogEvent, logger

#: Seconds that a start waits for locks: longer than a process that stands still keeps any.
START_PATIENCE = 480.0
#: Seconds between two tries of a start.
START_PAUSE = 1.0

Made = TypeVar("Made")


async def release_frozen(database: Database) -> None:
    """End the transactions that stand still within a statement and block others."""
    async with database.transaction() as connection:
        ended = await end_frozen(connection)
    for pid in ended:
        logger.error(LogEvent.FROZEN_ENDED, extra={"pid": pid})


async def patiently(database: Database, work: Callable[[], Awaitable[Made]]) -> Made:
    """Repeat the work of a start while somebody holds a lock, and say so in the log.

    Raises:
        DatabaseBusy: it is still held after eight minutes; the message names the longest
            transactions.
    """
    end = time.monotonic() + START_PATIENCE
    while True:
        try:
            return await work()
        except DatabaseBusy as error:
            words = f"{error}；{await _holders(database)}"
            if time.monotonic() > end:
                raise DatabaseBusy(words) from error
        logger.error(LogEvent.START_WAITS, extra={"waits": f"数据库里有锁，等它放开：{words}"})
        await asyncio.sleep(START_PAUSE)


async def _holders(database: Database) -> str:
    """End what stands still; say in Chinese which transactions are open for longest."""
    found = ""
    with suppress(DatabaseAway):
        await release_frozen(database)
        async with database.transaction() as connection:
            found = await longest_transactions(connection)
    return f"最久的事务：{found}" if found else "没有久未结束的事务"
