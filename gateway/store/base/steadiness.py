"""Whether what we sent cut a connection, or an outage did, which cuts others as well."""

import asyncio
import time

from sqlalchemy import text

from gateway.store.base.engine import ALIVE, Database, DatabaseAway, DatabaseStarting

#: Seconds in which a server that fell over answers again; longer while it says that it starts.
ANSWER_SECONDS, STARTING_SECONDS = 30.0, 600.0
_PAUSE = 0.2
#: The transaction that touches nothing stands for so many times as long as the one that was cut,
#: within these bounds in seconds: links that break now and then, and the limits of a proxy or a
#: pooler, cut it too.
TIMES_AS_LONG, SHORTEST, LONGEST = 3.0, 3.0, 60.0

_STAND = text("select pg_sleep(:seconds)")


async def is_steady(database: Database, cut_after: float) -> bool:
    """Whether the database answers, and lets a transaction stand that touches nothing.

    `cut_after` is how many seconds the transaction had lasted that was cut.
    """
    if not await _answers(database):
        return False
    seconds = min(max(SHORTEST, TIMES_AS_LONG * cut_after), LONGEST)
    try:
        async with database.transaction() as connection:
            await connection.execute(_STAND, {"seconds": seconds})
    except DatabaseAway:
        return False
    return True


async def _answers(database: Database) -> bool:
    began = time.monotonic()
    end = began + ANSWER_SECONDS
    while time.monotonic() < end:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                async with database.transaction() as connection:
                    await connection.execute(ALIVE)
                    return True
        except DatabaseStarting:
            end = min(time.monotonic() + ANSWER_SECONDS, began + STARTING_SECONDS)
        except (DatabaseAway, TimeoutError):
            pass
        await asyncio.sleep(_PAUSE)
    return False
