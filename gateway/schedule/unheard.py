"""Tell the latest version to a destination that turns out to have an earlier one.

A platform may have stored a record although it said that it was busy. Its receipt comes later, when
the decision has been withdrawn, say, and, as nobody seemed to have it, nothing was owed.
"""

from datetime import datetime

from gateway.decide.decider import Decider
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import deliveries
from gateway.store.deliver.unheard import unheard
from gateway.telemetry.log import LogEvent, logger

#: Decisions of one transaction.
SLICE = 500


async def tell_unheard(database: Database, decider: Decider, now: datetime) -> int:
    """Add the deliveries that are owed after all; return how many."""

    async def work(connection: Connection) -> int:
        found = await unheard(connection, SLICE)
        if not found:
            return 0
        await deliveries.lock(connection, {one.version.subject_id for one in found})
        chains = [one.version.decision_id for one in found]
        found = await unheard(connection, SLICE, chains)
        past = await deliveries.past(connection, chains)
        owed = []
        for one in found:
            there = past.get(one.version.decision_id, ())
            mine = [each for each in there if each.destination == one.destination]
            owed.append(decider.version(one.version, mine, now).obligation)
        await deliveries.add(connection, owed, now)
        return len(owed)

    count = await database.run(work)
    if count:
        logger.warning(LogEvent.OWED_AFTER_ALL, extra={"count": count})
    return count
