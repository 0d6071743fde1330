"""Tell the latest version to a destination that turns out to have an earlier one.

A platform may have stored a record although it said that it was busy. Its receipt comes later, when
the decision has been withdrawn, say, and, as nobody seemed to have it, nothing was owed.
"""

from collections.abc import Sequence
from datetime import datetime

from gateway.batch import tell_apart
from gateway.decide.decider import Decider
from gateway.store.base.engine import Connection, Database
from gateway.store.deliver import deliveries
from gateway.store.deliver.unheard import Unheard, unheard
from gateway.telemetry.log import LogEvent, logger
from schemas.obligation import Obligation, PastDelivery

#: Decisions of one transaction.
SLICE = 500


async def tell_unheard(database: Database, decider: Decider, now: datetime) -> int:
    """Add the deliveries that are owed after all; return how many."""

    async def work(connection: Connection) -> int:
        configured = [one.name for one in decider.destinations]
        found = await unheard(connection, SLICE, configured)
        if not found:
            return 0
        await deliveries.lock(connection, {one.version.subject_id for one in found})
        chains = [one.version.decision_id for one in found]
        found = await unheard(connection, SLICE, configured, chains)
        past = await deliveries.past(connection, chains)
        owed = [_owed(decider, one, past.get(one.version.decision_id, ()), now) for one in found]
        await deliveries.add(connection, owed, now)
        await tell_apart(connection, decider, [one.item_id for one in owed])
        return len(owed)

    count = await database.run(work)
    if count:
        logger.warning(LogEvent.OWED_AFTER_ALL, extra={"count": count})
    return count


def _owed(
    decider: Decider, one: Unheard, past: Sequence[PastDelivery], now: datetime
) -> Obligation:
    """Return what is owed to the one destination; the others have been decided before."""
    mine = [each for each in past if each.destination == one.destination]
    owed = decider.version(one.version, mine, now).obligation
    routes = [route for route in owed.routes if route.destination == one.destination]
    return owed._replace(routes=routes)
